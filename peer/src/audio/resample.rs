//! Any rate to ours, for files. Not on a real-time thread.

use rubato::audioadapter_buffers::direct::SequentialSlice;
use rubato::{Async, FixedAsync, Resampler, SincInterpolationParameters, WindowFunction};

use super::RATE;

/// Input frames per step.
const STEP: usize = 256;

/// Length of the filter: no alias that a voice would show.
const TAPS: usize = 128;

/// A mono sound at our rate, made from one at another.
pub(super) struct Resampled<I> {
    source: I,
    filter: Async<f32>,
    input: Vec<f32>,
    output: Vec<f32>,
    /// What of `output` has not been given yet.
    ready: std::ops::Range<usize>,
    /// Samples of the filter's own delay that are still to be left out.
    lead: usize,
    /// Steps of silence that still follow the end, to bring out what is in the filter.
    tail: usize,
}

impl<I: Iterator<Item = f32>> Resampled<I> {
    /// `None`: nobody has such a rate.
    pub(super) fn new(source: I, rate: u32) -> Option<Self> {
        let ratio = f64::from(RATE) / f64::from(rate);
        let window = SincInterpolationParameters::new(TAPS, WindowFunction::BlackmanHarris2);
        let filter = Async::new_sinc(ratio, 1.0, &window, STEP, 1, FixedAsync::Input).ok()?;
        let (output, lead) = (vec![0.0; filter.output_frames_max()], filter.output_delay());
        Some(Self { source, filter, input: vec![0.0; STEP], output, ready: 0..0, lead, tail: 1 })
    }

    /// `false`: everything has been given.
    fn step(&mut self) -> bool {
        let taken = self.take();
        if taken == 0 {
            match self.tail.checked_sub(1) {
                Some(tail) => self.tail = tail,
                None => return false,
            }
        }
        self.input[taken..].fill(0.0);
        self.convert().is_some()
    }

    fn take(&mut self) -> usize {
        let pairs = self.input.iter_mut().zip(&mut self.source);
        pairs.map(|(place, sample)| *place = sample).count()
    }

    fn convert(&mut self) -> Option<()> {
        let frames = self.output.len();
        let input = SequentialSlice::new(&self.input, 1, STEP).ok()?;
        let mut output = SequentialSlice::new_mut(&mut self.output, 1, frames).ok()?;
        let (_, made) = self.filter.process_into_buffer(&input, &mut output, None).ok()?;
        let left_out = self.lead.min(made);
        self.lead -= left_out;
        self.ready = left_out..made;
        Some(())
    }
}

impl<I: Iterator<Item = f32>> Iterator for Resampled<I> {
    type Item = f32;

    fn next(&mut self) -> Option<f32> {
        while self.ready.is_empty() {
            if !self.step() {
                return None;
            }
        }
        self.ready.next().map(|at| self.output[at])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    fn a_tone_keeps_its_pitch_its_loudness_and_its_place() {
        for rate in [8_000, 16_000, 44_100, 96_000] {
            let tone = |n: usize, rate: u32| (std::f32::consts::TAU * 440.0 * n as f32 / rate as f32).sin();
            let resampled = Resampled::new((0..rate as usize).map(|n| tone(n, rate)), rate).unwrap();
            let sound: Vec<f32> = resampled.collect();
            assert!((48_000..48_000 + 4 * STEP * 6).contains(&sound.len()), "{} of {rate}", sound.len());
            let worst = (1_000..47_000).map(|n| (sound[n] - tone(n, RATE)).abs()).fold(0.0, f32::max);
            // One sample of our rate is 0.058 of such a tone.
            assert!(worst < 0.065, "{worst} at {rate}");
        }
    }
}
