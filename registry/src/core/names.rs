//! Which name belongs to which key (`[access] mode = "keys"`): to the one with which it was taken first.

use std::fmt;

use heapless::Vec;
use vox_common::wire::check::{CHECK_BYTES, Check};
use vox_common::wire::disk::Damaged;
use vox_common::wire::keys::{KEY_BYTES, PublicKey};
use vox_common::wire::limits::{MAX_BOUND_NAMES, NAME_BYTES};
use vox_common::wire::names::Name;
use vox_common::wire::refusal::Bar;
use vox_common::wire::request::Registration;

use super::Kept;
use super::recall::{Line, Recalled};
use super::tables::LISTING_BYTES;

/// The longest line of the file.
const BOND_BYTES: usize = NAME_BYTES + 1 + KEY_BYTES + 1 + CHECK_BYTES + 1;
const _: () = assert!(MAX_BOUND_NAMES * BOND_BYTES <= LISTING_BYTES);

/// Names and their keys. At the brim no name is bound any more, and an administrator has to forget one.
///
/// What was damaged on the disk counts as taken: a name without its key is nobody's until an administrator says `forget`, and
/// while a name may be missing, no new one is taken at all.
#[derive(Debug)]
pub(super) struct Names {
    bonds: Vec<Bond, MAX_BOUND_NAMES>,
    /// Lines of the file of which not even the name can be read.
    unread: usize,
    /// The file itself cannot be read.
    pub(super) is_unreadable: bool,
}

/// One name, as one line: `<name> <key> <check>`. Where somebody wrote it by hand, the check may be missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bond {
    name: Name,
    holder: Holder,
}

/// To whom a name belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holder {
    Key(PublicKey),
    /// The line is damaged behind the name. Written as `-`.
    Lost,
    /// The line is damaged, and nobody knows where: the name may have been another one. Written as `?`.
    Doubtful,
}

const LOST_NAMES: &str = "nobody gets a name in it that has no key any more, until `vox-registry forget`";
const NO_NEW_NAMES: &str =
    "names may be missing, and no new one is taken: mend the file while the registry is stopped";

impl Names {
    pub(super) const fn new() -> Self {
        Self { bonds: Vec::new(), unread: 0, is_unreadable: false }
    }

    /// Whether somebody who has proved to hold this key may have this name.
    pub(super) fn may_take(&self, registration: &Registration, proved: Option<PublicKey>) -> Result<(), Bar> {
        let told = registration.key.ok_or(Bar::KeyNeeded)?;
        let key = proved.filter(|key| *key == told).ok_or(Bar::KeyProofNeeded)?;
        match self.holder_of(&registration.name) {
            Some(Holder::Key(bound)) if bound == key => Ok(()),
            Some(Holder::Key(_)) => Err(Bar::WrongKey),
            Some(Holder::Lost | Holder::Doubtful) => Err(Bar::NamesDamaged),
            None if self.may_lack_names() => Err(Bar::NamesDamaged),
            None if self.is_full() => Err(Bar::NamesFull),
            None => Ok(()),
        }
    }

    /// From now on the name belongs to the key, unless it belongs to one already. `true`: that is new.
    pub(super) fn bind(&mut self, name: &Name, key: PublicKey) -> bool {
        self.add(name, Holder::Key(key))
    }

    fn add(&mut self, name: &Name, holder: Holder) -> bool {
        self.holder_of(name).is_none() && self.bonds.push(Bond { name: name.clone(), holder }).is_ok()
    }

    /// The name is free again. `false`: it was.
    pub(super) fn forget(&mut self, name: &Name) -> bool {
        let before = self.bonds.len();
        self.bonds.retain(|bond| bond.name != *name);
        self.bonds.len() < before
    }

    /// Reads the state file.
    pub(super) fn recall(&mut self, bytes: &[u8]) -> Recalled {
        let recalled = Recalled::of(bytes, |line| self.recall_line(line));
        self.unread = recalled.unread;
        recalled
    }

    /// The first line of several for one name counts, unless it is damaged and another one is not.
    fn recall_line(&mut self, line: &str) -> Line {
        let Some(Bond { name, holder }) = Bond::parse(line) else { return Line::Unread };
        let Some(known) = self.bonds.iter_mut().find(|bond| bond.name == name) else {
            return self.recall_new(&name, holder);
        };
        if known.holder == holder {
            return Line::Double;
        }
        if known.holder == Holder::Lost {
            known.holder = holder;
        }
        Line::Damaged
    }

