//! Finding in what was heard what was spoken: delays by correlation, drop-outs, tones.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "sample counts and sample values, all far from the bounds of their types"
)]

use std::time::Duration;

use super::timeline::Timeline;
use super::wav::{RATE, Recording};

/// A chirp: 20 ms that rise from 800 to 4,000 Hz, found again to the sample even after a codec.
pub fn chirp() -> Vec<f32> {
    let length = RATE as usize / 50;
    (0..length)
        .map(|n| {
            let (t, whole) = (n as f64 / f64::from(RATE), length as f64 / f64::from(RATE));
            let phase = std::f64::consts::TAU * (800.0 * t + 3_200.0 * t * t / (2.0 * whole));
            let window = (std::f64::consts::PI * n as f64 / length as f64).sin();
            (0.5 * window * phase.sin()) as f32
        })
        .collect()
}

/// A chirp every half second.
pub fn chirps(seconds: u32) -> Recording {
    let mut samples = vec![0.0; (seconds * RATE) as usize];
    let chirp = chirp();
    for second_half in samples.chunks_mut(RATE as usize / 2) {
        second_half[..chirp.len()].copy_from_slice(&chirp);
    }
    Recording { rate: RATE, samples }
}

/// As [`chirps`], over a soft hum that is never silent: a hole in it is a hole.
pub fn chirps_and_hum(seconds: u32) -> Recording {
    let mut recording = chirps(seconds);
    for (n, sample) in recording.samples.iter_mut().enumerate() {
        // A whole number of periods in a second, so that it goes on without a step when it begins again.
        let phase = std::f64::consts::TAU * 300.0 * n as f64 / f64::from(RATE);
        *sample += (0.05 * phase.sin()) as f32;
    }
    recording
}

/// Mouth-to-ear delays in milliseconds: for each chirp that was spoken at a multiple of half a second, how long
/// after it was heard. Chirps that were not heard within 200 ms are left out.
pub fn chirp_delays(spoken: &Recording, heard: &Recording) -> Vec<f64> {
    let chirp = chirp();
    let half = RATE as usize / 2;
    let places = (0..spoken.samples.len().min(heard.samples.len())).step_by(half);
    places
        .filter_map(|place| chirp_delay(&chirp, spoken.samples.get(place..)?, heard.samples.get(place..)?))
        .collect()
}

/// As [`chirp_delays`], between two cards whose clocks differ, for chirps from `from` of the microphone's seconds on: when
/// each was spoken, in those seconds, and the delay. Chirps that were not heard within 400 ms are left out.
pub fn chirp_delays_between(
    mouth: &Timeline,
    heard: &Recording,
    ear: &Timeline,
    from: f64,
) -> Vec<(f64, f64)> {
    let chirp = chirp();
    let halves = (0_u32..).map(|half| from.ceil() + f64::from(half) / 2.0);
    let within = halves.take_while(|at| ear.second_at(mouth.time_of(*at)) < heard.seconds());
    within.filter_map(|at| Some((at, heard_later(&chirp, mouth.time_of(at), heard, ear)?))).collect()
}

/// How many milliseconds after this time the chirp was heard.
fn heard_later(chirp: &[f32], spoken: f64, heard: &Recording, ear: &Timeline) -> Option<f64> {
    const WITHIN: usize = 2 * RATE as usize / 5;
    let start = (ear.second_at(spoken).max(0.0) * f64::from(RATE)) as usize;
    let (place, likeness) = find(chirp, heard.samples.get(start..start + WITHIN + chirp.len())?);
    let played = ear.time_of((start + place) as f64 / f64::from(RATE));
    (likeness > 0.6).then_some((played - spoken) * 1e3)
}

fn chirp_delay(chirp: &[f32], spoken: &[f32], heard: &[f32]) -> Option<f64> {
    const WITHIN: usize = RATE as usize / 5;
    let was_spoken = likeness(chirp, spoken) > 0.9;
    let window = heard.get(..WITHIN + chirp.len())?;
    let (place, best) = best_place(chirp, window);
    (was_spoken && best > 0.6).then(|| milliseconds(place))
}

/// How many milliseconds after it was spoken something was heard, up to half a second, and how alike the two are, 0
/// to 1. Each recording comes with the time of its first sample. `None`: it is not in there.
pub fn delay_of(
    spoken: &Recording,
    spoken_from: Duration,
    heard: &Recording,
    heard_from: Duration,
) -> Option<(f64, f64)> {
    let ahead = (heard_from.as_secs_f64() - spoken_from.as_secs_f64()) * f64::from(RATE);
    let pattern = loudest_second(&spoken.samples)?;
    let from = pattern.start as f64 - ahead;
    let start = usize::try_from(from.max(0.0) as u64).ok()?;
    let end = (start + pattern.len() + RATE as usize / 2).min(heard.samples.len());
    let (place, likeness) = find(&spoken.samples[pattern], heard.samples.get(start..end)?);
    let samples = (start + place) as f64 - from;
    (likeness > 0.1).then_some((samples * 1000.0 / f64::from(RATE), likeness))
}

/// Coarse first, every sixth sample, then to the sample around it.
fn find(pattern: &[f32], window: &[f32]) -> (usize, f64) {
    const STEP: usize = 6;
    let (coarse, _) = best_place(&thinned(pattern, STEP), &thinned(window, STEP));
    let from = (coarse * STEP).saturating_sub(2 * STEP);
    let to = (from + 4 * STEP + pattern.len()).min(window.len());
    let (fine, likeness) = best_place(pattern, &window[from..to]);
    (from + fine, likeness)
}

