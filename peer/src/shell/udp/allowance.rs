//! How many signals are passed on: so many in a second from one address, and so many from all together. Whoever floods
//! uses up his own share, and keeps nobody else out; nor does who invents addresses, as long as they can be told apart.

use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

use heapless::Vec;

/// Signals of one address that are passed on in a second. At the brim: dropped and counted; whoever meant it asks again.
pub(super) const OF_ONE: u32 = 200;

/// Of all addresses together: what comes from everywhere at once has a bound, too.
const OF_ALL: u32 = 1_000;

/// Of one address that is told apart, also when all of that is used up: more than a call takes. Addresses can be invented,
/// and a handful of them would use it up.
const OF_EACH: u32 = 10;

/// Addresses that are told apart in a second. At the brim the rest share what one has.
const SOURCES: usize = 64;

/// Counted in whole seconds, from the first signal on.
#[derive(Debug, Default)]
pub(super) struct Allowance {
    since: Option<Instant>,
    all: u32,
    each: Vec<(IpAddr, u32), SOURCES>,
    others: u32,
}

impl Allowance {
    /// Whether a signal from there is passed on; counts it if so.
    pub(super) fn take(&mut self, now: Instant, from: IpAddr) -> bool {
        self.begin_again_each_second(now);
        let is_left = self.all < OF_ALL;
        let (taken, own) = self.taken_by(source(from));
        let is_allowed = *taken < if is_left { OF_ONE } else { own };
        *taken += u32::from(is_allowed);
        self.all += u32::from(is_allowed);
        is_allowed
    }

    fn begin_again_each_second(&mut self, now: Instant) {
        let since = *self.since.get_or_insert(now);
        if now.saturating_duration_since(since) >= Duration::from_secs(1) {
            *self = Self { since: Some(now), ..Self::default() };
        }
    }

    /// How many there were from there, and of how many it is sure.
    fn taken_by(&mut self, source: IpAddr) -> (&mut u32, u32) {
        let known = self.each.iter().position(|(known, _)| *known == source);
        let place = known.or_else(|| self.each.push((source, 0)).is_ok().then(|| self.each.len() - 1));
        match place {
            Some(place) => (&mut self.each[place].1, OF_EACH),
            None => (&mut self.others, 0),
        }
    }
}

/// Who sends: of IPv6 the network, in which one host has as many addresses as it likes.
fn source(from: IpAddr) -> IpAddr {
    match from {
        IpAddr::V4(_) => from,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of a thousand signals from there are passed on.
    fn passed(allowance: &mut Allowance, now: Instant, from: &str) -> u32 {
        let from = from.parse().expect("an address");
        (0..1_000).map(|_| u32::from(allowance.take(now, from))).sum()
    }

    #[test]
    fn whoever_floods_keeps_nobody_else_out_and_begins_again_each_second() {
        let start = vox_common::sys::clock::now();
        let mut allowance = Allowance::default();
        assert_eq!(passed(&mut allowance, start, "192.0.2.66"), OF_ONE);
        assert_eq!(passed(&mut allowance, start, "192.0.2.2"), OF_ONE);
        assert_eq!(passed(&mut allowance, start + Duration::from_millis(999), "192.0.2.66"), 0);
        assert_eq!(passed(&mut allowance, start + Duration::from_secs(1), "192.0.2.66"), OF_ONE);
    }

    #[test]
    fn a_host_is_one_whatever_address_of_its_network_it_takes() {
        let start = vox_common::sys::clock::now();
        let mut allowance = Allowance::default();
        assert_eq!(passed(&mut allowance, start, "2001:db8::1"), OF_ONE);
        assert_eq!(passed(&mut allowance, start, "2001:db8::2"), 0);
        assert_eq!(passed(&mut allowance, start, "2001:db8:0:1::2"), OF_ONE);
    }

    #[test]
    fn who_invents_a_handful_of_addresses_keeps_nobody_else_from_a_call() {
        let start = vox_common::sys::clock::now();
        let mut allowance = Allowance::default();
        let invented: u32 = (0..63).map(|n| passed(&mut allowance, start, &format!("192.0.2.{n}"))).sum();
        assert_eq!(invented, 1_000 + 58 * 10, "five use up what all have");
        assert_eq!(passed(&mut allowance, start, "198.51.100.1"), 10);
        assert_eq!(passed(&mut allowance, start, "198.51.100.2"), 0, "one too many to be told apart");
    }

    #[test]
    fn many_together_have_a_bound_and_those_too_many_to_tell_apart_share_one() {
        let start = vox_common::sys::clock::now();
        let mut allowance = Allowance::default();
        for n in 0..SOURCES {
            assert!(allowance.take(start, format!("192.0.2.{n}").parse().expect("an address")));
        }
        let [one, other] = ["198.51.100.1", "198.51.100.2"].map(|from| passed(&mut allowance, start, from));
        assert_eq!((one, other), (OF_ONE, 0));
        let rest: u32 = (0..9).map(|n| passed(&mut allowance, start, &format!("192.0.2.{n}"))).sum();
        let (sources, sure) = (u32::try_from(SOURCES).expect("small"), 5 * (OF_EACH - 1));
        assert_eq!(sources + one + rest, OF_ALL + sure, "and what each of the last five is sure of");
    }
}
