//! The thread `store`: writes state files, so that nobody waits for a disk.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use super::config::reason;
use super::{file, thread};

/// How long the end of a daemon waits for a disk. One that hangs for longer keeps the old file.
const LAST_WAIT: Duration = Duration::from_millis(400);

/// When to try again what could not be written: a disk that is full may have room later.
const RETRY: Duration = Duration::from_secs(30);

/// Gives texts to the thread, each as the whole of a state file.
#[derive(Debug)]
pub struct Store(Arc<Desk>);

/// Between those who give and the thread. The lock is held to exchange a text, never while one is written.
#[derive(Debug, Default)]
struct Desk {
    papers: Mutex<Papers>,
    changed: Condvar,
}

/// At most one text of each file: the newest.
#[derive(Debug, Default)]
struct Papers {
    waiting: Vec<(&'static str, String)>,
    /// The thread holds another one.
    is_writing: bool,
    /// Nothing more will come.
    is_last: bool,
}

impl Store {
    /// Starts the thread for the files of one directory.
    ///
    /// # Errors
    /// The thread could not be started.
    pub fn start(directory: &Path) -> io::Result<Self> {
        let desk = Arc::new(Desk::default());
        let (directory, taken) = (directory.to_owned(), desk.clone());
        thread::spawn("store", move || run(&directory, &taken))?;
        Ok(Self(desk))
    }

    /// Makes `text` the file of this name, unless a newer one comes before the disk has time for it. Never waits.
    pub fn keep(&self, name: &'static str, text: &str) {
        let mut papers = self.0.lock();
        papers.waiting.retain(|(other, _)| *other != name);
        papers.waiting.push((name, text.to_owned()));
        self.0.changed.notify_all();
    }

    /// Waits until everything is written, but not for a disk that hangs.
    pub fn finish(self) {
        let Self(desk) = self;
        let mut papers = desk.lock();
        papers.is_last = true;
        desk.changed.notify_all();
        let waited = desk.changed.wait_timeout_while(papers, LAST_WAIT, |papers| papers.is_unwritten());
        if waited.expect("nobody panics with the lock").1.timed_out() {
            log::warn!("the disk hangs, and what was to be kept is lost");
        }
    }
}

impl Desk {
    fn lock(&self) -> MutexGuard<'_, Papers> {
        self.papers.lock().expect("nobody panics with the lock")
    }

    /// The next text to write; `None`: it was the last. Whoever asks has written the one before.
    fn next(&self) -> Option<(&'static str, String)> {
        let mut papers = self.lock();
        papers.is_writing = false;
        self.changed.notify_all();
        let idle = |papers: &mut Papers| papers.waiting.is_empty() && !papers.is_last;
        papers = self.changed.wait_while(papers, idle).expect("nobody panics with the lock");
        papers.is_writing = !papers.waiting.is_empty();
        papers.is_writing.then(|| papers.waiting.remove(0))
    }

    /// Takes back what could not be written, unless there is a newer text or no time left, and lets time pass.
    fn try_again_later(&self, name: &'static str, text: String) {
        let mut papers = self.lock();
        if papers.is_last {
            return;
        }
        if papers.waiting.iter().all(|(other, _)| *other != name) {
            papers.waiting.push((name, text));
        }
        papers.is_writing = false;
        let waited = self.changed.wait_timeout_while(papers, RETRY, |papers| !papers.is_last);
        drop(waited.expect("nobody panics with the lock"));
    }
}

impl Papers {
    fn is_unwritten(&self) -> bool {
        self.is_writing || !self.waiting.is_empty()
    }
}

fn run(directory: &Path, desk: &Desk) {
    while let Some((name, text)) = desk.next() {
        let path: PathBuf = directory.join(name);
        if let Err(error) = file::replace(&path, &text) {
            log::warn!("cannot keep {}: {}", path.display(), reason(&error));
            desk.try_again_later(name, text);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use nix::sys::stat::Mode;
    use nix::unistd::mkfifo;

    use super::*;
    use crate::sys::clock;

    fn place(name: &str) -> PathBuf {
        let directory = std::env::temp_dir().join(format!("vox-store-{name}-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        directory
    }

    #[test]
    fn the_newest_text_of_each_file_is_kept() {
        let directory = place("newest");
        let store = Store::start(&directory).unwrap();
        (0..1_000).for_each(|n| store.keep("bans", &format!("{n}\n")));
        store.keep("names", "bob\n");
        store.finish();
        assert_eq!(fs::read_to_string(directory.join("bans")).unwrap(), "999\n");
        assert_eq!(fs::read_to_string(directory.join("names")).unwrap(), "bob\n");
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn a_text_is_written_without_another_one_or_the_end() {
        let directory = place("soon");
        let store = Store::start(&directory).unwrap();
        store.keep("bans", "10.0.0.7\n");
        while !directory.join("bans").exists() {
            clock::sleep_until(clock::now() + Duration::from_millis(1));
        }
        store.finish();
        fs::remove_dir_all(directory).unwrap();
    }

    /// A pipe that nobody reads is a disk that hangs: open(2) waits for a reader.
    #[test]
    fn a_disk_that_hangs_delays_neither_the_work_nor_for_long_the_end() {
        let directory = place("hangs");
        mkfifo(&directory.join("bans.new"), Mode::S_IRWXU).unwrap();
        let store = Store::start(&directory).unwrap();
        let began = clock::now();
        (0..1_000).for_each(|n| store.keep("bans", &format!("{n}\n")));
        store.finish();
        assert!(clock::now() - began < Duration::from_secs(1));
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn what_could_not_be_written_is_tried_again_and_at_the_end_once_more() {
        let directory = place("later");
        fs::remove_dir(&directory).unwrap();
        let store = Store::start(&directory).unwrap();
        store.keep("bans", "10.0.0.7\n");
        while !store.0.lock().is_unwritten() || store.0.lock().is_writing {
            clock::sleep_until(clock::now() + Duration::from_millis(1));
        }
        fs::create_dir(&directory).unwrap();
        store.finish();
        assert_eq!(fs::read_to_string(directory.join("bans")).unwrap(), "10.0.0.7\n");
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn a_directory_that_stays_away_is_no_end() {
        let store = Store::start(Path::new("/nonexistent/vox")).unwrap();
        store.keep("bans", "10.0.0.7\n");
        store.keep("names", "bob\n");
        store.finish();
    }
}
