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
mod arrive;
mod delay;
mod extremes;
mod line;
mod queue;
mod voice;

use std::time::Instant;

use admission::Admission;
use extremes::Extremes;
use queue::Queue;
use voice::Voice;

use super::sequence::{Counts, Reception};
use crate::opus::OpusError;

/// What happened, in numbers that only grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Packets after their time.
    pub late: u64,
    /// Packets that came twice.
    pub duplicate: u64,
    /// Packets of no use: not RTP, unknown payload type, implausible, too long, broken.
    pub refused: u64,
    /// Frames that a copy in a later packet brought in time (RFC 2198).
    pub recovered: u64,
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
        self.voice.clear();
        self.admission = Admission::default();
        self.reception = Reception::default();
        self.counters = Counters::default();
        (self.unexplained, self.depth) = (0, 0);
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

    /// Fills `out`, of any length, with what is to be heard from `now` on.
    pub fn pull(&mut self, now: Instant, out: &mut [f32]) {
        let wanted = length(out.len());
        self.depth = self.waiting();
        let mut silent = 0;
        if !self.playing {
            silent = self.begin(now, wanted).min(out.len());
        } else if self.is_far_behind(wanted) {
            self.leap(wanted);
        }
        let (silence, sound) = out.split_at_mut(silent);
        self.fill(silence, |this, missing| this.voice.silence(missing));
        self.fill(sound, |this, missing| this.refill(now, missing));
        self.counters.samples += out.len() as u64;
        self.balance();
    }

    /// Plays into all of `out`; `refill` makes at least one sample ready each time that none is.
    fn fill(&mut self, out: &mut [f32], mut refill: impl FnMut(&mut Self, usize)) {
        let mut filled = 0;
        while filled < out.len() {
            if self.voice.ready() == 0 {
                refill(self, out.len() - filled);
            }
            filled += self.voice.play(&mut out[filled..]);
        }
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
}

/// A number of samples as a distance on the time line.
fn length(samples: usize) -> i64 {
    i64::try_from(samples).unwrap_or(i64::MAX)
}
