//! The `log` thread: from the ring to the syslog daemon, or to stderr while there is none.

use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Receiver;
use std::{env, process};

use log::Level;
use nix::poll::{PollFd, PollFlags, poll};
use syslog::{Facility, Formatter3164, Logger, LoggerBackend};

use super::{Entry, Target};

/// How long to wait for room at a daemon that stands still, before looking whether it is there at all.
const PATIENCE_MS: u16 = 1000;

/// The other end of the ring.
pub(super) struct Lines {
    pub(super) entries: Receiver<Entry>,
    pub(super) lost: Arc<AtomicU64>,
}

impl Lines {
    /// Writes every line until the last sender is gone.
    pub(super) fn each(self, mut writer: Writer) {
        for entry in self.entries {
            match entry {
                Entry::Line(level, text) => writer.tell(level, &text),
                Entry::Flush(done) => _ = done.try_send(()),
            }
            match self.lost.swap(0, Ordering::Relaxed) {
                0 => {}
                lost => writer.tell(Level::Warn, &format!("log lines were lost lines={lost}")),
            }
        }
    }
}

/// Where lines end up.
pub(super) struct Writer {
    target: Target,
    format: Formatter3164,
    syslog: Option<Logger<LoggerBackend, Formatter3164>>,
    /// systemd reads the level from the beginning of a line on stderr (sd-daemon(3)).
    journal: bool,
}

impl Writer {
    pub(super) fn new(program: &str, target: Target) -> Self {
        let format = Formatter3164 {
            facility: Facility::LOG_DAEMON,
            hostname: None,
            process: program.into(),
            pid: process::id(),
        };
        Self { target, format, syslog: None, journal: env::var_os("JOURNAL_STREAM").is_some() }
    }

    /// Tells an error without waiting and without a second try.
    pub(super) fn tell_once(self, path: &Path, text: &str) {
        if let Ok(socket) = connect(path) {
            let _ = write(&mut Logger::new(LoggerBackend::Unix(socket), self.format), Level::Error, text);
        }
    }

    fn tell(&mut self, level: Level, text: &str) {
        let told = match &self.target {
            Target::Syslog(path) => send(&mut self.syslog, path, &self.format, level, text),
            Target::Stderr => Err(ErrorKind::Unsupported.into()),
        };
        if told.is_err() {
            // Nobody is left to be told that stderr is closed.
            let _ = self.tell_stderr(level, text);
        }
    }

    fn tell_stderr(&self, level: Level, text: &str) -> io::Result<()> {
        let (number, word) = match level {
            Level::Error => (3, "error: "),
            Level::Warn => (4, "warning: "),
            Level::Info => (6, ""),
            Level::Debug | Level::Trace => (7, "debug: "),
        };
        if self.journal {
            writeln!(io::stderr(), "<{number}>{text}")
        } else {
            writeln!(io::stderr(), "{}: {word}{text}", self.format.process)
        }
    }
}

/// Sends one line, over a new connection if the old one is dead: a daemon that was restarted has a new socket.
fn send(
    syslog: &mut Option<Logger<LoggerBackend, Formatter3164>>,
    path: &Path,
    format: &Formatter3164,
    level: Level,
    text: &str,
) -> io::Result<()> {
    if let Some(logger) = syslog
        && deliver(logger, level, text).is_ok()
    {
        return Ok(());
    }
    *syslog = None;
    let logger = syslog.insert(Logger::new(LoggerBackend::Unix(connect(path)?), format.clone()));
    deliver(logger, level, text)
}

fn connect(path: &Path) -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    socket.connect(path)?;
    Ok(socket)
}

/// Sends one line and waits while the daemon is there but takes nothing. The ring fills meanwhile, and nobody
/// but this thread waits.
fn deliver(logger: &mut Logger<LoggerBackend, Formatter3164>, level: Level, text: &str) -> io::Result<()> {
    loop {
        match write(logger, level, text) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => await_room(&logger.backend)?,
            done => return done,
        }
    }
}

fn write(logger: &mut Logger<LoggerBackend, Formatter3164>, level: Level, text: &str) -> io::Result<()> {
    let written = match level {
        Level::Error => logger.err(text),
        Level::Warn => logger.warning(text),
        Level::Info => logger.info(text),
        Level::Debug | Level::Trace => logger.debug(text),
    };
    written.map_err(|error| match error {
        syslog::Error::Write(error) | syslog::Error::Io(error) => error,
        syslog::Error::Initialization(error) => io::Error::other(error.to_string()),
    })
}

