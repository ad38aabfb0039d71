//! Why calls are not taken, or end.

use std::fmt;

/// Why a call was not taken, or ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// A person said no.
    Declined,
    /// There is another call.
    Busy,
    /// Nobody answered in time.
    Timeout,
    /// Do not disturb.
    Dnd,
    /// The callee's policy says no.
    NotAllowed,
    /// Nothing in common to talk in.
    Unsupported,
    /// The caller reached itself.
    Myself,
    /// The other side knows us under another key.
    WrongKey,
    /// The name that was called does not live here.
    NotHere,
    /// A person ended it.
    Hangup,
    /// The caller gave up.
    Cancelled,
    /// The other side was not heard any more.
    Lost,
}

/// Every reason and its word.
pub(super) const REASONS: [(&str, Reason); 12] = [
    ("declined", Reason::Declined),
    ("busy", Reason::Busy),
    ("timeout", Reason::Timeout),
    ("dnd", Reason::Dnd),
    ("not-allowed", Reason::NotAllowed),
    ("unsupported", Reason::Unsupported),
    ("self", Reason::Myself),
    ("wrong-key", Reason::WrongKey),
    ("not-here", Reason::NotHere),
    ("hangup", Reason::Hangup),
    ("cancelled", Reason::Cancelled),
    ("lost", Reason::Lost),
];

impl Reason {
    /// Reads the word of a reason.
    pub fn parse(word: &str) -> Option<Self> {
        REASONS.into_iter().find(|(known, _)| *known == word).map(|(_, reason)| reason)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, _) = REASONS.into_iter().find(|(_, known)| known == self).expect("every reason is listed");
        out.write_str(word)
    }
}
