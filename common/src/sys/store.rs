//! The thread `store`: writes state files, so that nobody waits for a disk.

mod queue;

use std::io;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use self::queue::{Next, Paper, Queue};
use super::config::reason;
use super::state::StateDirectory;
use super::{clock, file, thread};
use crate::wire::disk::{Damaged, Disk};

/// How long the end of a daemon waits for a disk. One that hangs for longer keeps the old file.
const LAST_WAIT: Duration = Duration::from_millis(400);

/// Gives texts to the thread, each as the whole of a state file.
pub struct Store {
    desk: Arc<Desk>,
    directory: StateDirectory,
    damaged: Vec<Damaged>,
}

/// What is told of a text: that it is on the disk, or the sentence why it is not.
pub type Tell = Box<dyn FnOnce(Result<(), &str>) + Send>;

/// Between those who give and the thread. The lock is held to exchange a text, never while one is written.
struct Desk {
    queue: Mutex<Queue>,
    changed: Condvar,
}

impl Store {
    /// Starts the thread for the files of one directory.
    ///
    /// # Errors
    /// The thread could not be started.
    pub fn start(directory: StateDirectory) -> io::Result<Self> {
        let queue = Queue::new(clock::now(), directory.refusal.clone());
        let desk = Arc::new(Desk { queue: Mutex::new(queue), changed: Condvar::new() });
        let (path, taken) = (directory.path.clone(), desk.clone());
        thread::spawn("store", move || run(&path, &taken))?;
        Ok(Self { desk, directory, damaged: Vec::new() })
    }

    /// Makes `text` the file of this name, unless a newer one comes before: at once, or some seconds after the file was
    /// written last, however often this is asked for. Never waits.
    pub fn keep(&self, file: &'static str, text: impl AsRef<[u8]>) {
        self.desk.put(file, text.as_ref(), None, false);
    }

    /// The same, at once: for what cannot happen often.
    pub fn keep_at_once(&self, file: &'static str, text: impl AsRef<[u8]>) {
        self.desk.put(file, text.as_ref(), None, true);
    }

    /// The same, at once, and tells, on the thread `store`, what became of it or of the newer one; at the end of a daemon,
    /// nothing.
    pub fn keep_and_tell(&self, file: &'static str, text: impl AsRef<[u8]>, tell: Tell) {
        self.desk.put(file, text.as_ref(), Some(tell), true);
    }

    /// Notes that a file was found damaged.
    pub fn note_damage(&mut self, damaged: Damaged) {
        self.damaged.push(damaged);
    }

    /// Refuses to write a file until the daemon is started again: nothing may take the place of what somebody might still
    /// mend.
    pub fn withhold(&self, file: &'static str, why: &str) {
        self.desk.lock().withhold(file, why);
    }

    /// Returns true if a file is not written.
    pub fn is_withheld(&self, file: &str) -> bool {
        self.desk.lock().withheld(file).is_some()
    }

    /// How the disk is, for people. Never waits for it.
    pub fn disk(&self, now: Instant) -> Disk {
        let queue = self.desk.lock();
        Disk {
            directory: self.directory.path.display().to_string(),
            is_in_memory: self.directory.is_in_memory,
            trouble: queue.refusal().map(str::to_owned),
            unkept: queue.unkept(now),
            damaged: self.damaged.clone(),
        }
    }

    /// Waits until everything is written, but not for a disk that hangs.
    pub fn finish(self) {
        let desk = self.desk;
        let mut queue = desk.lock();
        queue.close();
        desk.changed.notify_all();
        let waited = desk.changed.wait_timeout_while(queue, LAST_WAIT, |queue| queue.is_unwritten());
        if waited.expect("nobody panics with the lock").1.timed_out() {
            log::warn!("the disk hangs, and what was to be kept is lost");
        }
    }
}

impl Desk {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().expect("nobody panics with the lock")
    }

    fn put(&self, file: &'static str, text: &[u8], tell: Option<Tell>, is_urgent: bool) {
        if self.lock().put(clock::now(), file, text, tell, is_urgent) {
            self.changed.notify_all();
        }
    }

    /// The next thing to do, which is never to wait.
    fn next(&self) -> Next {
        let mut queue = self.lock();
        loop {
            let now = clock::now();
            match queue.next(now) {
                Next::Wait(until) => {
                    let waited = self.changed.wait_timeout(queue, until.saturating_duration_since(now));
                    queue = waited.expect("nobody panics with the lock").0;
                }
                next => return next,
            }
        }
    }

    /// Writes a text, and tells everybody who wants to hear of it.
    fn write(&self, directory: &Path, mut paper: Paper) {
        let (path, tells) = (directory.join(paper.file), std::mem::take(&mut paper.tell));
        let failed = if paper.is_there { None } else { self.try_to_write(&path, &paper).err() };
        let sentence = failed.as_ref().map(|why| format!("cannot keep {}: {why}", path.display()));
        let is_news = self.lock().written(clock::now(), paper, failed.as_deref());
        self.changed.notify_all();
        match &sentence {
            Some(sentence) if is_news => log::warn!("{sentence}"),
            None if is_news => log::info!("{} is kept again", path.display()),
            _ => {}
        }
        // Nobody takes answers at the end, and whoever waited for that would not write what is left.
        if !self.lock().is_closed() {
            tells.into_iter().for_each(|tell| tell(sentence.as_deref().map_or(Ok(()), Err)));
        }
    }

    fn try_to_write(&self, path: &Path, paper: &Paper) -> Result<(), String> {
        let withheld = self.lock().withheld(paper.file).map(str::to_owned);
        withheld.map_or(Ok(()), Err)?;
        file::replace(path, &paper.text).map_err(|error| reason(&error))
    }

    /// Looks whether the directory takes files.
    fn look(&self, directory: &Path) {
        let refusal = file::takes_files(directory).err().map(|error| reason(&error));
        let is_news = self.lock().looked(clock::now(), refusal.clone());
        match refusal {
            Some(why) if is_news => log::warn!("cannot write to {}: {why}", directory.display()),
            None if is_news => log::info!("{} takes files again", directory.display()),
            _ => {}
        }
    }
}

