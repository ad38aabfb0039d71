//! Which text is written next, and when: what the thread `store` decides. Time is an argument.

use std::mem;
use std::time::{Duration, Instant};

use super::Tell;
use crate::wire::disk::Unkept;

/// The least time between two writes of one file that nobody waits for. Strangers can change some of them as often as they
/// like, and every write wears out flash memory.
pub(super) const WRITE_INTERVAL: Duration = Duration::from_secs(5);

/// When to try again what could not be written: a disk that is full may have room later.
pub(super) const RETRY: Duration = Duration::from_secs(30);

/// How often to look whether the directory takes files: a kernel that finds errors makes a file system read-only.
const LOOK: Duration = Duration::from_secs(60);

/// A write that takes longer is told of like one that failed.
const SLOW: Duration = Duration::from_secs(10);

/// A text of at most so many bytes is remembered once it is written, and not written again while it stays the same.
const REMEMBERED_BYTES: usize = 1024;

/// The text of a file, and who wants to hear of it.
pub(super) struct Paper {
    pub(super) file: &'static str,
    pub(super) text: Vec<u8>,
    pub(super) tell: Vec<Tell>,
    /// The file has this text already.
    pub(super) is_there: bool,
    /// It does not wait for the interval.
    is_urgent: bool,
    /// Since when what is on the disk is older.
    since: Instant,
}

/// What the thread does next.
pub(super) enum Next {
    /// Write this.
    Write(Paper),
    /// Look whether the directory takes files.
    Look,
    /// Wait for another text, and until then at the longest.
    Wait(Instant),
    /// End: everything was written, or tried.
    End,
}

/// At most one text of each file: the newest. As many files as the daemon has names for.
pub(super) struct Queue {
    files: Vec<StateFile>,
    task: Option<Task>,
    is_last: bool,
    /// Why the directory takes no files.
    refusal: Option<String>,
    look_at: Instant,
}

/// What is known of one file.
#[derive(Default)]
struct StateFile {
    name: &'static str,
    waiting: Option<Paper>,
    /// A text that nobody waits for is not written before.
    not_before: Option<Instant>,
    /// Why it could not be written the last time.
    trouble: Option<String>,
    /// What was written last, if it is short.
    written: Option<Vec<u8>>,
    /// Why it must not be written: what stands there has to be looked at first.
    withheld: Option<String>,
}

/// What the thread is at.
struct Task {
    began: Instant,
    /// The file that it writes, and [`Paper::since`]. `None`: it looks at the directory.
    writes: Option<(&'static str, Instant)>,
}

impl Paper {
    fn new(file: &'static str, since: Instant) -> Self {
        Self { file, text: Vec::new(), tell: Vec::new(), is_there: false, is_urgent: false, since }
    }
}

impl Queue {
    /// A directory that was found like this.
    pub(super) fn new(now: Instant, refusal: Option<String>) -> Self {
        Self { files: Vec::new(), task: None, is_last: false, refusal, look_at: now + LOOK }
    }

    /// Takes the newest text of a file. Returns true if the thread has to know: whoever floods us does not wake it.
    pub(super) fn put(
        &mut self,
        now: Instant,
        file: &'static str,
        text: &[u8],
        tell: Option<Tell>,
        is_urgent: bool,
    ) -> bool {
        let waiting = &mut self.file(file).waiting;
        let is_new = waiting.is_none();
        let paper = waiting.get_or_insert_with(|| Paper::new(file, now));
        text.clone_into(&mut paper.text);
        paper.is_urgent |= is_urgent;
        paper.tell.extend(tell);
        is_new || is_urgent
    }

    /// The file is not written until the daemon is started again.
    pub(super) fn withhold(&mut self, file: &'static str, why: &str) {
        self.file(file).withheld = Some(why.to_owned());
    }

    /// Why a file is not written.
    pub(super) fn withheld(&self, file: &str) -> Option<&str> {
        self.files.iter().find(|known| known.name == file)?.withheld.as_deref()
    }

    /// Nothing more comes: what waits is written now.
    pub(super) fn close(&mut self) {
        self.is_last = true;
    }

    /// Returns true if nothing more comes.
    pub(super) fn is_closed(&self) -> bool {
        self.is_last
    }

    /// What to do at this time.
    pub(super) fn next(&mut self, now: Instant) -> Next {
        if let Some(paper) = self.take_due(now) {
            self.task = Some(Task { began: now, writes: Some((paper.file, paper.since)) });
            Next::Write(paper)
        } else if self.is_last {
            Next::End
        } else if self.look_at <= now {
            self.task = Some(Task { began: now, writes: None });
            Next::Look
        } else {
            Next::Wait(self.deadline(now))
        }
    }

