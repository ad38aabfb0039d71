//! How a card is asked to work: the best of what it offers.

use cpal::{BufferSize, SampleFormat, StreamConfig, SupportedBufferSize, SupportedStreamConfigRange};

use super::RATE;
use super::open::Needs;
use super::rate::RATES;
use crate::config::Period;

/// Sample formats, the best first. What is less than 16 bits is heard as noise; the rest is a matter of width.
const FORMATS: [SampleFormat; 10] = [
    SampleFormat::F32,
    SampleFormat::I32,
    SampleFormat::I24,
    SampleFormat::I16,
    SampleFormat::F64,
    SampleFormat::U32,
    SampleFormat::U24,
    SampleFormat::U16,
    SampleFormat::U8,
    SampleFormat::I8,
];

/// How a card is asked to work.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Shape {
    pub(super) rate: u32,
    pub(super) channels: u16,
    pub(super) format: SampleFormat,
    pub(super) buffer: BufferSize,
}

impl Shape {
    /// The best of what a card offers: our own rate before a higher one before a lower one, then as few channels as it
    /// has, then the best samples. `None`: nothing that we can convert.
    pub(super) fn pick(
        offers: impl Iterator<Item = SupportedStreamConfigRange>,
        needs: &Needs,
    ) -> Option<Self> {
        let ranked = offers.filter_map(|offer| {
            let quality = FORMATS.iter().position(|&format| format == offer.sample_format())?;
            let rate = rate(&offer)?;
            Some(((rate < RATE, rate.abs_diff(RATE), offer.channels(), quality), rate, offer))
        });
        let (_, rate, offer) = ranked.min_by_key(|&(rank, ..)| rank)?;
        let (channels, format) = (offer.channels(), offer.sample_format());
        Some(Self { rate, channels, format, buffer: buffer(rate, offer.buffer_size(), needs) })
    }

    /// The same with other periods, for a card that does not take this one: powers of two near it, which is what servers
    /// and hardware count in, and at last whatever the card has by itself.
    pub(super) fn with_other_periods(self) -> impl Iterator<Item = Self> {
        let near = match self.buffer {
            BufferSize::Fixed(frames) => frames.next_power_of_two(),
            BufferSize::Default => 1,
        };
        let fixed = [near, near / 2, near * 2, near * 4].map(BufferSize::Fixed);
        fixed.into_iter().chain([BufferSize::Default]).map(move |buffer| Self { buffer, ..self })
    }

    /// How many of our samples so many frames of the card are.
    pub(super) fn samples(self, frames: usize) -> usize {
        scaled(frames, RATE, self.rate)
    }

    /// How many frames of the card so many of our samples are, and at least one.
    pub(super) fn frames(self, samples: usize) -> usize {
        scaled(samples, self.rate, RATE).max(1)
    }

    pub(super) fn config(self) -> StreamConfig {
        StreamConfig { channels: self.channels, sample_rate: self.rate, buffer_size: self.buffer }
    }
}

fn scaled(count: usize, to: u32, from: u32) -> usize {
    let scaled = count as u64 * u64::from(to) / u64::from(from);
    usize::try_from(scaled).unwrap_or(usize::MAX)
}

/// The rate of an offer that is best for us.
fn rate(offer: &SupportedStreamConfigRange) -> Option<u32> {
    let (least, most) = (offer.min_sample_rate(), offer.max_sample_rate());
    let rate = RATE.max(least).min(most);
    RATES.contains(&rate).then_some(rate)
}

/// A period that was asked for is asked for; otherwise one packet, as near as the card comes to it.
fn buffer(rate: u32, possible: &SupportedBufferSize, needs: &Needs) -> BufferSize {
    let frames = match (needs.period, possible) {
        (Period::Frames(frames), _) => frames,
        (Period::Auto, SupportedBufferSize::Range { min, max }) => packet(rate, needs).max(*min).min(*max),
        (Period::Auto, SupportedBufferSize::Unknown) => packet(rate, needs),
    };
    BufferSize::Fixed(frames)
}

