//! What the other threads tell the owner.

use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::SyncSender;

use vox_common::seal::records::Opener;
use vox_common::seal::secure::Taken;
use vox_common::sys::turn::Turn;
use vox_common::wire::line::Line;
use vox_common::wire::secure::Offer;

use crate::core::overview::Overview;
use crate::core::{AdminId, ConnId, Settings};

/// Mail that waits for the owner. At the brim a reader waits, and its client with it.
pub(super) const MAILBOX: usize = 128;

/// One thing that happened.
#[derive(Debug)]
pub(super) enum Mail {
    /// Somebody connected.
    Accepted(TcpStream, SocketAddr),
    /// A connection said something.
    Said(ConnId, Said),
    /// A connection offers to seal its lines, and its reader waits.
    Offered {
        /// Which one.
        conn: ConnId,
        /// What it has said.
        offer: Offer,
        /// What came of it. `None`: it does not open.
        taken: Option<Box<Taken>>,
        /// Where the reader learns what it hears from now on; dropped: plain lines, as before.
        decide: SyncSender<Opener>,
    },
    /// The reader of a connection has ended: its place is free.
    Closed(ConnId),
    /// A program has connected to the control socket.
    AdminCame(UnixStream),
    /// It said something.
    AdminSaid(AdminId, Said, Turn),
    /// What it asked for is on the disk, or is not: its answer.
    AdminServed(AdminId, String, Turn),
    /// Its reader has ended: its place is free.
    AdminGone(AdminId),
    /// The page asks what there is to see; there is room for one answer.
    Look(SyncSender<Overview>),
    /// The configuration was read again; `None`: it is broken, and the old one stays.
    Reloaded(Option<Settings>),
    /// The operator ends the registry.
    Stop,
}

/// A [`Line`] that can be posted. On the heap a line takes as much as it is long, of which there are never more than
/// the mailbox has places; in place, each place and each reader's stack would hold the longest.
#[derive(Debug)]
pub(super) enum Said {
    Text(Box<str>),
    TooLong,
    NotText,
}

impl From<Line<'_>> for Said {
    fn from(line: Line<'_>) -> Self {
        match line {
            Line::Text(text) => Self::Text(text.into()),
            Line::TooLong => Self::TooLong,
            Line::NotText => Self::NotText,
        }
    }
}

impl Said {
    pub(super) fn line(&self) -> Line<'_> {
        match self {
            Self::Text(text) => Line::Text(text),
            Self::TooLong => Line::TooLong,
            Self::NotText => Line::NotText,
        }
    }
}
