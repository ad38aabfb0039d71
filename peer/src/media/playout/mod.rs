//! Playout of one leg: packets in whenever they come, samples out whenever the card asks, and as little delay
//! between the two as the packets' own irregularity allows.
//!
//! The card is the clock. What is played next has a *position* on the sender's time line; where nothing has come for
//! it, sound is made up *ahead* of the next packet, and a packet that comes after that is played from where its time
//! has got to, if any of it is left. How late packets come is measured (`transits`): the delay that all but a share
//! of them need is the target. How fast the sender's clock runs is measured beside it (`drift`). One controller
//! (`steer`) looks at both before each pull. Up to 0.1 % it plays faster or slower (`varispeed`); where the target
//! has jumped, pitch periods are left out or repeated (`splice`), or what is being made up anyhow takes up the
//! time. As long as nothing needs to be corrected, samples come out as they were decoded.
//!
//! Everything is allocated by [`Playout::new`].

mod admission;
mod arrive;
mod bunches;
mod card_clock;
mod delay;
mod drift;
mod extremes;
mod hold;
mod line;
mod queue;
mod seam;
mod splice;
mod steer;
mod stretch;
mod substitute;
mod transits;
pub(crate) mod varispeed;
mod voice;

use std::time::Instant;

use admission::Admission;
use bunches::Bunches;
use card_clock::CardClock;
use drift::Drift;
use extremes::Extremes;
use hold::Hold;
use queue::Queue;
pub use steer::Patience;
use transits::Transits;
use varispeed::{LONGEST_INPUT, STEP, Varispeed};
use voice::Voice;

use super::profile::Profile;
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
    /// Frames that a copy in a later packet (RFC 2198), or a spare in the next one, brought in time.
    pub recovered: u64,
    /// Samples given to the card.
    pub samples: u64,
    /// Samples of these that were made up.
    pub concealed: u64,
    /// Frames that were not played because far too many waited.
    pub dropped: u64,
    /// Samples left out, and samples repeated, a pitch period or so at a time, because the target had moved.
    pub stretched: u64,
    /// Times that there was nothing at all to play.
    pub underruns: u64,
}

/// The playout of one leg, with all the memory that it will ever need.
pub struct Playout {
    admission: Admission,
    reception: Reception,
    queue: Queue,
    voice: Voice,
    varispeed: Varispeed,
    counters: Counters,
    origin: Instant,
    patience: Patience,
    clock: CardClock,
    transits: Transits,
    /// What copies are worth.
    hold: Hold,
    drift: Drift,
    bunches: Bunches,
    /// Lengths of the pulls of the last second.
    periods: Extremes,
    /// Whether the time line is tied to the card; else the next packets tie it.
    playing: bool,
    /// Whether there was nothing to play since then.
    has_starved: bool,
    /// The packet that follows what was played; the least number before the first one.
    next_sequence: i64,
    /// The time stamp that follows what was played.
    next_time_stamp: i64,
    /// Samples made up beyond `next_time_stamp`.
    ahead: i64,
    /// Samples of these of which it is not known yet whether they were lost or never spoken.
    unexplained: u64,
    /// Samples to be left out (or repeated, where negative) because the target has moved.
    excess: i64,
    /// Samples that may be made up without a place on the time line, because the delay is too short by so many.
    short: i64,
    /// Samples played since a place for a splice was first looked for; negative while the last one is recent.
    sought: i64,
    /// Packets just before `next_sequence` that came, one bit each.
    came: u128,
    late_run: u32,
    /// Samples played until the last late packet.
    last_late: u64,
    depth: i64,
    /// From the fastest packets' arrival to their play.
    delay: i64,
    /// Samples in the packet played last; at least one.
    frame: i64,
}

