//! What the registry makes of a state file that may be damaged: it takes in what it can read, and loses nothing else.

use std::str;

use vox_common::wire::disk::Damaged;

use super::{Kept, Registry, Tables};

/// More than this of lines that cannot be read is no state file of ours any more.
const UNREAD_BYTES: usize = 64 * 1024;

/// What became of the lines of a state file.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Recalled {
    /// Lines that were read in part: who they are of is known, the rest is not.
    pub damaged: usize,
    /// Lines that say nothing to us, or for which there is no room.
    pub unread: usize,
    /// These lines as they stand there, each with its end. They are to go on standing in the file, behind what is kept.
    pub rest: Vec<u8>,
}

/// What became of one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    Whole,
    /// The file has the same in another line.
    Double,
    Damaged,
    Unread,
}

impl Recalled {
    /// Gives every line that is not empty to `read`.
    pub(super) fn of(bytes: &[u8], mut read: impl FnMut(&str) -> Line) -> Self {
        let mut recalled = Self::default();
        for line in bytes.split(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if !line.trim_ascii().is_empty() {
                let fate = str::from_utf8(line).map_or(Line::Unread, &mut read);
                recalled.add(line, fate);
            }
        }
        recalled
    }

    fn add(&mut self, line: &[u8], fate: Line) {
        match fate {
            Line::Whole | Line::Double => {}
            Line::Damaged => self.damaged += 1,
            Line::Unread => {
                self.unread += 1;
                self.rest.extend([line, b"\n"].concat());
            }
        }
    }

    /// Returns true if every line was read.
    pub fn is_whole(&self) -> bool {
        self.damaged == 0 && self.unread == 0
    }

    /// Returns true if there is more that cannot be read than a file can go on carrying: the whole of it is to be looked at.
    pub fn is_hopeless(&self) -> bool {
        self.rest.len() > UNREAD_BYTES
    }
}

impl Registry<'_> {
    /// Takes in what was kept before the registry started.
    pub fn recall(&mut self, kept: Kept, bytes: &[u8]) -> Recalled {
        match kept {
            Kept::Bans => self.tables.bans.recall(bytes),
            Kept::Names => self.tables.names.recall(bytes),
        }
    }

    /// A file that was kept cannot be read: nobody knows what stood there.
    pub fn cannot_recall(&mut self, kept: Kept) {
        match kept {
            Kept::Bans => self.tables.bans.is_unreadable = true,
            Kept::Names => self.tables.names.is_unreadable = true,
        }
    }
}

impl Registry<'_> {
    /// What an administrator has to know of a state file, if it was damaged.
    pub fn damage(&self, kept: Kept) -> Option<Damaged> {
        match kept {
            Kept::Bans => self.tables.bans.damage(),
            Kept::Names => self.tables.names.damage(),
        }
    }

    /// A state file, as it is kept.
    pub fn text(&mut self, kept: Kept) -> &str {
        let Tables { bans, names, voice, .. } = &mut *self.tables;
        voice.text.clear();
        match kept {
            Kept::Bans => bans.iter().for_each(|whom| voice.add(whom)),
            Kept::Names => names.iter().for_each(|bond| voice.add(bond)),
        }
        &voice.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_kept_as_it_stands() {
        let text = b"bob\r\n\n  \n\xff\0 what\nann\n\0\0\0";
        let recalled = Recalled::of(text, |line| match line {
            "bob" => Line::Whole,
            "ann" => Line::Damaged,
            _ => Line::Unread,
        });
        assert_eq!(recalled, Recalled { damaged: 1, unread: 2, rest: b"\xff\0 what\n\0\0\0\n".to_vec() });
        assert!(!recalled.is_whole() && !recalled.is_hopeless());
        assert!(Recalled::of(&b"what ".repeat(20_000), |_| Line::Unread).is_hopeless());
    }
}
