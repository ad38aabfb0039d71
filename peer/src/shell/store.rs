//! The thread `store`: writes state files, so that nobody waits for a disk.

use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use vox_common::sys::{file, thread};

/// Texts that wait for the disk. At the brim a text is not kept; the next one holds it too.
const WAITING: usize = 16;

/// Gives texts to the thread; when it is dropped, the thread ends after the last one.
pub struct Store {
    texts: SyncSender<String>,
    thread: JoinHandle<()>,
}

impl Store {
    /// Starts the thread for one file.
    ///
    /// # Errors
    /// The thread could not be started.
    pub fn start(path: PathBuf) -> io::Result<Self> {
        let (texts, taken) = sync_channel(WAITING);
        let thread = thread::spawn("store", move || run(&path, &taken))?;
        Ok(Self { texts, thread })
    }

    /// Keeps a text. Never waits.
    pub fn keep(&self, text: &str) {
        if self.texts.try_send(text.to_owned()).is_err() {
            log::warn!("the disk is too slow to keep the history");
        }
    }

    /// Waits until everything is written.
    pub fn finish(self) {
        drop(self.texts);
        let _ = self.thread.join();
    }
}

fn run(path: &std::path::Path, texts: &Receiver<String>) {
    while let Ok(text) = texts.recv() {
        let newest = texts.try_iter().last().unwrap_or(text);
        if let Err(error) = file::replace(path, &newest) {
            log::warn!("cannot keep the history in {}: {error}", path.display());
        }
    }
}