    /// The text that has waited longest, of those whose time has come.
    fn take_due(&mut self, now: Instant) -> Option<Paper> {
        let is_last = self.is_last;
        let is_due = |file: &&mut StateFile| file.due(now).is_some_and(|due| is_last || due <= now);
        let due = self.files.iter_mut().filter(is_due);
        let file = due.min_by_key(|file| file.waiting.as_ref().map(|paper| paper.since))?;
        let mut paper = file.waiting.take()?;
        paper.is_there = file.trouble.is_none() && file.written.as_ref() == Some(&paper.text);
        Some(paper)
    }

    fn deadline(&self, now: Instant) -> Instant {
        self.files.iter().filter_map(|file| file.due(now)).fold(self.look_at, Instant::min)
    }

    /// The thread has written what it took, or could not for this reason. Returns true if the log should say so: once for
    /// each reason, and once when it is over.
    pub(super) fn written(&mut self, now: Instant, paper: Paper, failed: Option<&str>) -> bool {
        self.task = None;
        let is_last = self.is_last;
        let file = self.file(paper.file);
        match failed {
            None => file.keeps(now, paper.text),
            Some(why) => {
                file.not_before = Some(now + RETRY);
                if !is_last {
                    file.take_back(paper);
                }
                file.trouble.replace(why.to_owned()).as_deref() != Some(why)
            }
        }
    }

    /// The thread has looked: the directory takes files, or does not for this reason. Returns true if that is new.
    pub(super) fn looked(&mut self, now: Instant, refusal: Option<String>) -> bool {
        self.task = None;
        self.look_at = now + LOOK;
        let is_new = self.refusal != refusal;
        self.refusal = refusal;
        is_new
    }

    /// Why the directory takes no files.
    pub(super) fn refusal(&self) -> Option<&str> {
        self.refusal.as_deref()
    }

    /// The files whose newest text should be on the disk, and is not.
    pub(super) fn unkept(&self, now: Instant) -> Vec<Unkept> {
        let hangs = self.task.as_ref().is_some_and(|task| now.saturating_duration_since(task.began) > SLOW);
        self.files.iter().filter_map(|file| self.unkept_of(file, hangs)).collect()
    }

    fn unkept_of(&self, file: &StateFile, hangs: bool) -> Option<Unkept> {
        let taken = self.task.as_ref().and_then(|task| task.writes).filter(|(name, _)| *name == file.name);
        let waiting = file.waiting.as_ref().map(|paper| paper.since);
        let since = taken.map(|(_, since)| since).or(waiting)?;
        let why = if hangs { HANGS.to_owned() } else { file.trouble.clone()? };
        Some(Unkept { file: file.name, since, why })
    }

    /// Returns true while a text waits or is being written.
    pub(super) fn is_unwritten(&self) -> bool {
        self.writes() || self.files.iter().any(|file| file.waiting.is_some())
    }

    /// Returns true while the thread has taken a text.
    pub(super) fn writes(&self) -> bool {
        self.task.as_ref().is_some_and(|task| task.writes.is_some())
    }

    fn file(&mut self, name: &'static str) -> &mut StateFile {
        let at = self.files.iter().position(|file| file.name == name).unwrap_or(self.files.len());
        if at == self.files.len() {
            self.files.push(StateFile { name, ..StateFile::default() });
        }
        &mut self.files[at]
    }
}

/// A disk that gives no answer at all.
const HANGS: &str = "the disk does not answer";

impl StateFile {
    /// When its text is to be written. `None`: there is none.
    fn due(&self, now: Instant) -> Option<Instant> {
        let paper = self.waiting.as_ref()?;
        Some(self.not_before.filter(|_| !paper.is_urgent).unwrap_or(now))
    }

    /// Its text is on the disk. Returns true if it could not be written before.
    fn keeps(&mut self, now: Instant, text: Vec<u8>) -> bool {
        self.not_before = Some(now + WRITE_INTERVAL);
        self.written = Some(text).filter(|text| text.len() <= REMEMBERED_BYTES);
        mem::take(&mut self.trouble).is_some()
    }

    /// What could not be written waits again, unless there is a newer text. Whoever waited for it was told.
    fn take_back(&mut self, paper: Paper) {
        match &mut self.waiting {
            Some(newer) => newer.since = newer.since.min(paper.since),
            None => self.waiting = Some(Paper { is_urgent: false, tell: Vec::new(), ..paper }),
        }
    }
}

#[cfg(test)]
mod tests;
