//! Captured samples, any number at a time, into frames of exactly one packet.

use std::time::Instant;

use super::sequence::span;

/// The longest frame that is sent: 20 ms.
pub const LONGEST_FRAME: usize = 960;

/// So many samples missing in what was captured are told to the receiver as silence; fewer are the card's own unrest.
pub const HOLE: i64 = 2_400;

/// So many pieces of another length in a row are how the card works now.
const STEADY: u8 = 8;

/// In what pieces the card brings sound.
#[derive(Debug, Clone, Copy, Default)]
pub struct Pieces {
    usual: usize,
    length: usize,
    run: u8,
}

impl Pieces {
    /// Takes note of a piece of so many samples.
    pub fn note(&mut self, length: usize) {
        self.run = if length == self.length { self.run.saturating_add(1) } else { 1 };
        self.length = length;
        if self.usual == 0 || self.run >= STEADY {
            self.usual = length;
        }
    }

    /// The length of frames near to `wanted` (within a quarter) that end where a piece ends, so that no part of one waits
    /// for the next; `wanted` where there is none.
    pub fn fitting(&self, wanted: usize) -> usize {
        let (length, wanted) = (self.usual.max(1), wanted.max(1));
        let fits = if length <= wanted {
            length * nearest(wanted, length)
        } else {
            length / nearest(length, wanted)
        };
        let is_whole = fits.is_multiple_of(length) || length.is_multiple_of(fits.max(1));
        let is_near = fits.abs_diff(wanted) <= wanted / 4;
        if is_whole && is_near { fits } else { wanted }
    }
}

/// How often one goes into the other, to the nearest whole number.
fn nearest(whole: usize, part: usize) -> usize {
    (whole + part / 2) / part
}

/// Gathers samples until a frame is full.
pub struct Framer {
    frame: [f32; LONGEST_FRAME],
    frame_samples: usize,
    /// Of the frames after this one.
    next_samples: usize,
    filled: usize,
}

impl Framer {
    /// Frames of so many samples, 1 to [`LONGEST_FRAME`]; more or less is brought to the nearest of these.
    pub fn new(frame_samples: usize) -> Self {
        let frame_samples = frame_samples.clamp(1, LONGEST_FRAME);
        Self { frame: [0.0; LONGEST_FRAME], frame_samples, next_samples: frame_samples, filled: 0 }
    }

    /// Makes frames of so many samples after the one that is being filled, if one is.
    pub fn resize(&mut self, frame_samples: usize) {
        self.next_samples = frame_samples.clamp(1, LONGEST_FRAME);
        if self.filled == 0 {
            self.frame_samples = self.next_samples;
        }
    }

    /// The same, if that is another number than before, so that frames end where the pieces end that come in: the frame
    /// that is being filled takes in as many more.
    pub fn align(&mut self, frame_samples: usize) {
        if frame_samples != self.next_samples {
            self.resize(frame_samples);
            self.frame_samples = (self.filled + self.next_samples).min(LONGEST_FRAME);
        }
    }

    /// Samples that wait for the rest of their frame.
    pub fn waiting(&self) -> usize {
        self.filled
    }

    /// Takes samples of which the first was captured at `captured`; every frame that is full goes to `sink` with
    /// the time at which its own first sample was captured.
    pub fn push(&mut self, captured: Instant, samples: &[f32], sink: &mut impl FnMut(Instant, &[f32])) {
        let mut taken = 0;
        while taken < samples.len() {
            let more = (self.frame_samples - self.filled).min(samples.len() - taken);
            self.frame[self.filled..self.filled + more].copy_from_slice(&samples[taken..taken + more]);
            self.filled += more;
            taken += more;
            if self.filled == self.frame_samples {
                sink(time_of_first(captured, taken, self.filled), &self.frame[..self.filled]);
                (self.filled, self.frame_samples) = (0, self.next_samples);
            }
        }
    }

    /// Drops what does not make a frame yet, for example after a gap in what was captured.
    pub fn clear(&mut self) {
        self.filled = 0;
    }
}

/// When a frame began that ends `taken` samples after `captured`.
fn time_of_first(captured: Instant, taken: usize, frame: usize) -> Instant {
    if taken >= frame {
        return captured + span(taken - frame);
    }
    captured.checked_sub(span(frame - taken)).unwrap_or(captured)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn frames_that_are_aligned_end_where_pieces_end() {
        let (now, mut framer, mut lengths) = (vox_common::sys::clock::now(), Framer::new(60), Vec::new());
        for piece in 0..6 {
            if piece == 3 {
                framer.align(64);
            }
            framer.push(now, &[0.0; 64], &mut |_, frame| lengths.push(frame.len()));
        }
        assert_eq!(lengths, [60, 60, 60, 76, 64, 64]);
        assert_eq!(framer.waiting(), 0);
    }

    #[test]
    fn frames_end_where_pieces_end_if_they_are_nearly_as_long_as_wanted() {
        for (wanted, piece, fits) in [
            (60, 60, 60),
            (60, 64, 64),
            (60, 48, 48),
            (60, 128, 64),
            (60, 32, 64),
            (60, 120, 60),
            (60, 1_024, 60),
            (60, 441, 63),
            (60, 40, 60),
            (240, 256, 256),
            (240, 128, 256),
            (480, 512, 512),
            (960, 1, 960),
        ] {
            let mut pieces = Pieces::default();
            assert_eq!(pieces.fitting(wanted), wanted);
            pieces.note(piece);
            assert_eq!(pieces.fitting(wanted), fits, "{wanted} {piece}");
            (1..STEADY).for_each(|_| pieces.note(wanted));
            assert_eq!(pieces.fitting(wanted), fits, "not for long");
            pieces.note(wanted);
            assert_eq!(pieces.fitting(wanted), wanted);
        }
    }

    #[test]
    #[expect(clippy::cast_precision_loss, reason = "small whole numbers")]
    fn any_pieces_make_the_same_frames_with_the_same_times() {
        let start = vox_common::sys::clock::now();
        let sound: Vec<f32> = (0..4_800).map(|n| n as f32).collect();
        for (frame, piece) in [(120, 64), (240, 240), (480, 1024), (960, 1), (60, 4_800)] {
            let mut framer = Framer::new(frame);
            let mut seen = 0;
            for (at, samples) in sound.chunks(piece).enumerate() {
                let captured = start + span(at * piece);
                framer.push(captured, samples, &mut |captured, samples| {
                    assert_eq!(samples, &sound[seen * frame..(seen + 1) * frame]);
                    let wanted = start + span(seen * frame);
                    assert!(
                        captured.duration_since(wanted) + wanted.duration_since(captured)
                            < Duration::from_nanos(5)
                    );
                    seen += 1;
                });
            }
            assert_eq!(seen, 4_800 / frame);
        }
    }
}
