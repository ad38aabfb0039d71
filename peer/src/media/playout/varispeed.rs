//! Plays a little faster or slower: a band-limited interpolator between samples (J. O. Smith, "Digital Audio
//! Resampling", 2002), with a table of windowed sincs.

/// Samples that each output sample is made of.
const TAPS: usize = 16;

/// Samples after the present one that must be known: 0.17 ms.
pub(super) const AHEAD: usize = TAPS / 2;

/// Samples before it.
pub(crate) const BEHIND: usize = TAPS - AHEAD - 1;

/// Places between two samples in the table; between these it is interpolated, which costs less than −80 dB.
const PHASES: usize = 128;

/// Shape of the Kaiser window: 65 dB up to 17 kHz.
const BETA: f64 = 6.2;

/// Output samples that are made in one step.
pub(super) const STEP: usize = 480;

/// Input that a step takes at most, at a speed below 1.25.
pub(crate) const LONGEST_INPUT: usize = TAPS + STEP + STEP / 4;

/// One, as speeds and places are counted.
const ONE: u64 = 1 << 32;

/// An interpolator, out of the way until it is first needed.
pub(crate) struct Varispeed {
    /// `PHASES` + 1 filters.
    filters: Box<[[f32; TAPS]; PHASES + 1]>,
    /// The input that is still needed: `BEHIND` samples, the present one, and what comes after it.
    input: Box<[f32; LONGEST_INPUT]>,
    filled: usize,
    /// Where between the sample at `BEHIND` and the next one the next output is.
    place: u64,
    speed: u64,
    engaged: bool,
}

impl Varispeed {
    /// Allocates everything.
    pub(crate) fn new() -> Self {
        let mut filters = Box::new([[0.0; TAPS]; PHASES + 1]);
        filters.iter_mut().enumerate().for_each(|(phase, filter)| *filter = designed(phase));
        Self {
            filters,
            input: Box::new([0.0; LONGEST_INPUT]),
            filled: 0,
            place: 0,
            speed: ONE,
            engaged: false,
        }
    }

    /// Out of the way again, at once: what it had taken in is forgotten.
    pub(super) fn disengage(&mut self) {
        (self.engaged, self.filled, self.place, self.speed) = (false, 0, 0, ONE);
    }

    /// From now on the sound goes through it. `past` are the samples played last, at least `BEHIND`.
    pub(crate) fn engage(&mut self, past: &[f32]) {
        self.disengage();
        self.input[..BEHIND].copy_from_slice(&past[past.len() - BEHIND..]);
        (self.engaged, self.filled) = (true, BEHIND);
    }

    /// Whether sound goes through it.
    pub(super) fn is_engaged(&self) -> bool {
        self.engaged
    }

    /// Sets the speed: 1.001 takes 1,001 samples to make 1,000.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0.8 to 1.2")]
    pub(crate) fn set_speed(&mut self, speed: f64) {
        self.speed = (speed.clamp(0.8, 1.2) * 4_294_967_296.0) as u64;
    }

    /// Samples that have been taken in and not been played.
    pub(super) fn held(&self) -> usize {
        self.filled.saturating_sub(BEHIND)
    }

    /// As [`held`](Self::held), with the part of the present sample that has been played taken off.
    #[expect(clippy::cast_precision_loss, reason = "a step is short")]
    pub(crate) fn held_exactly(&self) -> f64 {
        self.filled as f64 - BEHIND as f64 - self.place as f64 / ONE as f64
    }

    /// How many more samples `outputs` (at most [`STEP`]) need to be made of.
    pub(crate) fn needs(&self, outputs: usize) -> usize {
        let last = self.place + outputs.saturating_sub(1) as u64 * self.speed;
        (whole(last) + TAPS).saturating_sub(self.filled)
    }

    /// Takes in what is needed.
    pub(crate) fn take(&mut self, samples: &[f32]) {
        self.input[self.filled..self.filled + samples.len()].copy_from_slice(samples);
        self.filled += samples.len();
    }

    /// Fills `out`, for which enough was taken in before.
    pub(crate) fn play(&mut self, out: &mut [f32]) {
        for sample in &mut *out {
            let at = whole(self.place);
            *sample = self.between(&self.input[at..at + TAPS], self.place % ONE);
            self.place += self.speed;
        }
        let done = whole(self.place).min(self.filled);
        self.input.copy_within(done..self.filled, 0);
        self.filled -= done;
        self.place -= (done as u64) << 32;
    }

