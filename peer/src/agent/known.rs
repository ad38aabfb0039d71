//! The keys that this station remembers: of people, hosts and registries. The text of the file `known-peers`.

use std::fmt;

use heapless::Vec;
use vox_common::wire::control::Who;
use vox_common::wire::keys::{KEY_BYTES, PublicKey};
use vox_common::wire::limits::MAX_KNOWN_KEYS;
use vox_common::wire::words::{split_first, value};

use super::whom::{WHOM_BYTES, Whom};

/// The longest line of the file, with its LF.
const KNOWN_BYTES: usize = "registry ".len()
    + WHOM_BYTES
    + 1
    + KEY_BYTES
    + " first-seen=".len()
    + u64::MAX.ilog10() as usize
    + " verified=".len()
    + u64::MAX.ilog10() as usize
    + 3;
const _: () = assert!(MAX_KNOWN_KEYS * KNOWN_BYTES < 1024 * 1024, "a state file is at most 1 MiB");

/// One key that is remembered, as one line: `peer|host|registry <word> <key or -> first-seen=<unix> [verified=<unix>]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Whose it is.
    pub whom: Whom,
    /// The key. `None`: the file is damaged here, and no key is believed until somebody says `forget`.
    pub key: Option<PublicKey>,
    /// When it was first seen, in seconds since 1970.
    pub first_seen: u64,
    /// When a person compared it. `None`: nobody has yet.
    pub verified: Option<u64>,
}

/// What to think of a key that somebody has proved to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is the one that is remembered.
    Known {
        /// A person has compared it.
        verified: bool,
    },
    /// Nothing is remembered: first use.
    New,
    /// Nothing is remembered, and there is no room to remember it.
    NoRoom,
    /// Another one is remembered.
    Changed {
        /// That one; `None`: the file is damaged there.
        known: Option<PublicKey>,
    },
    /// Nothing is remembered, and the registry lists another one.
    Unlisted,
}

impl Verdict {
    /// Whether there can be a call.
    pub fn is_good(self) -> bool {
        !matches!(self, Self::Changed { .. } | Self::Unlisted)
    }

    /// Whether the key is the one that is remembered.
    pub fn is_known(self) -> bool {
        matches!(self, Self::Known { .. })
    }

    /// The word in events, STATUS and the history.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Known { verified: true } => "verified",
            Self::Known { verified: false } => "known",
            Self::New => "new",
            Self::NoRoom => "no-room",
            Self::Changed { .. } => "changed",
            Self::Unlisted => "unlisted",
        }
    }
}

/// There is no room for another key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

/// All keys that are remembered, in the order in which they were first seen.
#[derive(Debug, Clone, Default)]
pub struct KnownKeys(Box<Vec<Known, MAX_KNOWN_KEYS>>);

impl Known {
    /// Reads one line. `None`: it does not even say whose key it is.
    ///
    /// A line whose rest is damaged is still one, without its key: who is on it must not become a stranger.
    pub fn parse(line: &str) -> Option<Self> {
        let (kind, rest) = split_first(line);
        let (word, rest) = split_first(rest);
        let whom = Whom::parse(kind, word)?;
        Some(Self::parse_rest(&whom, rest).unwrap_or(Self { whom, key: None, first_seen: 0, verified: None }))
    }

    fn parse_rest(whom: &Whom, rest: &str) -> Option<Self> {
        let (key, rest) = split_first(rest);
        let seconds = |word: Option<&str>| word.map(|word| word.parse().ok());
        let first_seen = seconds(value(rest, "first-seen").ok()?)??;
        let verified = match seconds(value(rest, "verified").ok()?) {
            None => None,
            Some(seconds) => Some(seconds?),
        };
        Some(Self { whom: whom.clone(), key: Some(PublicKey::parse(key)?), first_seen, verified })
    }
}

impl fmt::Display for Known {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { whom, key, first_seen, verified } = self;
        match key {
            Some(key) => write!(out, "{whom} {key} first-seen={first_seen}")?,
            None => write!(out, "{whom} -")?,
        }
        verified.map_or(Ok(()), |verified| write!(out, " verified={verified}"))
    }
}

impl KnownKeys {
    /// Reads the text of the file; how many lines of it are damaged.
    pub fn parse(text: &str) -> (Self, usize) {
        let mut keys = Self::default();
        let damaged = text.lines().filter(|line| !keys.recall(line)).count();
        (keys, damaged)
    }

    /// `false`: the line is damaged. The first line of several for the same is the one that counts.
    fn recall(&mut self, line: &str) -> bool {
        let Some(known) = Known::parse(line).filter(|known| self.find(&known.whom).is_none()) else {
            return false;
        };
        let whole = known.key.is_some();
        self.0.push(known).is_ok() && whole
    }

    /// What to think of a key that somebody has proved to hold.
    pub fn judge(&self, whom: &Whom, key: &PublicKey) -> Verdict {
        match self.find(whom) {
            None => Verdict::New,
            Some(Known { key: Some(known), verified, .. }) if known == key => {
                Verdict::Known { verified: verified.is_some() }
            }
            Some(Known { key: known, .. }) => Verdict::Changed { known: *known },
        }
    }

    /// Remembers a key on its first use; what is remembered already stays as it is. `true`: something is new.
    ///
    /// # Errors
    /// There is no room for another one.
    pub fn learn(&mut self, whom: &Whom, key: PublicKey, unix: u64) -> Result<bool, Full> {
        if self.find(whom).is_some() {
            return Ok(false);
        }
        let known = Known { whom: whom.clone(), key: Some(key), first_seen: unix, verified: None };
        self.0.push(known).map(|()| true).map_err(|_| Full)
    }

    /// Whether so many places are free, and one more.
    pub fn has_room_beside(&self, reserved: usize) -> bool {
        self.0.len() + reserved < MAX_KNOWN_KEYS
    }

    /// Forgets a key, so that the next one is trusted on its first use. `None`: there was none.
    pub fn forget(&mut self, whom: &Whom) -> Option<Known> {
        let at = self.0.iter().position(|known| known.whom == *whom)?;
        Some(self.0.remove(at))
    }

    /// A person has compared the key. `None`: no key is remembered.
    pub fn verify(&mut self, whom: &Whom, unix: u64) -> Option<PublicKey> {
        let known = self.0.iter_mut().find(|known| known.whom == *whom)?;
        let key = known.key?;
        known.verified = Some(unix);
        Some(key)
    }

    /// What is remembered of somebody.
    pub fn find(&self, whom: &Whom) -> Option<&Known> {
        self.iter().find(|known| known.whom == *whom)
    }

    /// Whose key somebody who typed this means: a station before a host, a host before a registry.
    pub fn meant_by(&self, who: &Who<'_>) -> Option<&Known> {
        self.iter().filter(|known| known.whom.is_meant_by(who)).min_by_key(|known| known.whom.kind())
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Known> {
        self.0.iter()
    }
}

impl fmt::Display for KnownKeys {
    /// The text of the file.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.iter().try_for_each(|known| writeln!(out, "{known}"))
    }
}

#[cfg(test)]
mod tests;
