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
mod tests {
    use proptest::prelude::*;
    use vox_common::wire::names::Name;

    use super::*;

    const ONE: PublicKey = PublicKey([1; 32]);
    const OTHER: PublicKey = PublicKey([2; 32]);

    fn peer(name: &str) -> Whom {
        Whom::peer(&Name::parse(name).unwrap())
    }

    fn known(name: &str) -> KnownKeys {
        let mut keys = KnownKeys::default();
        assert_eq!(keys.learn(&peer(name), ONE, 7), Ok(true));
        keys
    }

    #[test]
    fn the_first_key_is_new_then_known_and_another_one_is_a_change() {
        let mut keys = KnownKeys::default();
        assert_eq!(keys.judge(&peer("bob"), &ONE), Verdict::New);
        assert_eq!(keys.learn(&peer("bob"), ONE, 7), Ok(true));
        assert_eq!(keys.judge(&peer("bob"), &ONE), Verdict::Known { verified: false });
        assert_eq!(keys.judge(&peer("bob"), &OTHER), Verdict::Changed { known: Some(ONE) });
        assert_eq!(keys.learn(&peer("bob"), OTHER, 8), Ok(false));
        assert_eq!(keys.judge(&peer("bob"), &ONE), Verdict::Known { verified: false });
    }

    #[test]
    fn a_key_that_was_forgotten_is_new_again_and_its_check_is_forgotten_with_it() {
        let mut keys = known("bob");
        assert_eq!(keys.verify(&peer("bob"), 8), Some(ONE));
        assert_eq!(keys.judge(&peer("bob"), &ONE), Verdict::Known { verified: true });
        assert_eq!(keys.forget(&peer("bob")).unwrap().verified, Some(8));
        assert_eq!(keys.forget(&peer("bob")), None);
        assert_eq!(keys.verify(&peer("bob"), 9), None);
        assert_eq!(keys.learn(&peer("bob"), OTHER, 9), Ok(true));
        assert_eq!(keys.judge(&peer("bob"), &OTHER), Verdict::Known { verified: false });
    }

    #[test]
    fn a_full_table_takes_nobody_new_and_loses_nobody() {
        let mut keys = KnownKeys::default();
        for n in 0..MAX_KNOWN_KEYS {
            assert_eq!(keys.learn(&peer(&format!("u{n}")), ONE, 7), Ok(true));
        }
        assert_eq!(keys.learn(&peer("late"), ONE, 8), Err(Full));
        assert_eq!(keys.judge(&peer("late"), &ONE), Verdict::New);
        assert_eq!(keys.judge(&peer("u0"), &OTHER), Verdict::Changed { known: Some(ONE) });
        keys.forget(&peer("u0")).unwrap();
        assert_eq!(keys.learn(&peer("late"), ONE, 8), Ok(true));
    }

    #[test]
    fn stations_hosts_and_registries_of_one_name_have_keys_of_their_own() {
        let mut keys = known("bob.lan");
        let (host, registry) = (Whom::host("Bob.lan").unwrap(), Whom::registry("bob.lan:5000").unwrap());
        assert_eq!(keys.judge(&host, &OTHER), Verdict::New);
        assert_eq!(keys.learn(&registry, OTHER, 8), Ok(true));
        let meant = |keys: &KnownKeys, typed| {
            keys.meant_by(&Who::parse(typed).unwrap()).map(|known| known.whom.clone())
        };
        assert_eq!(meant(&keys, "bob.lan"), Some(peer("bob.lan")));
        assert_eq!(meant(&keys, "@bob.lan"), None);
        assert_eq!(meant(&keys, "Bob.lan:5000"), Some(registry));
        assert_eq!(keys.learn(&host, ONE, 9), Ok(true));
        assert_eq!(meant(&keys, "@bob.lan"), Some(host.clone()));
        keys.forget(&peer("bob.lan")).unwrap();
        assert_eq!(meant(&keys, "bob.lan"), Some(host));
    }

    #[test]
    fn a_damaged_line_harms_nobody_else_and_makes_nobody_a_stranger() {
        let text = format!(
            "peer ann {ONE} first-seen=7\n\0\0 garbage\npeer bob {} first-seen=7\npeer cid {ONE} first-seen=x\n\
             peer ann {OTHER} first-seen=8\npeer dan {ONE} first-seen=7 verified=x\nhost 10.0.0.7 {OTHER} first-seen=9 verified=9",
            &ONE.to_string()[1..],
        );
        let (keys, damaged) = KnownKeys::parse(&text);
        assert_eq!((keys.iter().count(), damaged), (5, 5));
        assert_eq!(keys.judge(&peer("ann"), &ONE), Verdict::Known { verified: false });
        assert_eq!(keys.judge(&Whom::host("10.0.0.7").unwrap(), &OTHER), Verdict::Known { verified: true });
        for name in ["bob", "cid", "dan"] {
            assert_eq!(keys.judge(&peer(name), &ONE), Verdict::Changed { known: None }, "{name}");
        }
        let (again, damaged) = KnownKeys::parse(&keys.to_string());
        assert_eq!((again.to_string(), damaged), (keys.to_string(), 3));
    }

    #[test]
    fn a_damaged_key_cannot_be_verified_and_is_forgotten_like_any_other() {
        let (mut keys, _) = KnownKeys::parse("peer bob -");
        assert_eq!(keys.verify(&peer("bob"), 8), None);
        assert_eq!(keys.learn(&peer("bob"), ONE, 8), Ok(false));
        keys.forget(&peer("bob")).unwrap();
        assert_eq!(keys.learn(&peer("bob"), ONE, 9), Ok(true));
    }

    fn whoms() -> impl Strategy<Value = Whom> {
        ("peer|host|registry", "[a-z][a-z0-9._-]{0,31}|[a-z][a-z0-9.:]{0,60}")
            .prop_filter_map("a peer has a name", |(kind, word)| Whom::parse(&kind, &word))
    }

    proptest! {
        #[test]
        fn what_is_known_is_read_as_it_was_written(
            whom in whoms(),
            key in prop::option::of(any::<[u8; 32]>().prop_map(PublicKey)),
            first_seen: u64,
            verified: Option<u64>,
        ) {
            let known = match key {
                Some(_) => Known { whom, key, first_seen, verified },
                None => Known { whom, key, first_seen: 0, verified: None },
            };
            prop_assert!(known.to_string().len() < KNOWN_BYTES);
            prop_assert_eq!(Known::parse(&known.to_string()), Some(known));
        }

        #[test]
        fn what_was_kept_of_any_text_is_kept_again(text in "((peer|host) [a-c]( [A-Z-]{1,3})?\n|\\PC{0,20}\n){0,9}") {
            let (keys, _) = KnownKeys::parse(&text);
            let (again, _) = KnownKeys::parse(&keys.to_string());
            prop_assert!(again.iter().eq(keys.iter()));
        }
    }
}
