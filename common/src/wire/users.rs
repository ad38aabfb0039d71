//! Users as a registry tells of them: in listings, look-ups and events.

use std::fmt;
use std::net::SocketAddr;

use super::keys::{FINGERPRINT_BYTES, Fingerprint, KEY_BYTES, PublicKey};
use super::limits::{DISPLAY_BYTES, NAME_BYTES};
use super::names::{DisplayName, Name};
use super::words::{self, RepeatedKey, split_first};

/// `[` an IPv6 address `]:` and a port.
pub const ADDRESS_BYTES: usize = 1 + 39 + 2 + 5;

/// The longest written ` display=`.
pub const DISPLAY_WORD_BYTES: usize = " display=".len() + DISPLAY_BYTES;

/// The longest written [`Entry`].
pub const ENTRY_BYTES: usize =
    NAME_BYTES + 1 + ADDRESS_BYTES + 1 + STATUS_BYTES + 1 + FINGERPRINT_BYTES + DISPLAY_WORD_BYTES;

/// The longest written [`Found`].
pub const FOUND_BYTES: usize =
    NAME_BYTES + 1 + ADDRESS_BYTES + 1 + STATUS_BYTES + " key=".len() + KEY_BYTES + DISPLAY_WORD_BYTES;

/// The longest written [`Status`].
pub const STATUS_BYTES: usize = 4;

/// What a user says about being called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Status {
    /// Free.
    #[default]
    Idle,
    /// In a call, or wants to be taken for it.
    Busy,
    /// Not there.
    Away,
    /// Do not disturb.
    Dnd,
}

impl Status {
    /// All of them, in the order of the manual.
    pub const ALL: [Self; 4] = [Self::Idle, Self::Busy, Self::Away, Self::Dnd];

    /// Reads a status in upper or lower case.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| word.eq_ignore_ascii_case(status.word()))
    }

    /// The word on the wire.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Busy => "busy",
            Self::Away => "away",
            Self::Dnd => "dnd",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.word())
    }
}

/// A user in a listing or a JOINED event:
/// `<name> <address>:<port> <status> <key fingerprint or -> [display=…]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name to call.
    pub name: Name,
    /// Where calls go.
    pub address: SocketAddr,
    /// Whether calls are welcome.
    pub status: Status,
    /// Of the key, if the user has told one.
    pub fingerprint: Option<Fingerprint>,
    /// What people see.
    pub display: Option<DisplayName>,
}

impl Entry {
    /// Reads an entry. `None`: it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, address, status, rest) = start(text)?;
        let (fingerprint, rest) = split_first(rest);
        let fingerprint = if fingerprint == "-" { None } else { Some(Fingerprint::parse(fingerprint)?) };
        Some(Self { name, address, status, fingerprint, display: display(rest).ok()? })
    }
}

/// A user in full, as LOOKUP tells: `<name> <address>:<port> <status> [key=…] [display=…]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The name to call.
    pub name: Name,
    /// Where calls go.
    pub address: SocketAddr,
    /// Whether calls are welcome.
    pub status: Status,
    /// The key, if the user has told one.
    pub key: Option<PublicKey>,
    /// What people see.
    pub display: Option<DisplayName>,
}

impl Found {
    /// Reads what LOOKUP tells. `None`: it is something else.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, address, status, rest) = start(text)?;
        let key = match words::value(rest, "key").ok()? {
            Some(word) => Some(PublicKey::parse(word)?),
            None => None,
        };
        Some(Self { name, address, status, key, display: display(rest).ok()? })
    }
}

fn start(text: &str) -> Option<(Name, SocketAddr, Status, &str)> {
    let (name, rest) = split_first(text);
    let (address, rest) = split_first(rest);
    let (status, rest) = split_first(rest);
    Some((Name::parse(name).ok()?, address.parse().ok()?, Status::parse(status)?, rest))
}

/// The display name, if there is one that can be shown.
fn display(words: &str) -> Result<Option<DisplayName>, RepeatedKey> {
    let word = words::value(words, "display")?;
    Ok(word.and_then(DisplayName::from_word))
}

