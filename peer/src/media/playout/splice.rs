//! Where sound can be made longer or shorter without being heard: places that look alike a pitch period apart
//! (WSOLA: W. Verhelst and M. Roelands, ICASSP 1993).

use std::ops::RangeInclusive;

/// Lags and samples are first tried in steps of this; the best is then looked at closely.
const COARSE: usize = 4;

/// Below this mean power (−66 dB) any two places look alike.
const QUIET: f32 = 2.5e-7;

/// A shorter step is as good as a longer one unless it is likelier by this.
const BETTER: f32 = 0.01;

/// A place that can be joined to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Splice {
    /// Samples between the two.
    pub(super) lag: usize,
    /// How much alike they are: 1 is the same, 0 is not related.
    pub(super) likeness: f32,
}

/// Finds the lag at which `sound[at + lag ..]` is most like `sound[at ..]` over `overlap` samples; of equals, the
/// longest. `None`: `sound` is too short for any of `lags`.
pub(super) fn forward(sound: &[f32], overlap: usize, lags: RangeInclusive<usize>) -> Option<Splice> {
    let longest = (*lags.end()).min(sound.len().checked_sub(overlap)?);
    let here = &sound[..overlap];
    best(*lags.start(), longest, true, |lag, step| likeness(here, &sound[lag..lag + overlap], step))
}

/// The same backwards: `sound[at − lag ..]` is like `sound[at ..]`; of equals, the shortest.
pub(super) fn backward(
    sound: &[f32],
    at: usize,
    overlap: usize,
    lags: RangeInclusive<usize>,
) -> Option<Splice> {
    let longest = (*lags.end()).min(at);
    let here = sound.get(at..at + overlap)?;
    best(*lags.start(), longest, false, |lag, step| {
        likeness(here, &sound[at - lag..at - lag + overlap], step)
    })
}

fn best(from: usize, to: usize, longest: bool, likeness: impl Fn(usize, usize) -> f32) -> Option<Splice> {
    let coarse = (from..=to).step_by(COARSE);
    let place = |at: usize| if longest { to - (at - from) } else { at };
    let first = pick(coarse.map(place), |lag| likeness(lag, COARSE))?;
    let near = first.lag.saturating_sub(COARSE - 1).max(from)..=(first.lag + COARSE - 1).min(to);
    let at_first = Splice { lag: first.lag, likeness: likeness(first.lag, 1) };
    let closer = pick(near, |lag| likeness(lag, 1))?;
    Some(if closer.likeness > at_first.likeness + BETTER / 10.0 { closer } else { at_first })
}

fn pick(lags: impl Iterator<Item = usize>, likeness: impl Fn(usize) -> f32) -> Option<Splice> {
    lags.map(|lag| Splice { lag, likeness: likeness(lag) })
        .reduce(|best, one| if one.likeness > best.likeness + BETTER { one } else { best })
}

/// 1 less the power of the difference beside the power of both.
fn likeness(one: &[f32], other: &[f32], step: usize) -> f32 {
    let (mut product, mut power) = (0.0, 0.0);
    for (a, b) in one.iter().zip(other).step_by(step) {
        product += a * b;
        power += a * a + b * b;
    }
    #[expect(clippy::cast_precision_loss, reason = "small")]
    let quiet = QUIET * (one.len() / step) as f32;
    (2.0 * product + quiet) / (power + quiet)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::cast_precision_loss, reason = "small")]
    fn tone(samples: usize) -> Vec<f32> {
        (0..samples).map(|n| 0.3 * (n as f32 * std::f32::consts::TAU / 160.0).sin()).collect()
    }

    #[test]
    fn a_tone_is_joined_whole_periods_apart() {
        let sound = tone(1_000);
        let ahead = forward(&sound, 120, 32..=700).unwrap();
        assert_eq!(ahead.lag % 160, 0, "{ahead:?}");
        assert!(ahead.lag == 640 && ahead.likeness > 0.999);
        let back = backward(&sound, 800, 120, 100..=700).unwrap();
        assert!(back.lag == 160 && back.likeness > 0.999, "{back:?}");
    }

    #[test]
    fn in_silence_everything_is_alike() {
        let sound = [0.0; 1_000];
        assert_eq!(forward(&sound, 120, 32..=333).unwrap(), Splice { lag: 333, likeness: 1.0 });
        assert_eq!(backward(&sound, 800, 120, 17..=333).unwrap(), Splice { lag: 17, likeness: 1.0 });
        assert_eq!(forward(&sound[..130], 120, 32..=333), None);
    }
}
