//! What the media threads count about each leg, readable from any thread at any time.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use vox_common::wire::limits::MAX_LEGS;

pub use self::delays::{DelayStats, Micros};
use super::loudness::SILENCE_DB;
use super::mouth_to_ear::StationDelay;
use super::orders::{LegId, LegReport, Sends};
use super::sequence::{Counts, span};

mod delays;

/// The table of all legs; made once, shared by all threads, never freed by a callback.
#[derive(Debug, Default)]
pub struct Stats {
    legs: [LegStats; MAX_LEGS],
}

impl Stats {
    /// The numbers of all legs, in the order of their places.
    pub fn all(&self) -> &[LegStats; MAX_LEGS] {
        &self.legs
    }

    /// The numbers of one leg. `None`: no such place.
    pub fn leg(&self, leg: LegId) -> Option<&LegStats> {
        self.legs.get(usize::from(leg.0))
    }
}

/// One leg's numbers. Each has one writing thread: the playout, the sender, or the reader of RTCP. Readers may see
/// numbers of two neighbouring moments together.
#[derive(Debug, Default)]
pub struct LegStats {
    /// Written by the playout.
    pub played: PlayedStats,
    sent: AtomicU64,
    /// Packets that the kernel did not take.
    unsent: AtomicU64,
    level_in: Millis,
    round_trip_us: AtomicU64,
    /// In 1/256, and one more than that; 0: no report has come.
    far_loss: AtomicU32,
    /// Capture and encode are written by the sender, jitter buffer and playback by the playout.
    pub own: DelayStats,
    /// What the far end says.
    far: DelayStats,
    network: Micros,
    sends: SendsStats,
}

/// What is sent now.
#[derive(Debug, Default)]
struct SendsStats {
    ptime_us: AtomicU32,
    bitrate: AtomicU32,
    copies: AtomicU32,
}

/// What the playout counts.
#[derive(Debug, Default)]
pub struct PlayedStats {
    /// RTP packets that came, with duplicates and late ones.
    pub received: AtomicU64,
    /// Packets that sequence numbers promise.
    pub expected: AtomicU64,
    /// The highest sequence number with its cycles.
    pub highest_sequence: AtomicU32,
    /// In samples.
    pub jitter: AtomicU32,
    /// The sender.
    pub ssrc: AtomicU32,
    /// Packets after their time.
    pub late: AtomicU64,
    /// Packets that came twice.
    pub duplicate: AtomicU64,
    /// Packets of no use: not RTP, unknown payload type, implausible, too long.
    pub refused: AtomicU64,
    /// Samples given to the card.
    pub samples: AtomicU64,
    /// Samples of these that were made up.
    pub concealed: AtomicU64,
    /// Frames that were not played because far too many waited.
    pub dropped: AtomicU64,
    /// Times that there was nothing at all to play.
    pub underruns: AtomicU64,
    /// Sound waiting, in samples, before the last pull.
    pub depth: AtomicU32,
    /// How much longer the slowest packet that is waited for takes than the fastest, in samples.
    pub spread: AtomicU32,
    /// Loudness of what is played.
    pub level: Millis,
    /// By how many millionths the sender's clock is faster than the card's.
    pub drift_ppm: Millis,
}

/// A number with three decimals.
#[derive(Debug, Default)]
pub struct Millis(AtomicU32);

impl Millis {
    #[expect(clippy::cast_possible_truncation, reason = "levels are −96 to 10, drift −500 to 500")]
    pub(super) fn set(&self, value: f64) {
        self.0.store(((value * 1_000.0) as i32).cast_unsigned(), Relaxed);
    }

    fn get(&self) -> f64 {
        f64::from(self.0.load(Relaxed).cast_signed()) / 1_000.0
    }
}

impl LegStats {
    /// Everything back to nothing, for a new call in this place. By whoever starts the leg, before it joins.
    pub fn clear(&self) {
        self.played.clear();
        self.sent.store(0, Relaxed);
        self.unsent.store(0, Relaxed);
        self.level_in.set(SILENCE_DB);
        self.round_trip_us.store(0, Relaxed);
        self.far_loss.store(0, Relaxed);
        self.own.set(&StationDelay::default());
        self.far.set(&StationDelay::default());
        self.network.set(None);
        self.note_sends(Sends::default());
    }

    /// A packet was sent, at this level.
    pub fn note_sent(&self, level_db: f64) {
        self.sent.fetch_add(1, Relaxed);
        self.level_in.set(level_db);
    }

    /// A packet was not sent: the kernel did not take it.
    pub fn note_unsent(&self) {
        self.unsent.fetch_add(1, Relaxed);
    }

    /// A report of the far end came: the share of our packets that it lost in 1/256, and the round trip if known.
    pub fn note_far(&self, fraction_lost: u8, round_trip: Option<Duration>) {
        self.far_loss.store(u32::from(fraction_lost) + 1, Relaxed);
        if let Some(round_trip) = round_trip {
            let micros = u64::try_from(round_trip.as_micros()).unwrap_or(u64::MAX);
            self.round_trip_us.store(micros.max(1), Relaxed);
        }
    }

    /// How long what is sent takes from the microphone until its frame is complete, and from there until it is sent.
    pub fn note_sending(&self, capture: Option<Duration>, encode: Option<Duration>) {
        self.own.capture.set(capture);
        self.own.encode.set(encode);
    }

