//! Whom a key is remembered for.

use std::fmt;

use vox_common::wire::control::Who;
use vox_common::wire::names::Name;

/// The longest word: a host name of 253 bytes with its port fits.
pub const WHOM_BYTES: usize = 260;

/// Somebody or something with a key of its own; written as `peer bob`, `host 192.168.1.20:6000` or
/// `registry intercom.lan:5000`.
///
/// Holding one is proof that it is one word of at most [`WHOM_BYTES`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whom {
    kind: Kind,
    word: Box<str>,
}

/// What kind of thing has the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A station, by its name.
    Peer,
    /// A station, by the host that was typed to call it.
    Host,
    /// A registry, by its address in the configuration.
    Registry,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Peer, Self::Host, Self::Registry];

    /// The word in files and answers.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Peer => "peer",
            Self::Host => "host",
            Self::Registry => "registry",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

impl Whom {
    /// The station that calls itself so.
    pub fn peer(name: &Name) -> Self {
        Self { kind: Kind::Peer, word: name.as_str().into() }
    }

    /// The station at a host, as it was typed; case does not matter. `None`: that is no word.
    pub fn host(typed: &str) -> Option<Self> {
        Self::of(Kind::Host, &typed.to_ascii_lowercase())
    }

    /// The registry at an address like `intercom.lan:5000`; case does not matter. `None`: that is no word.
    pub fn registry(address: &str) -> Option<Self> {
        Self::of(Kind::Registry, &address.to_ascii_lowercase())
    }

    /// Reads what `Display` writes.
    pub fn parse(kind: &str, word: &str) -> Option<Self> {
        match Kind::parse(kind)? {
            Kind::Peer => {
                Name::parse(word).ok().filter(|name| name.as_str() == word).map(|name| Self::peer(&name))
            }
            kind => Self::of(kind, word).filter(|whom| *whom.word == word.to_ascii_lowercase()),
        }
    }

    fn of(kind: Kind, word: &str) -> Option<Self> {
        let is_word =
            (1..=WHOM_BYTES).contains(&word.len()) && !word.contains(|c: char| c == ' ' || c.is_control());
        is_word.then(|| Self { kind, word: word.into() })
    }

    /// What kind of thing it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The name of a station. `None`: it is called by something else.
    pub fn name(&self) -> Option<Name> {
        Name::parse(&self.word).ok().filter(|_| self.kind == Kind::Peer)
    }

    /// Its name or address.
    pub fn word(&self) -> &str {
        &self.word
    }

    /// Whether somebody who typed this can mean it: a name means a station before a host, a host never a name.
    pub fn is_meant_by(&self, who: &Who<'_>) -> bool {
        match who {
            Who::Name(name) => *self.word == *name.as_str(),
            Who::Host(host) => self.kind != Kind::Peer && self.word.eq_ignore_ascii_case(host),
        }
    }
}

impl fmt::Display for Whom {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.kind.word(), self.word)
    }
}
