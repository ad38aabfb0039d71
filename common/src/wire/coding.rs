//! How one direction of a call is coded, and how the words for it look.

use std::fmt;

/// How one direction is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coding {
    /// The codec.
    pub codec: Codec,
    /// Sound in one packet, in microseconds (*ptime*, RFC 4566 section 6): 2,500, 5,000, 10,000 or 20,000.
    pub ptime_us: u32,
}

/// The codecs that a station may announce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// RFC 7587, payload type 111.
    Opus,
    /// RFC 3551 at 48 kHz mono, payload type 113.
    L16,
}

/// Packetization times that a station may send, as they are written and in microseconds.
pub const PTIMES: [(&str, u32); 4] = [("2.5", 2_500), ("5", 5_000), ("10", 10_000), ("20", 20_000)];

impl Coding {
    /// Reads the two words `codec=` and `ptime=`. `None`: one of them is not known here.
    pub fn parse(codec: &str, ptime_ms: &str) -> Option<Self> {
        let codec = Codec::parse(codec)?;
        let (_, microseconds) = PTIMES.into_iter().find(|(word, _)| *word == ptime_ms)?;
        Some(Self { codec, ptime_us: microseconds })
    }

    /// The packetization time in milliseconds, as it is written: `2.5`, `10`.
    pub fn ptime_ms(&self) -> &'static str {
        PTIMES.into_iter().find(|(_, us)| *us == self.ptime_us).map_or("10", |(word, _)| word)
    }
}

impl Codec {
    /// Reads `opus` or `l16`.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "opus" => Some(Self::Opus),
            "l16" => Some(Self::L16),
            _ => None,
        }
    }
}

impl fmt::Display for Codec {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Opus => "opus",
            Self::L16 => "l16",
        })
    }
}

impl fmt::Display for Coding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "codec={} ptime={}", self.codec, self.ptime_ms())
    }
}
