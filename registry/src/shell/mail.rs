//! What the other threads tell the owner.

use std::net::{SocketAddr, TcpStream};

use vox_common::wire::limits::LINE_BYTES;
use vox_common::wire::line::Line;

use crate::core::{ConnId, Settings};

/// Mail that waits for the owner. At the brim a reader waits, and its client with it.
pub(super) const MAILBOX: usize = 128;

/// One thing that happened.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all mail is lines, and the mailbox holds them in place"
)]
pub(super) enum Mail {
    /// Somebody connected.
    Accepted(TcpStream, SocketAddr),
    /// A connection said something.
    Said(ConnId, Said),
    /// The reader of a connection has ended: its place is free.
    Closed(ConnId),
    /// The configuration was read again; `None`: it is broken, and the old one stays.
    Reloaded(Option<Settings>),
    /// The operator ends the registry.
    Stop,
}

/// A [`Line`] that can be posted.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "nearly all of it is lines")]
pub(super) enum Said {
    Text(heapless::String<LINE_BYTES>),
    TooLong,
    NotText,
}

impl From<Line<'_>> for Said {
    fn from(line: Line<'_>) -> Self {
        match line {
            Line::Text(text) => text.try_into().map_or(Self::TooLong, Self::Text),
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
