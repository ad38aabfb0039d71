//! The command line of `vox-registry`: the daemon itself, and what administrators ask of one that runs.
//!
//! The manual is vox-registry(8).

mod args;
mod check;
mod listing;
mod status;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use serde_json::Value;
use vox_common::cli::client::{self, Answer, Client, Daemon};
use vox_common::cli::failure::Failure;
use vox_common::cli::listing::Listing;
use vox_common::cli::screen::Screen;
use vox_common::sys::syslog;

pub use self::args::Source;
use self::args::{Cli, Command, Format};
use crate::config::{CONTROL_SOCKET, Config, ConfigError, SYSTEM_FILE};

/// Whom the commands are for.
const REGISTRY: Daemon = Daemon { program: "vox-registry", group: "vox-admin" };

/// Does what the command line says; `run` is the daemon itself.
pub fn main(run: impl FnOnce(Config, Source) -> ExitCode) -> ExitCode {
    let Cli { socket, command } = Cli::parse();
    let done = match command {
        Command::Run(source) => {
            let source = Source { socket, ..source };
            match source.load() {
                Ok(config) => return run(config, source),
                Err(error) => {
                    syslog::tell("vox-registry", &error.to_string());
                    Err(error.into())
                }
            }
        }
        Command::Check(check) => check.perform(),
        command => {
            let places = client::places(socket, "VOX_REGISTRY_SOCKET", [CONTROL_SOCKET.into()]);
            perform(&command, &places)
        }
    };
    done.map_or_else(Failure::tell, |()| ExitCode::SUCCESS)
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
        config.control_socket = self.socket.clone().unwrap_or(config.control_socket);
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

/// Everything that a running registry is asked for.
fn perform(command: &Command, places: &[PathBuf]) -> Result<(), Failure> {
    let screen = &mut Screen::stdout();
    let mut client = Client::connect(REGISTRY, places)?;
    let answer = client.ask(&command.line().unwrap_or_default())?;
    match command {
        Command::Status(Format { json: true }) => print(&status::json(&answer), screen),
        Command::Status(_) => Ok(status::show(&answer, screen)?),
        Command::Users(format) => list(&listing::USERS, &answer, *format, screen),
        Command::Bans(format) => list(&listing::BANS, &answer, *format, screen),
        Command::Stop => {
            client.until_gone()?;
            Ok(screen.line(&answer.last)?)
        }
        _ => Ok(screen.line(&answer.last)?),
    }
}

fn list(listing: &Listing, answer: &Answer, format: Format, screen: &mut Screen) -> Result<(), Failure> {
    if format.json { print(&listing.json(answer), screen) } else { Ok(listing.show(answer, screen)?) }
}

fn print(value: &Value, screen: &mut Screen) -> Result<(), Failure> {
    Ok(screen.line(&value.to_string())?)
}