pub(super) fn write_display(display: Option<&DisplayName>, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    display.map_or(Ok(()), |display| write!(out, " display={}", display.to_word()))
}

impl fmt::Display for Entry {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {} {} ", self.name, self.address, self.status)?;
        match self.fingerprint {
            Some(fingerprint) => write!(out, "{fingerprint}")?,
            None => out.write_str("-")?,
        }
        write_display(self.display.as_ref(), out)
    }
}

impl fmt::Display for Found {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {} {}", self.name, self.address, self.status)?;
        if let Some(key) = self.key {
            write!(out, " key={key}")?;
        }
        write_display(self.display.as_ref(), out)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::wire::limits::DISPLAY_CHARS;
    use proptest::prelude::*;
    use std::net::IpAddr;

    pub(crate) fn names() -> impl Strategy<Value = Name> {
        "[a-z][a-z0-9._-]{0,31}".prop_map(|name| Name::parse(&name).unwrap())
    }

    pub(crate) fn addresses() -> impl Strategy<Value = SocketAddr> {
        (any::<IpAddr>(), 1_u16..).prop_map(SocketAddr::from)
    }

    pub(crate) fn statuses() -> impl Strategy<Value = Status> {
        prop::sample::select(Status::ALL.as_slice())
    }

    pub(crate) fn keys() -> impl Strategy<Value = Option<PublicKey>> {
        prop::option::of(any::<[u8; 32]>().prop_map(PublicKey))
    }

    pub(crate) fn displays() -> impl Strategy<Value = Option<DisplayName>> {
        prop::option::of("\\PC{1,16}".prop_filter_map("it is shown", |text| DisplayName::new(&text)))
    }

    pub(crate) fn entries() -> impl Strategy<Value = Entry> {
        (names(), addresses(), statuses(), keys(), displays()).prop_map(
            |(name, address, status, key, display)| Entry {
                name,
                address,
                status,
                fingerprint: key.map(|key| key.fingerprint()),
                display,
            },
        )
    }

    pub(crate) fn longest() -> Entry {
        Entry {
            name: Name::parse(&"a".repeat(NAME_BYTES)).unwrap(),
            address: "[1111:2222:3333:4444:5555:6666:7777:8888]:65535".parse().unwrap(),
            status: Status::Idle,
            fingerprint: Some(PublicKey([0; 32]).fingerprint()),
            display: DisplayName::new(&" ".repeat(DISPLAY_CHARS)),
        }
    }

    #[test]
    fn the_longest_forms_are_as_long_as_said() {
        assert_eq!(longest().to_string().len(), ENTRY_BYTES);
        let Entry { name, address, status, display, .. } = longest();
        let found = Found { name, address, status, key: Some(PublicKey([0; 32])), display };
        assert_eq!(found.to_string().len(), FOUND_BYTES);
        assert!(Status::ALL.iter().all(|status| status.word().len() <= STATUS_BYTES));
    }

    #[test]
    fn words_of_a_later_version_are_ignored() {
        let entry = Entry::parse("bob [2001:db8::1]:6000 busy - colour=red display=Bob%20B").unwrap();
        assert_eq!(entry.to_string(), "bob [2001:db8::1]:6000 busy - display=Bob%20B");
    }

    #[test]
    fn what_is_not_an_entry_is_refused() {
        for text in [
            "",
            "bob",
            "bob 10.0.0.1 idle -",
            "bob 10.0.0.1:6000 asleep -",
            "bob 10.0.0.1:6000 idle SHA256:x",
        ] {
            assert_eq!(Entry::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn an_entry_is_read_as_it_was_written(entry in entries()) {
            prop_assert_eq!(Entry::parse(&entry.to_string()), Some(entry));
        }

        #[test]
        fn a_finding_is_read_as_it_was_written(entry in entries(), key in keys()) {
            let Entry { name, address, status, display, .. } = entry;
            let found = Found { name, address, status, key, display };
            prop_assert_eq!(Found::parse(&found.to_string()), Some(found));
        }
    }
}
