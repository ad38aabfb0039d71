//! Between our rate and a card's, on the card's own thread: nothing here allocates once it is made.
//!
//! A windowed sinc of 24 zero crossings to each side, at the lower of the two rates: its delay is 0.5 ms with a card of
//! 44,100 or 96,000 Hz, 1.5 ms with 16,000, 3 ms with 8,000. The tests measure what comes of it.

use std::time::Duration;

use rubato::audioadapter_buffers::direct::SequentialSlice;
use rubato::{
    Async, FixedAsync, Resampler, Resizable, SincInterpolationParameters, SincInterpolationType,
    WindowFunction,
};

use super::{RATE, span};

/// Zero crossings of the sinc, both sides together.
const CROSSINGS: u32 = 48;

/// The rates that are converted: below, no speech is left; above, there are no cards.
pub(super) const RATES: std::ops::RangeInclusive<u32> = 4_000..=768_000;

/// Samples of silence on the card's side that go through a filter before it is used: its first step asks for some
/// more, or gives some less, than those that follow. Without, a period that is a frame long would never be one again.
const PRIMING: usize = 8;

/// Samples of silence that come first: rates that do not divide make a step one sample longer or shorter now and then,
/// and a frame must not wait a whole period for its last sample.
const CUSHION: usize = 2;

/// A filter from one rate to another, for at most `longest` samples at a time on the side that `fixed` names.
fn filter(from: u32, to: u32, longest: usize, fixed: FixedAsync) -> Async<f32> {
    let taps = (CROSSINGS * from.max(to)).div_ceil(to).next_multiple_of(8);
    let window = SincInterpolationParameters::new(taps as usize, WindowFunction::Blackman)
        .interpolation(SincInterpolationType::Quadratic);
    Async::new_sinc(f64::from(to) / f64::from(from), 1.0, &window, longest, 1, fixed)
        .expect("two rates in RATES, and room for a sample")
}

/// Our samples for a loudspeaker of another rate.
pub(super) struct ToCard {
    filter: Async<f32>,
    ours: Vec<f32>,
    cushion: usize,
    delay: Duration,
}

impl ToCard {
    /// For at most `longest` samples of the card at a time.
    pub(super) fn new(rate: u32, longest: usize) -> Self {
        let filter = filter(RATE, rate, longest.max(PRIMING), FixedAsync::Output);
        let delay = Duration::from_secs(filter.output_delay() as u64) / rate;
        let mut this = Self { ours: vec![0.0; filter.input_frames_max()], filter, cushion: 0, delay };
        let mut taken = 0;
        this.fill(&mut [0.0; PRIMING], |ours| taken = ours.len());
        this.cushion = CUSHION;
        this.delay += span(taken + CUSHION).saturating_sub(Duration::from_secs(PRIMING as u64) / rate);
        this
    }

    /// Fills `card`, asking for as many of our samples as that takes, which is now one more, now one less.
    pub(super) fn fill(&mut self, card: &mut [f32], speaker: impl FnOnce(&mut [f32])) {
        let set = self.filter.set_chunk_size(card.len());
        let needed = self.filter.input_frames_next();
        let (Ok(()), Some(ours)) = (set, self.ours.get_mut(..needed)) else { return card.fill(0.0) };
        let (silence, asked) = ours.split_at_mut(self.cushion.min(needed));
        self.cushion -= silence.len();
        silence.fill(0.0);
        speaker(asked);
        convert(&mut self.filter, ours, card);
    }

    /// As [`FromCard::delay`].
    pub(super) fn delay(&self) -> Duration {
        self.delay
    }
}

/// Samples of a microphone of another rate as ours.
pub(super) struct FromCard {
    filter: Async<f32>,
    ours: Vec<f32>,
    cushion: usize,
    delay: Duration,
}

