//! One connection to a station's control socket.

use std::collections::VecDeque;
use std::env;
use std::io::{ErrorKind, Read, Write};
use std::ops::ControlFlow;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use vox_common::sys::config::reason;
use vox_common::wire::line::{Framer, Line};
use vox_common::wire::reply::ReplyLine;

use super::failure::Failure;
use crate::config::Places;

/// How long a station may think about an answer: longer than a resolver does.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection, and the lines that came over it and were not taken yet.
pub(super) struct Client {
    stream: UnixStream,
    framer: Framer,
    lines: VecDeque<String>,
}

/// What a station answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// The lines of a listing, without their code.
    pub(super) lines: Vec<String>,
    /// The last or only line, without its code.
    pub(super) last: String,
}

/// Where to look for the station, in this order.
pub(super) fn places(named: Option<PathBuf>) -> Vec<PathBuf> {
    if let Some(named) =
        named.or_else(|| env::var_os("VOX_SOCKET").filter(|set| !set.is_empty()).map(PathBuf::from))
    {
        return vec![named];
    }
    let own = env::var_os("XDG_RUNTIME_DIR").map(|run| Path::new(&run).join("vox/peer.sock"));
    own.into_iter().chain([Places::default().socket]).collect()
}

impl Client {
    /// Connects to the first place where a station answers.
    pub(super) fn connect(places: &[PathBuf]) -> Result<Self, Failure> {
        let mut failure = Failure::NoDaemon("there is no place to look for vox-peer".into());
        for place in places {
            match UnixStream::connect(place) {
                Ok(stream) => return Ok(Self { stream, framer: Framer::new(), lines: VecDeque::new() }),
                Err(error) => failure = no_daemon(place, &error),
            }
        }
        Err(failure)
    }

    /// Sends a line and waits for the whole answer to it.
    pub(super) fn ask(&mut self, line: &str) -> Result<Answer, Failure> {
        self.ask_within(PATIENCE, line)
    }

    /// The same for somebody who has no time: each line may take this long.
    pub(super) fn ask_within(&mut self, patience: Duration, line: &str) -> Result<Answer, Failure> {
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

    /// Sends a line. Whether it arrived shows in what comes back: a station that has no room for another client
    /// says so and closes, and its sentence is still there to be read.
    pub(super) fn send(&mut self, line: &str) {
        let _ = self.stream.write_all(format!("{line}\n").as_bytes());
    }

    /// The next line, whatever it is.
    pub(super) fn line(&mut self) -> Result<String, Failure> {
        loop {
            match self.lines.pop_front() {
                Some(line) => return Ok(line),
                None => self.read()?,
            }
        }
    }

    /// The next line if it has come already.
    pub(super) fn line_at_hand(&mut self) -> Option<String> {
        self.lines.pop_front()
    }

    /// How long to wait for bytes. `None`: for ever, as for events.
    pub(super) fn wait_at_most(&self, patience: Option<Duration>) {
        self.stream.set_read_timeout(patience).expect("no patience is zero");
    }

    /// Reads once.
    pub(super) fn read(&mut self) -> Result<(), Failure> {
        let count = match self.stream.read(self.framer.space()) {
            Ok(0) => return Err(Failure::Lost("vox-peer went away".into())),
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                return Err(Failure::Lost("vox-peer does not answer".into()));
            }
            Err(error) => return Err(Failure::Lost(format!("vox-peer went away: {}", reason(&error)))),
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

fn no_daemon(place: &Path, error: &std::io::Error) -> Failure {
    let place = place.display();
    Failure::NoDaemon(match error.kind() {
        ErrorKind::PermissionDenied => {
            format!("may not speak to vox-peer at {place}: are you in the group vox?")
        }
        ErrorKind::NotFound | ErrorKind::ConnectionRefused => {
            format!("no vox-peer answers at {place}: is it running? try `systemctl start vox-peer`")
        }
        _ => format!("cannot reach vox-peer at {place}: {}", reason(error)),
    })
}
