//! What a card can do, in words that fit on a line.

use std::collections::BTreeSet;

use cpal::SupportedStreamConfigRange;

use super::rate::RATES;

/// Rates and channel counts of a card, as `devices` shows them: `44100,48000` or `8000-192000`; `1-2` or `2,6`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Abilities {
    /// In Hz, of those that can be used.
    pub rates: String,
    /// Numbers of channels.
    pub channels: String,
}

/// More would not fit on a line. The least are named.
const MOST: usize = 16;

impl Abilities {
    pub(super) fn of(offers: impl Iterator<Item = SupportedStreamConfigRange>) -> Self {
        let (mut rates, mut channels) = (BTreeSet::new(), BTreeSet::new());
        for offer in offers {
            let usable =
                offer.min_sample_rate().max(*RATES.start())..=offer.max_sample_rate().min(*RATES.end());
            if !usable.is_empty() {
                rates.insert((*usable.start(), *usable.end()));
                channels.insert(u32::from(offer.channels()));
            }
        }
        Self { rates: words(rates), channels: words(runs(channels)) }
    }
}

/// Numbers that follow one another as one range.
fn runs(numbers: BTreeSet<u32>) -> Vec<(u32, u32)> {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for number in numbers {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => runs.push((number, number)),
        }
    }
    runs
}

fn words(ranges: impl IntoIterator<Item = (u32, u32)>) -> String {
    ranges.into_iter().take(MOST).map(word).collect::<Vec<_>>().join(",")
}

fn word((first, last): (u32, u32)) -> String {
    if first == last { first.to_string() } else { format!("{first}-{last}") }
}

#[cfg(test)]
mod tests {
    use cpal::{SampleFormat, SupportedBufferSize};

    use super::*;

    fn of(offers: &[(u16, u32, u32)]) -> [String; 2] {
        let offer = |&(channels, least, most)| {
            SupportedStreamConfigRange::new(
                channels,
                least,
                most,
                SupportedBufferSize::Unknown,
                SampleFormat::I16,
            )
        };
        let Abilities { rates, channels } = Abilities::of(offers.iter().map(offer));
        [rates, channels]
    }

    #[test]
    fn rates_and_channels_are_told_once_and_in_order() {
        assert_eq!(
            of(&[(2, 48_000, 48_000), (2, 44_100, 44_100), (2, 48_000, 48_000)]),
            ["44100,48000", "2"]
        );
        assert_eq!(
            of(&[(1, 8_000, 192_000), (2, 8_000, 192_000), (6, 8_000, 192_000)]),
            ["8000-192000", "1-2,6"]
        );
    }

    #[test]
    fn what_cannot_be_used_is_not_told() {
        assert_eq!(of(&[(1, 1_000, 2_000)]), ["", ""]);
        assert_eq!(of(&[(1, 1, u32::MAX)]), ["4000-768000", "1"]);
    }
}
