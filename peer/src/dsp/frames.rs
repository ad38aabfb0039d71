//! Blocks of the microphone, of any length, into frames that are processed at once.

use std::time::Instant;

use super::FRAME;
use super::timeline::Timeline;
use crate::media::framer::HOLE;

/// The frame that is being filled. After a [`HOLE`] in what was captured it begins anew.
pub struct Frames {
    line: Timeline,
    samples: [f32; FRAME],
    filled: usize,
}

impl Default for Frames {
    fn default() -> Self {
        Self { line: Timeline::default(), samples: [0.0; FRAME], filled: 0 }
    }
}

impl Frames {
    /// Takes captured samples, the first of which was captured at `when`; gives each whole frame with the time at which
    /// its first sample was captured.
    pub fn push(
        &mut self,
        when: Instant,
        samples: &[f32],
        each: &mut impl FnMut(Instant, &mut [f32; FRAME]),
    ) {
        let mut begins = self.line.count() - self.filled as u64;
        if self.line.note(when, samples.len()).abs() > HOLE {
            begins += self.filled as u64;
            self.filled = 0;
        }
        for sample in samples {
            self.samples[self.filled] = *sample;
            self.filled += 1;
            if self.filled == FRAME {
                each(self.line.time_of(begins).unwrap_or(when), &mut self.samples);
                begins += FRAME as u64;
                self.filled = 0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Pushes samples that count up in blocks of this length; gives when frames began, in microseconds, and with what.
    fn framed(block: usize, blocks: usize, hole_before: Option<(usize, u64)>) -> Vec<(u128, f32)> {
        let begun = vox_common::sys::clock::now();
        let (mut frames, mut got, mut at) = (Frames::default(), Vec::new(), 0_u64);
        for n in 0..blocks {
            if let Some((_, hole)) = hole_before.filter(|(before, _)| *before == n) {
                at += hole;
            }
            #[expect(clippy::cast_precision_loss, reason = "small numbers")]
            let samples: Vec<f32> = (0..block).map(|k| (n * block + k) as f32).collect();
            let when = begun + Duration::from_nanos(at * 1_000_000_000 / 48_000);
            frames.push(when, &samples, &mut |when, frame| {
                let since = when.saturating_duration_since(begun) + Duration::from_nanos(500);
                got.push((since.as_micros(), frame[0]));
            });
            at += block as u64;
        }
        got
    }

    #[test]
    fn frames_are_whole_and_keep_their_time_whatever_the_blocks_are() {
        for block in [60, 120, 441, 480] {
            let got = framed(block, 48_000 / block, None);
            assert!(got.len() >= 98, "{} frames of blocks of {block}", got.len());
            for (n, (when, first)) in (0_u16..).zip(got) {
                assert!(when.abs_diff(u128::from(n) * 10_000) < 30, "frame {n} of {block}: {when} us");
                assert!((first - f32::from(n) * 480.0).abs() < 0.5, "{first}");
            }
        }
    }

    #[test]
    fn after_a_hole_a_frame_begins_anew() {
        let got = framed(120, 200, Some((102, 48_000)));
        let after: Vec<_> = got.iter().filter(|(when, _)| *when > 1_000_000).collect();
        assert_eq!(after.first(), Some(&&(1_255_000, 12_240.0)), "two blocks before the hole are left out");
    }
}