    fn recall_new(&mut self, name: &Name, holder: Holder) -> Line {
        match holder {
            _ if !self.add(name, holder) => Line::Unread,
            Holder::Key(_) => Line::Whole,
            Holder::Lost | Holder::Doubtful => Line::Damaged,
        }
    }

    /// All of them, as lines of the file.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Bond> {
        self.bonds.iter()
    }

    pub(super) fn len(&self) -> usize {
        self.bonds.len()
    }

    /// What an administrator has to know of the file, if it was damaged.
    pub(super) fn damage(&self) -> Option<Damaged> {
        let lost = self.bonds.iter().filter(|bond| !matches!(bond.holder, Holder::Key(_))).count();
        let lines = (!self.is_unreadable).then_some(lost + self.unread);
        if lines == Some(0) {
            return None;
        }
        let sentence = if self.may_lack_names() { NO_NEW_NAMES } else { LOST_NAMES };
        Some(Damaged { file: Kept::Names.file(), lines, sentence: sentence.to_owned() })
    }

    /// Returns true if the file was damaged in such a way that a name may be missing.
    fn may_lack_names(&self) -> bool {
        let is_doubtful = |bond: &Bond| bond.holder == Holder::Doubtful;
        self.is_unreadable || self.unread > 0 || self.bonds.iter().any(is_doubtful)
    }

    fn is_full(&self) -> bool {
        self.bonds.len() + self.unread >= MAX_BOUND_NAMES
    }

    fn holder_of(&self, name: &Name) -> Option<Holder> {
        self.bonds.iter().find(|bond| bond.name == *name).map(|bond| bond.holder)
    }
}

impl Bond {
    /// Reads one line. `None`: not even the name can be read.
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split_ascii_whitespace();
        let name = Name::parse(words.next()?).ok()?;
        let (key, check, is_all) = (words.next().unwrap_or(""), words.next(), words.next().is_none());
        let holder = match PublicKey::parse(key) {
            Some(key) if is_all && is_good(&name, key, check) => Holder::Key(key),
            None if is_all && may_have_been_a_key(key) => Holder::Lost,
            _ => Holder::Doubtful,
        };
        Some(Self { name, holder })
    }
}

fn is_good(name: &Name, key: PublicKey, check: Option<&str>) -> bool {
    check.is_none_or(|check| check_of(name, key).is_written(check))
}

/// Returns true for what is damaged as a key, and only there: the name before it is right.
fn may_have_been_a_key(word: &str) -> bool {
    word == "-" || word.len().abs_diff(KEY_BYTES) <= 1
}

fn check_of(name: &Name, key: PublicKey) -> Check {
    Check::of(&format!("{name} {key}"))
}

