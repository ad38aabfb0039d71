//! How a call ended, as each side sees it.

use std::fmt;

use vox_common::wire::signal::Reason;

/// How a call ended. The word is what `* CALL … ended reason=` and the history show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// We ended it.
    Hangup,
    /// They ended it.
    FarHangup,
    /// The callee said no.
    Declined,
    /// The callee has another call.
    Busy,
    /// It rang until the time was up.
    NoAnswer,
    /// The caller gave up before it was answered.
    Cancelled,
    /// Nothing at all came back.
    Unreachable,
    /// The caller reached itself.
    Myself,
    /// The callee does not want to be disturbed.
    Dnd,
    /// The callee's policy says no.
    NotAllowed,
    /// Nothing in common to talk in.
    Unsupported,
    /// The other side has another key than the one that is known.
    WrongKey,
    /// The other side knows us under another key.
    KeyRefused,
    /// One side seals its media, the other does not.
    Unsealed,
    /// Somebody else lives at that address now.
    NotHere,
    /// The other side was not heard any more.
    Lost,
}

impl Outcome {
    /// What a REJECT means to the caller.
    pub fn of_reject(reason: Reason) -> Self {
        match reason {
            Reason::Busy => Self::Busy,
            Reason::Timeout => Self::NoAnswer,
            Reason::Dnd => Self::Dnd,
            Reason::NotAllowed => Self::NotAllowed,
            Reason::Unsupported => Self::Unsupported,
            Reason::Myself => Self::Myself,
            Reason::WrongKey => Self::KeyRefused,
            Reason::NotHere => Self::NotHere,
            _ => Self::Declined,
        }
    }

    /// What a CANCEL means to both.
    pub fn of_cancel(reason: Reason) -> Self {
        match reason {
            Reason::Timeout => Self::NoAnswer,
            Reason::Lost => Self::Lost,
            _ => Self::Cancelled,
        }
    }

    /// What a BYE means to the one who gets it.
    pub fn of_bye(reason: Reason) -> Self {
        if reason == Reason::Lost { Self::Lost } else { Self::FarHangup }
    }

    /// What the reason in `after=` means to the one who missed the last word.
    pub fn of_after(reason: Reason) -> Self {
        match reason {
            Reason::Hangup => Self::FarHangup,
            Reason::Lost => Self::Lost,
            Reason::Cancelled => Self::Cancelled,
            other => Self::of_reject(other),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Hangup => "hangup",
            Self::FarHangup => "far-hangup",
            Self::Declined => "declined",
            Self::Busy => "busy",
            Self::NoAnswer => "no-answer",
            Self::Cancelled => "cancelled",
            Self::Unreachable => "unreachable",
            Self::Myself => "self",
            Self::Dnd => "dnd",
            Self::NotAllowed => "not-allowed",
            Self::Unsupported => "unsupported",
            Self::WrongKey => "wrong-key",
            Self::KeyRefused => "key-refused",
            Self::Unsealed => "unsealed",
            Self::NotHere => "not-here",
            Self::Lost => "lost",
        })
    }
}