    /// How long the network takes one way.
    pub fn note_network(&self, one_way: Option<Duration>) {
        self.network.set(one_way);
    }

    /// What the far end says that it adds to the delay.
    pub fn note_far_delay(&self, says: &StationDelay) {
        self.far.set(says);
    }

    /// What is sent from now on.
    pub fn note_sends(&self, sends: Sends) {
        self.sends.ptime_us.store(sends.ptime_us, Relaxed);
        self.sends.bitrate.store(sends.bitrate, Relaxed);
        self.sends.copies.store(sends.copies, Relaxed);
    }

    fn sends(&self) -> Sends {
        let SendsStats { ptime_us, bitrate, copies } = &self.sends;
        let [ptime_us, bitrate, copies] = [ptime_us, bitrate, copies].map(|number| number.load(Relaxed));
        Sends { ptime_us, bitrate, copies }
    }

    /// What a report block to the far end is made of. `None`: nothing has come.
    pub fn counts(&self) -> Option<Counts> {
        let played = &self.played;
        let received = played.received.load(Relaxed);
        (received > 0).then(|| Counts {
            ssrc: played.ssrc.load(Relaxed),
            expected: played.expected.load(Relaxed),
            received,
            highest_sequence: played.highest_sequence.load(Relaxed),
            jitter: played.jitter.load(Relaxed),
        })
    }

    /// Round trip time by the last report that told. `None` until then.
    pub fn round_trip(&self) -> Option<Duration> {
        let micros = self.round_trip_us.load(Relaxed);
        (micros > 0).then(|| Duration::from_micros(micros))
    }

    /// How the leg fares now.
    pub fn report(&self) -> LegReport {
        let played = &self.played;
        let counts = self.counts().unwrap_or_default();
        LegReport {
            packets_sent: self.sent.load(Relaxed),
            packets_unsent: self.unsent.load(Relaxed),
            packets_received: counts.received,
            packets_lost: counts.lost(),
            packets_late: played.late.load(Relaxed),
            concealed: share(played.concealed.load(Relaxed), played.samples.load(Relaxed)),
            jitter: counts.jitter(),
            depth: span(played.depth.load(Relaxed) as usize),
            round_trip: self.round_trip(),
            network: self.network.get(),
            own: self.own.get(),
            far: self.far.get(),
            sends: self.sends(),
            drift_ppm: played.drift_ppm.get(),
            far_loss: f64::from(self.far_loss.load(Relaxed).saturating_sub(1)) / 256.0,
            level_in_db: self.level_in.get(),
            level_out_db: played.level.get(),
            underruns: played.underruns.load(Relaxed),
        }
    }
}

impl PlayedStats {
    pub(super) fn note_counts(&self, counts: &Counts) {
        self.ssrc.store(counts.ssrc, Relaxed);
        self.expected.store(counts.expected, Relaxed);
        self.received.store(counts.received, Relaxed);
        self.highest_sequence.store(counts.highest_sequence, Relaxed);
        self.jitter.store(counts.jitter, Relaxed);
    }

    fn clear(&self) {
        let wide = [
            &self.received,
            &self.expected,
            &self.late,
            &self.duplicate,
            &self.refused,
            &self.samples,
            &self.concealed,
            &self.dropped,
            &self.underruns,
        ];
        for number in wide {
            number.store(0, Relaxed);
        }
        let narrow = [&self.highest_sequence, &self.jitter, &self.ssrc, &self.depth, &self.spread];
        for number in narrow {
            number.store(0, Relaxed);
        }
        self.level.set(SILENCE_DB);
        self.drift_ppm.set(0.0);
    }
}

fn share(part: u64, whole: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a share for people")]
    let share = part as f64 / whole.max(1) as f64;
    share.min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_shows_what_was_counted_until_it_is_cleared() {
        let stats = Stats::default();
        let leg = stats.leg(LegId(7)).unwrap();
        assert!(stats.leg(LegId(8)).is_none());
        leg.clear();
        let empty = leg.report();
        leg.note_sent(-20.5);
        leg.note_far(64, Some(Duration::from_millis(3)));
        leg.played.received.store(9, Relaxed);
        leg.played.expected.store(10, Relaxed);
        leg.played.samples.store(1_000, Relaxed);
        leg.played.concealed.store(10, Relaxed);
        let report = leg.report();
        assert_eq!((report.packets_sent, report.packets_lost), (1, 1));
        assert_eq!(report.round_trip, Some(Duration::from_millis(3)));
        assert!((report.far_loss - 0.25).abs() < 1e-9 && (report.level_in_db + 20.5).abs() < 1e-9);
        assert!((report.concealed - 0.01).abs() < 1e-9);
        leg.note_sending(Some(Duration::from_millis(5)), None);
        leg.note_far_delay(&StationDelay { playback: Some(Duration::from_millis(9)), ..report.far });
        leg.note_network(Some(Duration::from_millis(50)));
        leg.note_sends(Sends { ptime_us: 2_500, bitrate: 48_000, copies: 2 });
        let [there, here] = [leg.report().there(), leg.report().here()];
        assert_eq!(
            (there.capture, there.encode, there.network),
            (Some(Duration::from_millis(5)), None, here.network)
        );
        assert_eq!((there.playback, here.playback), (Some(Duration::from_millis(9)), None));
        assert_eq!((leg.report().sends.bitrate, leg.report().sends.copies), (48_000, 2));
        leg.clear();
        assert_eq!(leg.report(), empty);
    }
}
