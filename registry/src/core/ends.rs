//! The two ends of a connection, and how one user's address looks to another.

use std::net::{IpAddr, SocketAddr};

/// Where a connection comes from and at which of our addresses it arrived, both in their plain form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ends {
    from: IpAddr,
    to: IpAddr,
}

impl Ends {
    pub(super) fn new(from: SocketAddr, to: SocketAddr) -> Self {
        Self { from: from.ip().to_canonical(), to: to.ip().to_canonical() }
    }

    /// Where the connection comes from.
    pub(super) fn from(&self) -> IpAddr {
        self.from
    }

    /// The address of ours at which it arrived.
    pub(super) fn to(&self) -> IpAddr {
        self.to
    }

    /// Whether the far end is on the registry's own machine.
    pub(super) fn is_local(&self) -> bool {
        self.from.is_loopback() || self.from == self.to
    }

    /// Whether two users would be called at the same address.
    pub(super) fn is_same_host(&self, other: &Self) -> bool {
        self.from == other.from || (self.is_local() && other.is_local())
    }

    /// The address at which `asker` can call the far end.
    ///
    /// A loopback address means the registry's machine, and nothing to anybody elsewhere: they are told the
    /// address at which they reach the registry themselves.
    pub(super) fn seen_by(&self, asker: &Self) -> IpAddr {
        if self.from.is_loopback() { asker.to } else { self.from }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(from: &str, to: &str) -> Ends {
        Ends::new(SocketAddr::new(from.parse().unwrap(), 1), SocketAddr::new(to.parse().unwrap(), 5000))
    }

    #[test]
    fn a_station_on_the_registrys_machine_is_reachable_from_elsewhere() {
        let local = ends("127.0.0.1", "127.0.0.1");
        for (asker, address) in [
            (ends("10.0.0.7", "10.0.0.1"), "10.0.0.1"),
            (ends("::ffff:10.0.0.7", "::ffff:10.0.0.1"), "10.0.0.1"),
            (ends("2001:db8::7", "2001:db8::1"), "2001:db8::1"),
            (local, "127.0.0.1"),
        ] {
            assert_eq!(local.seen_by(&asker).to_string(), address);
        }
        assert_eq!(ends("10.0.0.7", "10.0.0.1").seen_by(&local).to_string(), "10.0.0.7");
    }

    #[test]
    fn the_registrys_machine_is_one_host_by_whatever_address() {
        let local = ends("::1", "::1");
        assert!(local.is_same_host(&ends("127.0.0.1", "127.0.0.1")));
        assert!(local.is_same_host(&ends("10.0.0.1", "10.0.0.1")));
        assert!(!local.is_same_host(&ends("10.0.0.7", "10.0.0.1")));
        assert!(ends("::ffff:10.0.0.7", "10.0.0.1").is_same_host(&ends("10.0.0.7", "10.0.0.2")));
    }
}
