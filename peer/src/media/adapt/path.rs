//! Whether the path carries less than it is given: by round trips that grow, and by a trial of less where loss alone
//! cannot tell a full path from a bad one.

use std::time::{Duration, Instant};

use super::Heard;

/// A round trip longer than the least by this is a queue that fills; jitter of 60 ms each way stays below it.
const QUEUE: Duration = Duration::from_millis(150);

/// So many slow round trips in a row are no accident.
const SLOW_RUN: u8 = 2;

/// The least round trip is looked for anew after so long: routes change.
const REMEMBERED: Duration = Duration::from_secs(60);

/// Loss that may be the path's way of saying that it is full.
const SUSPICIOUS: f64 = 0.18;

/// Reports on which suspicion rests.
const LOSSY_RUN: u8 = 5;

/// Reports that a trial takes; the first one still tells of the time before it. Bursts of four that lose a fifth of all
/// packets by chance look like a path that was full once in 300 trials.
const TRIAL: u8 = 8;

/// A trial shows that the path is full when loss comes so near to what a full path would lose at half the rate: it is
/// 0 where the loss was the rate's, 1 where it was not.
const REMAINS: f64 = 0.25;

/// From one trial that showed nothing to the next; each time twice as long.
const BETWEEN_TRIALS: Duration = Duration::from_secs(60);

/// The longest such time.
const LONGEST_BETWEEN: Duration = Duration::from_secs(960);

/// What a report means for the rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing speaks against going on.
    Same,
    /// A queue fills up.
    CarriesLess,
    /// Send half, and see.
    TryLess,
    /// The trial runs.
    Trying,
    /// The trial is over: loss does not come from the rate.
    LessIsNoBetter,
    /// The trial is over: loss comes from the rate.
    LessIsBetter,
}

/// What is known of the path.
#[derive(Debug, Default)]
pub(super) struct PathWatch {
    least: Option<(Duration, Instant)>,
    slow: u8,
    lossy: Sum,
    trial: Option<Trial>,
    not_before: Option<Instant>,
    between: Option<Duration>,
}

#[derive(Debug, Clone, Copy)]
struct Trial {
    before: f64,
    reports: u8,
    lossy: Sum,
}

impl Trial {
    /// Less loss than this, and it came from the rate. A path that carries 1 − p of what it was given loses 2p − 1 of
    /// half of that, or nothing.
    fn border(&self) -> f64 {
        let full = (2.0 * self.before - 1.0).max(0.0);
        full + REMAINS * (self.before - full)
    }
}

/// A mean in the making.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    count: u8,
    sum: f64,
}

impl Sum {
    fn add(&mut self, value: f64) {
        self.count = self.count.saturating_add(1);
        self.sum += value;
    }

    fn mean(&self) -> f64 {
        self.sum / f64::from(self.count.max(1))
    }
}

impl PathWatch {
    pub(super) fn judge(&mut self, report: &Heard) -> Step {
        if self.is_slow(report) {
            (self.slow, self.trial, self.lossy) = (0, None, Sum::default());
            return Step::CarriesLess;
        }
        match self.trial.take() {
            Some(trial) => self.try_on(trial, report),
            None => self.suspect(report),
        }
    }

    fn is_slow(&mut self, report: &Heard) -> bool {
        let Some(round_trip) = report.round_trip else { return false };
        let old = |&(_, seen): &(Duration, Instant)| report.at.saturating_duration_since(seen) > REMEMBERED;
        let least = self.least.filter(|least| !old(least) && least.0 < round_trip);
        let (least, _) = *self.least.insert(least.unwrap_or((round_trip, report.at)));
        self.slow = if round_trip > least + QUEUE { self.slow + 1 } else { 0 };
        self.slow >= SLOW_RUN
    }

    fn suspect(&mut self, report: &Heard) -> Step {
        let may_try = self.not_before.is_none_or(|when| report.at >= when);
        if report.loss < SUSPICIOUS / 2.0 || !may_try {
            self.lossy = Sum::default();
            return Step::Same;
        }
        self.lossy.add(report.loss);
        if self.lossy.count < LOSSY_RUN || self.lossy.mean() < SUSPICIOUS {
            return Step::Same;
        }
        let before = std::mem::take(&mut self.lossy).mean();
        self.trial = Some(Trial { before, reports: 0, lossy: Sum::default() });
        Step::TryLess
    }

    fn try_on(&mut self, mut trial: Trial, report: &Heard) -> Step {
        trial.reports += 1;
        if trial.reports > 1 {
            trial.lossy.add(report.loss);
        }
        if trial.reports < TRIAL {
            self.trial = Some(trial);
            return Step::Trying;
        }
        if trial.lossy.mean() < trial.border() {
            return Step::LessIsBetter;
        }
        let between = self.between.map_or(BETWEEN_TRIALS, |before| (2 * before).min(LONGEST_BETWEEN));
        (self.between, self.not_before) = (Some(between), Some(report.at + between));
        Step::LessIsNoBetter
    }
}
