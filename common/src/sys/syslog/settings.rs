//! `[log]` of either configuration file.

use std::path::PathBuf;

use log::LevelFilter;

use super::super::config::{ConfigError, Section};

/// The `[log]` section: how much is told, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The least important level that is told.
    pub level: LevelFilter,
    /// Where to.
    pub target: Target,
}

/// Where log lines go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The syslog daemon on this socket; stderr while there is none, or when stderr is a terminal.
    Syslog(PathBuf),
    /// Always stderr.
    Stderr,
}

/// Where every syslog daemon on Linux listens.
pub(super) const DEV_LOG: &str = "/dev/log";

impl Settings {
    /// Reads a `[log]` section.
    ///
    /// # Errors
    /// What [`Section::value`] refuses.
    pub fn read(section: &mut Section<'_>) -> Result<Self, ConfigError> {
        let allowed = r#""error", "warn", "info" or "debug""#;
        let level = section.value("level", allowed, LevelFilter::Info, |given| level(given.text()?))?;
        let allowed = r#""syslog", "syslog:" and the path of a socket, or "stderr""#;
        let syslog = Target::Syslog(DEV_LOG.into());
        let target = section.value("target", allowed, syslog, |given| Target::parse(given.text()?))?;
        Ok(Self { level, target })
    }
}

fn level(text: &str) -> Option<LevelFilter> {
    match text {
        "error" => Some(LevelFilter::Error),
        "warn" => Some(LevelFilter::Warn),
        "info" => Some(LevelFilter::Info),
        "debug" => Some(LevelFilter::Debug),
        _ => None,
    }
}

impl Target {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "stderr" => Some(Self::Stderr),
            "syslog" => Some(Self::Syslog(DEV_LOG.into())),
            _ => text
                .strip_prefix("syslog:")
                .filter(|path| path.starts_with('/'))
                .map(|path| Self::Syslog(path.into())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_syslog_a_socket_or_stderr() {
        assert_eq!(Target::parse("syslog"), Some(Target::Syslog("/dev/log".into())));
        assert_eq!(Target::parse("syslog:/run/log"), Some(Target::Syslog("/run/log".into())));
        assert_eq!(Target::parse("stderr"), Some(Target::Stderr));
        assert_eq!(Target::parse("syslog:log"), None);
        assert_eq!(Target::parse("file"), None);
    }
}
