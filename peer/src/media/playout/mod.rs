//! Playout of one leg: packets in whenever they come, samples out whenever the card asks, and as little delay
//! between the two as the packets' own irregularity allows.
//!
//! The card is the clock. What is played next has a *position* on the sender's time line; when nothing has come for
//! it, sound is made up *ahead* of the next packet. A packet that comes while its time is being made up is late: the
//! first one in a while is played only from where its time has got to, so that the delay stays what it was; when it
//! happens again within a second, sound waits for it and the delay has grown. Delay that no packet of a whole
//! second needed is taken away again by dropping frames.
//!
//! Choosing the target, stretching instead of dropping, and resampling against drift come with one controller per
//! leg: it will set [`Playout::set_target`] and stand between [`Playout::pull`] and the mixer.

mod admission;
mod extremes;
mod queue;
mod voice;

use std::time::Instant;

use admission::{Admission, Place, Verdict};
use extremes::Extremes;
use queue::{Entry, Payload, Pushed, Queue};
use voice::{FADED, Voice};

use super::rtp::{self, PAYLOAD_BYTES, Packet};
use super::sequence::{Counts, Reception, samples_between};
use crate::opus::{self, LONGEST_PACKET, OpusError, SHORTEST_FRAME};

/// Late packets within this time of each other make the delay grow: 1 s.
const OFTEN: u64 = 48_000;

/// So much (1 ms) is left of the least wait when delay is taken away.
const MARGIN: i64 = 48;

/// A time stamp further ahead than this (and the target) is not a gap but a jump: 200 ms.
const LONGEST_GAP: i64 = 9_600;

/// More waiting than this beyond the target is skipped at once: 250 ms.
const FAR_BEHIND: i64 = 12_000;

/// The delay grows by at most this for one packet out of order: 60 ms.
const LONGEST_WAIT: i64 = 2_880;

/// So many late packets in a row, and none in time, mean that it is we who are wrong.
const LATE_RUN: u32 = 8;

/// Frames taken out at one place at most; each costs the time of a decoding.
const MOST_DROPPED: u32 = 4;

/// What happened, in numbers that only grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Packets after their time.
    pub late: u64,
    /// Packets that came twice.
    pub duplicate: u64,
    /// Packets of no use: not RTP, unknown payload type, implausible, too long, broken.
    pub refused: u64,
    /// Samples given to the card.
    pub samples: u64,
    /// Samples of these that were made up.
    pub concealed: u64,
    /// Frames that were not played because the delay had grown.
    pub dropped: u64,
    /// Times that there was nothing at all to play.
    pub underruns: u64,
}

/// The playout of one leg, with all the memory that it will ever need.
pub struct Playout {
    admission: Admission,
    reception: Reception,
    queue: Queue,
    voice: Voice,
    counters: Counters,
    origin: Instant,
    /// The least that the fastest packets wait, in samples.
    target: i64,
    /// Whether the time line is tied to the card; else the next packets tie it.
    playing: bool,
    /// The packet that follows what was played; the least number before the first one.
    next_sequence: i64,
    /// The time stamp that follows what was played.
    next_time_stamp: i64,
    /// Samples made up beyond `next_time_stamp`.
    ahead: i64,
    /// Samples of these of which it is not known yet whether they were lost or never spoken.
    unexplained: u64,
    /// Samples still to be made up so that the delay grows.
    growing: i64,
    /// Frames still to be dropped so that the delay shrinks.
    shrinking: u32,
    /// Packets just before `next_sequence` that came, one bit each.
    came: u128,
    late_run: u32,
    /// Samples played until the last late packet.
    last_late: Option<u64>,
    depth: i64,
    /// Samples in the packet played last; at least one.
    frame: i64,
    /// From arrival to play, of each packet played in time.
    waits: Extremes,
    /// From capture to arrival, up to a constant.
    transits: Extremes,
}

impl Playout {
    /// Allocates everything. `origin` is any time in the past.
    pub fn new(origin: Instant) -> Result<Self, OpusError> {
        Ok(Self {
            admission: Admission::default(),
            reception: Reception::default(),
            queue: Queue::new(),
            voice: Voice::new()?,
            counters: Counters::default(),
            origin,
            target: 0,
            playing: false,
            next_sequence: i64::MIN,
            next_time_stamp: 0,
            ahead: 0,
            unexplained: 0,
            growing: 0,
            shrinking: 0,
            came: 0,
            late_run: 0,
            last_late: None,
            depth: 0,
            frame: 1,
            waits: Extremes::default(),
            transits: Extremes::default(),
        })
    }