impl Playout {
    /// Allocates everything. `origin` is any time in the past.
    pub fn new(origin: Instant) -> Result<Self, OpusError> {
        Ok(Self {
            admission: Admission::default(),
            reception: Reception::default(),
            queue: Queue::new(),
            voice: Voice::new()?,
            varispeed: Varispeed::new(),
            counters: Counters::default(),
            origin,
            patience: Patience::of(&Profile::default().numbers(), 0),
            clock: CardClock::new(origin),
            transits: Transits::new(),
            hold: Hold::default(),
            drift: Drift::new(),
            bunches: Bunches::default(),
            periods: Extremes::default(),
            playing: false,
            has_starved: false,
            next_sequence: i64::MIN,
            next_time_stamp: 0,
            ahead: 0,
            unexplained: 0,
            excess: 0,
            short: 0,
            sought: 0,
            came: 0,
            late_run: 0,
            last_late: 0,
            depth: 0,
            delay: 0,
            frame: 1,
        })
    }

    /// Forgets everything, for a new call. Allocates and frees nothing.
    pub fn clear(&mut self) {
        self.start_over();
        self.voice.clear();
        self.varispeed.disengage();
        self.admission = Admission::default();
        self.reception = Reception::default();
        self.counters = Counters::default();
        self.clock = CardClock::new(self.origin);
        self.periods = Extremes::default();
        (self.unexplained, self.depth, self.delay) = (0, 0, 0);
    }

    /// Sets what the leg waits for.
    pub fn set_patience(&mut self, patience: Patience) {
        self.patience = patience;
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

    /// How long the fastest packets wait from their arrival until their first sample is given to the card, in
    /// samples.
    pub fn delay(&self) -> i64 {
        self.delay
    }

    /// How much longer the slowest packet that is waited for takes than the fastest, in samples.
    pub fn spread(&self) -> i64 {
        self.transits.range().map_or(0, |range| range.most - range.least)
    }

    /// By how many millionths the sender's clock is known to be slower than the card's.
    pub fn slower_ppm(&self) -> f64 {
        self.drift.slower().unwrap_or(0.0) * 1e6
    }

    /// Fills `out`, of any length, with what is to be heard from `now` on.
    pub fn pull(&mut self, now: Instant, out: &mut [f32]) {
        let wanted = length(out.len());
        let time = self.clock.pull(now, out.len());
        self.depth = self.waiting();
        self.periods.note(wanted);
        let mut silent = 0;
        if !self.playing {
            silent = self.begin(time, wanted);
        } else if self.is_far_behind(wanted) {
            self.leap(wanted);
        } else {
            self.steer(time);
        }
        self.sound(silent, out);
        self.counters.samples += out.len() as u64;
        self.periods.turn(self.counters.samples);
    }

    /// Fills `out`, through the resampler if that is engaged; what goes in begins with `silent` samples of silence.
    fn sound(&mut self, mut silent: usize, out: &mut [f32]) {
        if !self.varispeed.is_engaged() {
            return self.source(&mut silent, out);
        }
        for out in out.chunks_mut(STEP) {
            let mut input = [0.0; LONGEST_INPUT];
            let input = &mut input[..self.varispeed.needs(out.len())];
            self.source(&mut silent, input);
            self.varispeed.take(input);
            self.varispeed.play(out);
        }
    }

    /// The next samples as they were decoded or made up, after `silent` ones.
    fn source(&mut self, silent: &mut usize, input: &mut [f32]) {
        let (silence, sound) = input.split_at_mut((*silent).min(input.len()));
        *silent -= silence.len();
        self.fill(silence, |this, missing| this.voice.silence(missing));
        self.fill(sound, Self::refill);
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

    /// Samples that were decoded or made up, and not given to the card.
    fn unplayed(&self) -> i64 {
        length(self.voice.ready() + self.varispeed.held())
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
        (self.ahead, self.excess, self.short, self.sought) = (0, 0, 0, 0);
        (self.came, self.late_run) = (0, 0);
        self.next_sequence = i64::MIN;
        self.transits.clear();
        self.hold = Hold::default();
        self.drift.clear();
        self.bunches = Bunches::default();
    }
}

/// A number of samples as a distance on the time line.
fn length(samples: usize) -> i64 {
    i64::try_from(samples).unwrap_or(i64::MAX)
}
