//! The command line of `vox-registry`. The manual is vox-registry(8).

use std::fmt;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use vox_common::sys::syslog;
use vox_common::wire::limits;

use crate::config::{Config, ConfigError, SYSTEM_FILE};

/// `EX_CONFIG` of sysexits(3): systemd does not start a daemon again that ends with it.
pub const BAD_CONFIGURATION: u8 = 78;

/// Knows who is there, so that stations can call each other by name.
#[derive(Debug, Parser)]
#[command(name = "vox-registry", version, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the registry in the foreground, as systemd wants it
    Run(Source),
    /// Read a configuration file and say what is wrong with it
    Check(Check),
}

/// Where the configuration comes from: a file, and what the command line says otherwise.
#[derive(Debug, Clone, Args)]
pub struct Source {
    #[arg(
        long = "config",
        value_name = "FILE",
        help = "Configuration file, instead of /etc/vox/registry.toml where there is one"
    )]
    file: Option<PathBuf>,
    /// Address and port to listen on, instead of the file's
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Users at a time, instead of the file's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=limits::MAX_USERS as i64))]
    max_users: Option<u16>,
}

#[derive(Debug, Args)]
struct Check {
    #[arg(
        value_name = "FILE",
        help = "Configuration file, instead of /etc/vox/registry.toml where there is one"
    )]
    file: Option<PathBuf>,
    /// Also show the bounds that are compiled in
    #[arg(long)]
    limits: bool,
}

impl Source {
    /// Reads the configuration, now or again.
    ///
    /// # Errors
    /// One sentence with file, line, key, and what is allowed.
    pub fn load(&self) -> Result<Config, ConfigError> {
        let mut config = load(self.file.as_deref())?;
        config.listen = self.listen.unwrap_or(config.listen);
        config.max_users = self.max_users.map_or(config.max_users, usize::from);
        Ok(config)
    }
}

/// Reads a file, or the system's where there is one: the registry has a default for everything.
fn load(file: Option<&Path>) -> Result<Config, ConfigError> {
    match file {
        Some(file) => Config::load(file),
        None if !Path::new(SYSTEM_FILE).exists() => Ok(Config::without_file()),
        None => Config::load(Path::new(SYSTEM_FILE)),
    }
}

/// Does what the command line says; `run` is the daemon itself.
pub fn main(run: impl FnOnce(Config, Source) -> ExitCode) -> ExitCode {
    match Cli::parse().command {
        Command::Run(source) => match source.load() {
            Ok(config) => run(config, source),
            Err(error) => {
                syslog::tell("vox-registry", &error.to_string());
                refuse(&error)
            }
        },
        Command::Check(check) => check.perform(),
    }
}

impl Check {
    fn perform(&self) -> ExitCode {
        match load(self.file.as_deref()) {
            // Nobody is left to be told that stdout is closed.
            Ok(config) => _ = self.show(&config),
            Err(error) => return refuse(&error),
        }
        ExitCode::SUCCESS
    }

    fn show(&self, config: &Config) -> io::Result<()> {
        let mut out = io::stdout().lock();
        let Config { name, listen, max_users, .. } = config;
        let file = self.file.as_deref().unwrap_or(Path::new(SYSTEM_FILE));
        let is = if file.exists() { "is fine" } else { "is not there, which is fine" };
        writeln!(out, "{} {is}: registry {name} at {listen}, {max_users} users", file.display())?;
        if self.limits {
            write!(out, "{Limits}")?;
        }
        Ok(())
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
            ("bytes of a line", limits::LINE_BYTES),
            ("bytes of a text", limits::TEXT_BYTES),
            ("bytes of a name", limits::NAME_BYTES),
        ] {
            writeln!(out, "{most:>5} {what}")?;
        }
        Ok(())
    }
}

fn refuse(error: &ConfigError) -> ExitCode {
    let _ = writeln!(io::stderr(), "{error}");
    ExitCode::from(BAD_CONFIGURATION)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn what_the_command_line_says_comes_before_the_file() {
        let typed =
            ["vox-registry", "run", "--config", "/dev/null", "--listen", "127.0.0.1:0", "--max-users", "3"];
        let Command::Run(source) = Cli::try_parse_from(typed).unwrap().command else { panic!("run") };
        let config = source.load().unwrap();
        assert_eq!((config.listen, config.max_users), ("127.0.0.1:0".parse().unwrap(), 3));
    }

    #[test]
    fn more_users_than_are_compiled_in_are_a_mistake_of_usage() {
        let error = Cli::try_parse_from(["vox-registry", "run", "--max-users", "513"]).unwrap_err();
        assert_eq!(error.exit_code(), 2);
    }
}
