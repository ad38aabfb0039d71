//! One connection to a daemon's control socket.

use std::collections::VecDeque;
use std::env;
use std::io::{self, ErrorKind, Read, Write};
use std::ops::ControlFlow;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::failure::Failure;
use crate::sys::config::reason;
use crate::wire::line::{Framer, Line};
use crate::wire::reply::ReplyLine;

/// How long a daemon may think about an answer: longer than a resolver does.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection, and the lines that came over it and were not taken yet.
#[derive(Debug)]
pub struct Client {
    daemon: Daemon,
    stream: UnixStream,
    framer: Framer,
    lines: VecDeque<String>,
}

/// What a daemon answered.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// The lines of a listing, without their code.
    pub lines: Vec<String>,
    /// The last or only line, without its code.
    pub last: String,
}

/// The daemon that a command line speaks to.
#[derive(Debug, Clone, Copy)]
pub struct Daemon {
    /// Its program, which is also its service.
    pub program: &'static str,
    /// The people who may speak to it.
    pub group: &'static str,
}

/// Where to look for a daemon: at the one place that the command line or `variable` names, else at the `usual` ones, in
/// their order.
pub fn places(
    named: Option<PathBuf>,
    variable: &str,
    usual: impl IntoIterator<Item = PathBuf>,
) -> Vec<PathBuf> {
    let set = || env::var_os(variable).filter(|set| !set.is_empty()).map(PathBuf::from);
    named.or_else(set).map_or_else(|| usual.into_iter().collect(), |named| vec![named])
}

impl Client {
    /// Connects to the first place where the daemon answers.
    ///
    /// # Errors
    /// [`Failure::NoDaemon`], with what to do about the last place.
    pub fn connect(daemon: Daemon, places: &[PathBuf]) -> Result<Self, Failure> {
        let program = daemon.program;
        let mut failure = Failure::NoDaemon(format!("there is no place to look for {program}"));
        for place in places {
            match UnixStream::connect(place) {
                Ok(stream) => return Ok(Self::over(daemon, stream)),
                Err(error) => failure = daemon.is_not_at(place, &error),
            }
        }
        Err(failure)
    }

    fn over(daemon: Daemon, stream: UnixStream) -> Self {
        Self { daemon, stream, framer: Framer::new(), lines: VecDeque::new() }
    }

    /// Sends a line and waits for the whole answer to it.
    ///
    /// # Errors
    /// The daemon said no, or it went away before it had said everything.
    pub fn ask(&mut self, line: &str) -> Result<Answer, Failure> {
        self.ask_within(PATIENCE, line)
    }

    /// The same for somebody who has no time: each line may take this long.
    ///
    /// # Errors
    /// As [`Client::ask`].
    pub fn ask_within(&mut self, patience: Duration, line: &str) -> Result<Answer, Failure> {
        self.wait_at_most(Some(patience));
        self.send(line);
        let mut lines = Vec::new();
        loop {
            let line = self.line()?;
            let Some(reply) = ReplyLine::parse(&line) else { continue };
            match reply {
                ReplyLine { more: true, text, .. } => lines.push(text.to_owned()),
                reply if reply.is_done() => return Ok(Answer { lines, last: reply.text.to_owned() }),
                reply => return Err(Failure::Refused(reply.text.to_owned())),
            }
        }
    }

    /// Sends a line. Whether it arrived shows in what comes back: a daemon that has no room for another client
    /// says so and closes, and its sentence is still there to be read.
    pub fn send(&mut self, line: &str) {
        let _ = self.stream.write_all(format!("{line}\n").as_bytes());
    }

    /// The next line, whatever it is.
    ///
    /// # Errors
    /// The daemon went away, or nothing came for too long.
    pub fn line(&mut self) -> Result<String, Failure> {
        loop {
            match self.lines.pop_front() {
                Some(line) => return Ok(line),
                None => self.read()?,
            }
        }
    }

    /// Waits until the daemon has gone, as it said it would.
    ///
    /// # Errors
    /// It stays.
    pub fn until_gone(&mut self) -> Result<(), Failure> {
        match io::copy(&mut self.stream, &mut io::sink()) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                Err(Failure::Lost(format!("{} does not end", self.daemon.program)))
            }
            _ => Ok(()),
        }
    }

    /// The next line if it has come already.
    pub fn line_at_hand(&mut self) -> Option<String> {
        self.lines.pop_front()
    }

    /// How long to wait for bytes. `None`: for ever, as for events.
    pub fn wait_at_most(&self, patience: Option<Duration>) {
        self.stream.set_read_timeout(patience).expect("no patience is zero");
    }

    /// Reads once.
    ///
    /// # Errors
    /// As [`Client::line`].
    pub fn read(&mut self) -> Result<(), Failure> {
        let program = self.daemon.program;
        let count = match self.stream.read(self.framer.space()) {
            Ok(0) => return Err(Failure::Lost(format!("{program} went away"))),
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                return Err(Failure::Lost(format!("{program} does not answer")));
            }
            Err(error) => return Err(Failure::Lost(format!("{program} went away: {}", reason(&error)))),
        };
        let lines = &mut self.lines;
        let _ = self.framer.filled(count, |line| {
            if let Line::Text(text) = line {
                lines.push_back(text.to_owned());
            }
            ControlFlow::Continue(())
        });
        Ok(())
    }
}

impl AsFd for Client {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

impl Daemon {
    fn is_not_at(self, place: &Path, error: &io::Error) -> Failure {
        let Self { program, group } = self;
        let place = place.display();
        Failure::NoDaemon(match error.kind() {
            ErrorKind::PermissionDenied => {
                format!("may not speak to {program} at {place}: are you in the group {group}?")
            }
            ErrorKind::NotFound | ErrorKind::ConnectionRefused => {
                format!("no {program} answers at {place}: is it running? try `systemctl start {program}`")
            }
            _ => format!("cannot reach {program} at {place}: {}", reason(error)),
        })
    }
}