/// Averages of `step` samples: a filter good enough before leaving the rest out.
fn thinned(samples: &[f32], step: usize) -> Vec<f32> {
    samples.chunks_exact(step).map(|chunk| chunk.iter().sum::<f32>() / step as f32).collect()
}

fn loudest_second(samples: &[f32]) -> Option<std::ops::Range<usize>> {
    let second = RATE as usize;
    let starts = (0..samples.len().checked_sub(second)?).step_by(second / 4);
    let power = |start: &usize| samples[*start..*start + second].iter().map(|s| s * s).sum::<f32>();
    let loudest = starts.max_by(|a, b| power(a).total_cmp(&power(b)))?;
    (power(&loudest) > 1.0).then_some(loudest..loudest + second)
}

/// Where in the window the pattern fits best, and how well, 0 to 1.
fn best_place(pattern: &[f32], window: &[f32]) -> (usize, f64) {
    let last = window.len().saturating_sub(pattern.len());
    let fits = (0..=last).map(|place| (place, likeness(pattern, &window[place..])));
    fits.max_by(|(_, a), (_, b)| a.total_cmp(b)).unwrap_or((0, 0.0))
}

/// The normalized correlation of a pattern with the beginning of other samples: 1 for the same at any loudness.
fn likeness(pattern: &[f32], samples: &[f32]) -> f64 {
    let (mut cross, mut ours, mut theirs) = (0.0_f32, 1e-9_f32, 1e-9_f32);
    for (a, b) in pattern.iter().zip(samples) {
        cross += a * b;
        ours += a * a;
        theirs += b * b;
    }
    f64::from(cross) / f64::from(ours * theirs).sqrt()
}

/// The share of a tone of this frequency in the power of the sound, 0 to 1: the middle of many short looks, because a
/// lost packet moves the phase.
pub fn tone_share(heard: &Recording, frequency: f64) -> f64 {
    let look = heard.rate as usize / 20;
    let shares: Vec<f64> =
        heard.samples.chunks_exact(look).map(|samples| share(samples, frequency, heard.rate)).collect();
    quantile(&shares, 0.5)
}

fn share(samples: &[f32], frequency: f64, rate: u32) -> f64 {
    let (mut re, mut im, mut power) = (0.0, 0.0, 1e-12);
    for (n, sample) in samples.iter().enumerate() {
        let phase = std::f64::consts::TAU * frequency * n as f64 / f64::from(rate);
        let sample = f64::from(*sample);
        re += sample * phase.cos();
        im += sample * phase.sin();
        power += sample * sample;
    }
    2.0 * (re * re + im * im) / (samples.len().max(1) as f64 * power)
}

/// Stretches of silence of at least `least` samples inside a sound that should have none: where they begin.
pub fn silences(heard: &Recording, least: usize) -> Vec<usize> {
    let mut found = Vec::new();
    let mut length = 0;
    for (n, sample) in heard.samples.iter().enumerate() {
        length = if sample.abs() < 2e-4 { length + 1 } else { 0 };
        if length == least {
            found.push(n + 1 - least);
        }
    }
    found
}

/// The middle of some numbers, or what `share` of them (0 to 1) do not exceed.
pub fn quantile(numbers: &[f64], share: f64) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = (share * sorted.len().saturating_sub(1) as f64).round() as usize;
    sorted.get(place).copied().unwrap_or(f64::NAN)
}

fn milliseconds(samples: usize) -> f64 {
    samples as f64 * 1000.0 / f64::from(RATE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn later(recording: &Recording, samples: usize) -> Recording {
        let silence = std::iter::repeat_n(0.0, samples);
        let heard = silence.chain(recording.samples.iter().map(|s| s * 0.5)).take(recording.samples.len());
        Recording { rate: RATE, samples: heard.collect() }
    }

    #[test]
    fn a_chirp_is_found_to_the_sample() {
        let spoken = chirps(3);
        let delays = chirp_delays(&spoken, &later(&spoken, 720));
        assert!(delays.len() >= 4);
        assert!(delays.iter().all(|delay| (delay - 15.0).abs() < 0.03), "{delays:?}");
    }

    #[test]
    fn speech_is_found_again() {
        let mut seed = 1_u32;
        let mut noise = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f64::from(seed >> 8) / f64::from(1 << 24) - 0.5
        };
        // Noise held for twelve samples each: as narrow as speech.
        let samples =
            (0..RATE as usize * 3 / 12).flat_map(|_| std::iter::repeat_n(noise() as f32, 12)).collect();
        let spoken = Recording { rate: RATE, samples };
        let (at, later_at) = (Duration::from_secs(7), Duration::from_millis(7010));
        let heard = later(&spoken, 1234);
        for (began, extra) in [(at, 0.0), (later_at, 10.0)] {
            let (delay, likeness) = delay_of(&spoken, at, &heard, began).expect("it is there");
            assert!((delay - 1234.0 / 48.0 - extra).abs() < 0.03 && likeness > 0.9, "{delay} ms, {likeness}");
        }
    }

    #[test]
    fn a_tone_is_told_from_another() {
        let samples = (0..RATE)
            .map(|n| (f64::from(n) * std::f64::consts::TAU * 440.0 / 48_000.0).sin() as f32)
            .collect();
        let heard = Recording { rate: RATE, samples };
        assert!(tone_share(&heard, 440.0) > 0.99);
        assert!(tone_share(&heard, 660.0) < 0.05);
    }
}