impl fmt::Display for Bond {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, holder } = self;
        match *holder {
            Holder::Key(key) => write!(out, "{name} {key} {}", check_of(name, key)),
            Holder::Lost => write!(out, "{name} -"),
            Holder::Doubtful => write!(out, "{name} ?"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    fn registration(name: &str, key: PublicKey) -> Registration {
        let port = 6000.try_into().unwrap();
        let name = Name::parse(name).unwrap();
        Registration { name, port, key: Some(key), proof: None, key_proof: None, display: None }
    }

    fn takes(names: &Names, name: &str, key: PublicKey) -> Result<(), Bar> {
        names.may_take(&registration(name, key), Some(key))
    }

    const BOB: PublicKey = PublicKey([1; 32]);
    const ANN: PublicKey = PublicKey([2; 32]);
    const EVE: PublicKey = PublicKey([3; 32]);

    fn text(names: &Names) -> String {
        names.iter().fold(String::new(), |text, bond| text + &format!("{bond}\n"))
    }

    /// Bob's and Ann's names, as they are kept.
    fn kept() -> String {
        let mut names = Names::new();
        assert!(names.bind(&name("bob"), BOB) && names.bind(&name("ann"), ANN));
        text(&names)
    }

    #[test]
    fn what_was_kept_is_read_back() {
        let mut names = Names::new();
        assert!(names.recall(kept().as_bytes()).is_whole() && names.damage().is_none());
        assert_eq!(text(&names), kept());
        assert_eq!((takes(&names, "bob", BOB), takes(&names, "bob", EVE)), (Ok(()), Err(Bar::WrongKey)));
        assert_eq!(takes(&names, "carol", EVE), Ok(()));
        let by_hand = format!("bob {BOB}\r\n\nann {ANN}");
        let mut names = Names::new();
        assert!(names.recall(by_hand.as_bytes()).is_whole());
        assert_eq!(text(&names), kept());
    }

    /// Whatever becomes of one character, and whatever the registry keeps after it: nobody else gets the names.
    #[test]
    fn one_bad_character_frees_no_name() {
        let whole = kept();
        for at in 0..whole.len() {
            for bad in [0, b'\n', b' ', b'x', 0xff, whole.as_bytes()[at] ^ 1, whole.as_bytes()[at] ^ 0x20] {
                let mut bytes = whole.clone().into_bytes();
                bytes[at] = bad;
                let mut names = Names::new();
                let recalled = names.recall(&bytes);
                let again = [text(&names).as_bytes(), &recalled.rest].concat();
                let mut later = Names::new();
                later.recall(&again);
                for names in [&names, &later] {
                    let refused = |name| takes(names, name, EVE).is_err();
                    assert!(
                        refused("bob") && refused("ann"),
                        "{bad} at {at}: {}",
                        String::from_utf8_lossy(&bytes)
                    );
                }
            }
        }
    }

    proptest! {
        /// Whatever stands in the file, what is kept of it stands there again after any number of starts.
        #[test]
        fn what_is_damaged_stays_as_damaged_as_it_was(lines in prop::collection::vec("[ -~]{0,60}|(bob|ann)( [-?A-Za-z0-9_]{0,44}){0,3}", 0..8)) {
            let start = |bytes: &[u8]| {
                let mut names = Names::new();
                let recalled = names.recall(bytes);
                let eve = ["bob", "ann", "carol"].map(|name| takes(&names, name, EVE).is_ok());
                ([text(&names).as_bytes(), &recalled.rest].concat(), eve)
            };
            let (kept, eve) = start(lines.join("\n").as_bytes());
            prop_assert_eq!(start(&kept), (kept, eve));
        }
    }

    #[test]
    fn a_name_without_its_key_is_nobodys_until_it_is_forgotten() {
        let mut names = Names::new();
        let recalled = names.recall(format!("bob {}\nann {ANN}\n", &BOB.to_string()[1..]).as_bytes());
        assert_eq!((recalled.damaged, recalled.unread), (1, 0));
        assert_eq!(takes(&names, "bob", BOB), Err(Bar::NamesDamaged));
        assert_eq!((takes(&names, "ann", ANN), takes(&names, "carol", EVE)), (Ok(()), Ok(())));
        assert_eq!(names.damage().and_then(|it| it.lines), Some(1));
        assert!(text(&names).starts_with("bob -\nann "));
        assert!(names.forget(&name("bob")));
        assert_eq!((takes(&names, "bob", EVE), names.damage()), (Ok(()), None));
    }

    #[test]
    fn while_a_name_may_be_missing_no_new_one_is_taken() {
        let unread = |names: &mut Names| drop(names.recall(b"\0\0 garbage\n"));
        let doubtful = |names: &mut Names| drop(names.recall(format!("bxb {EVE} 123456\n").as_bytes()));
        let unreadable = |names: &mut Names| names.is_unreadable = true;
        for (what, damage) in
            [("unread", &unread as &dyn Fn(&mut Names)), ("doubtful", &doubtful), ("all", &unreadable)]
        {
            let mut names = Names::new();
            names.bind(&name("ann"), ANN);
            damage(&mut names);
            assert_eq!(
                (takes(&names, "ann", ANN), takes(&names, "bob", BOB)),
                (Ok(()), Err(Bar::NamesDamaged))
            );
            assert!(names.damage().is_some(), "{what}");
            assert_eq!(names.forget(&name("bxb")), what == "doubtful");
            assert_eq!(takes(&names, "bob", BOB).is_ok(), what == "doubtful");
        }
    }

    #[test]
    fn lines_that_cannot_be_read_take_places() {
        let mut names = Names::new();
        names.recall("garbage!\n".repeat(2).as_bytes());
        (0..MAX_BOUND_NAMES).for_each(|n| _ = names.bind(&name(&format!("user{n}")), BOB));
        assert!(names.is_full());
        let more = (0..=MAX_BOUND_NAMES).fold(String::new(), |text, n| text + &format!("user{n} {BOB}\n"));
        let mut names = Names::new();
        let recalled = names.recall(more.as_bytes());
        assert_eq!((recalled.unread, names.len()), (1, MAX_BOUND_NAMES));
    }

    #[test]
    fn a_name_belongs_to_its_first_key_until_it_is_forgotten() {
        let mut names = Names::new();
        assert!(names.bind(&name("bob"), BOB));
        assert!(!names.bind(&name("bob"), ANN));
        assert!(names.forget(&name("bob")) && !names.forget(&name("bob")));
        assert!(names.bind(&name("bob"), ANN));
    }
}
