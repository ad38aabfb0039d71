//! `vox-registry check`: what a configuration file says, and the bounds that none can raise.

use std::fmt;
use std::path::Path;

use vox_common::cli::failure::Failure;
use vox_common::cli::screen::Screen;
use vox_common::wire::limits;

use super::args::Check;
use super::load;
use crate::config::{Config, SYSTEM_FILE};
use crate::core::TABLES_BYTES;

impl Check {
    pub(super) fn perform(&self) -> Result<(), Failure> {
        let config = load(self.file.as_deref())?;
        let mut screen = Screen::stdout();
        screen.line(&self.verdict(&config))?;
        if self.limits {
            screen.line(&Limits.to_string())?;
        }
        Ok(())
    }

    fn verdict(&self, config: &Config) -> String {
        let Config { name, listen, max_users, .. } = config;
        let file = self.file.as_deref().unwrap_or(Path::new(SYSTEM_FILE));
        let is = if file.exists() { "is fine" } else { "is not there, which is fine" };
        format!("{} {is}: registry {name} at {listen}, {max_users} users", file.display())
    }
}

/// The bounds that no file can raise.
struct Limits;

impl fmt::Display for Limits {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, most) in [
            ("users", limits::MAX_USERS),
            ("connections", limits::MAX_CONNECTIONS),
            ("connections that have not registered", limits::MAX_UNREGISTERED),
            ("rooms", limits::MAX_ROOMS),
            ("programs on the control socket", limits::MAX_ADMINS),
            ("bytes of a line", limits::LINE_BYTES),
            ("bytes of a text", limits::TEXT_BYTES),
            ("bytes of a name", limits::NAME_BYTES),
        ] {
            writeln!(out, "{most:>7} {what}")?;
        }
        write!(out, "{TABLES_BYTES:>7} bytes of memory for all tables")
    }
}
