//! How fast the sender's clock runs beside the card's: the slope of the fastest packets' transit times.
//!
//! Transit times are taken on the card's clock, and what is played has no influence on them: there is no loop here
//! that could swing.

/// The fastest packet of each half second counts.
const BLOCK: i64 = 24_000;

/// Blocks that the line goes through at most: 32 s.
const MOST: usize = 64;

/// Blocks without which there is no line.
const LEAST: usize = 4;

/// Two blocks further off the line than this (2 ms), and so many times the noise, mean another path.
const STEP: f64 = 96.0;
const STEP_IN_NOISES: f64 = 6.0;

/// Noise is taken for at least 40 µs: what packets of an idle machine differ by.
const LEAST_NOISE: f64 = 2.0;

/// A slope is believed when it is so many times its standard error, when the line rises by so many times what the
/// blocks scatter about it (jitter that comes or goes is no slope), and when it is 5 ppm.
const CERTAIN: f64 = 6.0;
const STANDS_OUT: f64 = 3.0;
const LEAST_SLOPE: f64 = 5e-6 * 24_000.0;

/// How far the median of differences of neighbouring blocks is off by chance: so many times how much these differ among
/// each other, by the square root of their number.
const BY_CHANCE: f64 = 1.8;

/// No crystal is off by more: 500 ppm.
const MOST_SLOPE: f64 = 500e-6 * 24_000.0;

/// The drift of one sender.
#[derive(Debug)]
pub(super) struct Drift {
    /// The fastest packet of each block, beside the first one of them.
    blocks: heapless::Deque<f64, MOST>,
    origin: i64,
    /// Of the block that is being filled.
    fastest: Option<i64>,
    ends: i64,
    noise: f64,
    /// Blocks off the line, one after the other.
    odd: u32,
    /// Samples per block.
    slope: f64,
    certain: bool,
}

/// A line through the blocks: where it is at the newest, by how much it rises with each, and how they scatter.
#[derive(Clone, Copy)]
struct Line {
    newest: f64,
    slope: f64,
    scatter: f64,
}

impl Drift {
    /// Nothing is known.
    pub(super) fn new() -> Self {
        let blocks = heapless::Deque::new();
        let (fastest, certain) = (None, false);
        Self { blocks, origin: 0, fastest, ends: 0, noise: LEAST_NOISE, odd: 0, slope: 0.0, certain }
    }

    /// Forgets the sender.
    pub(super) fn clear(&mut self) {
        *self = Self::new();
    }

    /// A packet came at `came` by the card's clock, after `transit`.
    pub(super) fn note(&mut self, came: i64, transit: i64) {
        if came >= self.ends {
            if let Some(fastest) = self.fastest.take() {
                self.close(fastest);
            }
            self.ends = came + BLOCK;
        }
        self.fastest = Some(self.fastest.map_or(transit, |fastest| fastest.min(transit)));
    }