impl FromCard {
    /// For at most `longest` samples of the card at a time.
    pub(super) fn new(rate: u32, longest: usize) -> Self {
        let filter = filter(rate, RATE, longest.max(PRIMING), FixedAsync::Input);
        let delay = span(filter.output_delay());
        let ours = vec![0.0; CUSHION + filter.output_frames_max()];
        let mut this = Self { ours, filter, cushion: 0, delay };
        let made = this.take(&[0.0; PRIMING]).len();
        this.cushion = CUSHION;
        this.delay += (span(CUSHION) + Duration::from_secs(PRIMING as u64) / rate).saturating_sub(span(made));
        this
    }

    /// What the card brought becomes now one more of ours, now one less.
    pub(super) fn take(&mut self, card: &[f32]) -> &[f32] {
        let (silence, ours) = self.ours.split_at_mut(std::mem::take(&mut self.cushion));
        silence.fill(0.0);
        let made = match self.filter.set_chunk_size(card.len()) {
            Ok(()) => convert(&mut self.filter, card, ours),
            Err(_) => 0,
        };
        let made = silence.len() + made;
        &self.ours[..made]
    }

    /// What the filter delays: half its length, and what it kept of the priming.
    pub(super) fn delay(&self) -> Duration {
        self.delay
    }
}

/// How many were made: none if the buffers do not fit, which they do.
fn convert(filter: &mut Async<f32>, from: &[f32], to: &mut [f32]) -> usize {
    let (given, room) = (from.len(), to.len());
    let Ok(input) = SequentialSlice::new(from, 1, given) else { return 0 };
    let Ok(mut output) = SequentialSlice::new_mut(to, 1, room) else { return 0 };
    filter.process_into_buffer(&input, &mut output, None).map_or(0, |(_, made)| made)
}

#[cfg(test)]
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "small numbers, and samples"
)]
mod tests {
    use std::f64::consts::TAU;

    use super::*;

    const PERIOD: usize = 240;
    const PEAK: f64 = 0.5;
    const CARDS: [u32; 6] = [8_000, 16_000, 22_050, 44_100, 96_000, 192_000];

    fn tone(hertz: f64, rate: u32, samples: usize) -> Vec<f32> {
        (0..samples).map(|n| (PEAK * (TAU * hertz * n as f64 / f64::from(rate)).sin()) as f32).collect()
    }

    /// Half a second of our tone as a card of another rate plays it.
    fn played(hertz: f64, rate: u32) -> Vec<f32> {
        let (mut to, source) = (ToCard::new(rate, PERIOD), tone(hertz, RATE, 60_000));
        let mut at = 0;
        let mut sound = vec![0.0; rate as usize / 2];
        for period in sound.chunks_mut(PERIOD) {
            to.fill(period, |ours| {
                ours.copy_from_slice(&source[at..at + ours.len()]);
                at += ours.len();
            });
        }
        sound
    }

    /// The other way round.
    fn captured(hertz: f64, rate: u32) -> Vec<f32> {
        let mut from = FromCard::new(rate, PERIOD);
        let sound = tone(hertz, rate, rate as usize / 2);
        sound.chunks(PERIOD).flat_map(|period| from.take(period).to_vec()).collect()
    }

    /// How loud the tone is, and how loud everything else (THD+N), in dB against the tone that was given.
    fn measure(sound: &[f32], hertz: f64, rate: u32) -> (f64, f64) {
        let steady = &sound[sound.len() / 5..][..rate as usize / 5];
        let turn = |n: usize| TAU * hertz * n as f64 / f64::from(rate);
        let mean = |of: &dyn Fn(usize, f64) -> f64| {
            let sum: f64 = steady.iter().enumerate().map(|(n, &sample)| of(n, sample.into())).sum();
            sum / steady.len() as f64
        };
        let a = 2.0 * mean(&|n, sample| sample * turn(n).sin());
        let b = 2.0 * mean(&|n, sample| sample * turn(n).cos());
        let rest = mean(&|n, sample| (sample - a * turn(n).sin() - b * turn(n).cos()).powi(2));
        let power = PEAK * PEAK / 2.0;
        (10.0 * (f64::midpoint(a * a, b * b) / power).log10(), 10.0 * (rest / power).log10())
    }

