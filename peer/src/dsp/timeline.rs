//! Where a card's samples lie in time.
//!
//! The times at which blocks come jitter, and the card's rate is not quite ours. A line through those times follows both
//! (F. Adriaensen, "Using a DLL to filter time", LAC 2005), quickly at first and then ever more slowly.

use std::f64::consts::{SQRT_2, TAU};
use std::time::{Duration, Instant};

/// Samples per second of a card whose clock agrees with ours.
const RATE: f64 = 48_000.0;

/// No card is faster or slower than this share.
const MOST_DRIFT: f64 = 1e-3;

/// The loop's bandwidth in hertz at first …
const QUICK: f64 = 1.0;

/// … and when it has seen half a minute: what is left of a jitter of 0.2 ms is a third of a sample.
const STEADY: f64 = 0.03;

/// A block that is off by more seconds does not count, …
const STRAY: f64 = 0.001;

/// … unless so many in a row are, to the same side, …
const SURE: usize = 4;

/// … for so many seconds: then samples were lost or found.
const SURE_AFTER: f64 = 0.02;

/// Blocks of which that can be said at most.
const MOST_STRAYS: usize = 32;

/// Or unless it is off by so much.
const GAP: f64 = 0.1;

/// The line of one card. Its samples are numbered from 0 in the order in which they came.
#[derive(Debug, Clone)]
pub struct Timeline {
    origin: Option<Instant>,
    /// The number of the sample that comes next.
    next: u64,
    /// When it is due, in seconds after the origin.
    due: f64,
    /// Seconds from sample to sample.
    step: f64,
    /// Seconds since the line was begun.
    seen: f64,
    /// By how many seconds each block is off that did not count, since one did.
    strays: heapless::Vec<f64, MOST_STRAYS>,
}

impl Default for Timeline {
    fn default() -> Self {
        Self { origin: None, next: 0, due: 0.0, step: 1.0 / RATE, seen: 0.0, strays: heapless::Vec::new() }
    }
}

impl Timeline {
    /// A block of samples, of which the first lies at `when`. Tells by how many samples the card has jumped: 0 as long
    /// as none are lost.
    pub fn note(&mut self, when: Instant, samples: usize) -> i64 {
        let origin = *self.origin.get_or_insert(when);
        let error = seconds(origin, when) - self.due;
        let jump = self.jump(error, span(samples));
        if let Some(jump) = jump {
            self.due += jump;
            self.seen = 0.0;
        } else if error.abs() <= STRAY {
            self.follow(error, span(samples));
        }
        self.next += samples as u64;
        self.due += span(samples) * RATE * self.step;
        self.seen += span(samples);
        whole(jump.unwrap_or(0.0) * RATE)
    }

    /// Samples so far.
    pub fn count(&self) -> u64 {
        self.next
    }

    /// Which sample lies at this time, and where between it and the next; it may be one that never was, or is yet to
    /// come. `None`: nothing has come.
    pub fn sample_at(&self, when: Instant) -> Option<f64> {
        Some(count(self.next) + (seconds(self.origin?, when) - self.due) / self.step)
    }

    /// When this sample lies. `None`: nothing has come.
    pub fn time_of(&self, sample: u64) -> Option<Instant> {
        let after = self.due + (count(sample) - count(self.next)) * self.step;
        let (origin, span) = (self.origin?, Duration::from_secs_f64(after.abs()));
        if after < 0.0 { origin.checked_sub(span) } else { Some(origin + span) }
    }

    /// By how many seconds the card has jumped, if that is sure by now.
    fn jump(&mut self, error: f64, span: f64) -> Option<f64> {
        self.remember(error);
        let jump = if error.abs() > GAP { error } else { self.agreed(span)? };
        self.strays.clear();
        Some(jump)
    }

    fn remember(&mut self, error: f64) {
        let turned = self.strays.last().is_some_and(|last| last * error < 0.0);
        if turned || error.abs() <= STRAY {
            self.strays.clear();
        }
        if error.abs() > STRAY {
            // Never full: before that they have agreed.
            let _ = self.strays.push(error);
        }
    }

    /// What the strays agree on, once they are enough.
    fn agreed(&mut self, span: f64) -> Option<f64> {
        let strays = self.strays.len();
        let are_many = strays >= SURE && count(strays as u64) * span >= SURE_AFTER;
        (are_many || self.strays.is_full()).then(|| middle(&mut self.strays))
    }

