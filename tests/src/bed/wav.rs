//! Sound in files, as samples of -1 to 1.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "sample counts and sample values, all far from the bounds of their types"
)]

use std::path::Path;

use hound::{SampleFormat, WavReader, WavSpec, WavWriter};

/// Samples per second that all of vox works in.
pub const RATE: u32 = 48_000;

/// Mono sound.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// Samples per second.
    pub rate: u32,
    /// The samples, -1 to 1.
    pub samples: Vec<f32>,
}

impl Recording {
    /// Reads a WAV file of 16-bit or floating samples; of several channels the first.
    pub fn read(path: &Path) -> Self {
        let mut reader = WavReader::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let spec = reader.spec();
        let all: Vec<f32> = match spec.sample_format {
            SampleFormat::Float => reader.samples::<f32>().map_while(Result::ok).collect(),
            SampleFormat::Int => {
                reader.samples::<i16>().map_while(Result::ok).map(|n| f32::from(n) / 32_768.0).collect()
            }
        };
        let samples = all.into_iter().step_by(usize::from(spec.channels)).collect();
        Self { rate: spec.sample_rate, samples }
    }

    /// Writes it as 16-bit mono.
    pub fn write(&self, path: &Path) {
        let spec = WavSpec {
            channels: 1,
            sample_rate: self.rate,
            bits_per_sample: 16,
            sample_format: SampleFormat::Int,
        };
        let mut writer = WavWriter::create(path, spec).expect("a private directory can be written");
        for sample in &self.samples {
            writer.write_sample(sixteen_bits(*sample)).expect("there is room on the disk");
        }
        writer.finalize().expect("there is room on the disk");
    }

    /// How long it lasts, in seconds.
    pub fn seconds(&self) -> f64 {
        self.samples.len() as f64 / f64::from(self.rate)
    }

    /// The same sound at 48,000 Hz, by straight lines between samples: good enough to be spoken and found again.
    #[must_use]
    pub fn at_48_khz(&self) -> Self {
        let step = f64::from(self.rate) / f64::from(RATE);
        let count = (self.samples.len() as f64 / step) as usize;
        let samples = (0..count).map(|n| self.between(n as f64 * step)).collect();
        Self { rate: RATE, samples }
    }

    /// Loudness of it all, as a root mean square.
    pub fn level(&self) -> f64 {
        let power: f64 = self.samples.iter().map(|sample| f64::from(*sample).powi(2)).sum();
        (power / self.samples.len().max(1) as f64).sqrt()
    }

    /// A piece of it, in seconds, cut where it ends.
    #[must_use]
    pub fn piece(&self, from: f64, length: f64) -> Self {
        let at = |seconds: f64| ((seconds * f64::from(self.rate)) as usize).min(self.samples.len());
        Self { rate: self.rate, samples: self.samples[at(from)..at(from + length)].to_vec() }
    }

    fn between(&self, place: f64) -> f32 {
        let left = place as usize;
        let sample = |n: usize| self.samples.get(n).copied().unwrap_or(0.0);
        let share = (place - left as f64) as f32;
        sample(left) * (1.0 - share) + sample(left + 1) * share
    }
}

fn sixteen_bits(sample: f32) -> i16 {
    (sample.clamp(-1.0, 1.0) * 32_767.0) as i16
}
