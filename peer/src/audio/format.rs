//! Between mono `f32` inside and whatever a card takes: any sample format, more channels.

use cpal::{Data, FromSample, I24, Sample, SampleFormat, SizedSample, U24};

/// Of a card with more channels, the first so many are ours: left and right. A voice on the others would come from
/// behind, and their microphones belong to somebody else.
const OURS: usize = 2;

/// The largest sample of every format: 1 would leave 24 bits on the other side.
const LARGEST: f32 = 1.0 - f32::EPSILON;

/// Reads as many frames as `mono` has room for, from frame `from` on: the mean of the first two channels.
pub(super) fn read(data: &Data, from: usize, channels: usize, mono: &mut [f32]) {
    match data.sample_format() {
        SampleFormat::I8 => read_as::<i8>(data, from, channels, mono),
        SampleFormat::I16 => read_as::<i16>(data, from, channels, mono),
        SampleFormat::I24 => read_as::<I24>(data, from, channels, mono),
        SampleFormat::I32 => read_as::<i32>(data, from, channels, mono),
        SampleFormat::U8 => read_as::<u8>(data, from, channels, mono),
        SampleFormat::U16 => read_as::<u16>(data, from, channels, mono),
        SampleFormat::U24 => read_as::<U24>(data, from, channels, mono),
        SampleFormat::U32 => read_as::<u32>(data, from, channels, mono),
        SampleFormat::F64 => read_as::<f64>(data, from, channels, mono),
        _ => read_as::<f32>(data, from, channels, mono),
    }
}

/// Writes the same sound to the first two channels, from frame `from` on, and silence to the others.
pub(super) fn write(mono: &[f32], data: &mut Data, from: usize, channels: usize) {
    match data.sample_format() {
        SampleFormat::I8 => write_as::<i8>(mono, data, from, channels),
        SampleFormat::I16 => write_as::<i16>(mono, data, from, channels),
        SampleFormat::I24 => write_as::<I24>(mono, data, from, channels),
        SampleFormat::I32 => write_as::<i32>(mono, data, from, channels),
        SampleFormat::U8 => write_as::<u8>(mono, data, from, channels),
        SampleFormat::U16 => write_as::<u16>(mono, data, from, channels),
        SampleFormat::U24 => write_as::<U24>(mono, data, from, channels),
        SampleFormat::U32 => write_as::<u32>(mono, data, from, channels),
        SampleFormat::F64 => write_as::<f64>(mono, data, from, channels),
        _ => write_as::<f32>(mono, data, from, channels),
    }
}

fn read_as<T: SizedSample>(data: &Data, from: usize, channels: usize, mono: &mut [f32])
where
    f32: FromSample<T>,
{
    let frames = data.as_slice().and_then(|all: &[T]| all.get(from * channels..));
    mix_down(frames.unwrap_or_default(), channels, mono);
}

fn write_as<T: SizedSample + FromSample<f32>>(mono: &[f32], data: &mut Data, from: usize, channels: usize) {
    let frames = data.as_slice_mut().and_then(|all: &mut [T]| all.get_mut(from * channels..));
    spread(mono, channels, frames.unwrap_or_default());
}

fn mix_down<T: Sample>(frames: &[T], channels: usize, mono: &mut [f32])
where
    f32: FromSample<T>,
{
    let ours = channels.min(OURS);
    let share = if ours == 1 { 1.0 } else { 0.5 };
    for (frame, sample) in frames.chunks_exact(channels).zip(mono) {
        *sample = share * frame[..ours].iter().map(|&one| f32::from_sample(one)).sum::<f32>();
    }
}

fn spread<T: Sample + FromSample<f32>>(mono: &[f32], channels: usize, frames: &mut [T]) {
    let ours = channels.min(OURS);
    for (frame, &sample) in frames.chunks_exact_mut(channels).zip(mono) {
        frame[..ours].fill(T::from_sample(sample.clamp(-1.0, LARGEST)));
        frame[ours..].fill(T::EQUILIBRIUM);
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

    #[test]
    fn of_six_channels_two_are_ours() {
        let mut frames = [1_u8; 6];
        spread(&[0.5], 6, &mut frames);
        assert_eq!(frames, [192, 192, 128, 128, 128, 128]);
        let mut mono = [0.0];
        mix_down(&[0.5, 0.25, 1.0, 1.0, 1.0, 1.0], 6, &mut mono);
        assert!((mono[0] - 0.375).abs() < 1e-6, "{mono:?}");
    }

    /// There and back in a format, for samples on the edges and in the middle.
    fn comes_back<T: SizedSample + FromSample<f32>>(within: f32)
    where
        f32: FromSample<T>,
    {
        let (sound, mut back) = ([-2.0, -1.0, -0.5, 0.0, 0.25, 1.0, 2.0], [0.0; 7]);
        let mut card = [T::EQUILIBRIUM; 7];
        spread(&sound, 1, &mut card);
        mix_down(&card, 1, &mut back);
        let off = sound.iter().zip(back).map(|(one, other)| (one.clamp(-1.0, 1.0) - other).abs());
        let most = off.fold(0.0, f32::max);
        assert!(most <= within, "{back:?} as {}", T::FORMAT);
    }

    #[test]
    fn every_format_brings_back_what_it_was_given_and_none_runs_over() {
        comes_back::<i8>(1.0 / 128.0);
        comes_back::<u8>(1.0 / 128.0);
        comes_back::<i16>(1.0 / 32_768.0);
        comes_back::<u16>(1.0 / 32_768.0);
        comes_back::<I24>(2e-7);
        comes_back::<U24>(2e-7);
        comes_back::<i32>(2e-7);
        comes_back::<u32>(2e-7);
        comes_back::<f32>(2e-7);
        comes_back::<f64>(2e-7);
    }
}
