//! How fast one connection, and everybody at one address, may ask.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use heapless::Vec;
use vox_common::wire::event::Farewell;
use vox_common::wire::limits::MAX_CONNECTIONS;
use vox_common::wire::refusal::Refusal;
use vox_common::wire::request::Request;
use vox_common::wire::verb::Verb;

use super::counters::Counter;
use super::{ConnId, Out, Registry};

/// An address may ask as much as so many connections: a site behind one router has several stations.
const CONNECTIONS_WORTH: u32 = 8;

/// Refusals in a row after which a connection has ignored them. A station never has more requests on their way.
const IGNORED: u32 = 64;

/// `[limits]`; `None`: no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections from one address at a time.
    pub connections_per_address: Option<usize>,
    /// How fast requests may come.
    pub pace: Option<Pace>,
    /// How long a connection may be silent without REGISTER.
    pub idle_unregistered: Option<Duration>,
}

/// A token bucket of one connection; that of an address is eight times as large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Requests per second, once the burst is used up.
    pub per_second: u32,
    /// Requests that may come at once.
    pub burst: u32,
}

/// What a request costs, in those of the cheapest. Long answers, and what goes to everybody, cost more.
fn cost(verb: Verb) -> u32 {
    match verb {
        Verb::List | Verb::Broadcast => 8,
        Verb::Help | Verb::Members | Verb::Rooms | Verb::Stats => 4,
        _ => 1,
    }
}

/// A bucket, by the time at which it will be full again (the generic cell rate algorithm, ATM Forum TM 4.1).
#[derive(Debug, Clone, Copy)]
pub(super) struct Bucket(Instant);

impl Bucket {
    pub(super) fn full(now: Instant) -> Self {
        Self(now)
    }

    fn is_full(self, now: Instant) -> bool {
        self.0 <= now
    }

    /// Takes so many tokens out of a bucket of `times` a connection's size. `false`: they are not there, and none
    /// is taken.
    fn take(&mut self, now: Instant, pace: Pace, times: u32, tokens: u32) -> bool {
        let one = Duration::from_secs(1) / pace.per_second / times;
        let full_again = self.0.max(now) + one * tokens;
        // Even the smallest bucket holds the dearest request.
        let size = (pace.burst * times).max(tokens);
        let there = full_again.saturating_duration_since(now) <= one * size;
        if there {
            self.0 = full_again;
        }
        there
    }
}

/// One address that is connected, or was a moment ago.
#[derive(Debug, Clone)]
struct Address {
    ip: IpAddr,
    connections: usize,
    bucket: Bucket,
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
        if !address.may_ask(limits.pace, now, 1) {
            return Err(Refusal::SlowDown);
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

    fn of(&mut self, ip: IpAddr, now: Instant) -> Option<&mut Address> {
        let known = self.0.iter().position(|address| address.ip == ip);
        let index = match known {
            Some(index) => index,
            None => self.add(Address { ip, connections: 0, bucket: Bucket::full(now) }, now)?,
        };
        self.0.get_mut(index)
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
    fn may_ask(&mut self, pace: Option<Pace>, now: Instant, tokens: u32) -> bool {
        pace.is_none_or(|pace| self.bucket.take(now, pace, CONNECTIONS_WORTH, tokens))
    }
}

impl Registry<'_> {
    /// Whether this request does not come too fast; one that is none costs as much as the cheapest.
    pub(super) fn is_slow_enough(&mut self, conn: ConnId, request: Option<&Request<'_>>) -> bool {
        let Some(pace) = self.settings.limits.pace else {
            return true;
        };
        let tokens = request.map_or(1, |request| cost(request.verb()));
        let Some(connection) = self.tables.connections.live(conn) else {
            return false;
        };
        let ip = connection.ends.from();
        let may = connection.bucket.take(self.now, pace, 1, tokens)
            && self
                .tables
                .addresses
                .of(ip, self.now)
                .is_none_or(|it| it.may_ask(Some(pace), self.now, tokens));
        connection.refused_in_a_row = if may { 0 } else { connection.refused_in_a_row + 1 };
        may
    }

    /// Says so; somebody who does not listen has to go.
    pub(super) fn slow_down(&mut self, conn: ConnId, out: Out<'_>) {
        self.counters.count(Counter::SlowDowns);
        self.refuse(conn, Refusal::SlowDown, out);
        let ignores = |connection: &mut super::connections::Connection| connection.refused_in_a_row > IGNORED;
        if self.tables.connections.live(conn).is_some_and(ignores) {
            self.dismiss(conn, Some(Farewell::TooFast), out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vox_common::sys::clock;

    const PACE: Pace = Pace { per_second: 20, burst: 100 };

    #[test]
    fn a_bucket_holds_its_burst_and_fills_again() {
        let start = clock::now();
        let mut bucket = Bucket::full(start);
        let taken = |bucket: &mut Bucket, at: Duration| {
            (0..1000).take_while(|_| bucket.take(start + at, PACE, 1, 1)).count()
        };
        assert_eq!(taken(&mut bucket, Duration::ZERO), 100);
        assert_eq!(taken(&mut bucket, Duration::from_secs(1)), 20);
        assert_eq!(taken(&mut bucket, Duration::from_secs(3600)), 100, "it never holds more than its burst");
    }

    #[test]
    fn what_costs_more_than_the_burst_is_served_from_a_full_bucket() {
        let start = clock::now();
        let mut bucket = Bucket::full(start);
        let small = Pace { per_second: 1, burst: 2 };
        assert!(bucket.take(start, small, 1, 8));
        assert!(!bucket.take(start, small, 1, 1));
    }

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
