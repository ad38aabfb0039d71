//! The one place that reads a clock. Everything else takes the time as an argument.

use std::time::{Instant, SystemTime};

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
