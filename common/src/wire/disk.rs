//! What daemons tell of the disk that their state is kept on: the `disk`, `unkept` and `damaged` lines of STATUS.

use std::fmt;
use std::time::Instant;

use super::limits::LINE_BYTES;
use super::words::encode;

/// The longest path or sentence in a line of STATUS, as it is written there. The rest is cut off.
const TOLD_BYTES: usize = 400;
const _: () = assert!(2 * TOLD_BYTES + 200 < LINE_BYTES, "a line has two of them at most");

/// The disk, as it was when somebody asked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Disk {
    /// The state directory.
    pub directory: String,
    /// The directory is in memory: nothing in it outlives a restart of the machine.
    pub is_in_memory: bool,
    /// Why nothing can be written there. `None`: the directory takes files, as far as is known.
    pub trouble: Option<String>,
    /// The files whose newest text is not on the disk.
    pub unkept: Vec<Unkept>,
    /// The files that could not be read as they were found, or not whole.
    pub damaged: Vec<Damaged>,
}

/// A file whose newest text is not on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unkept {
    /// Its name in the directory.
    pub file: &'static str,
    /// Since when what is on the disk is not all that there is.
    pub since: Instant,
    /// The reason, for people.
    pub why: String,
}

/// A file that was found damaged when the daemon started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damaged {
    /// Its name in the directory.
    pub file: &'static str,
    /// Lines that could not be read. `None`: the whole file.
    pub lines: Option<usize>,
    /// What follows from that, and what to do.
    pub sentence: String,
}

impl Disk {
    /// Returns true if everything that is kept is on a disk that takes more.
    pub fn is_well(&self) -> bool {
        self.trouble.is_none() && self.unkept.is_empty()
    }

    /// The lines of STATUS, without code and end.
    pub fn lines(&self, now: Instant) -> impl Iterator<Item = String> {
        let unkept = self.unkept.iter().map(move |unkept| unkept.line(now));
        [self.to_string()].into_iter().chain(unkept).chain(self.damaged.iter().map(Damaged::to_string))
    }

    /// What follows `<n> calls` and its like, where these are not on the disk; else nothing.
    pub fn remark(&self, file: &str, now: Instant) -> String {
        let unkept = self.unkept.iter().find(|unkept| unkept.file == file);
        unkept.map_or_else(String::new, |unkept| {
            format!("{NOT_KEPT}{} s: {}", unkept.seconds(now), cut(&unkept.why))
        })
    }
}

/// How a [remark](Disk::remark) begins.
pub const NOT_KEPT: &str = ", not on the disk since ";

impl fmt::Display for Disk {
    /// The `disk` line.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.is_well() { "works" } else { "lost" };
        let lasts = if self.is_in_memory { "no" } else { "yes" };
        write!(out, "disk directory={} state={state} lasts={lasts}", told(&self.directory))?;
        self.trouble.as_ref().map_or(Ok(()), |why| write!(out, " sentence={}", told(why)))
    }
}

impl Unkept {
    fn seconds(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.since).as_secs()
    }

    fn line(&self, now: Instant) -> String {
        format!("unkept file={} since-s={} sentence={}", self.file, self.seconds(now), told(&self.why))
    }
}

impl fmt::Display for Damaged {
    /// The `damaged` line.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "damaged file={} lines=", self.file)?;
        match self.lines {
            Some(lines) => write!(out, "{lines}")?,
            None => out.write_str("-")?,
        }
        write!(out, " sentence={}", told(&self.sentence))
    }
}

/// A text as one word.
fn told(text: &str) -> String {
    let mut word = String::new();
    for letter in text.chars() {
        let letter = encode(letter.encode_utf8(&mut [0; 4]));
        if word.len() + letter.len() > TOLD_BYTES {
            break;
        }
        word.push_str(&letter);
    }
    word
}

/// A text as people read it.
fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(TOLD_BYTES)]
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::sys::clock;

    fn disk(now: Instant) -> Disk {
        Disk {
            directory: "/var/lib/vox peer".into(),
            is_in_memory: true,
            trouble: Some("read-only file system".into()),
            unkept: vec![Unkept { file: "history", since: now, why: "no space left on device".into() }],
            damaged: vec![Damaged { file: "names", lines: Some(2), sentence: "mend it".into() }],
        }
    }

    #[test]
    fn a_disk_is_a_few_lines_of_status() {
        let now = clock::now();
        let later = now + Duration::from_secs(12);
        let lines: Vec<_> = disk(now).lines(later).collect();
        assert_eq!(
            lines,
            [
                "disk directory=/var/lib/vox%20peer state=lost lasts=no sentence=read-only%20file%20system",
                "unkept file=history since-s=12 sentence=no%20space%20left%20on%20device",
                "damaged file=names lines=2 sentence=mend%20it",
            ]
        );
        assert_eq!(
            disk(now).remark("history", later),
            ", not on the disk since 12 s: no space left on device"
        );
        assert_eq!(disk(now).remark("messages", later), "");
    }

    #[test]
    fn every_line_fits_whatever_the_machine_says() {
        let now = clock::now();
        let long = "\u{1f600} ".repeat(5000);
        let mut disk = Disk { directory: long.clone(), trouble: Some(long.clone()), ..disk(now) };
        disk.unkept[0].why.clone_from(&long);
        disk.damaged[0].sentence = long;
        assert!(disk.lines(now).all(|line| line.len() + "230-".len() < LINE_BYTES));
        assert!(disk.remark("history", now).len() < LINE_BYTES / 2);
    }
}
