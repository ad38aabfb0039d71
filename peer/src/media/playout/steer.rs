//! The one controller of a leg: from when packets come and when they are played to how fast to play, and whether to
//! jump.
//!
//! A pull takes a whole period at once. A frame that begins in the middle of one is needed at its beginning, and the
//! sound before it could as well have been played earlier. Where both clocks run alike, each frame is led to begin
//! where a pull begins: the delay is then a multiple of the *grid* (what frame and period have in common) after the
//! arrival, and nothing needs to be resampled. Where they drift, every place in the period comes in turn, and waiting
//! a whole period is what keeps the delay the same.

use super::varispeed::AHEAD;
use crate::media::profile::Numbers;

/// The delay is brought where it belongs with a time constant of 2 s …
const GAIN: f64 = 0.5 / 48_000.0;

/// … by playing at most 0.1 % faster or slower …
const MOST: f64 = 0.001;

/// … unless it is off by 2 ms: then it jumps.
const JUMP: i64 = 96;

/// Delay is given back by a step of the grid when this (0.5 ms), or a sixteenth of the spread, is left over.
const GUARD: i64 = 24;

/// Clocks that drift are never known exactly: 0.25 ms more than is needed then.
const SPARE: i64 = 12;

/// Steps of the grid below 0.5 ms are not worth a place of their own.
const FINEST: i64 = 24;

/// What one leg waits for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Patience {
    /// The share of packets that is waited for.
    pub quantile: f64,
    /// How long an arrival is remembered, in samples.
    pub window: i64,
    /// The fastest packets wait at least so many samples …
    pub least: i64,
    /// … and at most so many.
    pub most: i64,
}

impl Patience {
    /// Waits as a profile says, and `least` samples at least.
    pub fn of(numbers: &Numbers, least: u32) -> Self {
        let samples = |span: std::time::Duration| i64::try_from(span.as_micros() * 48 / 1_000).unwrap_or(0);
        let least = samples(numbers.least_delay).max(i64::from(least));
        let window = samples(numbers.release);
        Self { quantile: numbers.quantile, window, least, most: samples(numbers.most_delay).max(least) }
    }
}

/// Where a leg stands when a pull begins; all in samples of the card's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stand {
    /// What is played now would have been played with no delay at all so long ago, up to the same constant as in
    /// transit times.
    pub(super) delay: i64,
    /// The delay without which packets are late.
    pub(super) needed: i64,
    /// By how much the slowest packets that are waited for are slower than the fastest.
    pub(super) spread: i64,
    /// From here to where a frame begins, or several that come together.
    pub(super) to_frame: i64,
    /// Samples in what comes together.
    pub(super) frame: i64,
    /// Whether that is known already.
    pub(super) is_known: bool,
    /// Samples in a pull, the longest of late.
    pub(super) period: i64,
    /// Whether all pulls have been as long.
    pub(super) steady: bool,
    /// Whether sound already goes through the resampler.
    pub(super) engaged: bool,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Course {
    /// The delay is too long by so much; too short where it is negative.
    pub(super) excess: i64,
    /// How fast to play.
    pub(super) speed: f64,
    /// Whether the excess is too much for the speed.
    pub(super) jumps: bool,
}

impl Stand {
    /// Decides. `slower` is the share by which the sender's clock is known to be slower than the card's.
    pub(super) fn course(&self, slower: Option<f64>) -> Course {
        let grid = common_divisor(self.frame, self.period);
        let excess = match slower {
            None if self.steady && grid >= FINEST => self.excess_on(grid),
            _ => self.delay - self.needed - self.period - AHEAD_I - SPARE,
        };
        let jumps = excess.abs() >= JUMP || (excess < 0 && !self.engaged);
        #[expect(clippy::cast_precision_loss, reason = "at most a second")]
        let correction = if jumps || excess.abs() <= 1 { 0.0 } else { GAIN * excess as f64 };
        let speed = 1.0 - slower.unwrap_or(0.0) + correction.clamp(-MOST, MOST);
        Course { excess, speed, jumps }
    }

    /// The excess over the nearest place on the grid that does.
    fn excess_on(&self, grid: i64) -> i64 {
        let off = self.to_frame.rem_euclid(grid);
        let spare = self.delay - off - (self.needed + self.period - grid);
        let is_right = (0..grid + GUARD.max(self.spread / 16)).contains(&spare) || !self.is_known;
        let steps = if is_right { 0 } else { spare.div_euclid(grid) };
        let held = if self.engaged || off > 0 { AHEAD_I } else { 0 };
        off - held + steps * grid
    }
}

const AHEAD_I: i64 = AHEAD.cast_signed() as i64;

fn common_divisor(one: i64, other: i64) -> i64 {
    let (mut one, mut other) = (one.max(1), other.max(1));
    while other != 0 {
        (one, other) = (other, one % other);
    }
    one
}
