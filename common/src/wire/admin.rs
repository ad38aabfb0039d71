//! What an administrator asks of a registry over its own socket (docs/PROTOCOL.md, "Administration").

use std::fmt;
use std::net::IpAddr;

use super::names::Name;
use super::words::split_first;

/// One request, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// `STATUS`
    Status,
    /// `USERS`
    Users,
    /// `KICK <name>`
    Kick(Name),
    /// `BAN <address-or-name>`
    Ban(Ban),
    /// `UNBAN <address-or-name>`
    Unban(Ban),
    /// `BANS`
    Bans,
    /// `FORGET <name>`
    Forget(Name),
    /// `STOP`
    Stop,
    /// `HELP`
    Help,
}

/// Whom an administrator keeps out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ban {
    /// Everybody of this name.
    Name(Name),
    /// Everybody at this address, in its plain form.
    Address(IpAddr),
}

/// Why a request was not understood; the refusal to answer.
pub type BadRequest = &'static str;

/// The usage of every request, as HELP lists them.
pub const USAGES: [&str; 9] = [
    "STATUS: tells how the registry is",
    "USERS: tells who is there, where, and since when",
    "KICK <name>: ends a user's connection",
    "BAN <address-or-name>: keeps somebody out, and ends the connections that there are",
    "UNBAN <address-or-name>: lets somebody in again",
    "BANS: tells who is kept out",
    "FORGET <name>: gives a name free that belongs to a key",
    "STOP: tells everybody, and ends the registry",
    "HELP: explains the requests",
];

impl Request {
    /// Reads one line without its end.
    ///
    /// # Errors
    /// The refusal to answer, with its code.
    pub fn parse(line: &str) -> Result<Self, BadRequest> {
        let (verb, rest) = split_first(line);
        let rest = rest.trim_end_matches(' ');
        match verb.to_ascii_uppercase().as_str() {
            "STATUS" => alone(rest, Self::Status),
            "USERS" => alone(rest, Self::Users),
            "KICK" => name(rest).map(Self::Kick),
            "BAN" => Ban::parse(rest).map(Self::Ban).ok_or(NOBODY),
            "UNBAN" => Ban::parse(rest).map(Self::Unban).ok_or(NOBODY),
            "BANS" => alone(rest, Self::Bans),
            "FORGET" => name(rest).map(Self::Forget),
            "STOP" => alone(rest, Self::Stop),
            "HELP" => Ok(Self::Help),
            _ => Err("501 unknown request, HELP lists them"),
        }
    }
}

const NOBODY: BadRequest = "400 this takes an IP address without a port, or a name";

fn alone(rest: &str, request: Request) -> Result<Request, BadRequest> {
    if rest.is_empty() { Ok(request) } else { Err("400 this request takes no words") }
}

fn name(rest: &str) -> Result<Name, BadRequest> {
    if rest.is_empty() || rest.contains(' ') {
        return Err("400 this request takes one name");
    }
    Name::parse(rest).map_err(|_| "404 no such user")
}

impl Ban {
    /// Reads an address or a name. `None`: it is neither.
    pub fn parse(word: &str) -> Option<Self> {
        match word.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
            Ok(address) => Some(Self::Address(address.to_canonical())),
            Err(_) => Name::parse(word).ok().map(Self::Name),
        }
    }
}

impl fmt::Display for Ban {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => name.fmt(out),
            Self::Address(address) => address.fmt(out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn requests_are_read_in_any_case() {
        let bob = || Name::parse("bob").unwrap();
        for (line, request) in [
            ("status", Request::Status),
            ("Kick Bob ", Request::Kick(bob())),
            ("ban bob", Request::Ban(Ban::Name(bob()))),
            ("BAN ::ffff:10.0.0.7", Request::Ban(Ban::Address([10, 0, 0, 7].into()))),
            ("UNBAN [2001:db8::7]", Request::Unban(Ban::Address("2001:db8::7".parse().unwrap()))),
            ("FORGET bob", Request::Forget(bob())),
        ] {
            assert_eq!(Request::parse(line), Ok(request), "{line}");
        }
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for (line, code) in [
            ("", "501"),
            ("DANCE", "501"),
            ("STATUS all", "400"),
            ("KICK", "400"),
            ("KICK bob ann", "400"),
            ("KICK 2bob", "404"),
            ("BAN", "400"),
            ("BAN 10.0.0.7:6000", "400"),
            ("UNBAN a b", "400"),
            ("STOP now", "400"),
        ] {
            let refusal = Request::parse(line).expect_err(line);
            assert!(refusal.starts_with(code), "{line}: {refusal}");
        }
    }

    #[test]
    fn every_usage_is_a_request_that_is_known() {
        for usage in USAGES {
            let verb = usage.split([' ', ':']).next().expect("a verb");
            assert!(!Request::parse(verb).is_err_and(|refusal| refusal.starts_with("501")), "{usage}");
        }
    }

    proptest! {
        #[test]
        fn a_ban_is_read_as_it_was_written(address: IpAddr) {
            let ban = Ban::Address(address.to_canonical());
            prop_assert_eq!(Ban::parse(&ban.to_string()), Some(ban));
        }

        #[test]
        fn no_line_is_too_strange_to_read(line in "\\PC{0,80}") {
            let _ = Request::parse(&line);
        }
    }
}
