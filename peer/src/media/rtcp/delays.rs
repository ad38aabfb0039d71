//! What a station says of its own delay, part by part: an application-defined packet (RFC 3550 6.7), which whoever does
//! not know it leaves out. The voice metrics (RFC 3611 4.7) carry only sums, in milliseconds.
//!
//! Name `VOXD`, subtype 0, then capture, encode, jitter buffer and playback, each 32 bits of microseconds, or all ones
//! where it is not known. What may follow them one day is left out.

use std::time::Duration;

use super::VoipMetrics;
use crate::media::mouth_to_ear::{LONGEST_PART, StationDelay};

/// The packet's name.
pub(super) const NAME: [u8; 4] = *b"VOXD";

/// Four numbers.
pub(super) const BYTES: usize = 16;

const UNKNOWN: u32 = u32::MAX;

/// What follows the packet's name.
pub(super) fn to_bytes(delay: &StationDelay) -> [u8; BYTES] {
    let StationDelay { capture, encode, jitter_buffer, playback } = *delay;
    let mut bytes = [0; BYTES];
    for (four, part) in bytes.chunks_exact_mut(4).zip([capture, encode, jitter_buffer, playback]) {
        four.copy_from_slice(&micros(part).to_be_bytes());
    }
    bytes
}

fn micros(part: Option<Duration>) -> u32 {
    part.map_or(UNKNOWN, |part| u32::try_from(part.as_micros()).unwrap_or(UNKNOWN))
}

/// Reads what follows the packet's name. Parts longer than [`LONGEST_PART`] count as not known; shorter ones are shown
/// as they were said. `None`: too short.
pub(super) fn from_bytes(bytes: &[u8]) -> Option<StationDelay> {
    let said = bytes.get(..BYTES)?;
    let part = |at: usize| {
        let micros = said[4 * at..].first_chunk().copied().map(u32::from_be_bytes)?;
        believed(Duration::from_micros(micros.into()))
    };
    Some(StationDelay { capture: part(0), encode: part(1), jitter_buffer: part(2), playback: part(3) })
}

impl VoipMetrics {
    /// As much as these metrics tell of the reporter's delay: the jitter buffer alone stands for itself in them.
    pub fn delay(&self) -> StationDelay {
        let nominal = Duration::from_millis(self.nominal_ms.into());
        StationDelay { jitter_buffer: believed(nominal), ..StationDelay::default() }
    }
}

fn believed(part: Duration) -> Option<Duration> {
    (part <= LONGEST_PART).then_some(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_is_read_and_what_nobody_can_mean_is_not_known() {
        for (said, read) in [
            (0, Some(0)),
            (2_650, Some(2_650)),
            (9_999_999, Some(9_999_999)),
            (10_000_000, Some(10_000_000)),
            (10_000_001, None),
            (0x8000_0000, None),
            (UNKNOWN, None),
        ] {
            let said = [said.to_be_bytes(), [0; 4], 7_u32.to_be_bytes(), UNKNOWN.to_be_bytes()].concat();
            let delay = from_bytes(&said).expect("long enough");
            assert_eq!(delay.capture, read.map(Duration::from_micros), "{said:?}");
            let others = [delay.encode, delay.jitter_buffer, delay.playback];
            assert_eq!(others, [Some(Duration::ZERO), Some(Duration::from_micros(7)), None]);
            assert_eq!(from_bytes(&to_bytes(&delay)), Some(delay), "what is shown is what is said again");
        }
    }

    #[test]
    fn too_little_is_nothing_and_more_is_left_out() {
        let whole = to_bytes(&StationDelay::default());
        for length in 0..whole.len() {
            assert_eq!(from_bytes(&whole[..length]), None, "{length}");
        }
        assert_eq!(from_bytes(&[whole.as_slice(), &[1; 9]].concat()), Some(StationDelay::default()));
    }
}
