//! How many connections there are from one address, and how fast all of them together may ask.

use std::net::IpAddr;
use std::time::Instant;

use heapless::Vec;
use vox_common::wire::limits::MAX_CONNECTIONS;
use vox_common::wire::refusal::Refusal;

use super::pace::{Bucket, Limits, Pace};

/// An address may ask as much as so many connections: a site behind one router has several stations.
const CONNECTIONS_WORTH: u32 = 8;

/// One address that is connected, or was a moment ago.
#[derive(Debug, Clone)]
pub(super) struct Address {
    ip: IpAddr,
    connections: usize,
    pub(super) bucket: Bucket,
}

/// The addresses that matter. One without connections is kept until its bucket is full again, so that coming back
/// gains nothing; it makes room for one that has some.
#[derive(Debug)]
pub(super) struct Addresses(Vec<Address, MAX_CONNECTIONS>);

impl Addresses {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    /// Another connection from there, if it may be.
    pub(super) fn admit(&mut self, ip: IpAddr, limits: &Limits, now: Instant) -> Result<(), Refusal> {
        let address = self.of(ip, now).ok_or(Refusal::RegistryFull)?;
        if limits.connections_per_address.is_some_and(|most| address.connections >= most) {
            return Err(Refusal::CrowdedAddress);
        }
        if let Some(pace) = limits.pace {
            address.bucket = address.without(1, now, pace).ok_or(Refusal::SlowDown)?;
        }
        address.connections += 1;
        Ok(())
    }

    /// A connection from there has ended.
    pub(super) fn leave(&mut self, ip: IpAddr) {
        if let Some(address) = self.0.iter_mut().find(|address| address.ip == ip) {
            address.connections = address.connections.saturating_sub(1);
        }
    }

    /// What is known of an address. `None`: all places are taken by others that are connected.
    pub(super) fn of(&mut self, ip: IpAddr, now: Instant) -> Option<&mut Address> {
        let known = self.0.iter().position(|address| address.ip == ip);
        let index = match known {
            Some(index) => index,
            None => self.add(Address { ip, connections: 0, bucket: Bucket::full(now) }, now)?,
        };
        self.0.get_mut(index)
    }

    pub(super) fn change_pace(&mut self, pace: Pace, now: Instant) {
        self.0.iter_mut().for_each(|known| known.bucket = known.bucket.at(pace, now, CONNECTIONS_WORTH));
    }

    fn add(&mut self, address: Address, now: Instant) -> Option<usize> {
        if self.0.is_full() {
            self.0.retain(|known| known.connections > 0 || !known.bucket.is_full(now));
        }
        if self.0.is_full() {
            let unused = self.0.iter().position(|known| known.connections == 0)?;
            self.0.swap_remove(unused);
        }
        self.0.push(address).ok()?;
        Some(self.0.len() - 1)
    }
}

impl Address {
    /// Its bucket without so many tokens. `None`: they are not in it.
    pub(super) fn without(&self, tokens: u32, now: Instant, pace: Pace) -> Option<Bucket> {
        self.bucket.without(tokens, now, pace, CONNECTIONS_WORTH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vox_common::sys::clock;

    const PACE: Pace = Pace { per_second: 20, burst: 100 };

    #[test]
    fn an_address_is_remembered_until_its_bucket_is_full() {
        let start = clock::now();
        let limits = Limits { connections_per_address: Some(2), pace: Some(PACE), idle_unregistered: None };
        let mut addresses = Addresses::new();
        let bob = IpAddr::from([10, 0, 0, 7]);
        let come = |addresses: &mut Addresses| addresses.admit(bob, &limits, start);
        assert_eq!([come(&mut addresses), come(&mut addresses)], [Ok(()); 2]);
        assert_eq!(come(&mut addresses), Err(Refusal::CrowdedAddress));
        addresses.leave(bob);
        let comings = (0..2000).take_while(|_| {
            addresses.leave(bob);
            come(&mut addresses).is_ok()
        });
        assert_eq!(comings.count(), 800 - 2, "coming and going costs, too");
        assert_eq!(come(&mut addresses), Err(Refusal::SlowDown));
    }

    #[test]
    fn addresses_without_connections_make_room() {
        let start = clock::now();
        let limits = Limits { connections_per_address: None, pace: Some(PACE), idle_unregistered: None };
        let mut addresses = Addresses::new();
        for n in 0..5_u32 * 640 {
            let ip = IpAddr::from(n.to_be_bytes());
            assert_eq!(addresses.admit(ip, &limits, start), Ok(()));
            addresses.leave(ip);
        }
        assert!(addresses.0.is_full());
    }
}
