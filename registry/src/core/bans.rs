//! Who is kept out, by name or by address.

use heapless::Vec;
use vox_common::wire::admin::Ban;
use vox_common::wire::disk::Damaged;
use vox_common::wire::limits::MAX_BANS;

use super::Kept;
use super::recall::{Line, Recalled};

/// All bans, in the order in which they were spoken. At the brim an administrator has to let somebody in first.
#[derive(Debug)]
pub(super) struct Bans {
    all: Vec<Ban, MAX_BANS>,
    /// Lines of the file that cannot be read, which take places.
    unread: usize,
    /// The file itself cannot be read.
    pub(super) is_unreadable: bool,
}

/// Why somebody cannot be kept out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BanRefused {
    Already,
    Full,
}

impl Bans {
    pub(super) const fn new() -> Self {
        Self { all: Vec::new(), unread: 0, is_unreadable: false }
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Ban> {
        self.all.iter()
    }

    pub(super) fn contains(&self, whom: &Ban) -> bool {
        self.all.contains(whom)
    }

    pub(super) fn add(&mut self, whom: Ban) -> Result<(), BanRefused> {
        if self.contains(&whom) {
            return Err(BanRefused::Already);
        }
        if self.len() + self.unread >= MAX_BANS {
            return Err(BanRefused::Full);
        }
        self.all.push(whom).map_err(|_| BanRefused::Full)
    }

    /// `false`: there was no such ban.
    pub(super) fn lift(&mut self, whom: &Ban) -> bool {
        let before = self.len();
        self.all.retain(|ban| ban != whom);
        self.len() < before
    }

    /// Reads the state file.
    pub(super) fn recall(&mut self, bytes: &[u8]) -> Recalled {
        let recalled = Recalled::of(bytes, |line| self.recall_line(line));
        self.unread = recalled.unread;
        recalled
    }

    fn recall_line(&mut self, line: &str) -> Line {
        match Ban::parse(line).map(|whom| self.add(whom)) {
            Some(Ok(())) => Line::Whole,
            Some(Err(BanRefused::Already)) => Line::Double,
            Some(Err(BanRefused::Full)) | None => Line::Unread,
        }
    }

    /// What an administrator has to know of the file, if it was damaged.
    pub(super) fn damage(&self) -> Option<Damaged> {
        let lines = (!self.is_unreadable).then_some(self.unread);
        let sentence = match lines {
            Some(0) => return None,
            Some(_) => "whom these lines ban is let in: mend the file while the registry is stopped",
            None => {
                "whom it bans is let in: mend it, and give it back its name while the registry is stopped"
            }
        };
        Some(Damaged { file: Kept::Bans.file(), lines, sentence: sentence.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_read_is_in_force_and_the_rest_is_not_lost() {
        let mut bans = Bans::new();
        let recalled = bans.recall(b"bob\n\xff\0 garbage\n10.0.0.7\nbob\n10.0.0.7.7\n2001:db8::");
        assert_eq!((recalled.damaged, recalled.unread), (0, 2));
        assert_eq!(recalled.rest, b"\xff\0 garbage\n10.0.0.7.7\n");
        assert_eq!(bans.damage().and_then(|it| it.lines), Some(2));
        assert_eq!(
            bans.iter().map(ToString::to_string).collect::<std::vec::Vec<_>>(),
            ["bob", "10.0.0.7", "2001:db8::"]
        );
    }

    #[test]
    fn lines_that_cannot_be_read_take_places() {
        let mut bans = Bans::new();
        bans.recall(b"what?\n");
        let added = (0..MAX_BANS).filter(|n| bans.add(Ban::parse(&format!("user{n}")).unwrap()).is_ok());
        assert_eq!(added.count(), MAX_BANS - 1);
    }

    #[test]
    fn a_full_table_refuses() {
        let mut bans = Bans::new();
        for n in 0..MAX_BANS {
            assert_eq!(bans.add(Ban::parse(&format!("user{n}")).unwrap()), Ok(()));
        }
        assert_eq!(bans.add(Ban::parse("late").unwrap()), Err(BanRefused::Full));
        assert_eq!(bans.add(Ban::parse("user0").unwrap()), Err(BanRefused::Already));
        assert!(bans.lift(&Ban::parse("user0").unwrap()));
        assert_eq!(bans.add(Ban::parse("late").unwrap()), Ok(()));
    }
}
