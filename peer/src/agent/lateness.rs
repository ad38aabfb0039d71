//! When people are told of the mouth-to-ear delay: once it is known, when it has moved, when it passes what the operator
//! allows, and when it is well again.

use std::time::{Duration, Instant};

/// It is late when it has been so for this long: a delay that is being mended is no news.
const LATE_AFTER: Duration = Duration::from_secs(1);

/// It is well again when it has been so for this long …
const WELL_AFTER: Duration = Duration::from_secs(3);

/// … and is at most so many eighths of what is allowed.
const WELL_EIGHTHS: u32 = 7;

/// A delay that has moved by less than this is not worth another word …
const MOVED: Duration = Duration::from_millis(10);

/// … and neither is one that was told of so lately.
const BETWEEN: Duration = Duration::from_secs(5);

/// What is to be told of a direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Telling {
    /// The delay as it is.
    Delay,
    /// It is more than is allowed.
    Late,
    /// It is well again.
    Timely,
}

impl Telling {
    /// As `* AUDIO` shows it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Delay => "delay",
            Self::Late => "late",
            Self::Timely => "timely",
        }
    }
}

/// One direction of a leg.
#[derive(Debug, Clone, Copy, Default)]
pub struct Lateness {
    late: bool,
    /// Since when it is not what was told of it: late though it was well, or well though it was late.
    turned: Option<Instant>,
    told: Option<(Instant, Duration)>,
}

impl Lateness {
    /// Whether more than is allowed was told of last.
    pub fn is_late(&self) -> bool {
        self.late
    }

    /// Takes the delay as it is now, `None` where it is not known, and what the operator allows, `None`: anything.
    /// Tells what people should hear.
    pub fn judge(
        &mut self,
        now: Instant,
        delay: Option<Duration>,
        allowed: Option<Duration>,
    ) -> Option<Telling> {
        let turned = delay.zip(allowed).is_some_and(|(delay, allowed)| self.is_other(delay, allowed));
        let since = if turned { *self.turned.get_or_insert(now) } else { now };
        if !turned {
            self.turned = None;
        }
        if allowed.is_none() {
            self.late = false;
        }
        let patience = if self.late { WELL_AFTER } else { LATE_AFTER };
        if turned && now.saturating_duration_since(since) >= patience {
            return Some(self.turn(now, delay?));
        }
        self.tell(now, delay?)
    }

    fn is_other(&self, delay: Duration, allowed: Duration) -> bool {
        if self.late { delay <= allowed / 8 * WELL_EIGHTHS } else { delay > allowed }
    }

    fn turn(&mut self, now: Instant, delay: Duration) -> Telling {
        self.late = !self.late;
        (self.turned, self.told) = (None, Some((now, delay)));
        if self.late { Telling::Late } else { Telling::Timely }
    }

    fn tell(&mut self, now: Instant, delay: Duration) -> Option<Telling> {
        let stale = self.told.is_none_or(|(when, told)| {
            now.saturating_duration_since(when) >= BETWEEN && told.abs_diff(delay) >= MOVED
        });
        stale.then(|| {
            self.told = Some((now, delay));
            Telling::Delay
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is told where reports come every 200 ms: (from when on, in seconds; the delay in ms, or none).
    fn story(allowed_ms: Option<u64>, course: &[(u64, Option<u64>)], seconds: u64) -> Vec<(u64, Telling)> {
        let start = vox_common::sys::clock::now();
        let mut lateness = Lateness::default();
        let mut told = Vec::new();
        for ms in (0..seconds * 1_000).step_by(200) {
            let (_, delay) = course.iter().rev().find(|(from, _)| from * 1_000 <= ms).expect("from 0 on");
            let now = start + Duration::from_millis(ms);
            let telling =
                lateness.judge(now, delay.map(Duration::from_millis), allowed_ms.map(Duration::from_millis));
            told.extend(telling.map(|telling| (ms, telling)));
        }
        told
    }

    use Telling::{Delay, Late, Timely};

    #[test]
    fn people_are_told_once_when_it_passes_and_once_when_it_is_well_again() {
        for (what, course, wanted) in [
            ("well", &[(0, Some(20))][..], vec![(0, Delay)]),
            ("never known", &[(0, None)], vec![]),
            ("known later", &[(0, None), (2, Some(20))], vec![(2_000, Delay)]),
            ("just what is allowed", &[(0, Some(20)), (6, Some(100))], vec![(0, Delay), (6_000, Delay)]),
            ("late at once", &[(0, Some(200))], vec![(0, Delay), (1_000, Late)]),
            ("late for long", &[(0, Some(20)), (3, Some(200))], vec![(0, Delay), (4_000, Late)]),
            (
                "late, and well again",
                &[(0, Some(20)), (2, Some(200)), (10, Some(20))],
                vec![(0, Delay), (3_000, Late), (10_000, Delay), (13_000, Timely)],
            ),
            (
                "just below what is allowed is not well yet",
                &[(0, Some(101)), (10, Some(95)), (20, Some(87))],
                vec![(0, Delay), (1_000, Late), (20_000, Delay), (23_000, Timely)],
            ),
            (
                "not known any more is neither",
                &[(0, Some(200)), (8, None), (20, Some(199))],
                vec![(0, Delay), (1_000, Late)],
            ),
        ] {
            assert_eq!(story(Some(100), course, 30), wanted, "{what}");
        }
    }

    #[test]
    fn a_delay_that_swings_about_the_border_is_told_of_once() {
        let swinging: Vec<_> =
            (0..60).map(|second| (second, Some(if second % 2 == 0 { 101 } else { 92 }))).collect();
        assert_eq!(story(Some(100), &swinging, 60), [(0, Delay)], "never late for a second");
        let falling: Vec<_> =
            (0..60).map(|second| (second, Some(if second % 4 < 2 { 101 } else { 80 }))).collect();
        let late = story(Some(100), &falling, 60).into_iter().filter(|(_, telling)| *telling != Delay);
        assert_eq!(late.collect::<Vec<_>>(), [(1_000, Late)], "never well for three seconds");
    }

    #[test]
    fn a_delay_that_moves_is_told_of_every_five_seconds_at_most() {
        let moving: Vec<_> = (0..20).map(|second| (second, Some(20 + 4 * second))).collect();
        let wanted = [(0, Delay), (5_000, Delay), (10_000, Delay), (15_000, Delay)];
        assert_eq!(story(Some(1_000), &moving, 20), wanted);
        let resting: Vec<_> = (0..20).map(|second| (second, Some(20 + second % 9))).collect();
        assert_eq!(story(Some(1_000), &resting, 20), [(0, Delay)]);
    }

    #[test]
    fn where_anything_is_allowed_nothing_is_late() {
        assert_eq!(story(None, &[(0, Some(5_000))], 30), [(0, Delay)]);
        let start = vox_common::sys::clock::now();
        let mut lateness = Lateness { late: true, ..Lateness::default() };
        lateness.judge(start, Some(Duration::from_secs(5)), None);
        assert!(!lateness.is_late(), "another configuration was read");
    }
}