    /// A tone at this share of the lower rate's band: a multiple of 10 Hz, so that whole periods are measured.
    fn in_the_band(share: f64, rate: u32) -> f64 {
        (f64::from(rate.min(RATE)) / 2.0 * share / 10.0).round() * 10.0
    }

    #[test]
    fn tones_keep_their_loudness_and_nothing_is_added_that_could_be_heard() {
        for rate in CARDS {
            for share in [0.025, 0.125, 0.5, 0.75] {
                let hertz = in_the_band(share, rate);
                for (sound, at) in [(played(hertz, rate), rate), (captured(hertz, rate), RATE)] {
                    let (tone, rest) = measure(&sound, hertz, at);
                    assert!(tone.abs() < 0.05 && rest < -85.0, "{hertz} Hz, {rate}: {tone} dB, {rest} dB");
                }
            }
        }
    }

    #[test]
    fn what_the_lower_rate_cannot_hold_does_not_come_back_as_something_else() {
        for rate in CARDS {
            let hertz = in_the_band(1.1, rate);
            let sound = if rate < RATE { played(hertz, rate) } else { captured(hertz, rate) };
            let loudest =
                sound[sound.len() / 5..].iter().fold(0.0, |peak: f32, sample| peak.max(sample.abs()));
            let alias = 20.0 * (f64::from(loudest) / PEAK).log10();
            let bound = if rate > 2 * RATE { -45.0 } else { -70.0 };
            assert!(alias < bound, "{hertz} Hz, {rate}: {alias} dB");
        }
    }

    #[test]
    fn the_delay_is_what_it_is_said_to_be() {
        for rate in [8_000, 44_100, 96_000] {
            let mut from = FromCard::new(rate, PERIOD);
            let delay = from.delay();
            let mut card = vec![0.0; rate as usize / 10];
            card[rate as usize / 100] = 1.0;
            let sound: Vec<f32> = card.chunks(PERIOD).flat_map(|period| from.take(period).to_vec()).collect();
            let peak = sound.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(at, _)| at);
            let late = span(peak).as_secs_f64() - 0.01;
            assert!((late - delay.as_secs_f64()).abs() < 3e-5, "{rate}: {late} s, {delay:?}");
        }
    }

    #[test]
    fn where_a_period_is_a_frame_no_frame_waits_for_another_period() {
        for rate in [8_000, 16_000, 22_050, 44_100, 96_000, 192_000] {
            let period = rate as usize / 50;
            let (mut to, mut from) = (ToCard::new(rate, period), FromCard::new(rate, period));
            let (mut asked, mut brought) = (0, 0);
            let mut card = vec![0.0; period];
            for frames in (960..).step_by(960).take(50) {
                to.fill(&mut card, |ours| asked += ours.len());
                brought += from.take(&card).len();
                assert!((frames - 4..=frames).contains(&asked), "to {rate}: {asked} of {frames}");
                assert!((frames..=frames + 4).contains(&brought), "from {rate}: {brought} of {frames}");
            }
        }
    }

    #[test]
    fn as_many_samples_go_in_as_come_out_whatever_the_period() {
        for (rate, period) in [(44_100, 64), (8_000, 7), (192_000, 333)] {
            let (mut to, mut from) = (ToCard::new(rate, 333), FromCard::new(rate, 333));
            let (mut asked, mut brought) = (0, 0);
            let mut card = vec![0.0; period];
            for _ in 0..rate as usize / period {
                to.fill(&mut card, |ours| asked += ours.len());
                brought += from.take(&card).len();
            }
            for count in [asked, brought] {
                assert!(count.abs_diff(RATE as usize) < RATE as usize / 100, "{count} at {rate}");
            }
        }
    }
}
