//! One connection of the page: it asks, it is answered, and it is let go. It is never waited for.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Shutdown, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::poll::PollFlags;
use vox_common::sys::net;

use crate::page::request::HEAD_BYTES;

/// How long a request may take to come. Longer: `408`.
const ASKING: Duration = Duration::from_secs(5);

/// How long an answer or one event may take to be read. Longer: the connection is closed.
const READING: Duration = Duration::from_secs(5);

/// How long a client that was answered may take to close. Closing at once could destroy what it has not read yet.
const PARTING: Duration = Duration::from_secs(1);

/// A connection and how far it has come.
#[derive(Debug)]
pub(super) struct Client {
    stream: TcpStream,
    /// Whence it comes, in plain form.
    from: IpAddr,
    stage: Stage,
    /// When it is too late for this stage. `None`: a listener that has read everything.
    deadline: Option<Instant>,
}

#[derive(Debug)]
enum Stage {
    /// A request comes, this much so far.
    Asking(Vec<u8>),
    /// An answer goes out, then the connection ends.
    Answered(Outgoing),
    /// Events go out, as they come.
    Listening(Outgoing),
    /// Everything was sent; whatever still comes is thrown away until the far end closes.
    Parting,
}

/// Bytes that are not sent yet.
#[derive(Debug)]
struct Outgoing {
    bytes: Arc<[u8]>,
    sent: usize,
}

/// What became of a client.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// More is to come.
    Nothing,
    /// The request has grown.
    Words,
    /// The connection is over.
    End,
}

impl Client {
    /// # Errors
    /// The connection has ended already.
    pub(super) fn new(stream: TcpStream, now: Instant) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        let from = net::plain_ip(stream.peer_addr()?.ip());
        Ok(Self { stream, from, stage: Stage::Asking(Vec::new()), deadline: Some(now + ASKING) })
    }

    pub(super) fn from(&self) -> IpAddr {
        self.from
    }

    /// What poll(2) is to wait for.
    pub(super) fn wants(&self) -> PollFlags {
        match &self.stage {
            Stage::Answered(_) => PollFlags::POLLOUT,
            Stage::Listening(outgoing) if !outgoing.is_done() => PollFlags::POLLIN | PollFlags::POLLOUT,
            Stage::Asking(_) | Stage::Listening(_) | Stage::Parting => PollFlags::POLLIN,
        }
    }

    pub(super) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    pub(super) fn is_asking(&self) -> bool {
        matches!(self.stage, Stage::Asking(_))
    }

    pub(super) fn is_listening(&self) -> bool {
        matches!(self.stage, Stage::Listening(_))
    }

    /// Whether it is one of those that are served, and not about to go.
    pub(super) fn is_served(&self) -> bool {
        !matches!(self.stage, Stage::Parting)
    }

    /// The request as far as it has come.
    pub(super) fn words(&self) -> &[u8] {
        if let Stage::Asking(words) = &self.stage { words } else { &[] }
    }

    /// The last answer: then the connection ends.
    pub(super) fn answer(&mut self, bytes: Vec<u8>, now: Instant) -> Came {
        self.stage = Stage::Answered(Outgoing::new(bytes.into()));
        self.deadline = Some(now + READING);
        self.send(now)
    }

    /// The first part of an answer that goes on with [`Client::tell`].
    pub(super) fn begin(&mut self, bytes: Vec<u8>, now: Instant) -> Came {
        self.stage = Stage::Listening(Outgoing::new(bytes.into()));
        self.deadline = Some(now + READING);
        self.send(now)
    }

    /// Sends the next event to a listener, unless it is still busy with the one before: events are whole states, and
    /// the next one holds what it missed.
    pub(super) fn tell(&mut self, frame: &Arc<[u8]>, now: Instant) -> Came {
        match &mut self.stage {
            Stage::Listening(outgoing) if outgoing.is_done() => {
                *outgoing = Outgoing::new(frame.clone());
                self.deadline = Some(now + READING);
                self.send(now)
            }
            _ => Came::Nothing,
        }
    }

    /// Something can be read or sent.
    pub(super) fn go_on(&mut self, now: Instant) -> Came {
        match &mut self.stage {
            Stage::Asking(words) => read_words(&mut self.stream, words),
            Stage::Answered(_) => self.send(now),
            Stage::Listening(_) => match self.throw_away() {
                // Nothing is to be said by a listener; whoever does, or has closed, is no browser.
                Came::Nothing => self.send(now),
                Came::Words | Came::End => Came::End,
            },
            Stage::Parting => match self.throw_away() {
                Came::Words => Came::Nothing,
                came => came,
            },
        }
    }

    fn send(&mut self, now: Instant) -> Came {
        let (Stage::Answered(outgoing) | Stage::Listening(outgoing)) = &mut self.stage else {
            return Came::Nothing;
        };
        match outgoing.send(&mut self.stream) {
            Ok(()) if !outgoing.is_done() => Came::Nothing,
            Ok(()) if self.is_listening() => {
                self.deadline = None;
                Came::Nothing
            }
            Ok(()) => self.part(now),
            Err(_) => Came::End,
        }
    }

    /// Nothing more is said, and it has a moment to read what was.
    pub(super) fn part(&mut self, now: Instant) -> Came {
        self.stage = Stage::Parting;
        self.deadline = Some(now + PARTING);
        self.stream.shutdown(Shutdown::Write).map_or(Came::End, |()| Came::Nothing)
    }

    fn throw_away(&mut self) -> Came {
        let mut nowhere = [0; 1024];
        came(self.stream.read(&mut nowhere))
    }
}

/// Reads what fits a request, and no more than is there.
fn read_words(stream: &mut TcpStream, words: &mut Vec<u8>) -> Came {
    let mut bytes = [0; 2048];
    let most = bytes.len().min(HEAD_BYTES - words.len());
    let read = stream.read(&mut bytes[..most]);
    words.extend_from_slice(&bytes[..*read.as_ref().unwrap_or(&0)]);
    came(read)
}

fn came(read: io::Result<usize>) -> Came {
    match read {
        Ok(0) => Came::End,
        Ok(_) => Came::Words,
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Came::Nothing,
        Err(_) => Came::End,
    }
}

impl Outgoing {
    fn new(bytes: Arc<[u8]>) -> Self {
        Self { bytes, sent: 0 }
    }

    fn is_done(&self) -> bool {
        self.sent == self.bytes.len()
    }

    /// Sends what fits.
    fn send(&mut self, stream: &mut TcpStream) -> io::Result<()> {
        while !self.is_done() {
            match stream.write(&self.bytes[self.sent..]) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => self.sent += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl AsFd for Client {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}