fn await_room(backend: &LoggerBackend) -> io::Result<()> {
    let LoggerBackend::Unix(socket) = backend else { return Ok(()) };
    match poll(&mut [PollFd::new(socket.as_fd(), PollFlags::POLLOUT)], PATIENCE_MS) {
        Ok(_) | Err(nix::errno::Errno::EINTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;
    use std::thread::JoinHandle;
    use std::time::Duration;

    use log::{Log, Record};

    use super::super::Ring;
    use super::*;

    /// A logger of its own, over a socket of its own in a directory of its own.
    struct Bench {
        directory: PathBuf,
        ring: Ring,
        thread: JoinHandle<()>,
    }

    impl Bench {
        fn new(name: &str) -> Self {
            let directory = env::temp_dir().join(format!("vox-syslog-{name}-{}", process::id()));
            fs::create_dir_all(&directory).unwrap();
            let (ring, entries) = Ring::new();
            let lines = Lines { entries, lost: ring.lost.clone() };
            let writer = Writer::new("vox-test", Target::Syslog(directory.join("log")));
            let thread = std::thread::spawn(move || lines.each(writer));
            Self { directory, ring, thread }
        }

        /// The syslog daemon as it is (re)started.
        fn daemon(&self) -> UnixDatagram {
            let _ = fs::remove_file(self.directory.join("log"));
            let daemon = UnixDatagram::bind(self.directory.join("log")).unwrap();
            daemon.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
            daemon
        }

        fn tell(&self, level: Level, text: &str) {
            self.ring.log(&Record::builder().level(level).args(format_args!("{text}")).build());
        }

        fn end(self) {
            drop(self.ring);
            self.thread.join().unwrap();
            fs::remove_dir_all(self.directory).unwrap();
        }
    }

    fn heard(daemon: &UnixDatagram) -> String {
        let mut buffer = [0; 4096];
        let length = daemon.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..length].to_vec()).unwrap()
    }

    #[test]
    fn a_line_bears_its_level_its_program_and_its_process() {
        let bench = Bench::new("line");
        let daemon = bench.daemon();
        bench.tell(Level::Warn, "bob is late seconds=5");
        let line = heard(&daemon);
        // daemon(3) * 8 + warning(4), RFC 3164 4.1.1.
        assert!(line.starts_with("<28>"), "{line}");
        assert!(line.ends_with(&format!(" vox-test[{}]: bob is late seconds=5", process::id())), "{line}");
        bench.end();
    }

    #[test]
    fn the_only_sentence_of_a_program_arrives_or_is_dropped_at_once() {
        let bench = Bench::new("once");
        let daemon = bench.daemon();
        let once = |n: u32| {
            let writer = Writer::new("vox-test", Target::Stderr);
            writer.tell_once(&bench.directory.join("log"), &format!("sentence {n}"));
        };
        (0..2000).for_each(once);
        assert!(heard(&daemon).ends_with(": sentence 0"));
        bench.end();
    }

    #[test]
    fn a_daemon_that_was_restarted_is_found_again() {
        let bench = Bench::new("restart");
        let first = bench.daemon();
        bench.tell(Level::Info, "one");
        assert!(heard(&first).ends_with(": one"));
        drop(first);
        bench.tell(Level::Info, "two goes to stderr");
        bench.ring.flush();
        let second = bench.daemon();
        bench.tell(Level::Info, "three");
        assert!(heard(&second).ends_with(": three"));
        bench.end();
    }

    #[test]
    fn a_daemon_that_was_replaced_while_it_stood_still_is_found_again() {
        let bench = Bench::new("replaced");
        let first = bench.daemon();
        let queue = fs::read_to_string("/proc/sys/net/unix/max_dgram_qlen").unwrap();
        let all = queue.trim().parse::<u32>().unwrap() + 20;
        (0..all).for_each(|n| bench.tell(Level::Info, &format!("line {n}")));
        let second = bench.daemon();
        drop(first);
        while !heard(&second).ends_with(&format!(": line {}", all - 1)) {}
        bench.end();
    }

    #[test]
    fn a_daemon_that_stands_still_stops_nobody_and_every_line_is_told_or_counted() {
        let bench = Bench::new("frozen");
        let daemon = bench.daemon();
        let all = 5000;
        (0..all).for_each(|n| bench.tell(Level::Info, &format!("line {n}")));
        let (mut told, mut lost) = (0, 0);
        while told + lost < all {
            match heard(&daemon).rsplit_once("lines=") {
                Some((_, count)) => lost += count.parse::<u32>().unwrap(),
                None => told += 1,
            }
        }
        assert!(told + lost == all && lost > 0, "{told} told, {lost} lost");
        bench.end();
    }
}
