//! The thread `store`: writes state files, so that nobody waits for a disk.

use std::io;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use super::config::reason;
use super::{file, thread};

/// How long the end of a daemon waits for a disk. One that hangs for longer keeps the old file.
const LAST_WAIT: Duration = Duration::from_millis(400);

/// When to try again what could not be written: a disk that is full may have room later.
const RETRY: Duration = Duration::from_secs(30);

/// Gives texts to the thread, each as the whole of a state file.
pub struct Store(Arc<Desk>);

/// What is told of a text: that it is on the disk, or the sentence why it is not.
pub type Tell = Box<dyn FnOnce(Result<(), &str>) + Send>;

/// Between those who give and the thread. The lock is held to exchange a text, never while one is written.
#[derive(Default)]
struct Desk {
    papers: Mutex<Papers>,
    changed: Condvar,
}

/// At most one text of each file: the newest.
#[derive(Default)]
struct Papers {
    waiting: Vec<Paper>,
    /// The thread holds another one.
    is_writing: bool,
    /// Nothing more will come.
    is_last: bool,
}

/// The text of a file, and who wants to hear of it.
struct Paper {
    file: &'static str,
    text: String,
    tell: Vec<Tell>,
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
    pub fn keep(&self, file: &'static str, text: &str) {
        self.0.put(file, text, None);
    }

    /// The same, and tells, on the thread `store`, what became of it or of the newer one. At the end of a daemon that may
    /// be nothing.
    pub fn keep_and_tell(&self, file: &'static str, text: &str, tell: Tell) {
        self.0.put(file, text, Some(tell));
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

    fn put(&self, file: &'static str, text: &str, tell: Option<Tell>) {
        let mut papers = self.lock();
        let paper = papers.newest(file);
        text.clone_into(&mut paper.text);
        paper.tell.extend(tell);
        self.changed.notify_all();
    }

    /// The next text to write; `None`: it was the last. Whoever asks has written the one before.
    fn next(&self) -> Option<Paper> {
        let mut papers = self.lock();
        papers.is_writing = false;
        self.changed.notify_all();
        let idle = |papers: &mut Papers| papers.waiting.is_empty() && !papers.is_last;
        papers = self.changed.wait_while(papers, idle).expect("nobody panics with the lock");
        papers.is_writing = !papers.waiting.is_empty();
        papers.is_writing.then(|| papers.waiting.remove(0))
    }

    /// Takes back what could not be written, unless there is a newer text or no time left, and lets time pass until
    /// somebody waits for an answer.
    fn try_again_later(&self, paper: Paper) {
        let mut papers = self.lock();
        if papers.is_last {
            return;
        }
        if papers.waiting.iter().all(|newer| newer.file != paper.file) {
            papers.waiting.push(paper);
        }
        papers.is_writing = false;
        let waited = self.changed.wait_timeout_while(papers, RETRY, |papers| !papers.is_urgent());
        drop(waited.expect("nobody panics with the lock"));
    }
}

impl Papers {
    /// The paper of this file that waits, or a new one.
    fn newest(&mut self, file: &'static str) -> &mut Paper {
        let place = self.waiting.iter().position(|paper| paper.file == file).unwrap_or(self.waiting.len());
        if place == self.waiting.len() {
            self.waiting.push(Paper { file, text: String::new(), tell: Vec::new() });
        }
        &mut self.waiting[place]
    }

    fn is_urgent(&self) -> bool {
        self.is_last || self.waiting.iter().any(|paper| !paper.tell.is_empty())
    }

    fn is_unwritten(&self) -> bool {
        self.is_writing || !self.waiting.is_empty()
    }
}

impl Paper {
    fn write(&self, directory: &Path) -> Result<(), String> {
        let path = directory.join(self.file);
        let cannot = |error| format!("cannot keep {}: {}", path.display(), reason(&error));
        file::replace(&path, &self.text).map_err(cannot)
    }
}

fn run(directory: &Path, desk: &Desk) {
    while let Some(mut paper) = desk.next() {
        let written = paper.write(directory);
        let told = written.as_ref().map_err(String::as_str).copied();
        paper.tell.drain(..).for_each(|tell| tell(told));
        if let Err(sentence) = written {
            log::warn!("{sentence}");
            desk.try_again_later(paper);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;
    use std::sync::mpsc::sync_channel;

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
    fn who_asks_hears_when_it_is_on_the_disk_or_why_it_is_not() {
        let directory = place("told");
        for (place, expected) in
            [(&*directory, "on the disk"), (Path::new("/nonexistent/vox"), "cannot keep")]
        {
            let store = Store::start(place).unwrap();
            let (hear, heard) = sync_channel(2);
            let (first, second) = (hear.clone(), hear);
            let sentence =
                |told: Result<(), &str>| told.map_or_else(str::to_owned, |()| "on the disk".into());
            store.keep_and_tell("bans", "bob\n", Box::new(move |told| first.send(sentence(told)).unwrap()));
            store.keep_and_tell("bans", "ann\n", Box::new(move |told| second.send(sentence(told)).unwrap()));
            assert!(heard.recv().unwrap().starts_with(expected));
            store.finish();
            assert!(heard.recv().unwrap().starts_with(expected));
        }
        assert_eq!(fs::read_to_string(directory.join("bans")).unwrap(), "ann\n");
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