    fn between(&self, input: &[f32], fraction: u64) -> f32 {
        let fine = fraction * PHASES as u64;
        let [one, next] = [0, 1].map(|step| &self.filters[whole(fine) + step]);
        #[expect(clippy::cast_precision_loss, reason = "a share")]
        let share = (fine % ONE) as f32 / ONE as f32;
        let taps = input.iter().zip(one.iter().zip(next));
        taps.map(|(sample, (one, next))| sample * (one + share * (next - one))).sum()
    }
}

fn whole(place: u64) -> usize {
    (place >> 32) as usize
}

/// The filter that finds the signal at `phase` between the sample at `BEHIND` and the next.
fn designed(phase: usize) -> [f32; TAPS] {
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let distance = |tap: usize| tap as f64 - BEHIND as f64 - phase as f64 / PHASES as f64;
    let taps: [f64; TAPS] = std::array::from_fn(|tap| sinc(distance(tap)) * kaiser(distance(tap)));
    let sum: f64 = taps.iter().sum();
    #[expect(clippy::cast_possible_truncation, reason = "what samples are")]
    taps.map(|tap| (tap / sum) as f32)
}

fn sinc(x: f64) -> f64 {
    let angle = std::f64::consts::PI * x;
    if x.abs() < 1e-9 { 1.0 } else { angle.sin() / angle }
}

/// The Kaiser window over −`AHEAD` to `AHEAD`.
#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn kaiser(x: f64) -> f64 {
    let inside = (1.0 - (x / AHEAD as f64).powi(2)).max(0.0);
    bessel(BETA * inside.sqrt()) / bessel(BETA)
}

/// The modified Bessel function of order zero, by its series.
fn bessel(x: f64) -> f64 {
    let mut term = 1.0;
    (1..30)
        .map(|k| {
            term *= (x / 2.0 / f64::from(k)).powi(2);
            term
        })
        .sum::<f64>()
        + 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(frequency: f64, at: f64) -> f64 {
        (std::f64::consts::TAU * frequency * at / 48_000.0).sin()
    }

    /// Signal to noise in dB of a sine played at this speed.
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "small numbers")]
    fn purity(frequency: f64, speed: f64) -> f64 {
        let (mut varispeed, mut next) = (Varispeed::new(), 0_u32);
        let mut past = [0.0; BEHIND];
        for sample in &mut past {
            *sample = sine(frequency, f64::from(next)) as f32;
            next += 1;
        }
        varispeed.engage(&past);
        varispeed.set_speed(speed);
        let (mut noise, mut heard) = (0.0, 0_u32);
        for _ in 0..200 {
            for _ in 0..varispeed.needs(240) {
                varispeed.take(&[sine(frequency, f64::from(next)) as f32]);
                next += 1;
            }
            let mut out = [0.0; 240];
            varispeed.play(&mut out);
            for sample in out {
                let wanted = sine(frequency, BEHIND as f64 + f64::from(heard) * speed);
                noise += (f64::from(sample) - wanted).powi(2);
                heard += 1;
            }
        }
        10.0 * (0.5 * f64::from(heard) / noise).log10()
    }

    #[test]
    fn sines_stay_pure_at_all_speeds_of_a_drifting_clock() {
        for speed in [0.999, 0.999_7, 1.0, 1.000_02, 1.001] {
            for (frequency, least) in [(100.0, 80.0), (1_000.0, 72.0), (8_000.0, 65.0), (16_000.0, 60.0)] {
                let purity = purity(frequency, speed);
                assert!(purity > least, "{frequency} Hz at {speed}: {purity} dB");
            }
        }
    }

    #[test]
    fn at_speed_one_nothing_is_changed_and_eight_samples_are_held() {
        let mut varispeed = Varispeed::new();
        varispeed.engage(&[0.0; BEHIND]);
        let mut next = 0.0;
        for _ in 0..3 {
            for _ in 0..varispeed.needs(60) {
                varispeed.take(&[next]);
                next += 1.0;
            }
            let first = varispeed.held();
            let mut out = [0.0; 60];
            varispeed.play(&mut out);
            assert!(out.windows(2).all(|pair| (pair[1] - pair[0] - 1.0).abs() < 1e-3));
            assert_eq!((first, varispeed.held()), (60 + AHEAD, AHEAD));
        }
    }
}
