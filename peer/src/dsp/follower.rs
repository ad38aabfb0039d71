//! Plays the reference again at the pace of the microphone's card: the drift between the two cards is resampled away.

use super::FRAME;
use super::reference::Reference;
use crate::media::playout::varispeed::{BEHIND, LONGEST_INPUT, Varispeed};

/// Further from where it should be than so many samples (half a millisecond), it jumps there.
const FAR: f64 = 24.0;

/// As much faster or slower it may be than the card that it follows.
const MOST_CORRECTION: f64 = 1e-3;

/// Where in the reference we are.
pub struct Follower {
    varispeed: Varispeed,
    /// The number of the sample that is taken in next. `None`: nowhere yet.
    next: Option<i64>,
}

impl Default for Follower {
    fn default() -> Self {
        Self { varispeed: Varispeed::new(), next: None }
    }
}

impl Follower {
    /// Fills `out` with the reference from sample `from` to sample `to`: where it begins is followed smoothly, unless
    /// that is far from where the frame before has ended.
    pub fn play(&mut self, reference: &Reference, from: f64, to: f64, out: &mut [f32; FRAME]) {
        let at = self.position().filter(|at| (at - from).abs() < FAR);
        let at = at.unwrap_or_else(|| self.jump(reference, from));
        #[expect(clippy::cast_precision_loss, reason = "a frame is short")]
        let speed = (to - at) / FRAME as f64;
        self.varispeed.set_speed(speed.clamp(1.0 - MOST_CORRECTION, 1.0 + MOST_CORRECTION));
        self.take(reference);
        self.varispeed.play(out);
    }

    /// Silence has no place in the reference.
    pub fn forget(&mut self) {
        self.next = None;
    }

    /// The place of the next sample that is played.
    #[expect(clippy::cast_precision_loss, reason = "exact for thousands of years")]
    fn position(&self) -> Option<f64> {
        self.next.map(|next| next as f64 - self.varispeed.held_exactly())
    }

    fn jump(&mut self, reference: &Reference, to: f64) -> f64 {
        #[expect(clippy::cast_possible_truncation, reason = "a cast of a float saturates")]
        let next = to.round() as i64;
        let mut past = [0.0; BEHIND];
        reference.copy(next - BEHIND.cast_signed() as i64, &mut past);
        self.varispeed.engage(&past);
        self.next = Some(next);
        to.round()
    }

    fn take(&mut self, reference: &Reference) {
        let mut input = [0.0; LONGEST_INPUT];
        let needed = self.varispeed.needs(FRAME).min(LONGEST_INPUT);
        if let Some(next) = &mut self.next {
            reference.copy(*next, &mut input[..needed]);
            *next += needed.cast_signed() as i64;
        }
        self.varispeed.take(&input[..needed]);
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;
    use std::time::{Duration, Instant};

    use super::*;

    /// Samples of a sine of 1 kHz, the first of them at this place.
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "samples")]
    fn sine(from: f64, speed: f64) -> [f32; FRAME] {
        std::array::from_fn(|k| (TAU * 1_000.0 * (from + k as f64 * speed) / 48_000.0).sin() as f32)
    }

    fn given(reference: &mut Reference, begun: Instant, frame: u32) {
        let when = begun + Duration::from_millis(10 * u64::from(frame));
        reference.push(when, &sine(f64::from(frame * 480), 1.0));
    }

    fn off(played: &[f32; FRAME], wanted: &[f32; FRAME]) -> f32 {
        played.iter().zip(wanted).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    }

    #[test]
    fn the_reference_is_played_where_it_should_be_at_all_speeds() {
        for speed in [0.999_5, 1.0, 1.000_2] {
            let begun = vox_common::sys::clock::now();
            let (mut reference, mut follower) = (Reference::default(), Follower::default());
            let mut from = 100.3;
            for frame in 0..300 {
                given(&mut reference, begun, frame);
                if frame < 2 {
                    continue;
                }
                let (mut out, to) = ([0.0; FRAME], from + 480.0 * speed);
                follower.play(&reference, from, to, &mut out);
                let off = off(&out, &sine(from, speed));
                assert!(frame < 5 || off < 0.005, "off by {off} at speed {speed} in frame {frame}");
                from = to;
            }
        }
    }

    #[test]
    fn it_jumps_where_the_cards_have_jumped() {
        let begun = vox_common::sys::clock::now();
        let (mut reference, mut follower) = (Reference::default(), Follower::default());
        (0..40).for_each(|frame| given(&mut reference, begun, frame));
        let mut out = [0.0; FRAME];
        for from in [1_000.0, 1_480.0, 9_000.0, 4_000.0] {
            follower.play(&reference, from, from + 480.0, &mut out);
            let off = off(&out, &sine(from, 1.0));
            assert!(off < 0.005, "off by {off} from {from} on");
        }
    }
}
