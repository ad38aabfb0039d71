//! Real speech at 48 kHz.

use crate::bed::need;
use crate::bed::wav::Recording;

/// Three samples for one: 16 kHz to 48 kHz.
const TIMES: usize = 3;

/// Samples of 16 kHz on each side that a sample in between is made of.
const REACH: isize = 24;

/// Pause after a sentence, in samples of 16 kHz: half a second.
const PAUSE: usize = 8_000;

/// A sentence.
pub struct Sentence {
    /// As it was recorded, at 16 kHz.
    pub recorded: Recording,
    /// As it is spoken, at 48 kHz, with a pause after it.
    pub spoken: Vec<f32>,
}

/// The sentences of tests/speech.
///
/// # Panics
/// They are not there, or not at 16 kHz.
pub fn sentences() -> [Sentence; 2] {
    ["alice", "bob"].map(|name| {
        let recorded = Recording::read(&need::top().join(format!("tests/speech/{name}.wav")));
        assert_eq!(recorded.rate, 16_000, "{name}.wav");
        let spoken = upsampled(&[recorded.samples.clone(), vec![0.0; PAUSE]].concat());
        Sentence { recorded, spoken }
    })
}

/// Band-limited interpolation: a windowed sinc, so that nothing above 8 kHz costs the codec bits.
fn upsampled(samples: &[f32]) -> Vec<f32> {
    let weights: Vec<Vec<f32>> = (0..TIMES).map(weights).collect();
    let at = |place: isize| usize::try_from(place).ok().and_then(|place| samples.get(place)).unwrap_or(&0.0);
    let between = |n: usize| {
        let left = (n / TIMES).cast_signed();
        let around = (left - REACH + 1..=left + REACH).zip(&weights[n % TIMES]);
        around.map(|(place, weight)| at(place) * weight).sum()
    };
    (0..TIMES * samples.len()).map(between).collect()
}

/// What each sample around counts for at so many thirds after the left one.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "small numbers")]
fn weights(thirds: usize) -> Vec<f32> {
    let weight = |place: isize| {
        let distance = place as f64 - thirds as f64 / TIMES as f64;
        let window = (std::f64::consts::FRAC_PI_2 * distance / REACH as f64).cos().powi(2);
        let angle = std::f64::consts::PI * distance;
        (if angle.abs() < 1e-9 { 1.0 } else { angle.sin() / angle } * window) as f32
    };
    (1 - REACH..=REACH).map(weight).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    fn a_tone_stays_the_tone_that_it_was() {
        let tone = |rate: f32| move |n: usize| (n as f32 * std::f32::consts::TAU * 3_000.0 / rate).sin();
        let up = upsampled(&(0..1_600).map(tone(16_000.0)).collect::<Vec<_>>());
        let wanted: Vec<f32> = (0..4_800).map(tone(48_000.0)).collect();
        let furthest = up[300..4_500].iter().zip(&wanted[300..]).map(|(a, b)| (a - b).abs());
        assert!(furthest.fold(0.0, f32::max) < 0.002);
    }
}
