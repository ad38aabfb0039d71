//! Who is kept out, by name or by address.

use heapless::Vec;
use vox_common::wire::admin::Ban;
use vox_common::wire::limits::MAX_BANS;

/// All bans, in the order in which they were spoken. At the brim an administrator has to let somebody in first.
#[derive(Debug)]
pub(super) struct Bans(Vec<Ban, MAX_BANS>);

/// Why somebody cannot be kept out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BanRefused {
    Already,
    Full,
}

impl Bans {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Ban> {
        self.0.iter()
    }

    pub(super) fn contains(&self, whom: &Ban) -> bool {
        self.0.contains(whom)
    }

    pub(super) fn add(&mut self, whom: Ban) -> Result<(), BanRefused> {
        if self.contains(&whom) {
            return Err(BanRefused::Already);
        }
        self.0.push(whom).map_err(|_| BanRefused::Full)
    }

    /// `false`: there was no such ban.
    pub(super) fn lift(&mut self, whom: &Ban) -> bool {
        let before = self.len();
        self.0.retain(|ban| ban != whom);
        self.len() < before
    }

    /// Reads the text of the state file; how many lines of it are none of ours.
    pub(super) fn recall(&mut self, text: &str) -> usize {
        text.lines().filter(|line| self.recall_line(line).is_none()).count()
    }

    fn recall_line(&mut self, line: &str) -> Option<()> {
        self.add(Ban::parse(line)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_file_loses_only_its_damaged_lines() {
        let mut bans = Bans::new();
        assert_eq!(bans.recall("bob\n\0\0 garbage\n10.0.0.7\nbob\n2001:db8::"), 2);
        assert_eq!(
            bans.iter().map(ToString::to_string).collect::<std::vec::Vec<_>>(),
            ["bob", "10.0.0.7", "2001:db8::"]
        );
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