fn run(directory: &Path, desk: &Desk) {
    loop {
        match desk.next() {
            Next::Write(paper) => desk.write(directory, paper),
            Next::Look => desk.look(directory),
            Next::Wait(_) | Next::End => return,
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

    fn start(directory: &Path) -> Store {
        Store::start(StateDirectory::open(directory)).unwrap()
    }

    fn place(name: &str) -> PathBuf {
        let directory = std::env::temp_dir().join(format!("vox-store-{name}-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        directory
    }

    #[test]
    fn the_newest_text_of_each_file_is_kept() {
        let directory = place("newest");
        let store = start(&directory);
        (0..1_000).for_each(|n| store.keep("bans", format!("{n}\n")));
        store.keep("names", "bob\n");
        store.finish();
        assert_eq!(fs::read_to_string(directory.join("bans")).unwrap(), "999\n");
        assert_eq!(fs::read_to_string(directory.join("names")).unwrap(), "bob\n");
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn a_text_is_written_without_another_one_or_the_end() {
        let directory = place("soon");
        let store = start(&directory);
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
        let store = start(&directory);
        let began = clock::now();
        (0..1_000).for_each(|n| store.keep("bans", format!("{n}\n")));
        store.finish();
        assert!(clock::now() - began < Duration::from_secs(1));
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn what_could_not_be_written_is_tried_again_and_at_the_end_once_more() {
        let directory = place("later");
        let store = start(&directory);
        fs::remove_dir(&directory).unwrap();
        store.keep("bans", "10.0.0.7\n");
        while store.disk(clock::now()).unkept.is_empty() {
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
        for (place, expected) in [(&*directory, "on the disk"), (Path::new("/proc/vox"), "cannot keep")] {
            let store = start(place);
            let (hear, heard) = sync_channel(2);
            let (first, second) = (hear.clone(), hear);
            let sentence =
                |told: Result<(), &str>| told.map_or_else(str::to_owned, |()| "on the disk".into());
            store.keep_and_tell("bans", "bob\n", Box::new(move |told| first.send(sentence(told)).unwrap()));
            store.keep_and_tell("bans", "ann\n", Box::new(move |told| second.send(sentence(told)).unwrap()));
            assert!(heard.recv().unwrap().starts_with(expected));
            assert!(heard.recv().unwrap().starts_with(expected));
            store.finish();
        }
        assert_eq!(fs::read_to_string(directory.join("bans")).unwrap(), "ann\n");
        fs::remove_dir_all(directory).unwrap();
    }

    #[test]
    fn a_directory_that_stays_away_is_no_end_and_is_told_of() {
        let store = start(Path::new("/proc/vox"));
        let (hear, heard) = sync_channel(2);
        for file in ["bans", "names"] {
            let hear = hear.clone();
            store.keep_and_tell(file, "bob\n", Box::new(move |told| hear.send(told.is_ok()).unwrap()));
        }
        assert_eq!([heard.recv().unwrap(), heard.recv().unwrap()], [false; 2]);
        let unkept = store.disk(clock::now()).unkept;
        let told: Vec<_> = unkept.iter().map(|it| (it.file, it.why.as_str())).collect();
        assert_eq!(told, [("bans", "no such file or directory"), ("names", "no such file or directory")]);
        store.finish();
    }

    #[test]
    fn what_is_withheld_is_not_written_and_whoever_waits_is_told_why() {
        let directory = place("withheld");
        fs::write(directory.join("bans"), "precious").unwrap();
        let store = start(&directory);
        store.withhold("bans", "mend it first");
        let (hear, heard) = sync_channel(1);
        let tell = move |told: Result<(), &str>| hear.send(told.unwrap_err().to_owned()).unwrap();
        store.keep_and_tell("bans", "bob\n", Box::new(tell));
        assert!(heard.recv().unwrap().ends_with("/bans: mend it first"));
        store.finish();
        assert_eq!(fs::read_to_string(directory.join("bans")).unwrap(), "precious");
        fs::remove_dir_all(directory).unwrap();
    }
}