    /// A second-order loop with a damping of 0.7.
    fn follow(&mut self, error: f64, span: f64) {
        let omega = TAU * (1.0 / (1.0 + self.seen)).clamp(STEADY, QUICK) * span;
        self.due += SQRT_2 * omega * error;
        let step = self.step + omega * omega * error / (span * RATE);
        self.step = step.clamp((1.0 - MOST_DRIFT) / RATE, (1.0 + MOST_DRIFT) / RATE);
    }
}

/// Of at least one.
fn middle(errors: &mut [f64]) -> f64 {
    errors.sort_unstable_by(f64::total_cmp);
    errors[errors.len() / 2]
}

fn seconds(from: Instant, to: Instant) -> f64 {
    match to.checked_duration_since(from) {
        Some(span) => span.as_secs_f64(),
        None => -from.duration_since(to).as_secs_f64(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a block has thousands of samples at most")]
fn span(samples: usize) -> f64 {
    samples as f64 / RATE
}

#[expect(clippy::cast_precision_loss, reason = "exact for thousands of years")]
fn count(sample: u64) -> f64 {
    sample as f64
}

#[expect(clippy::cast_possible_truncation, reason = "a cast of a float saturates")]
fn whole(samples: f64) -> i64 {
    samples.round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds to the end of so many blocks of 10 ms from a card that is fast by `ppm`, each up to `jitter` late.
    struct Card {
        line: Timeline,
        begun: Instant,
        at: f64,
        dice: u32,
    }

    impl Card {
        fn new() -> Self {
            let begun = vox_common::sys::clock::now();
            Self { line: Timeline::default(), begun, at: 0.0, dice: 1 }
        }

        fn run(&mut self, blocks: usize, ppm: f64, jitter: f64) {
            for _ in 0..blocks {
                self.dice = self.dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let late = f64::from(self.dice >> 8) / f64::from(1 << 24) * jitter;
                self.line.note(self.begun + Duration::from_secs_f64(self.at + late), 480);
                self.at += 0.01 / (1.0 + ppm * 1e-6);
            }
        }

        /// By how many samples the line is off now.
        fn error(&self) -> f64 {
            let now = self.begun + Duration::from_secs_f64(self.at);
            self.line.sample_at(now).expect("something came") - count(self.line.count())
        }
    }

    #[test]
    fn a_card_that_drifts_is_followed_to_the_sample() {
        for ppm in [-300.0, 0.0, 200.0, 300.0] {
            let mut card = Card::new();
            card.run(300, ppm, 0.0);
            assert!(card.error().abs() < 3.0, "{ppm} ppm after 3 s: {}", card.error());
            card.run(1_700, ppm, 0.0);
            assert!(card.error().abs() < 0.5, "{ppm} ppm after 20 s: {}", card.error());
        }
    }

    #[test]
    fn jitter_is_smoothed() {
        let mut card = Card::new();
        card.run(3_000, 100.0, 400e-6);
        let mut errors = Vec::new();
        for _ in 0..500 {
            card.run(1, 100.0, 400e-6);
            errors.push(card.error());
        }
        let (least, most) = errors.iter().fold((f64::MAX, f64::MIN), |(a, b), e| (a.min(*e), b.max(*e)));
        assert!(most - least < 1.5, "between {least} and {most} samples in 5 s");
    }

    #[test]
    fn one_late_block_does_not_count_and_lost_samples_do() {
        let mut card = Card::new();
        card.run(1_000, 0.0, 0.0);
        let late = card.begun + Duration::from_secs_f64(card.at + 0.03);
        assert_eq!(card.line.note(late, 480), 0, "late by 30 ms");
        card.at += 0.01;
        card.run(10, 0.0, 0.0);
        assert!(card.error().abs() < 0.1, "{}", card.error());
        for lost in [0.02, 0.0025] {
            card.at += lost;
            card.run(6, 0.0, 0.0);
            assert!(card.error().abs() < 1.0, "{lost} s were lost: {}", card.error());
        }
        let much_later = card.begun + Duration::from_secs_f64(card.at + 5.0);
        assert_eq!(card.line.note(much_later, 480), 240_000);
    }

    #[test]
    fn a_sample_has_its_time_and_a_time_its_sample() {
        let mut card = Card::new();
        assert_eq!((card.line.sample_at(card.begun), card.line.time_of(0)), (None, None));
        card.run(100, 0.0, 0.0);
        let time = card.line.time_of(24_000).expect("something came");
        assert!(seconds(card.begun + Duration::from_millis(500), time).abs() < 1e-6);
        assert!((card.line.sample_at(time).expect("something came") - 24_000.0).abs() < 0.01);
    }
}
