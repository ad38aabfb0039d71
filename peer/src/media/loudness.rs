//! How loud: volume without clicks, mixing without wrapping, and a meter.

/// A change of volume takes this many samples (5 ms) from silence to full.
const RAMP_SAMPLES: f32 = 240.0;

/// The meter's silence, in dBFS.
pub const SILENCE_DB: f64 = -96.0;

/// A factor that walks to where it is wanted instead of jumping there.
#[derive(Debug, Clone, Copy)]
pub struct Gain {
    factor: f32,
    wanted: f32,
}

impl Gain {
    /// Starts at `percent` (100 changes nothing) without a ramp.
    pub fn new(percent: u8) -> Self {
        let factor = f32::from(percent) / 100.0;
        Self { factor, wanted: factor }
    }

    /// Walks to `percent` from the next sample on; 0 is mute.
    pub fn set(&mut self, percent: u8) {
        self.wanted = f32::from(percent) / 100.0;
    }

    /// Whether everything that comes out is silence.
    pub fn is_silent(&self) -> bool {
        self.factor == 0.0 && self.wanted == 0.0
    }

    /// Makes `samples` as loud as wanted.
    pub fn apply(&mut self, samples: &mut [f32]) {
        for sample in samples {
            let step = (self.wanted - self.factor).clamp(-1.0 / RAMP_SAMPLES, 1.0 / RAMP_SAMPLES);
            self.factor += step;
            *sample *= self.factor;
        }
    }
}

/// Adds `part` to `sum`, sample by sample.
pub fn mix(sum: &mut [f32], part: &[f32]) {
    for (sum, part) in sum.iter_mut().zip(part) {
        *sum += part;
    }
}

/// Holds samples within −1 to 1. What is not a number becomes silence.
pub fn saturate(samples: &mut [f32]) {
    for sample in samples {
        *sample = if sample.is_finite() { sample.clamp(-1.0, 1.0) } else { 0.0 };
    }
}

/// Mean power over about the last 300 ms.
#[derive(Debug, Clone, Copy, Default)]
pub struct Meter {
    power: f64,
}

impl Meter {
    /// Time constant in samples: 100 ms.
    const SAMPLES: f64 = 4_800.0;

    /// Takes note of samples.
    pub fn note(&mut self, samples: &[f32]) {
        if samples.is_empty() {
            return;
        }
        #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
        let count = samples.len() as f64;
        let power = samples.iter().map(|&sample| f64::from(sample * sample)).sum::<f64>() / count;
        let weight = (count / Self::SAMPLES).min(1.0);
        self.power += weight * (power - self.power);
    }

    /// In dBFS, where a square wave at full scale is 0; never below [`SILENCE_DB`].
    pub fn db(&self) -> f64 {
        (10.0 * self.power.log10()).max(SILENCE_DB)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn muting_takes_five_milliseconds_and_never_jumps() {
        let mut gain = Gain::new(100);
        gain.set(0);
        let mut samples = [1.0; 480];
        gain.apply(&mut samples);
        assert!(samples.windows(2).all(|pair| (pair[0] - pair[1]).abs() < 0.005));
        assert!(samples[238] > 0.0 && samples[245] == 0.0 && gain.is_silent());
    }

    #[test]
    fn the_meter_reads_full_scale_and_silence() {
        let mut meter = Meter::default();
        assert!((meter.db() - SILENCE_DB).abs() < 0.01);
        (0..200).for_each(|_| meter.note(&[0.1; 480]));
        assert!((meter.db() + 20.0).abs() < 0.1);
    }

    #[test]
    fn sums_stay_within_full_scale() {
        let mut sum = [0.7, -0.7, f32::NAN, 0.1];
        mix(&mut sum, &[0.7, -0.7, 0.0, 0.1]);
        saturate(&mut sum);
        let wanted = [1.0, -1.0, 0.0, 0.2];
        assert!(sum.iter().zip(wanted).all(|(sum, wanted): (&f32, f32)| (sum - wanted).abs() < 1e-6));
    }
}
