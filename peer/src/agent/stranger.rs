//! Who has proved nothing is never answered with more bytes than came: a station is of no use against a third party.

use vox_common::wire::signal::{CallId, Say, Signal};

use super::calls::{CallOut, CallOutput};
use crate::media::orders::Path;

/// Somebody who has sent something that anybody may have sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stranger {
    /// The call that it speaks of.
    pub(super) id: CallId,
    /// Where it seems to be.
    pub(super) path: Path,
    /// Bytes of its datagram.
    pub(super) length: usize,
}

impl Stranger {
    /// Answers something without a tag, if it is no longer than what came.
    pub(super) fn answer(self, say: Say, out: CallOut<'_>) {
        self.send(&Signal::untagged(self.id, say).to_string(), out);
    }

    /// Sends a datagram there, if it is no longer than what came.
    pub(super) fn send(self, datagram: &str, out: CallOut<'_>) {
        if datagram.len() <= self.length {
            out(CallOutput::Signal(self.path, datagram));
        }
    }
}
