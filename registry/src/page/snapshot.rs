//! An overview with the time of day, which is what people and programs read instead of ages.

use std::fmt;
use std::time::Duration;

use time::OffsetDateTime;

use crate::core::overview::Overview;

/// The registry as it was seen at one time.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// What was seen.
    pub overview: Overview,
    /// When, since 1970; exactly, or what happened at one time would be told with two.
    pub taken: Duration,
}

impl Snapshot {
    /// When it was so long ago.
    pub(super) fn ago(&self, ago: Duration) -> Moment {
        Moment(self.taken.saturating_sub(ago).as_secs())
    }
}

/// A second since 1970. Shown as people without JavaScript read it: `2026-11-21 05:10:07`, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub(super) struct Moment(pub(super) u64);

impl Moment {
    /// As HTML wants it in `datetime=`: `2026-11-21T05:10:07Z` (RFC 3339).
    pub(super) fn for_programs(self) -> String {
        self.to_string().replace(' ', "T") + "Z"
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = i64::try_from(self.0).unwrap_or(i64::MAX);
        // A clock that is set past the year 9999 is no time at all.
        let moment = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let (year, month, day) = moment.to_calendar_date();
        let (hour, minute, second) = moment.to_hms();
        write!(out, "{year}-{:02}-{day:02} {hour:02}:{minute:02}:{second:02}", u8::from(month))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_told_to_people_and_to_programs() {
        let moment = Moment(1_772_355_907);
        assert_eq!(moment.to_string(), "2026-03-01 09:05:07");
        assert_eq!(moment.for_programs(), "2026-03-01T09:05:07Z");
        assert_eq!(Moment(u64::MAX).to_string(), "1970-01-01 00:00:00");
    }
}
