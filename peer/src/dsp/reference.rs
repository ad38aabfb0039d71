//! What the loudspeaker was given last.

use std::time::Instant;

use super::timeline::Timeline;

/// Samples that are kept: two thirds of a second, more than a microphone's block is ever late.
const KEPT: usize = 1 << 15;

/// The loudspeaker's past, by the numbers of its samples.
pub struct Reference {
    line: Timeline,
    /// [`KEPT`] of them.
    kept: Box<[f32]>,
}

impl Default for Reference {
    fn default() -> Self {
        Self { line: Timeline::default(), kept: vec![0.0; KEPT].into() }
    }
}

impl Reference {
    /// The loudspeaker was given these, the first of them at `when`.
    pub fn push(&mut self, when: Instant, samples: &[f32]) {
        let from = self.line.count();
        self.line.note(when, samples.len());
        for (number, sample) in (from..).zip(samples) {
            self.kept[place(number)] = *sample;
        }
    }

    /// Which sample was given at this time, with its fraction. `None`: none ever was.
    pub fn sample_at(&self, when: Instant) -> Option<f64> {
        self.line.sample_at(when)
    }

    /// Fills `out` from this sample on: silence where nothing was given, is not yet, or was too long ago.
    pub fn copy(&self, from: i64, out: &mut [f32]) {
        for (number, sample) in (from..).zip(out) {
            *sample = self.sample(number);
        }
    }

    fn sample(&self, number: i64) -> f32 {
        let count = self.line.count();
        match u64::try_from(number) {
            Ok(number) if number < count && count - number <= KEPT as u64 => self.kept[place(number)],
            _ => 0.0,
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the remainder is small")]
fn place(number: u64) -> usize {
    (number % KEPT as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_is_found_by_its_time_and_what_was_not_is_silence() {
        let begun = vox_common::sys::clock::now();
        let mut reference = Reference::default();
        assert_eq!(reference.sample_at(begun), None);
        let mut value = 0_u16;
        for n in 0..100 {
            let block: Vec<f32> = (0..480).map(|k| f32::from(value + k)).collect();
            reference.push(begun + std::time::Duration::from_millis(10 * n), &block);
            value += 480;
        }
        let at = reference.sample_at(begun + std::time::Duration::from_millis(900)).expect("given");
        assert!((at - 43_200.0).abs() < 0.01, "{at}");
        for (from, wanted) in [
            (43_200, [43_200, 43_201, 43_202, 43_203]),
            (47_998, [47_998, 47_999, 0, 0]),
            (-4, [0; 4]),
            (100, [0; 4]),
        ] {
            let mut out = [1.0; 4];
            reference.copy(from, &mut out);
            #[expect(clippy::cast_possible_truncation, reason = "whole numbers")]
            let out = out.map(|sample| sample as i32);
            assert_eq!(out, wanted, "from {from}");
        }
    }
}
