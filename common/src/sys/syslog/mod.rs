//! What a daemon tells its operator: a `log` logger that never makes its caller wait.
//!
//! Lines go into a bounded ring; a thread called `log` takes them out and owns the socket. The `syslog` crate's
//! own logger holds a lock while it sends, stands still with the syslog daemon, and stays mute after that was
//! restarted; so only its formatter and its backend are used, over a socket that does not block.

mod settings;
mod writer;

use std::env;
use std::io::{self, IsTerminal};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use log::{Level, LevelFilter, Log, Metadata, Record};

use self::settings::DEV_LOG;
pub use self::settings::{Settings, Target};
use self::writer::{Lines, Writer};
use super::thread;

/// Lines that wait for the `log` thread. At the brim: dropped, counted, and told once there is room again.
const RING_LINES: usize = 512;

/// The longest text of one line, in bytes. Longer: cut, with `…` at the end.
const TEXT_BYTES: usize = 1024;

/// How long the end of a program waits for its last lines.
const FLUSH: Duration = Duration::from_millis(200);

/// Starts the `log` thread and makes it the logger of this process: stderr instead of syslog where stderr is a
/// terminal. To be called once.
///
/// # Errors
/// The process has a logger already, or the kernel has no room for another thread.
pub fn start(program: &'static str, settings: &Settings) -> io::Result<LogHandle> {
    let target = if io::stderr().is_terminal() { Target::Stderr } else { settings.target.clone() };
    let (ring, entries) = Ring::new();
    let lines = Lines { entries, lost: ring.lost.clone() };
    let writer = Writer::new(program, target);
    log::set_boxed_logger(Box::new(ring)).map_err(io::Error::other)?;
    log::set_max_level(settings.level);
    thread::spawn("log", move || lines.each(writer))?;
    Ok(LogHandle(()))
}

/// Tells syslog one sentence at once, or not at all: of a daemon that ends before it has a logger.
///
/// To be said on stderr as well; so nothing is done where that is a terminal or goes to the journal.
pub fn tell(program: &str, sentence: &str) {
    if !io::stderr().is_terminal() && env::var_os("JOURNAL_STREAM").is_none() {
        Writer::new(program, Target::Stderr).tell_once(Path::new(DEV_LOG), &one_line(sentence));
    }
}

/// The logger of this process.
#[derive(Debug)]
pub struct LogHandle(());

impl LogHandle {
    /// Takes over a level that was configured anew.
    pub fn set_level(&self, level: LevelFilter) {
        log::set_max_level(level);
    }

    /// Waits until everything told so far is written, 200 ms at most: the last act of a program.
    pub fn finish(self) {
        log::logger().flush();
    }
}

/// What lies in the ring.
enum Entry {
    Line(Level, String),
    /// Answered when everything before it is written.
    Flush(SyncSender<()>),
}

/// The end of the ring that every thread holds.
struct Ring {
    entries: SyncSender<Entry>,
    lost: Arc<AtomicU64>,
}

impl Ring {
    fn new() -> (Self, Receiver<Entry>) {
        let (sender, receiver) = sync_channel(RING_LINES);
        (Self { entries: sender, lost: Arc::default() }, receiver)
    }
}

impl Log for Ring {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record<'_>) {
        let line = Entry::Line(record.level(), one_line(&record.args().to_string()));
        if let Err(TrySendError::Full(_)) = self.entries.try_send(line) {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn flush(&self) {
        let (done, written) = sync_channel(1);
        if self.entries.try_send(Entry::Flush(done)).is_ok() {
            let _ = written.recv_timeout(FLUSH);
        }
    }
}

/// A text as it may stand in a log: on one line, not too long, and without characters that hide or reorder others.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len().min(TEXT_BYTES));
    for character in text.chars() {
        if line.len() >= TEXT_BYTES {
            line.push('…');
            break;
        }
        if deceives(character) { line.extend(character.escape_default()) } else { line.push(character) }
    }
    line
}

/// Control characters, line separators, zero-width characters and those that turn the direction of writing.
fn deceives(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_begins_a_new_line() {
        assert_eq!(
            one_line("a\nJan  1 00:00:00 forged\r\0\u{1b}[2J"),
            r"a\nJan  1 00:00:00 forged\r\u{0}\u{1b}[2J"
        );
        assert_eq!(one_line("a\u{202e}b\u{2028}c\u{85}d"), r"a\u{202e}b\u{2028}c\u{85}d");
        assert_eq!(one_line("João 100 % \\"), "João 100 % \\");
    }

    #[test]
    fn a_line_has_a_longest_length() {
        let line = one_line(&"\0".repeat(5000));
        assert!(line.len() < TEXT_BYTES + 16 && line.ends_with('…'));
    }
}