/// Frames of the card in one packet.
fn packet(rate: u32, needs: &Needs) -> u32 {
    u32::try_from(scaled(needs.frame, rate, RATE)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    const ANY: SupportedBufferSize = SupportedBufferSize::Range { min: 16, max: 8_192 };

    fn offer(
        rates: [u32; 2],
        channels: u16,
        format: SampleFormat,
        period: SupportedBufferSize,
    ) -> SupportedStreamConfigRange {
        SupportedStreamConfigRange::new(channels, rates[0], rates[1], period, format)
    }

    fn picked(offers: &[SupportedStreamConfigRange], period: Period) -> Option<Shape> {
        let needs = Needs { frame: 480, period, priority: 0, tell: Arc::new(|_| ()) };
        Shape::pick(offers.iter().copied(), &needs)
    }

    fn rate_of(offers: &[[u32; 2]]) -> Option<u32> {
        let offers: Vec<_> = offers.iter().map(|&rates| offer(rates, 2, SampleFormat::I16, ANY)).collect();
        picked(&offers, Period::Auto).map(|shape| shape.rate)
    }

    #[test]
    fn our_own_rate_comes_before_a_higher_one_before_a_lower_one() {
        assert_eq!(rate_of(&[[8_000, 192_000]]), Some(48_000));
        assert_eq!(rate_of(&[[44_100; 2], [48_000; 2], [96_000; 2]]), Some(48_000));
        assert_eq!(rate_of(&[[44_100; 2], [192_000; 2], [96_000; 2]]), Some(96_000));
        assert_eq!(rate_of(&[[8_000, 16_000]]), Some(16_000));
        assert_eq!(rate_of(&[[8_000; 2], [44_100; 2]]), Some(44_100));
        assert_eq!(rate_of(&[[1_000, 2_000]]), None);
        assert_eq!(rate_of(&[]), None);
    }

    #[test]
    fn few_channels_come_before_good_samples() {
        let of = |channels, format| offer([48_000; 2], channels, format, ANY);
        let (mono, stereo) = (of(1, SampleFormat::I16), of(2, SampleFormat::F32));
        let shape = picked(&[stereo, mono, of(1, SampleFormat::U8)], Period::Auto).unwrap();
        assert_eq!((shape.channels, shape.format), (1, SampleFormat::I16));
        assert_eq!(picked(&[of(1, SampleFormat::DsdU32)], Period::Auto), None);
    }

    #[test]
    fn the_period_is_one_packet_as_near_as_the_card_comes_to_it() {
        let period = |rate, range: [u32; 2], wanted| {
            let range = SupportedBufferSize::Range { min: range[0], max: range[1] };
            picked(&[offer([rate; 2], 1, SampleFormat::I16, range)], wanted).unwrap().buffer
        };
        assert_eq!(period(48_000, [16, 8_192], Period::Auto), BufferSize::Fixed(480));
        assert_eq!(period(44_100, [16, 8_192], Period::Auto), BufferSize::Fixed(441));
        assert_eq!(period(48_000, [1_024, 8_192], Period::Auto), BufferSize::Fixed(1_024));
        assert_eq!(period(48_000, [16, 256], Period::Auto), BufferSize::Fixed(256));
        assert_eq!(period(48_000, [1_024, 8_192], Period::Frames(64)), BufferSize::Fixed(64));
    }

    #[test]
    fn powers_of_two_are_tried_before_the_cards_own_period() {
        let shape = picked(&[offer([48_000; 2], 1, SampleFormat::I16, ANY)], Period::Auto).unwrap();
        let tried: Vec<BufferSize> = shape.with_other_periods().map(|shape| shape.buffer).collect();
        let fixed = [512, 256, 1_024, 2_048].map(BufferSize::Fixed);
        assert_eq!(tried, [&fixed[..], &[BufferSize::Default]].concat());
    }
}