    /// Forgets everything, for a new call. Allocates and frees nothing.
    pub fn clear(&mut self) {
        self.start_over();
        self.admission = Admission::default();
        self.reception = Reception::default();
        self.counters = Counters::default();
        self.unexplained = 0;
        self.last_late = None;
        self.waits = Extremes::default();
        self.transits = Extremes::default();
    }

    /// Sets how many samples the fastest packets wait at least.
    pub fn set_target(&mut self, samples: u32) {
        self.target = i64::from(samples);
    }

    /// What happened since [`Playout::clear`].
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// What was received, for reports to the far end. `None`: nothing yet.
    pub fn counts(&self) -> Option<Counts> {
        self.reception.counts()
    }

    /// Samples that waited when the last pull began.
    pub fn depth(&self) -> i64 {
        self.depth
    }

    /// How much longer the slowest packet of about the last second took than the fastest, in samples.
    pub fn spread(&self) -> i64 {
        self.transits.range().map_or(0, |range| range.most - range.least)
    }

    /// Takes a datagram that came from this leg's far end at `arrived`.
    pub fn push(&mut self, datagram: &[u8], arrived: Instant) {
        let Some((packet, payload, samples)) = understood(datagram) else {
            self.counters.refused += 1;
            return;
        };
        let Place { sequence, time_stamp } = match self.admission.judge(packet.header, arrived) {
            Verdict::Belongs(place) => place,
            Verdict::Restarts(place) => {
                self.start_over();
                place
            }
            Verdict::Strange => {
                self.counters.refused += 1;
                return;
            }
        };
        self.reception.note(packet.header, arrived, self.origin);
        self.transits.note(samples_between(self.origin, arrived) - time_stamp);
        self.admit(Entry::new(sequence, time_stamp, samples, arrived, payload), packet.payload);
    }

    /// Fills `out`, of any length, with what is to be heard from `now` on.
    pub fn pull(&mut self, now: Instant, out: &mut [f32]) {
        let wanted = length(out.len());
        self.depth = self.waiting();
        let mut filled = 0;
        if !self.playing {
            filled = self.begin(now, wanted).min(out.len());
            out[..filled].fill(0.0);
        } else if self.depth - wanted > self.target + FAR_BEHIND {
            self.leap(wanted);
        }
        while filled < out.len() {
            if self.voice.ready() == 0 {
                self.refill(now, out.len() - filled);
            }
            filled += self.voice.play(&mut out[filled..]);
        }
        self.counters.samples += out.len() as u64;
        self.balance();
    }

    /// The place in the time line of the next sample to be played, unless more is ready.
    fn position(&self) -> i64 {
        self.next_time_stamp + self.ahead
    }

    /// Samples from the next one to be played to the last one that came.
    fn waiting(&self) -> i64 {
        let from = if self.playing {
            self.position()
        } else {
            self.queue.first().map_or(0, |first| first.time_stamp)
        };
        let queued = self.queue.last().map_or(0, |last| (last.end() - from).max(0));
        queued + length(self.voice.ready())
    }

    /// Lets the next packet be the first.
    fn start_over(&mut self) {
        self.queue.clear();
        self.voice.restart();
        self.playing = false;
        (self.ahead, self.growing, self.shrinking) = (0, 0, 0);
        (self.came, self.late_run) = (0, 0);
        self.next_sequence = i64::MIN;
        self.transits = Extremes::default();
    }

    fn admit(&mut self, entry: Entry, payload: &[u8]) {
        if entry.sequence < self.next_sequence {
            return self.too_late(entry, payload);
        }
        self.late_run = 0;
        match self.queue.push(entry, payload) {
            Pushed::Waits => {}
            Pushed::OldestDropped => self.counters.dropped += 1,
            Pushed::Duplicate => self.counters.duplicate += 1,
        }
    }

    /// A packet of which the successor was played already: a duplicate, or one that lost a race.
    fn too_late(&mut self, entry: Entry, payload: &[u8]) {
        let bit = u32::try_from(self.next_sequence - 1 - entry.sequence)
            .ok()
            .and_then(|back| 1_u128.checked_shl(back));
        if bit.is_none_or(|bit| self.came & bit != 0) {
            self.counters.duplicate += 1;
            return;
        }
        self.came |= bit.unwrap_or(0);
        self.counters.late += 1;
        self.late_run += 1;
        if self.late_run >= LATE_RUN {
            self.start_over();
            self.queue.push(entry, payload);
            return;
        }
        if self.is_late_often() {
            let lateness = self.position() - length(self.voice.ready()) - entry.time_stamp;
            self.growing = self.growing.max(lateness.clamp(0, LONGEST_WAIT));
        }
    }

