//! Uncompressed sound that is missing, made up of the last pitch periods: waveform substitution in the spirit of
//! ITU-T G.711 Appendix I, without its delay. How loud it is, and how it ends, is up to the voice.

use super::seam::share;
use super::splice;

/// Pitch periods that are looked for: 5 to 15 ms. Of a higher voice several are repeated together.
const LAGS: (usize, usize) = (240, 720);

/// How much of the past is compared: 7.5 ms.
const WINDOW: usize = 360;

/// Periods that are repeated in the end: one alone, again and again, is a tone.
const MOST_PERIODS: usize = 3;

/// What is repeated, and a quarter of a period before it to blend with.
const KEPT: usize = LAGS.1 * (4 * MOST_PERIODS + 1) / 4;

/// Samples of the past that are needed: 48.75 ms.
pub(super) const NEEDED: usize = KEPT;

const _: () = assert!(LAGS.1 + WINDOW <= NEEDED);

/// The step from what was played to what is repeated is spread over so many samples: 0.75 ms.
const STEP: usize = 36;

/// Sound that goes on as it was.
pub(super) struct Substitute {
    /// The past as it was when sound began to be missing, the newest last.
    past: Box<[f32; KEPT]>,
    /// The pitch period.
    lag: usize,
    /// How many of them are repeated at a time.
    periods: usize,
    /// The place in `past` of the next sample.
    at: usize,
    /// By how much the repetition's first sample is off.
    step: f32,
    /// Samples of that which have been spread.
    stepped: usize,
}

impl Substitute {
    /// Silence that goes on.
    pub(super) fn new() -> Self {
        Self {
            past: Box::new([0.0; KEPT]),
            lag: LAGS.0,
            periods: 1,
            at: KEPT - LAGS.0,
            step: 0.0,
            stepped: STEP,
        }
    }

    /// Sound is missing after this. The one call that takes a while: some 50,000 multiplications.
    pub(super) fn begin(&mut self, past: &[f32; NEEDED]) {
        self.past.copy_from_slice(past);
        let found = splice::backward(past, KEPT - WINDOW, WINDOW, LAGS.0..=LAGS.1);
        self.lag = found.map_or(LAGS.0, |found| found.lag);
        (self.periods, self.at) = (1, KEPT - self.lag);
        (self.step, self.stepped) = (past[KEPT - 1] - past[self.at - 1], 0);
    }

    /// The next samples.
    pub(super) fn fill(&mut self, out: &mut [f32]) {
        for sample in out {
            *sample = self.repeated() + self.spread_step();
            self.at += 1;
            if self.at == KEPT {
                (self.at, self.periods) = (self.start_next(), self.periods_next());
            }
        }
    }

    /// The end of each repetition, a quarter of a period, is blended into what comes before the beginning of the
    /// next.
    fn repeated(&self) -> f32 {
        let (left, quarter) = (KEPT - self.at, self.lag / 4);
        let sample = self.past[self.at];
        if left > quarter {
            return sample;
        }
        let next = share(quarter - left, quarter);
        (1.0 - next) * sample + next * self.past[self.start_next() - left]
    }

    fn spread_step(&mut self) -> f32 {
        if self.stepped == STEP {
            return 0.0;
        }
        self.stepped += 1;
        self.step * (1.0 - share(self.stepped - 1, STEP))
    }

    fn periods_next(&self) -> usize {
        (self.periods + 1).min(MOST_PERIODS)
    }

    fn start_next(&self) -> usize {
        KEPT - self.periods_next() * self.lag
    }
}

#[cfg(test)]
mod tests {
    use std::f32::consts::TAU;

    use super::*;

    /// Harmonics of a voice, some of them weak.
    #[expect(clippy::cast_precision_loss, reason = "small")]
    fn voice(pitch: f32, at: usize) -> f32 {
        let phase = at as f32 * pitch / 48_000.0 * TAU;
        (1..8).map(|nth| 0.2 / nth as f32 * (phase * nth as f32 + nth as f32).sin()).sum()
    }

    /// How the voice goes on, and how it is said to.
    fn gone_on(pitch: f32, samples: usize) -> (Vec<f32>, Vec<f32>) {
        let past: [f32; NEEDED] = std::array::from_fn(|at| voice(pitch, at));
        let mut substitute = Substitute::new();
        substitute.begin(&past);
        let mut made = vec![9.0; samples];
        made.chunks_mut(60).for_each(|piece| substitute.fill(piece));
        ((NEEDED..NEEDED + samples).map(|at| voice(pitch, at)).collect(), made)
    }

    /// In decibels.
    fn noise(wanted: &[f32], made: &[f32]) -> f32 {
        let power =
            |samples: &mut dyn Iterator<Item = f32>| samples.map(|sample| sample * sample).sum::<f32>();
        let error = power(&mut wanted.iter().zip(made).map(|(wanted, made)| wanted - made));
        10.0 * (error / power(&mut wanted.iter().copied())).log10()
    }

    #[test]
    fn a_voice_goes_on_for_ten_milliseconds_nearly_as_it_was() {
        for pitch in [70.0, 83.0, 120.0, 147.3, 200.0, 333.0, 440.0] {
            let (wanted, made) = gone_on(pitch, 480);
            assert!(noise(&wanted, &made) < -10.0, "{pitch} Hz: {} dB", noise(&wanted, &made));
        }
    }

    #[test]
    fn there_is_no_step_in_it_however_long_it_takes() {
        for pitch in [70.0, 147.3, 391.0] {
            let (wanted, made) = gone_on(pitch, 9_600);
            let steepest =
                |sound: &[f32]| sound.windows(2).map(|two| (two[1] - two[0]).abs()).fold(0.0, f32::max);
            assert!(steepest(&made) < 1.5 * steepest(&wanted), "{pitch} Hz: {}", steepest(&made));
            let first = (made[0] - voice(pitch, NEEDED - 1)).abs();
            assert!(first < 1.5 * steepest(&wanted), "{pitch} Hz: {first}");
        }
    }

    #[test]
    fn anything_goes_on_within_its_bounds() {
        let mut dice = 7_u32;
        let past: [f32; NEEDED] = std::array::from_fn(|_| {
            dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            if dice >> 31 == 0 { -1.0 } else { 1.0 }
        });
        let mut substitute = Substitute::new();
        for past in [&past, &[0.0; NEEDED]] {
            substitute.begin(past);
            let mut made = vec![9.0; 48_000];
            substitute.fill(&mut made);
            assert!(made.iter().all(|sample| sample.abs() <= 3.0));
            assert!(made[STEP..].iter().all(|sample| sample.abs() <= 1.0));
        }
    }
}
