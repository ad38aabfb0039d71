//! What has been received of one sender: extended sequence numbers, loss and jitter (RFC 3550 A.1, A.3, A.8).

use std::time::{Duration, Instant};

use super::rtp::Header;

/// A jump forward of more than this is not loss but another stream (RFC 3550 A.1, `MAX_DROPOUT`).
const MOST_DROPPED: u16 = 3_000;

/// A packet that is older by less than this is late, not a restart (RFC 3550 A.1, `MAX_MISORDER`).
const MOST_MISORDERED: u16 = 100;

const RATE: i64 = 48_000;

/// How long so many samples last at 48 kHz.
pub fn span(samples: usize) -> Duration {
    Duration::from_nanos(samples as u64 * 1_000_000_000 / 48_000)
}

/// Samples from one time to another at 48 kHz; negative when `to` is before `from`.
pub fn samples_between(from: Instant, to: Instant) -> i64 {
    let samples =
        |span: Duration| i64::try_from(span.as_nanos() * 48_000 / 1_000_000_000).unwrap_or(i64::MAX);
    match to.checked_duration_since(from) {
        Some(span) => samples(span),
        None => -samples(from.duration_since(to)),
    }
}

/// The nearest number to `near` that ends in the sixteen bits of `low`.
pub fn extend_sequence(near: i64, low: u16) -> i64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the low bits are meant")]
    let step = low.wrapping_sub(near as u16).cast_signed();
    near + i64::from(step)
}

/// The nearest number to `near` that ends in the thirty-two bits of `low`.
pub fn extend_time_stamp(near: i64, low: u32) -> i64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the low bits are meant")]
    let step = low.wrapping_sub(near as u32).cast_signed();
    near + i64::from(step)
}

/// Counts one sender's packets as a receiver report needs them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reception {
    ssrc: Option<u32>,
    first: u32,
    cycles: u32,
    highest: u16,
    /// A jump was seen; this number next means that the sender has started over.
    after_jump: Option<u16>,
    received: u64,
    /// Transit time of the packet before, in samples, from any origin.
    transit: Option<i64>,
    /// Jitter in sixteenths of a sample.
    jitter_16ths: i64,
}

/// The sums of what one sender sent, as they stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Who sends.
    pub ssrc: u32,
    /// Packets that the sequence numbers promise.
    pub expected: u64,
    /// Packets that came, duplicates among them.
    pub received: u64,
    /// The highest sequence number with its count of cycles.
    pub highest_sequence: u32,
    /// Interarrival jitter in samples.
    pub jitter: u32,
}

impl Counts {
    /// Packets that never came; a duplicate hides one.
    pub fn lost(&self) -> u64 {
        self.expected.saturating_sub(self.received)
    }

    /// Interarrival jitter as a time.
    pub fn jitter(&self) -> Duration {
        span(self.jitter as usize)
    }

    fn lost_with_sign(&self) -> i32 {
        let lost = self.expected.cast_signed().wrapping_sub(self.received.cast_signed());
        i32::try_from(lost.clamp(-0x80_0000, 0x7f_ffff)).unwrap_or(0)
    }
}

/// Makes report blocks: remembers the sums of the report before (RFC 3550 A.3).
#[derive(Debug, Clone, Copy, Default)]
pub struct Reporter {
    before: Counts,
}

impl Reporter {
    /// What to report now.
    pub fn report(&mut self, counts: Counts) -> ReceptionReport {
        if counts.ssrc != self.before.ssrc || counts.received < self.before.received {
            self.before = Counts::default(); // another sender, or the same one started over
        }
        let expected = counts.expected.saturating_sub(self.before.expected);
        let fraction_lost = fraction(expected, counts.received - self.before.received);
        self.before = counts;
        let Counts { ssrc, highest_sequence, jitter, .. } = counts;
        ReceptionReport { ssrc, fraction_lost, lost: counts.lost_with_sign(), highest_sequence, jitter }
    }
}

/// What a report block says of a sender (RFC 3550 6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReceptionReport {
    /// The sender that is reported on.
    pub ssrc: u32,
    /// Loss since the report before, in 1/256.
    pub fraction_lost: u8,
    /// Packets lost since the beginning, in 24 bits with a sign; duplicates make it smaller.
    pub lost: i32,
    /// The highest sequence number with its count of cycles.
    pub highest_sequence: u32,
    /// Interarrival jitter in samples.
    pub jitter: u32,
}

impl Reception {
    /// Takes note of a packet. `arrived` is when the kernel received it, `origin` any fixed time of this leg.
    pub fn note(&mut self, header: Header, arrived: Instant, origin: Instant) {
        if self.ssrc != Some(header.ssrc) {
            self.restart(header.ssrc, header.sequence);
        }
        if self.follows(header.sequence) {
            self.received += 1;
            self.note_transit(header.time_stamp, samples_between(origin, arrived));
        }
    }

    /// Packets received since the sender started.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// What has been counted. `None` before the first packet.
    pub fn counts(&self) -> Option<Counts> {
        let highest_sequence = self.cycles << 16 | u32::from(self.highest);
        let expected = u64::from(highest_sequence.wrapping_sub(self.first).wrapping_add(1));
        let jitter = u32::try_from(self.jitter_16ths >> 4).unwrap_or(u32::MAX);
        self.ssrc.map(|ssrc| Counts { ssrc, expected, received: self.received, highest_sequence, jitter })
    }