    /// Takes note of a late packet. Whether there was another one not long ago, but before this pull: packets that
    /// were held up together are one event.
    fn is_late_often(&mut self) -> bool {
        let before = self.last_late.replace(self.counters.samples);
        self.waits.note(0);
        before.is_some_and(|before| (1..OFTEN).contains(&(self.counters.samples - before)))
    }

    /// Ties the time line to the card when enough has come; returns how much silence comes before.
    ///
    /// The last sample that came is played at the end of this pull, or as much later as the target says: no
    /// other beginning has less delay.
    fn begin(&mut self, now: Instant, wanted: i64) -> usize {
        let Some(&first) = self.queue.first() else { return usize::MAX };
        let age = samples_between(first.arrived, now);
        if age < self.target && self.waiting() < wanted + self.target {
            return usize::MAX;
        }
        self.skip_to(wanted + self.target);
        let Some(&first) = self.queue.first() else { return usize::MAX };
        self.explain(first.sequence != self.next_sequence);
        self.playing = true;
        self.tie_to(&first);
        self.waits.restart(self.counters.samples);
        usize::try_from(wanted - self.waiting()).unwrap_or(0)
    }

    /// Skips what has become far too old.
    fn leap(&mut self, wanted: i64) {
        self.voice.expect_other();
        self.skip_to(wanted + self.target);
        if let Some(&first) = self.queue.first() {
            self.tie_to(&first);
        }
        self.waits.restart(self.counters.samples);
    }

    /// Drops the oldest packets as long as `kept` samples wait without them.
    fn skip_to(&mut self, kept: i64) {
        let end = self.queue.last().map_or(0, Entry::end);
        while self.queue.second().is_some_and(|second| end - second.time_stamp >= kept) {
            self.counters.dropped += 1;
            let _ = self.queue.pop();
        }
    }

    /// The time line goes on at this packet.
    fn tie_to(&mut self, first: &Entry) {
        self.pass_to(first.sequence);
        self.next_time_stamp = first.time_stamp;
        self.ahead = 0;
    }

    /// Moves on to a sequence number; those passed over did not come.
    fn pass_to(&mut self, sequence: i64) {
        let step = u32::try_from(sequence.saturating_sub(self.next_sequence)).unwrap_or(u32::MAX);
        self.came = self.came.checked_shl(step).unwrap_or(0);
        self.next_sequence = sequence;
    }

    /// Makes at least one sample ready.
    fn refill(&mut self, now: Instant, wanted: usize) {
        if self.growing > 0 {
            return self.grow();
        }
        let late = loop {
            let Some(&first) = self.queue.first() else { return self.run_dry(wanted) };
            let gap = first.time_stamp - self.position();
            if gap > self.target + LONGEST_GAP || first.time_stamp < self.next_time_stamp {
                self.voice.expect_other();
                self.tie_to(&first);
            } else if gap > 0 {
                return self.bridge(&first, gap, wanted);
            } else if gap == 0 {
                self.explain(first.sequence != self.next_sequence);
                break 0;
            } else {
                self.explain(true);
                if let Some(late) = self.catch_up(&first) {
                    break late;
                }
            }
        };
        self.play_first(now, late, wanted);
    }

    /// Lets the delay grow by making up sound that has no place on the time line.
    fn grow(&mut self) {
        let before = self.growing;
        self.voice.make_up(usize::try_from(before).unwrap_or(1));
        let made = length(self.voice.ready());
        self.growing = (before - made).max(0);
        self.counters.concealed += made.unsigned_abs();
        self.waits.restart(self.counters.samples);
    }

    /// Nothing has come: makes up what may be late, lost, or was never spoken.
    fn run_dry(&mut self, wanted: usize) {
        if self.ahead == 0 {
            self.counters.underruns += 1;
        }
        if self.ahead >= length(FADED) {
            self.playing = false;
            return self.voice.silence(wanted);
        }
        self.voice.make_up(wanted);
        let made = self.voice.ready();
        self.ahead += length(made);
        self.unexplained += made as u64;
    }

