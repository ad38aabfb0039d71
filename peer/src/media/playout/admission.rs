//! Which packets belong to the stream: one that does not fit is believed only when the next one follows it.

use std::time::Instant;

use crate::media::rtp::Header;
use crate::media::sequence::{extend_sequence, extend_time_stamp, samples_between};

/// A jump in sequence that loss explains (RFC 3550 A.1).
const MOST_PACKETS: i64 = 3_000;

/// A jump of the time stamp that needs no explanation, and the error of one that the pause explains: 1 s.
const MOST_SAMPLES: i64 = 48_000;

/// A packet has at least so many samples: one that is later in sequence is later in time.
const LEAST_SAMPLES: i64 = 24;

/// What to do with a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It belongs here.
    Belongs(Place),
    /// The sender has started over: forget what waits, and begin with this one.
    Restarts(Place),
    /// It fits nowhere yet.
    Strange,
}

/// Where in the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// Extended sequence number.
    pub(super) sequence: i64,
    /// Extended time stamp.
    pub(super) time_stamp: i64,
}

/// Knows the stream of one leg.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Admission {
    newest: Option<Newest>,
    /// A packet that did not fit; the sender has started over if the one after it comes next.
    candidate: Option<(u32, u16)>,
}

#[derive(Debug, Clone, Copy)]
struct Newest {
    ssrc: u32,
    place: Place,
    arrived: Instant,
}

impl Admission {
    /// Judges a packet, and takes it for the newest if it is.
    pub(super) fn judge(&mut self, header: Header, arrived: Instant) -> Verdict {
        let Some(newest) = self.newest else { return self.restart(header, arrived) };
        match newest.place_of(header, arrived) {
            Some(place) => {
                self.candidate = None;
                if place.sequence > newest.place.sequence {
                    self.newest = Some(Newest { place, arrived, ..newest });
                }
                Verdict::Belongs(place)
            }
            None if self.candidate == Some((header.ssrc, header.sequence)) => self.restart(header, arrived),
            None => {
                self.candidate = Some((header.ssrc, header.sequence.wrapping_add(1)));
                Verdict::Strange
            }
        }
    }

    fn restart(&mut self, header: Header, arrived: Instant) -> Verdict {
        let place = Place { sequence: i64::from(header.sequence), time_stamp: i64::from(header.time_stamp) };
        *self = Self { newest: Some(Newest { ssrc: header.ssrc, place, arrived }), candidate: None };
        Verdict::Restarts(place)
    }
}

impl Newest {
    /// Where a packet stands, if loss, reordering or a pause explain it.
    fn place_of(&self, header: Header, arrived: Instant) -> Option<Place> {
        let sequence = extend_sequence(self.place.sequence, header.sequence);
        let time_stamp = extend_time_stamp(self.place.time_stamp, header.time_stamp);
        let (packets, samples) = (sequence - self.place.sequence, time_stamp - self.place.time_stamp);
        let paused = samples_between(self.arrived, arrived);
        let likely = samples.abs() <= MOST_SAMPLES || (samples - paused).abs() <= MOST_SAMPLES;
        let in_order = samples * packets.signum() >= packets.abs() * LEAST_SAMPLES;
        let fits = header.ssrc == self.ssrc && packets.abs() <= MOST_PACKETS && likely && in_order;
        fits.then_some(Place { sequence, time_stamp })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// SSRC, sequence, time stamp, seconds.
    type Came = (u32, u16, u32, u64);

    /// B belongs, R restarts, - strange.
    fn verdicts(packets: &[Came]) -> String {
        let start = vox_common::sys::clock::now();
        let mut admission = Admission::default();
        let letters = packets.iter().map(|&(ssrc, sequence, time_stamp, at)| {
            let header = Header { marker: false, payload_type: 111, sequence, time_stamp, ssrc };
            match admission.judge(header, start + Duration::from_secs(at)) {
                Verdict::Belongs(_) => 'B',
                Verdict::Restarts(_) => 'R',
                Verdict::Strange => '-',
            }
        });
        letters.collect()
    }

    #[test]
    fn what_does_not_fit_must_be_followed() {
        let second = 48_000;
        let table: [(&str, &[Came]); 10] = [
            ("RBB", &[(1, 65_535, u32::MAX, 0), (1, 0, 479, 0), (1, 1, 959, 0)]),
            // A burst after a pause: contiguous.
            ("RB", &[(1, 5, 0, 0), (1, 6, 480, 5)]),
            // Everything of five seconds lost.
            ("RB", &[(1, 5, 0, 0), (1, 505, 5 * second, 5)]),
            // Silence of five seconds.
            ("RB", &[(1, 5, 0, 0), (1, 6, 5 * second, 5)]),
            // Later in sequence and not in time, and the other way round.
            ("R--B", &[(1, 5, 4_800, 0), (1, 8, 4_800, 0), (1, 4, 9_600, 0), (1, 6, 5_280, 0)]),
            // The time stamp jumps, once and for good.
            ("R-B", &[(1, 5, 0, 0), (1, 6, 9 * second, 0), (1, 7, 960, 0)]),
            ("R-R", &[(1, 5, 0, 0), (1, 6, 9 * second, 0), (1, 7, 9 * second + 480, 0)]),
            // The sequence jumps.
            ("R-RB", &[(1, 5, 0, 0), (1, 9_005, 480, 0), (1, 9_006, 960, 0), (1, 9_007, 1_440, 0)]),
            // A restart under a new SSRC, and a stranger between packets of the stream.
            ("R-RB", &[(1, 5, 0, 0), (2, 70, 7, 0), (2, 71, 487, 0), (2, 72, 967, 0)]),
            ("R-B-B", &[(1, 5, 0, 0), (2, 70, 7, 0), (1, 6, 480, 0), (2, 71, 487, 0), (1, 7, 960, 0)]),
        ];
        for (wanted, packets) in table {
            assert_eq!(verdicts(packets), wanted, "{packets:?}");
        }
    }
}
