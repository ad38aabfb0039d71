//! Figures for Prometheus, in the form that whoever asks can read.

use std::fmt::Write;

use super::Snapshot;
use crate::core::counters::Counter;

/// How figures are written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// `OpenMetrics` 1.0, which Prometheus asks for.
    OpenMetrics,
    /// The older text format of Prometheus, for everybody else: `curl … | promtool check metrics`.
    Classic,
}

impl Dialect {
    /// `OpenMetrics` for whoever says that it can be read, at whatever preference.
    pub(super) fn accepted_by<'a>(mut accepted: impl Iterator<Item = &'a str>) -> Self {
        let is_known = accepted.any(|value| value.contains("application/openmetrics-text"));
        if is_known { Self::OpenMetrics } else { Self::Classic }
    }

    pub(super) const fn media_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Classic => "text/plain; version=0.0.4; charset=utf-8",
        }
    }

    /// What is added to the name of a counter's family: `OpenMetrics` adds it to the samples alone.
    const fn family_suffix(self) -> &'static str {
        match self {
            Self::OpenMetrics => "",
            Self::Classic => "_total",
        }
    }
}

/// All figures. The last line is needed by `OpenMetrics` and a comment to everybody else.
pub(super) fn text(seen: &Snapshot, dialect: Dialect) -> String {
    let mut text = String::new();
    gauges(seen, &mut text);
    for counter in Counter::ALL {
        count(seen, counter, dialect, &mut text);
    }
    text.push_str("# EOF\n");
    text
}

fn gauges(seen: &Snapshot, text: &mut String) {
    let overview = &seen.overview;
    let members = overview.rooms.iter().map(|room| room.members.len()).sum();
    for (name, meaning, value) in [
        ("users", "users that are there", overview.users.len()),
        ("users_max", "as many users as may be", overview.max_users),
        ("open_connections", "connections, registered or not", overview.connections),
        ("rooms", "rooms", overview.rooms.len()),
        ("rooms_max", "as many rooms as may be", overview.max_rooms),
        ("members", "members of all rooms", members),
    ] {
        gauge(name, meaning, value, text);
    }
    gauge("start_time_seconds", "when the registry started, since 1970", seen.ago(overview.uptime).0, text);
    let version = format!("build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION"));
    let _ = writeln!(text, "# HELP vox_registry_build_info version of the program");
    let _ = writeln!(text, "# TYPE vox_registry_build_info gauge\nvox_registry_{version} 1");
}

fn gauge(name: &str, meaning: &str, value: impl std::fmt::Display, text: &mut String) {
    let _ = writeln!(text, "# HELP vox_registry_{name} {meaning}");
    let _ = writeln!(text, "# TYPE vox_registry_{name} gauge\nvox_registry_{name} {value}");
}

fn count(seen: &Snapshot, counter: Counter, dialect: Dialect, text: &mut String) {
    let name = format!("vox_registry_{}", counter.word().replace('-', "_"));
    let family = format!("{name}{}", dialect.family_suffix());
    let _ = writeln!(text, "# HELP {family} {}\n# TYPE {family} counter", counter.meaning());
    let _ = writeln!(text, "{name}_total {}", seen.overview.counters.of(counter));
}
