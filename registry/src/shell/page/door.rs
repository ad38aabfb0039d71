//! The page's door: whoever comes is let in, and for a moment nobody when the machine has run out of something.

use std::io::{self, ErrorKind};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use vox_common::sys::net;

/// How long the door stays shut when a connection could not be accepted: it would be asked for in a circle.
const OUT_OF_DESCRIPTORS: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub(super) struct Door {
    listener: TcpListener,
    shut: Option<Instant>,
}

impl Door {
    /// # Errors
    /// None of a listener that is open.
    pub(super) fn new(listener: TcpListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        Ok(Self { listener, shut: None })
    }

    pub(super) fn is_open(&self) -> bool {
        self.shut.is_none()
    }

    /// When it is to be opened again, if it is shut.
    pub(super) fn opens(&self) -> Option<Instant> {
        self.shut
    }

    /// The next of those who wait outside. One who has gone already is passed over.
    pub(super) fn next(&mut self, now: Instant) -> Option<TcpStream> {
        self.shut = self.shut.filter(|until| *until > now);
        while self.is_open() {
            match self.listener.accept() {
                Ok((stream, _)) if net::tune(&stream).is_ok() => return Some(stream),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return None,
                Err(_) => self.shut = Some(now + OUT_OF_DESCRIPTORS),
            }
        }
        None
    }
}

impl AsFd for Door {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
}
