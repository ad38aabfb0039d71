//! How one direction of a call is coded, and how the words for it look.

use std::fmt;

/// How one direction is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coding {
    /// The codec.
    pub codec: Codec,
    /// Sound in one packet, in microseconds (*ptime*, RFC 4566 section 6): one of [`PTIMES`].
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

/// Packetization times that a station may send, as they are written and in microseconds. The first one is for
/// uncompressed sound only.
pub const PTIMES: [(&str, u32); 5] =
    [("1.25", 1_250), ("2.5", 2_500), ("5", 5_000), ("10", 10_000), ("20", 20_000)];

/// Stations that do not know 1.25 ms refuse a hello with it, although they play such packets: they are told this.
const KNOWN_TO_ALL_US: u32 = 2_500;

impl Coding {
    /// Reads the values of `codec=`, `ptime=` and, where it is there, `ptime-us=`, which has the last word. `None`: one
    /// of them is not known here.
    pub fn parse(codec: &str, ptime_ms: &str, exact_us: Option<&str>) -> Option<Self> {
        let codec = Codec::parse(codec)?;
        let is_meant = |&(ms, us): &(&str, u32)| match exact_us {
            Some(exact) => exact.parse() == Ok(us),
            None => ms == ptime_ms,
        };
        let (_, ptime_us) = PTIMES.into_iter().find(is_meant)?;
        Some(Self { codec, ptime_us })
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
        let Self { codec, ptime_us } = *self;
        if ptime_us >= KNOWN_TO_ALL_US {
            return write!(out, "codec={codec} ptime={}", self.ptime_ms());
        }
        let known = Self { codec, ptime_us: KNOWN_TO_ALL_US };
        write!(out, "{known} ptime-us={ptime_us}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_packets_are_announced_so_that_every_station_takes_the_call() {
        let shortest = Coding { codec: Codec::L16, ptime_us: 1_250 };
        assert_eq!(shortest.to_string(), "codec=l16 ptime=2.5 ptime-us=1250");
        assert_eq!(Coding::parse("l16", "2.5", Some("1250")), Some(shortest));
        assert_eq!(Coding::parse("l16", "1.25", None), Some(shortest));
        assert_eq!(Coding::parse("l16", "2.5", Some("1251")), None);
    }
}
