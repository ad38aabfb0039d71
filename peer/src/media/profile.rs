//! What a station gives up for what: delay, certainty and rate, in one table of numbers per kind of network.

use std::fmt;
use std::time::Duration;

use super::orders::{Codec, Coding};

/// The network that a station is on, as the operator says in `[voice] profile`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    /// Wires and switches: loss is rare, and the delay counts.
    #[default]
    Lan,
    /// A wired network of its own, where the last milliseconds count: theatre, studio, stage.
    Studio,
    /// Radio: packets are late in bunches and lost in bursts.
    Wifi,
    /// Somebody else's wires: loss, jitter, and a rate that others share.
    Internet,
}

/// What a profile means. Shown in peer.toml(5).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Numbers {
    /// The share of packets that the playout waits for: the quantile of relative delay that is its target.
    pub quantile: f64,
    /// How long a packet that came late is remembered: the target falls back in about this time.
    pub release: Duration,
    /// The least playout delay on top of the fastest packet's.
    pub least_delay: Duration,
    /// The most playout delay, where `[voice] max-delay-ms` says nothing else.
    pub most_delay: Duration,
    /// The codec, where `[codec] name` says nothing else, and the sound in one packet, where `[audio] ptime-ms` says
    /// nothing else.
    pub coding: Coding,
    /// Bits per second of Opus without loss, where `[codec] bitrate` says nothing else.
    pub bitrate: u32,
    /// Bits per second of payload that sound and its copies may take together.
    pub budget: u32,
    /// How many copies of each frame are sent at most (RFC 2198).
    pub most_copies: u8,
    /// A copy is sent so long after its frame or after the copy before: a burst of losses of up to this length takes
    /// only one of them.
    pub spacing: Duration,
}

impl Profile {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Lan, Self::Studio, Self::Wifi, Self::Internet];

    /// Reads `lan`, `studio`, `wifi` or `internet`.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.word() == word)
    }

    /// What it means.
    pub const fn numbers(self) -> Numbers {
        match self {
            Self::Lan => Numbers {
                quantile: 0.998,
                release: Duration::from_secs(1),
                least_delay: Duration::from_micros(500),
                most_delay: Duration::from_millis(80),
                coding: Coding { codec: Codec::Opus, ptime_us: 10_000 },
                bitrate: 64_000,
                budget: 192_000,
                most_copies: 2,
                spacing: Duration::from_millis(10),
            },
            Self::Studio => Numbers {
                quantile: 0.998,
                release: Duration::from_secs(1),
                least_delay: Duration::from_micros(250),
                most_delay: Duration::from_millis(40),
                coding: Coding { codec: Codec::L16, ptime_us: 1_250 },
                bitrate: 128_000,
                budget: 384_000,
                most_copies: 2,
                spacing: Duration::from_micros(2_500),
            },
            Self::Wifi => Numbers {
                quantile: 0.995,
                release: Duration::from_secs(3),
                least_delay: Duration::from_millis(2),
                most_delay: Duration::from_millis(200),
                coding: Coding { codec: Codec::Opus, ptime_us: 10_000 },
                bitrate: 64_000,
                budget: 80_000,
                most_copies: 2,
                spacing: Duration::from_millis(30),
            },
            Self::Internet => Numbers {
                quantile: 0.998,
                release: Duration::from_secs(4),
                least_delay: Duration::from_millis(5),
                most_delay: Duration::from_millis(300),
                coding: Coding { codec: Codec::Opus, ptime_us: 20_000 },
                bitrate: 48_000,
                budget: 80_000,
                most_copies: 2,
                spacing: Duration::from_millis(40),
            },
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Lan => "lan",
            Self::Studio => "studio",
            Self::Wifi => "wifi",
            Self::Internet => "internet",
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_read_as_it_is_written() {
        for profile in Profile::ALL {
            assert_eq!(Profile::parse(&profile.to_string()), Some(profile));
        }
        assert_eq!(Profile::parse("stage"), None);
    }

    /// The row of the manual that begins so.
    fn row(title: &str, number: impl Fn(Numbers) -> f64) -> String {
        written(title, &Profile::ALL.map(|profile| number(profile.numbers()).to_string()))
    }

    fn written(title: &str, columns: &[String; 4]) -> String {
        format!("\n.It {title} Ta {}\n", columns.join(" Ta "))
    }

    fn ms(span: Duration) -> f64 {
        span.as_secs_f64() * 1_000.0
    }

    #[test]
    fn the_manual_has_the_same_numbers() {
        let manual = include_str!("../../../docs/man/peer.toml.5");
        let rows = [
            written("\"\"", &Profile::ALL.map(|profile| profile.to_string())),
            written("codec", &Profile::ALL.map(|profile| profile.numbers().coding.codec.to_string())),
            row("playout waits for, %", |n| n.quantile * 100.0),
            row("lateness remembered, s", |n| n.release.as_secs_f64()),
            row("least delay, ms", |n| ms(n.least_delay)),
            row("most delay, ms", |n| ms(n.most_delay)),
            row("ptime, ms", |n| f64::from(n.coding.ptime_us) / 1_000.0),
            row("bitrate, kbit/s", |n| f64::from(n.bitrate) / 1_000.0),
            row("sound and copies, kbit/s", |n| f64::from(n.budget) / 1_000.0),
            row("copies of a frame, at most", |n| n.most_copies.into()),
            row("copies apart, ms", |n| ms(n.spacing)),
        ];
        for row in rows {
            assert!(manual.contains(&row), "{row}");
        }
    }

    #[test]
    fn every_profile_can_be_kept_to() {
        for numbers in Profile::ALL.map(Profile::numbers) {
            assert!(numbers.least_delay < numbers.most_delay && numbers.bitrate <= numbers.budget);
            let copies_come = numbers.spacing * u32::from(numbers.most_copies);
            assert!(copies_come < numbers.most_delay, "{numbers:?}");
        }
    }
}