    fn restart(&mut self, ssrc: u32, sequence: u16) {
        *self = Self { ssrc: Some(ssrc), first: u32::from(sequence), highest: sequence, ..Self::default() };
    }

    /// Whether a packet counts (RFC 3550 A.1, without probation: who may send at all is decided elsewhere).
    fn follows(&mut self, sequence: u16) -> bool {
        let step = sequence.wrapping_sub(self.highest);
        if step < MOST_DROPPED {
            self.cycles = self.cycles.wrapping_add(u32::from(sequence < self.highest)) & 0xffff;
            self.highest = sequence;
        } else if step <= u16::MAX - MOST_MISORDERED {
            return self.jumps(sequence);
        }
        true
    }

    fn jumps(&mut self, sequence: u16) -> bool {
        let Some(ssrc) = self.ssrc.filter(|_| self.after_jump == Some(sequence)) else {
            self.after_jump = Some(sequence.wrapping_add(1));
            return false;
        };
        self.restart(ssrc, sequence);
        true
    }

    fn note_transit(&mut self, time_stamp: u32, arrived: i64) {
        // Modulo 2^32 like the time stamp itself (RFC 3550 A.8).
        let near = self.transit.unwrap_or(0);
        let transit = extend_time_stamp(near, wrap(arrived).wrapping_sub(time_stamp));
        if let Some(before) = self.transit {
            let change = (transit - before).abs().min(60 * RATE);
            self.jitter_16ths += change - ((self.jitter_16ths + 8) >> 4);
        }
        self.transit = Some(transit);
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the low bits are meant")]
fn wrap(samples: i64) -> u32 {
    samples as u32
}

fn fraction(expected: u64, received: u64) -> u8 {
    let lost = expected.saturating_sub(received);
    u8::try_from((lost << 8).checked_div(expected).unwrap_or(0)).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(sequence: u16, time_stamp: u32) -> Header {
        Header { marker: false, payload_type: 111, sequence, time_stamp, ssrc: 7 }
    }

    fn after(sequences: &[u16]) -> Reception {
        let origin = vox_common::sys::clock::now();
        let mut reception = Reception::default();
        for &sequence in sequences {
            reception.note(header(sequence, 0), origin, origin);
        }
        reception
    }

    #[test]
    fn loss_is_what_was_expected_less_what_came() {
        // sequence numbers, received, lost, highest with cycles
        let table: [(&[u16], u64, i32, u32); 7] = [
            (&[10, 11, 12], 3, 0, 12),
            (&[10, 12, 11, 13], 4, 0, 13),
            (&[10, 13], 2, 2, 13),
            (&[10, 11, 11, 11], 4, -2, 11),
            (&[65_534, 65_535, 0, 1], 4, 0, 0x1_0001),
            (&[10, 20_000, 11], 2, 0, 11),
            (&[10, 20_000, 20_001, 20_002], 2, 0, 20_002),
        ];
        for (sequences, received, lost, highest) in table {
            let reception = after(sequences);
            let report = Reporter::default().report(reception.counts().unwrap());
            assert_eq!((reception.received(), report.lost), (received, lost), "{sequences:?}");
            assert_eq!(report.highest_sequence, highest, "{sequences:?}");
        }
    }

    #[test]
    fn the_fraction_is_of_the_time_since_the_report_before() {
        let counts = after(&[0, 1, 2, 4]).counts().unwrap();
        let mut reporter = Reporter::default();
        assert_eq!(reporter.report(counts).fraction_lost, 51); // 256 / 5
        assert_eq!(reporter.report(counts).fraction_lost, 0);
        let restarted = Counts { ssrc: 8, expected: 4, received: 3, ..counts };
        assert_eq!(reporter.report(restarted).fraction_lost, 64);
        assert_eq!(after(&[]).counts(), None);
    }

    #[test]
    fn jitter_is_a_sixteenth_of_each_change_of_transit_time() {
        let origin = vox_common::sys::clock::now();
        let mut reception = Reception::default();
        for (sequence, late_us) in [(0_u16, 0_u64), (1, 0), (2, 16_000), (3, 16_000)] {
            let sent = Duration::from_millis(10 * u64::from(sequence));
            let arrived = origin + sent + Duration::from_micros(late_us);
            reception.note(header(sequence, 480 * u32::from(sequence)), arrived, origin);
        }
        // One change of 768 samples: 768 / 16 = 48, then it decays by a sixteenth.
        let counts = reception.counts().unwrap();
        assert_eq!((counts.jitter, counts.jitter().as_micros()), (45, 937));
    }

    #[test]
    fn extension_takes_the_nearest() {
        assert_eq!(extend_sequence(65_535, 0), 65_536);
        assert_eq!(extend_sequence(65_536, 65_535), 65_535);
        assert_eq!(extend_sequence(0, 65_535), -1);
        assert_eq!(extend_time_stamp(0xffff_ffff, 479), 0x1_0000_01df);
        assert_eq!(extend_time_stamp(0, 0x8000_0001), -0x7fff_ffff);
    }
}
