//! Anti-amplification, and what is answered to senders that have proved nothing: a reply is never longer than its request,
//! there are only so many in a second, and none takes the place of a call's sound.

use vox_common::wire::signal::{CallId, Say, Signal};

use super::calls::{CallOut, CallOutput};
use crate::media::orders::Path;

/// The sender of something that anybody may have sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stranger {
    /// The call that it speaks of.
    pub(super) id: CallId,
    /// The address that it seems to have.
    pub(super) path: Path,
    /// Bytes of its datagram.
    pub(super) length: usize,
    /// Whether it is answered.
    pub(super) reply: ReplyClass,
}

/// Whether a sender that has proved nothing is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReplyClass {
    /// Always: somebody who is known lives at its address.
    Known,
    /// While nothing else waits to be sent: an address that was invented on our own link keeps what is sent there in the
    /// socket's buffer for seconds, until address resolution gives up.
    WhenIdle,
    /// There were too many like it.
    None,
}

impl Stranger {
    /// Whether somebody who is known lives at its address.
    pub(super) fn is_acquainted(self) -> bool {
        self.reply == ReplyClass::Known
    }

    /// Answers something without a tag, if it is no longer than what came.
    pub(super) fn answer(self, say: Say, out: CallOut<'_>) {
        self.send(&Signal::untagged(self.id, say).to_string(), out);
    }

    /// Sends a datagram there, if it is no longer than what came.
    pub(super) fn send(self, datagram: &str, out: CallOut<'_>) {
        if datagram.len() > self.length {
            return;
        }
        match self.reply {
            ReplyClass::Known => out(CallOutput::Signal(self.path, datagram)),
            ReplyClass::WhenIdle => out(CallOutput::SignalWhenIdle(self.path, datagram)),
            ReplyClass::None => {}
        }
    }
}
