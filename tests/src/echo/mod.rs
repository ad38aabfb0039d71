//! Echo on paper: a simulated room and two sound cards around the real chain of `dsp`, on injected time.

pub mod cards;
pub mod measure;
pub mod room;

use vox_peer::dsp::tasks::Tasks;

use crate::voice::speech::sentences;

/// Samples in a second.
pub const SECOND: usize = 48_000;

/// Echo cancellation alone.
pub const ECHO: Tasks = Tasks { echo_cancel: true, ..Tasks::NONE };

/// Samples by which it delays the sound, beside the wait for whole frames.
pub const ECHO_DELAY: usize = 430;

/// Noise suppression alone.
pub const NOISE: Tasks = Tasks { noise_suppress: true, ..Tasks::NONE };

/// The same for noise suppression.
pub const NOISE_DELAY: usize = 334;

/// Gain control alone.
pub const GAIN: Tasks = Tasks { gain_control: true, ..Tasks::NONE };

/// Alice and bob, each saying a sentence over and over for so many seconds.
pub fn alice_and_bob(seconds: usize) -> [Vec<f32>; 2] {
    sentences().map(|sentence| sentence.spoken.into_iter().cycle().take(seconds * SECOND).collect())
}

/// Seeded white noise of this level (root mean square).
pub fn noise(seed: u32, level: f32, samples: usize) -> Vec<f32> {
    let mut dice = Dice(seed);
    #[expect(clippy::cast_possible_truncation, reason = "24 bits")]
    let mut uniform = || (2.0 * dice.roll() - 1.0) as f32;
    std::iter::repeat_with(|| uniform() * level * 3_f32.sqrt()).take(samples).collect()
}

/// A small generator (the linear congruential one of Numerical Recipes).
struct Dice(u32);

impl Dice {
    /// 0 to 1, 1 excluded.
    fn roll(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(self.0 >> 8) / f64::from(1 << 24)
    }
}

/// By how many dB the echo is less in a stretch of seconds (ITU-T G.168: echo return loss enhancement).
pub fn erle(air: &[f32], sent: &[f32], from: usize, to: usize) -> f64 {
    let of = |sound: &[f32], delay: usize| measure::db(&sound[from * SECOND + delay..to * SECOND + delay]);
    of(air, 0) - of(sent, ECHO_DELAY)
}

/// Two sounds at once.
pub fn mixed(one: &[f32], other: &[f32]) -> Vec<f32> {
    one.iter().zip(other).map(|(a, b)| a + b).collect()
}
