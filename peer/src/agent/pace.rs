//! How fast callers may make us compute: a handshake costs us as much as it costs them.

use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

/// Handshakes that one address may ask for at once; then as many as [`EVERY`] allows. Beyond: dropped, and asked for
/// again by whoever means it.
const BURST: u32 = 64;

/// Between two more.
const EVERY: Duration = Duration::from_millis(30);

/// Addresses share a bucket with those that fall into the same place, which nobody outside can choose.
const BUCKETS: usize = 64;

/// How fast handshakes are begun for others.
pub struct Pace {
    secret: Zeroizing<[u8; 32]>,
    /// When each bucket will be full again.
    full: [Option<Instant>; BUCKETS],
}

impl Pace {
    /// All may begin.
    pub fn new(secret: Zeroizing<[u8; 32]>) -> Self {
        Self { secret, full: [None; BUCKETS] }
    }

    /// Whether one more handshake may be done for that address; counts it.
    pub fn allows(&mut self, now: Instant, from: IpAddr) -> bool {
        let place = self.place(from);
        let full = &mut self.full[place];
        let after = full.map_or(now, |full| full.max(now)) + EVERY;
        let is_allowed = after <= now + BURST * EVERY;
        if is_allowed {
            *full = Some(after);
        }
        is_allowed
    }

    fn place(&self, from: IpAddr) -> usize {
        // Of IPv6 the network, in which one host has as many addresses as it likes.
        let from = match from {
            IpAddr::V6(host) => Ipv6Addr::from_bits(host.to_bits() & !u128::from(u64::MAX)).into(),
            v4 @ IpAddr::V4(_) => v4,
        };
        let mac = Hmac::<Sha256>::new_from_slice(&*self.secret).expect("HMAC takes a key of any length");
        let bytes = mac.chain_update(from.to_string().as_bytes()).finalize().into_bytes();
        usize::from(bytes[0]) % BUCKETS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_asks_too_fast_waits_and_others_do_not() {
        let start = vox_common::sys::clock::now();
        let mut pace = Pace::new(Zeroizing::new([7; 32]));
        let [eve, bob] = ["192.0.2.66", "192.0.2.2"].map(|address| address.parse().unwrap());
        let allowed = |pace: &mut Pace, from, at| (0..1_000).filter(|_| pace.allows(at, from)).count();
        assert_eq!(allowed(&mut pace, eve, start), 64);
        assert_eq!(allowed(&mut pace, bob, start), 64);
        assert_eq!(allowed(&mut pace, eve, start + Duration::from_secs(1)), 33);
        assert_eq!(allowed(&mut pace, eve, start + Duration::from_secs(60)), 64);
    }
    #[test]
    fn a_host_with_a_network_of_ipv6_addresses_is_one() {
        let now = vox_common::sys::clock::now();
        let mut pace = Pace::new(Zeroizing::new([7; 32]));
        let own = |n: u16| IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, n]);
        assert_eq!((0..1_000).filter(|n| pace.allows(now, own(*n))).count(), 64);
        let neighbour = IpAddr::from([0x2001, 0xdb8, 0, 2, 0, 0, 0, 1]);
        assert!(pace.allows(now, neighbour));
    }
}
