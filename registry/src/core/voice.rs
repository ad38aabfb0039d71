//! What is being said, and who could not take it.

use std::fmt::{self, Write};

use heapless::{String, Vec};
use vox_common::wire::limits::MAX_CONNECTIONS;

use super::tables::LISTING_BYTES;
use super::{ConnId, Fate, Out, Output};

/// The one buffer for everything that is said: one line, or a whole listing.
#[derive(Debug)]
pub(super) struct Voice {
    pub(super) text: String<LISTING_BYTES>,
    /// Readers that were too slow, until they are let go.
    lost: Vec<ConnId, MAX_CONNECTIONS>,
}

impl Voice {
    pub(super) const fn new() -> Self {
        Self { text: String::new(), lost: Vec::new() }
    }

    /// Says one line to one connection.
    pub(super) fn say(&mut self, to: ConnId, line: impl fmt::Display, out: Out<'_>) -> Fate {
        self.line(line);
        self.send(to, out)
    }

    /// Prepares this line alone.
    pub(super) fn line(&mut self, line: impl fmt::Display) {
        self.text.clear();
        self.add(line);
    }

    /// Prepares another line behind those that there are.
    pub(super) fn add(&mut self, line: impl fmt::Display) {
        writeln!(self.text, "{line}").expect("the longest listing fits, by the assertion on LISTING_BYTES");
    }

    /// Sends what is prepared, in one piece: no event gets between its lines.
    pub(super) fn send(&mut self, to: ConnId, out: Out<'_>) -> Fate {
        let fate = out(Output::Send(to, &self.text));
        self.note(to, fate)
    }

    /// Sends what somebody else has prepared.
    pub(super) fn send_other(&mut self, to: ConnId, text: &str, out: Out<'_>) -> Fate {
        let fate = out(Output::Send(to, text));
        self.note(to, fate)
    }

    fn note(&mut self, to: ConnId, fate: Fate) -> Fate {
        if fate == Fate::Lost && !self.lost.contains(&to) {
            // There are as many places as connections.
            let _ = self.lost.push(to);
        }
        fate
    }

    /// One of those who were too slow.
    pub(super) fn next_lost(&mut self) -> Option<ConnId> {
        self.lost.pop()
    }
}
