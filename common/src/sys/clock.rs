//! The one place that reads a clock or waits for it. Everything else takes the time as an argument.

use std::time::{Duration, Instant, SystemTime};

use nix::sys::time::TimeSpec;
use nix::time::{ClockId, ClockNanosleepFlags, clock_gettime, clock_nanosleep};

/// The monotonic clock (`CLOCK_MONOTONIC`), for deadlines and intervals.
#[expect(clippy::disallowed_methods, reason = "the one place that may")]
pub fn now() -> Instant {
    Instant::now()
}

/// The calendar clock (`CLOCK_REALTIME`), for what people read and for NTP time stamps.
#[expect(clippy::disallowed_methods, reason = "the one place that may")]
pub fn wall() -> SystemTime {
    SystemTime::now()
}

/// Seconds since 1970 by the calendar clock.
pub fn unix_seconds() -> u64 {
    since_1970(wall()).as_secs()
}

/// How long after 1970 a calendar time is; nothing for a clock that was never set.
pub fn since_1970(wall: SystemTime) -> Duration {
    wall.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// Since boot by `CLOCK_MONOTONIC`, as systemd wants it told.
pub fn monotonic() -> Duration {
    clock_gettime(ClockId::CLOCK_MONOTONIC).map(Duration::from).expect("Linux has CLOCK_MONOTONIC")
}

/// Waits until `deadline`, however often signals interrupt it; returns at once when that has passed.
///
/// Absolute (`TIMER_ABSTIME`), so that a thread with a beat does not add up its own lateness.
pub fn sleep_until(deadline: Instant) {
    let wait = deadline.saturating_duration_since(now());
    if wait.is_zero() {
        return;
    }
    let absolute = TimeSpec::from(monotonic() + wait);
    let flags = ClockNanosleepFlags::TIMER_ABSTIME;
    while clock_nanosleep(ClockId::CLOCK_MONOTONIC, flags, &absolute) == Err(nix::errno::Errno::EINTR) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sleeper_wakes_after_its_deadline() {
        let deadline = now() + Duration::from_millis(5);
        sleep_until(deadline);
        assert!(now() >= deadline);
        sleep_until(deadline);
    }

    #[test]
    fn a_clock_that_was_never_set_is_no_time_at_all() {
        assert_eq!(since_1970(SystemTime::UNIX_EPOCH - Duration::from_secs(1)), Duration::ZERO);
        assert!(unix_seconds() > 1_700_000_000);
    }
}
