//! Between mono `f32` inside and whatever a card takes: other sample formats, more channels.

use cpal::{FromSample, Sample};

/// The mean of the channels of each frame.
pub(super) fn mix_down<T: Sample>(frames: &[T], channels: usize, mono: &mut [f32])
where
    f32: FromSample<T>,
{
    #[expect(clippy::cast_precision_loss, reason = "a card has few channels")]
    let share = 1.0 / channels as f32;
    for (frame, sample) in frames.chunks_exact(channels).zip(mono) {
        *sample = share * frame.iter().map(|&one| f32::from_sample(one)).sum::<f32>();
    }
}

/// The same sound on every channel.
pub(super) fn spread<T: Sample + FromSample<f32>>(mono: &[f32], channels: usize, frames: &mut [T]) {
    for (frame, &sample) in frames.chunks_exact_mut(channels).zip(mono) {
        frame.fill(T::from_sample(sample));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stereo_is_mixed_and_mono_is_doubled() {
        let mut mono = [0.0; 2];
        mix_down(&[16_384_i16, 0, -16_384, -16_384], 2, &mut mono);
        assert!((mono[0] - 0.25).abs() < 1e-6 && (mono[1] + 0.5).abs() < 1e-6);
        let mut stereo = [0_i32; 4];
        spread(&mono, 2, &mut stereo);
        assert_eq!(stereo, [1 << 29, 1 << 29, -1 << 30, -1 << 30]);
    }
}
