//! Takes out what is lower than any voice: rumble, that echo cancellation would have to learn.

use std::f32::consts::{FRAC_1_SQRT_2, TAU};

/// Where it is 3 dB less.
const HERTZ: f32 = 60.0;

/// A Butterworth high-pass of second order (R. Bristow-Johnson, "Cookbook formulae for audio EQ").
pub struct LowCut {
    gain: f32,
    feedback: [f32; 2],
    /// The last two samples in, and the last two out.
    before: [[f32; 2]; 2],
}

impl Default for LowCut {
    fn default() -> Self {
        let (sine, cosine) = (TAU * HERTZ / 48_000.0).sin_cos();
        let alpha = sine * FRAC_1_SQRT_2;
        let feedback = [-2.0 * cosine, 1.0 - alpha].map(|each| each / (1.0 + alpha));
        Self { gain: f32::midpoint(1.0, cosine) / (1.0 + alpha), feedback, before: [[0.0; 2]; 2] }
    }
}

impl LowCut {
    /// Works on what follows what it worked on before.
    pub fn work(&mut self, samples: &mut [f32]) {
        for sample in samples {
            let [x, y] = self.before;
            let out =
                self.gain * (*sample - 2.0 * x[0] + x[1]) - self.feedback[0] * y[0] - self.feedback[1] * y[1];
            self.before = [[*sample, x[0]], [out, y[0]]];
            *sample = out;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What becomes of a tone, in dB.
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    fn gain_db(hertz: f32) -> f32 {
        let mut tone: Vec<f32> = (0..48_000).map(|n| (TAU * hertz * n as f32 / 48_000.0).sin()).collect();
        LowCut::default().work(&mut tone);
        let power: f32 = tone[24_000..].iter().map(|sample| sample * sample).sum();
        10.0 * (power / 12_000.0).log10()
    }

    #[test]
    fn voices_pass_and_rumble_does_not() {
        for (hertz, least, most) in
            [(20.0, -22.0, -17.0), (60.0, -3.3, -2.7), (120.0, -0.5, 0.0), (1_000.0, -0.1, 0.1)]
        {
            let gain = gain_db(hertz);
            assert!((least..most).contains(&gain), "{hertz} Hz: {gain} dB");
        }
    }
}
