//! What a card's thread does besides its work: becomes real-time, tells how the card fares, and is not driven mad by
//! a card that is.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use cpal::ErrorKind;
use vox_common::sys::clock;

use super::open::Needs;
use super::trouble::why;
use super::{Health, span};
use crate::rt;

/// A card that reports an error again and again is slowed down to this until somebody closes it.
const BETWEEN_ERRORS: Duration = Duration::from_millis(20);

/// So many xruns without a call between them are no accidents: the card does not come back by itself.
const XRUNS_IN_A_ROW: u32 = 8;

/// What a callback does first and last.
pub(super) struct Duty {
    name: &'static str,
    calls: u64,
    needs: Needs,
    health: Arc<Health>,
    pace: Pace,
}

impl Duty {
    pub(super) fn new(name: &'static str, needs: &Needs, health: &Arc<Health>) -> Self {
        Self { name, calls: 0, needs: needs.clone(), health: Arc::clone(health), pace: Pace::default() }
    }

    /// cpal owns the thread: the first callback is the first chance to be on it. Tells how often it was called before.
    pub(super) fn begin(&mut self) -> u64 {
        let before = self.calls;
        self.calls += 1;
        if before == 0 {
            self.needs.report(rt::schedule(self.name, self.needs.priority));
            rt::flush_denormals();
        }
        self.health.called();
        before
    }

    /// After so many of our samples. Waits only for a card that runs ahead of time.
    pub(super) fn end(&mut self, samples: usize) {
        if let Some(until) = self.pace.step(clock::now(), span(samples)) {
            clock::sleep_until(until);
        }
    }
}

/// Holds up what asks for sound, or brings it, faster than time goes: ALSA's `null` and `file` have no clock at all, and
/// a card whose every transfer fails asks again at once. Otherwise they would cost a core at real-time priority.
#[derive(Default)]
struct Pace {
    /// When the samples so far would end.
    end: Option<Instant>,
}

/// No real clock is a hundredth too fast.
const TOO_FAST: f64 = 1.01;

/// Held back by so much, a card may catch up: after a stall it brings everything at once.
const BEHIND: Duration = Duration::from_secs(2);

/// So many of the latest step and so long may a card be ahead: what its buffer takes when it begins.
const AHEAD_STEPS: u32 = 4;
const AHEAD: Duration = Duration::from_millis(100);

impl Pace {
    /// Notes sound of this length. When to go on, if that is not at once.
    fn step(&mut self, now: Instant, length: Duration) -> Option<Instant> {
        let earliest = now.checked_sub(BEHIND).unwrap_or(now);
        let end = self.end.unwrap_or(now).max(earliest) + length.div_f64(TOO_FAST);
        self.end = Some(end);
        let ahead = AHEAD + length * AHEAD_STEPS;
        end.checked_sub(ahead).filter(|&until| until > now)
    }
}

/// Counts xruns, which cpal mends; anything else means that the stream must be opened again, by another thread.
pub(super) fn complain(health: &Arc<Health>, needs: &Needs) -> impl FnMut(cpal::Error) + Send + 'static {
    let (health, needs) = (Arc::clone(health), needs.clone());
    let (mut in_a_row, mut calls) = (0, 0);
    move |error| match error.kind() {
        ErrorKind::RealtimeDenied | ErrorKind::DeviceChanged => (),
        ErrorKind::Xrun if in_a_row < XRUNS_IN_A_ROW => {
            health.ran_dry();
            in_a_row = if health.calls() == calls { in_a_row + 1 } else { 0 };
            calls = health.calls();
        }
        _ => {
            health.fail(|| why(&error));
            needs.wake();
            thread::park_timeout(BETWEEN_ERRORS);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: Duration = Duration::from_millis(10);

    /// How long a card took for so many periods that it asked for every `each`.
    fn took(pace: &mut Pace, mut now: Instant, periods: u32, each: Duration) -> Duration {
        let began = now;
        for _ in 0..periods {
            now += each;
            now = pace.step(now, PERIOD).unwrap_or(now);
        }
        now - began
    }

    #[test]
    fn a_card_without_a_clock_keeps_the_time() {
        let took = took(&mut Pace::default(), clock::now(), 1_000, Duration::ZERO);
        assert!((9.6..9.9).contains(&took.as_secs_f64()), "{took:?}");
    }

    #[test]
    fn a_card_that_is_as_fast_as_cards_are_is_never_held_up() {
        let (mut pace, now) = (Pace::default(), clock::now());
        let fast = PERIOD.mul_f64(0.9995);
        assert_eq!(took(&mut pace, now, 100_000, fast), fast * 100_000);
    }

    #[test]
    fn after_a_stall_everything_may_come_at_once() {
        let (mut pace, now) = (Pace::default(), clock::now());
        took(&mut pace, now, 100, PERIOD);
        let later = now + Duration::from_secs(4);
        assert_eq!(took(&mut pace, later, 190, Duration::ZERO), Duration::ZERO);
    }

    #[test]
    fn a_card_that_only_runs_dry_is_given_up() {
        let health = Arc::<Health>::default();
        let needs =
            Needs { frame: 480, period: crate::config::Period::Auto, priority: 0, tell: Arc::new(|_| ()) };
        let mut complain = complain(&health, &needs);
        for _ in 0..100 {
            health.called();
            complain(ErrorKind::Xrun.into());
        }
        assert_eq!((health.xruns(), health.failure()), (100, None));
        (0..20).for_each(|_| complain(ErrorKind::Xrun.into()));
        assert!(health.failure().is_some());
    }
}
