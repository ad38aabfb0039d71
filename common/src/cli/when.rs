//! Times and durations as people write them.

use std::time::Duration;

use time::{OffsetDateTime, UtcOffset};

/// A second since 1970 as local date and time: `2026-03-01 09:05`.
pub fn local(seconds: i64) -> String {
    let Ok(universal) = OffsetDateTime::from_unix_timestamp(seconds) else { return "-".into() };
    let offset = UtcOffset::local_offset_at(universal).unwrap_or(UtcOffset::UTC);
    let local = universal.to_offset(offset);
    let (year, month, day) = local.to_calendar_date();
    format!("{year}-{:02}-{day:02} {:02}:{:02}", u8::from(month), local.hour(), local.minute())
}

/// A duration in its two largest units: `2 h 5 min`.
pub fn spoken(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let units = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let first = units.iter().position(|(size, _)| seconds >= *size).unwrap_or(3);
    let part = |(size, unit): &(u64, &str), above: Option<u64>| {
        let count = above.map_or(seconds, |above| seconds % above) / size;
        (count > 0 || above.is_none()).then(|| format!("{count} {unit}"))
    };
    let second = units.get(first + 1).and_then(|unit| part(unit, Some(units[first].0)));
    part(&units[first], None).into_iter().chain(second).collect::<Vec<_>>().join(" ")
}

/// A running time as on a stop watch: `1:05`, `1:00:05`.
pub fn counted(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_told_in_its_two_largest_units() {
        for (seconds, text) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (65, "1 min 5 s"),
            (7_500, "2 h 5 min"),
            (90_061, "1 d 1 h"),
        ] {
            assert_eq!(spoken(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn a_stop_watch_shows_hours_only_when_there_are_some() {
        for (seconds, text) in [(0, "0:00"), (65, "1:05"), (3_605, "1:00:05")] {
            assert_eq!(counted(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn a_time_is_a_date() {
        let shown = local(1_772_355_900);
        assert!(shown.starts_with("2026-03-01 ") && shown.len() == 16, "{shown}");
    }
}
