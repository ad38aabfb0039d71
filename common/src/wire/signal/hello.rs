//! What two stations tell each other of themselves: words that are sealed before they travel.

use std::fmt;

use heapless::Vec;

use super::{BadSignal, CallId, Kind, Reason, value};
use crate::wire::coding::Coding;
use crate::wire::names::{DisplayName, Name};

/// The payload type of redundant audio data, as a word: the only one there is.
const RED: &str = "112";

/// What stands for [`MediaSealing::Off`].
const OFF: &str = "off";

/// Who speaks and how. It is sealed with Noise; the words are what is inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// The name of the sender.
    pub from: Name,
    /// The purpose of the INVITE; in an answer to one it means nothing.
    pub kind: Kind,
    /// The name that was called, when it was called by name.
    pub to: Option<Name>,
    /// What people see instead of the sender's name.
    pub display: Option<DisplayName>,
    /// The coding of what the sender will send. `None`: it sends no sound, or in a codec that is not known here.
    pub sends: Option<Coding>,
    /// Whether the sender reads redundant audio data (RFC 2198) under payload type 112.
    pub takes_red: bool,
    /// Whether the sender seals its media.
    pub media: MediaSealing,
    /// Calls between the same two that the sender has ended, in case its last words were lost.
    pub after: Endings,
}

/// Ends of calls that may not have been heard. At the brim the oldest is left out: its other end finds out by silence.
pub type Endings = Vec<(CallId, Reason), 4>;

/// Whether sound is sealed on its way (`[security] media`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MediaSealing {
    /// Nobody else can listen in.
    #[default]
    Required,
    /// Everybody can: for finding out what is wrong with a network.
    Off,
}

impl fmt::Display for MediaSealing {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Required => "required",
            Self::Off => OFF,
        })
    }
}

impl Hello {
    /// Reads the words; what is not known here is left out.
    pub fn parse(words: &str) -> Result<Self, BadSignal> {
        let needed = |key| value(words, key)?.ok_or(BadSignal::Malformed);
        let name = |word| Name::parse(word).map_err(|_| BadSignal::Malformed);
        let display = |word| DisplayName::from_word(word).ok_or(BadSignal::Malformed);
        let after = |word| parse_after(word).ok_or(BadSignal::Malformed);
        Ok(Self {
            from: name(needed("from")?)?,
            kind: value(words, "kind")?.map_or(Kind::Unknown, Kind::parse),
            to: value(words, "to")?.map(name).transpose()?,
            display: value(words, "display")?.map(display).transpose()?,
            sends: coding(words)?,
            takes_red: value(words, "red")? == Some(RED),
            media: if value(words, "media")? == Some(OFF) {
                MediaSealing::Off
            } else {
                MediaSealing::Required
            },
            after: value(words, "after")?.map_or(Ok(Vec::new()), after)?,
        })
    }
}

/// A codec of a later version is no reason to leave an INVITE without an answer.
fn coding(words: &str) -> Result<Option<Coding>, BadSignal> {
    let (codec, ptime) = (value(words, "codec")?, value(words, "ptime")?);
    let exact = value(words, "ptime-us")?;
    Ok(codec.zip(ptime).and_then(|(codec, ptime)| Coding::parse(codec, ptime, exact)))
}

/// `<call-id>,<reason>`, and more of them. What is too much or not known is left out, or older stations could not be told
/// anything new.
fn parse_after(word: &str) -> Option<Endings> {
    let mut words = word.split(',');
    let mut endings = Endings::new();
    while let Some(id) = words.next() {
        let ending = CallId::parse(id)?;
        let reason = words.next()?;
        if let Some(reason) = Reason::parse(reason) {
            let _ = endings.push((ending, reason));
        }
    }
    Some(endings)
}

impl fmt::Display for Hello {
    /// The words before they are sealed.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "from={} kind={}", self.from, self.kind)?;
        if let Some(sends) = self.sends {
            write!(out, " {sends}")?;
        }
        if self.takes_red {
            write!(out, " red={RED}")?;
        }
        if let Some(to) = &self.to {
            write!(out, " to={to}")?;
        }
        if let Some(display) = &self.display {
            write!(out, " display={}", display.to_word())?;
        }
        if self.media == MediaSealing::Off {
            write!(out, " media={OFF}")?;
        }
        for (nth, (id, reason)) in self.after.iter().enumerate() {
            let before = if nth == 0 { " after=" } else { "," };
            write!(out, "{before}{id},{reason}")?;
        }
        Ok(())
    }
}
