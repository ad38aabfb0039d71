//! The card's own time, in samples that it has asked for, and any other time on that scale.
//!
//! A callback is often late and never early for long, so the line through its times follows the early ones quickly
//! and the late ones slowly (after F. Adriaensen, "Using a DLL to filter time", LAC 2005).

use std::time::{Duration, Instant};

use crate::media::sequence::{samples_between, span};

/// A callback that is off by more (10 ms) means that the card has lost time, or found some again.
const LOST: i64 = 10_000_000;

/// How much of an early callback's error is believed, as a divisor …
const EARLY: i64 = 4;

/// … and of a late one's. It must keep pace with a card that is 300 ppm slow.
const LATE: i64 = 50;

/// Time as the card counts it. The count begins as samples since the origin; time that the card loses is counted.
#[derive(Debug, Clone, Copy)]
pub(super) struct CardClock {
    origin: Instant,
    /// The time line: at this time …
    at: Option<Instant>,
    /// … it was so late on the card.
    count: i64,
    /// Samples asked for in the pull that began then.
    pulled: usize,
}

impl CardClock {
    /// A clock that stands until the first pull.
    pub(super) fn new(origin: Instant) -> Self {
        Self { origin, at: None, count: 0, pulled: 0 }
    }

    /// The card asks for `samples` at `now`: what its clock shows at the beginning of them.
    pub(super) fn pull(&mut self, now: Instant, samples: usize) -> i64 {
        self.count = self.next_pull().unwrap_or_else(|| samples_between(self.origin, now));
        let due = self.at.map_or(now, |at| at + span(self.pulled));
        self.at = Some(self.corrected(due, now));
        self.pulled = samples;
        self.count
    }

    /// What the card's clock showed, or will show, at another time.
    pub(super) fn time_of(&self, other: Instant) -> i64 {
        self.count + samples_between(self.at.unwrap_or(self.origin), other)
    }

    /// What the card's clock will show at the next pull. `None`: there was none yet.
    pub(super) fn next_pull(&self) -> Option<i64> {
        self.at.map(|_| self.count + i64::try_from(self.pulled).unwrap_or(0))
    }

    fn corrected(&mut self, due: Instant, now: Instant) -> Instant {
        let late = nanos_between(due, now);
        if late.abs() > LOST {
            self.count += late * 48 / 1_000_000;
            return now;
        }
        let step = late / if late < 0 { EARLY } else { LATE };
        if step < 0 {
            due.checked_sub(Duration::from_nanos(step.unsigned_abs())).unwrap_or(due)
        } else {
            due + Duration::from_nanos(step.unsigned_abs())
        }
    }
}

fn nanos_between(from: Instant, to: Instant) -> i64 {
    let nanos = |span: Duration| i64::try_from(span.as_nanos()).unwrap_or(i64::MAX);
    to.checked_duration_since(from).map_or_else(|| -nanos(from.duration_since(to)), nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_callbacks_are_smoothed_and_lost_time_is_counted() {
        let origin = vox_common::sys::clock::now();
        let at = |us: u64| origin + Duration::from_micros(us);
        let mut clock = CardClock::new(origin);
        assert_eq!(clock.time_of(at(1_000)), 48, "before the first pull");
        assert_eq!(clock.pull(at(10_000), 480), 480);
        assert_eq!(clock.pull(at(22_000), 480), 960, "2 ms late");
        assert_eq!(clock.time_of(at(20_000)), 959, "a fiftieth of it is believed");
        assert_eq!(clock.pull(at(30_000), 480), 1_440);
        assert_eq!(clock.time_of(at(40_000)), 1_918);
        assert_eq!(clock.pull(at(5_040_000), 480), 1_918 + 5_000 * 48, "five seconds were lost");
        assert_eq!(clock.time_of(at(5_041_000)), 1_918 + 5_001 * 48);
    }

    #[test]
    fn a_card_that_is_slow_is_followed() {
        let origin = vox_common::sys::clock::now();
        let mut clock = CardClock::new(origin);
        let mut now = origin;
        for _ in 0..10_000 {
            clock.pull(now, 120);
            now += Duration::from_nanos(2_500_750); // 300 ppm
        }
        let behind = clock.count + 120 - clock.time_of(now);
        assert!((-4..=0).contains(&behind), "{behind}");
    }
}
