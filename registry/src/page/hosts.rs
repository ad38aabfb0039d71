//! Which names of hosts are ours.
//!
//! A page from elsewhere may let its own name lead to this machine and then read the answers (DNS rebinding). The
//! browser still tells the name, and by that such a request is known. An address cannot be rebound.

use std::net::{IpAddr, Ipv6Addr};

/// Names in `[page] hosts`. More are refused when the file is read.
pub const MAX_HOSTS: usize = 16;

/// A name of a host is no longer than this (RFC 1035, section 2.3.4).
const HOST_BYTES: usize = 253;

/// The name of a host, in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostName(String);

impl HostName {
    /// Checks a name as somebody typed it. `None`: it is empty, too long, or holds what no name holds.
    pub fn parse(typed: &str) -> Option<Self> {
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        let is_name = (1..=HOST_BYTES).contains(&typed.len()) && typed.bytes().all(is_letter);
        is_name.then(|| Self(typed.to_ascii_lowercase()))
    }
}

/// The names under which the page is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hosts(Vec<HostName>);

impl Hosts {
    /// `localhost`, the machine's own name with and without `.local`, and those in the configuration.
    pub fn new(machine: &str, listed: &[HostName]) -> Self {
        let short = machine.split('.').next().unwrap_or_default();
        let own = ["localhost", machine, short, &format!("{short}.local")].map(HostName::parse);
        Self(own.into_iter().flatten().chain(listed.iter().cloned()).collect())
    }

    /// Whether what a request calls us (`Host`, RFC 9110, section 7.2) is an address or one of our names.
    pub fn are_called(&self, host: &str) -> bool {
        match without_port(host) {
            Some(host) if host.starts_with('[') => is_ipv6(host),
            Some(host) => host.parse::<IpAddr>().is_ok_and(|ip| ip.is_ipv4()) || self.holds(host),
            None => false,
        }
    }

    fn holds(&self, host: &str) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host);
        self.0.iter().any(|name| name.0.eq_ignore_ascii_case(host))
    }
}

/// `name`, `address` or `[address]` of a host with or without `:port`.
fn without_port(host: &str) -> Option<&str> {
    let end = host.rfind(']').map_or(0, |bracket| bracket + 1);
    match host[end..].split_once(':') {
        None => Some(host),
        Some((rest, port)) => {
            port.bytes().all(|byte| byte.is_ascii_digit()).then(|| &host[..end + rest.len()])
        }
    }
}

fn is_ipv6(host: &str) -> bool {
    let inside = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    inside.is_some_and(|address| address.parse::<Ipv6Addr>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_our_own_names_are_us_and_nothing_else() {
        let listed = ["Intercom.example"].map(|name| HostName::parse(name).unwrap());
        let hosts = Hosts::new("Pi.lan", &listed);
        for host in [
            "127.0.0.1",
            "127.0.0.1:5080",
            "10.0.0.7:80",
            "[::1]",
            "[::1]:5080",
            "localhost",
            "LOCALHOST:5080",
            "localhost.:1",
            "pi",
            "pi.lan:5080",
            "pi.local",
            "intercom.example",
            "localhost:",
        ] {
            assert!(hosts.are_called(host), "{host}");
        }
        for host in [
            "",
            ":5080",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "evil.example:5080",
            "::1",
            "[::1",
            "[::1]x",
            "[localhost]",
            "[127.0.0.1]",
            "localhost:5080:1",
            "localhost:x",
            "user@localhost",
            "xlocalhost",
        ] {
            assert!(!hosts.are_called(host), "{host}");
        }
    }

    #[test]
    fn a_machine_without_a_name_adds_none() {
        let hosts = Hosts::new("", &[]);
        assert!(hosts.are_called("localhost") && !hosts.are_called("") && !hosts.are_called("evil.local"));
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for typed in ["", "a b", "a:80", "[::1]", "http://a", "é", &"a".repeat(HOST_BYTES + 1)] {
            assert_eq!(HostName::parse(typed), None, "{typed}");
        }
    }
}