    /// By which share the sender is slower than the card. `None`: as far as one can tell, they agree.
    pub(super) fn slower(&self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "a constant")]
        self.certain.then_some(self.slope / BLOCK as f64)
    }

    #[expect(clippy::cast_precision_loss, reason = "seconds and their parts in samples")]
    fn close(&mut self, fastest: i64) {
        if self.blocks.is_empty() {
            self.origin = fastest;
        }
        let value = (fastest - self.origin) as f64;
        let off = value - self.line().map_or(value, |line| line.newest + line.slope);
        if off.abs() > STEP + STEP_IN_NOISES * self.noise && self.odd == 0 && self.blocks.len() >= LEAST {
            self.odd = 1; // one is an accident
            return;
        }
        if self.odd > 0 && off.abs() > STEP {
            self.blocks.clear();
            self.origin = fastest;
        }
        self.odd = 0;
        self.take((fastest - self.origin) as f64);
    }

    fn take(&mut self, value: f64) {
        if self.blocks.is_full() {
            self.blocks.pop_front();
        }
        let _ = self.blocks.push_back(value);
        let Some(line) = self.line().filter(|_| self.blocks.len() >= LEAST) else { return };
        let off = (value - line.newest).abs().min(STEP * 4.0);
        self.noise += 0.1 * (off - self.noise);
        self.slope = line.slope.clamp(-MOST_SLOPE, MOST_SLOPE);
        self.judge(line);
    }

    /// Doubts more before it believes than before it goes on believing.
    #[expect(clippy::cast_precision_loss, reason = "at most 64")]
    fn judge(&mut self, line: Line) {
        let (blocks, scatter) = (self.blocks.len() as f64, line.scatter.max(LEAST_NOISE));
        let error = scatter * (12.0 / blocks.powi(3)).sqrt();
        let needed = (CERTAIN * error).max(STANDS_OUT * scatter / blocks).max(LEAST_SLOPE);
        let needed = if self.certain { needed / 2.0 } else { needed };
        self.certain = line.slope.abs() > needed && !self.is_of_steps(line.slope);
    }

    /// Whether the line rises by a few steps and is level between them: then packets have found another way, or a card
    /// has lost a period, and no clock runs faster than another.
    #[expect(clippy::cast_precision_loss, reason = "at most 63")]
    fn is_of_steps(&self, slope: f64) -> bool {
        let pairs = self.blocks.iter().zip(self.blocks.iter().skip(1));
        let mut rises: heapless::Vec<f64, MOST> = pairs.map(|(one, next)| next - one).collect();
        let usual = median(&mut rises);
        rises.iter_mut().for_each(|rise| *rise = (*rise - usual).abs());
        let chance = BY_CHANCE * median(&mut rises).max(LEAST_NOISE) / (rises.len() as f64).sqrt();
        let is_sure = chance < slope.abs() / 4.0;
        is_sure && usual * slope.signum() < slope.abs() / 2.0
    }

    /// Least squares.
    #[expect(clippy::cast_precision_loss, reason = "at most 64")]
    fn line(&self) -> Option<Line> {
        let count = self.blocks.len() as f64;
        let (mean_x, mean) = ((count - 1.0) / 2.0, self.blocks.iter().sum::<f64>() / count);
        let (mut rise, mut run) = (0.0, 0.0);
        for (x, value) in self.blocks.iter().enumerate() {
            let x = x as f64 - mean_x;
            rise += x * (value - mean);
            run += x * x;
        }
        let slope = if run > 0.0 { rise / run } else { 0.0 };
        let off = |(x, value): (usize, &f64)| value - mean - slope * (x as f64 - mean_x);
        let squares: f64 = self.blocks.iter().enumerate().map(|block| off(block).powi(2)).sum();
        let scatter = (squares / (count - 2.0).max(1.0)).sqrt();
        (count > 0.0).then_some(Line { newest: mean + slope * mean_x, slope, scatter })
    }
}

/// Zero of nothing.
fn median(values: &mut [f64]) -> f64 {
    let middle = values.len() / 2;
    let ordered = |values: &mut [f64]| *values.select_nth_unstable_by(middle, f64::total_cmp).1;
    if values.is_empty() { 0.0 } else { ordered(values) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is known after so many seconds of 10 ms packets, in ppm.
    fn ppm(seconds: i64, transit: impl Fn(i64) -> i64) -> Option<f64> {
        let mut drift = Drift::new();
        for came in (0..seconds * 48_000).step_by(480) {
            drift.note(came, transit(came));
        }
        drift.slower().map(|share| share * 1e6)
    }

    fn noise(came: i64) -> i64 {
        (came / 480 * 7_919) % 101
    }

    #[test]
    fn the_drift_is_known_within_seconds_where_there_is_one() {
        for true_ppm in [-300, -40, 40, 300] {
            let found = ppm(40, |came| came * true_ppm / 1_000_000 + noise(came)).unwrap();
            #[expect(clippy::cast_precision_loss, reason = "small")]
            let off = found - true_ppm as f64;
            assert!(off.abs() < 3.0, "{true_ppm}: {found}");
        }
        assert!(ppm(9, |came| came * 300 / 1_000_000 + noise(came)).is_some());
        assert_eq!(ppm(40, noise), None);
    }

    #[test]
    fn a_card_that_loses_periods_does_not_drift() {
        for (every, lost) in [(2, 60), (3, 60), (4, 48), (7, 120), (3, -60)] {
            let steps = |came: i64| noise(came) / 50 + came / (every * 48_000) * lost;
            for seconds in [6, 9, 12, 20, 40] {
                assert_eq!(ppm(seconds, steps), None, "{lost} every {every} s for {seconds} s");
            }
        }
    }

    #[test]
    fn another_path_is_no_drift() {
        let moved = |came: i64| noise(came) + if came > 20 * 48_000 { 960 } else { 0 };
        for seconds in [20, 21, 22, 25, 30, 60] {
            assert_eq!(ppm(seconds, moved), None, "{seconds}");
        }
        let drifting = |came: i64| moved(came) + came * 100 / 1_000_000;
        let found = ppm(60, drifting).unwrap();
        assert!((found - 100.0).abs() < 3.0, "{found}");
    }
}