    /// The next packet is there, and its time has not come.
    fn bridge(&mut self, first: &Entry, gap: i64, wanted: usize) {
        let lost = first.sequence != self.next_sequence;
        self.explain(lost);
        let count = usize::try_from(gap).unwrap_or(wanted).min(wanted.next_multiple_of(SHORTEST_FRAME));
        if lost {
            self.voice.make_up_exactly(count);
            self.counters.concealed += self.voice.ready() as u64;
        } else {
            self.voice.silence(count);
        }
        self.ahead += length(self.voice.ready());
    }

    /// The first packet's time has passed in part: how many samples of it are not to be played. `None`: none of it
    /// was, and it is gone.
    fn catch_up(&mut self, first: &Entry) -> Option<usize> {
        let position = self.position();
        let in_time = self.queue.last().is_some_and(|last| last.end() > position);
        if !in_time || self.is_late_often() {
            self.tie_to(first);
            self.waits.restart(self.counters.samples);
            return Some(0);
        }
        if first.end() > position {
            self.voice.expect_other();
            return usize::try_from(position - first.time_stamp).ok();
        }
        self.counters.late += 1;
        let _ = self.queue.pop();
        self.passed(first);
        self.ahead = position - self.next_time_stamp;
        None
    }

    /// Decodes the first packet, without the `late` samples at its beginning.
    fn play_first(&mut self, now: Instant, late: usize, wanted: usize) {
        let Some(first) = self.queue.pop() else { return self.run_dry(wanted) };
        if late == 0 {
            self.waits.note(samples_between(first.arrived, now));
        }
        let decoded = self.voice.decode(first.payload, self.queue.payload(&first), late);
        if decoded.is_err() || self.voice.ready() == 0 {
            self.counters.refused += 1;
            self.pass_to(first.sequence); // as if it had not come
            return self.run_dry(wanted);
        }
        self.passed(&first);
        self.frame = first.samples;
        self.shrink();
    }

    /// The time line goes on after this packet.
    fn passed(&mut self, entry: &Entry) {
        self.pass_to(entry.sequence + 1);
        self.came |= 1;
        self.next_time_stamp = entry.end();
        self.ahead = 0;
    }

    /// Plays the next packet in the place of the one that is ready, if the delay is to shrink and it is there.
    fn shrink(&mut self) {
        let follows =
            |first: &Entry, at: (i64, i64)| (first.sequence, first.time_stamp) == at && first.samples > 0;
        let mut bound = MOST_DROPPED;
        while self.shrinking > 0 && bound > 0 {
            let at = (self.next_sequence, self.next_time_stamp);
            let Some(&first) = self.queue.first().filter(|first| follows(first, at)) else { return };
            bound -= 1;
            self.shrinking -= 1;
            self.counters.dropped += 1;
            let _ = self.queue.pop();
            self.voice.replace_ready();
            if self.voice.decode(first.payload, self.queue.payload(&first), 0).is_err() {
                self.voice.silence(1);
            }
            self.passed(&first);
        }
    }

    /// What was made up is now known to have been lost, or to have been silence.
    fn explain(&mut self, lost: bool) {
        let samples = std::mem::take(&mut self.unexplained);
        if lost {
            self.counters.concealed += samples;
        }
    }

    /// At the end of a second: takes away delay that no packet needed.
    fn balance(&mut self) {
        self.transits.turn(self.counters.samples);
        let Some(waits) = self.waits.turn(self.counters.samples) else { return };
        let spare = waits.least.min(waits.most - self.target) - MARGIN;
        if spare >= self.frame {
            self.shrinking = u32::try_from(spare / self.frame).unwrap_or(0);
            self.waits.restart(self.counters.samples);
        }
    }
}

/// A datagram that is RTP with sound in it that we can play: how it is coded, and how many samples it holds.
fn understood(datagram: &[u8]) -> Option<(Packet<'_>, Payload, i64)> {
    let packet = Packet::parse(datagram).ok()?;
    let bytes = packet.payload;
    let (payload, samples) = match packet.header.payload_type {
        rtp::OPUS => (Payload::Opus, opus::packet_samples(bytes).ok()?),
        rtp::L16 if bytes.len().is_multiple_of(2) => (Payload::L16, bytes.len() / 2),
        _ => return None,
    };
    let fits = bytes.len() <= PAYLOAD_BYTES && (1..=LONGEST_PACKET).contains(&samples);
    fits.then_some((packet, payload, length(samples)))
}

/// A number of samples as a distance on the time line.
fn length(samples: usize) -> i64 {
    i64::try_from(samples).unwrap_or(i64::MAX)
}
