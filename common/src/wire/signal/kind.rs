//! The purpose of an INVITE (`kind=`), and the class of leg that it makes.

use std::fmt;

/// The purpose of an INVITE.
///
/// A station answers a kind that it does not serve with `unsupported`, and never rings for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// A call: both talk.
    #[default]
    Voice,
    /// One way, to the callee.
    Announce,
    /// One way, from the callee.
    Listen,
    /// The callee's picture and sound before anybody answers.
    Preview,
    /// A page to many loudspeakers.
    Page,
    /// Two members of a voice room.
    Room,
    /// An action that the callee is to carry out; no sound.
    Order,
    /// A measurement of the path; nobody listens.
    Test,
    /// A kind of a later version, or none at all.
    Unknown,
}

/// The group of kinds within which two stations have one leg at a time: restart, glare, busy and HANGUP look at no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Class {
    /// Two people, or somebody who measures.
    #[default]
    Call,
    /// Two members of voice rooms.
    Room,
    /// A page.
    Page,
    /// An action.
    Order,
}

/// Every kind that has a word, and its word.
pub(super) const KINDS: [(&str, Kind); 8] = [
    ("voice", Kind::Voice),
    ("announce", Kind::Announce),
    ("listen", Kind::Listen),
    ("preview", Kind::Preview),
    ("page", Kind::Page),
    ("room", Kind::Room),
    ("order", Kind::Order),
    ("test", Kind::Test),
];

impl Kind {
    /// Reads the word of a kind.
    pub fn parse(word: &str) -> Self {
        KINDS.into_iter().find(|(known, _)| *known == word).map_or(Self::Unknown, |(_, kind)| kind)
    }

    /// The class of its leg.
    pub const fn class(self) -> Class {
        match self {
            Self::Room => Class::Room,
            Self::Page => Class::Page,
            Self::Order => Class::Order,
            Self::Voice | Self::Announce | Self::Listen | Self::Preview | Self::Test | Self::Unknown => {
                Class::Call
            }
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = KINDS.into_iter().find(|(_, kind)| kind == self).map_or("unknown", |(word, _)| word);
        out.write_str(word)
    }
}
