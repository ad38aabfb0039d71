//! How one call is to go, what is spoilt of it, and how it went.

/// Which datagram of all, from 0 on, and which bit of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flip {
    /// Counted as they are sent, by either.
    pub datagram: usize,
    /// From the first byte's lowest bit on.
    pub bit: usize,
    /// Of those that are the same.
    pub copies: Copies,
}

/// Of a datagram that is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copies {
    /// The one alone.
    One,
    /// That one and all after it.
    All,
}

/// How a call goes when nothing happens to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Course {
    /// Bob takes it at once.
    TakenAtOnce,
    /// Bob takes it when it rings.
    TakenWhenItRings,
    /// Bob refuses it when it rings.
    Refused,
    /// Alice gives up when she hears that it rings.
    Withdrawn,
}

impl Course {
    /// How it ends: what the caller says of it, and what the callee says.
    pub fn endings(self) -> (&'static str, &'static str) {
        match self {
            Self::TakenAtOnce | Self::TakenWhenItRings => ("hangup", "far-hangup"),
            Self::Refused => ("declined", "declined"),
            Self::Withdrawn => ("cancelled", "cancelled"),
        }
    }

    /// Whether somebody is to hear somebody.
    pub fn is_taken(self) -> bool {
        matches!(self, Self::TakenAtOnce | Self::TakenWhenItRings)
    }
}

/// How a call went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Went {
    /// As it was to go: where it was taken, both talked, with the same keys; and both agree on its end.
    Well,
    /// Neither talked, and both came to rest: what the caller and the callee say of it.
    NotAtAll(String, String),
    /// What must not be.
    Wrong(String),
}
