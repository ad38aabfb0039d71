//! The command line of `vox-peer`: arguments become control lines, answers are printed, refusals are exit codes.
//!
//! The manual is vox-peer(1).

mod answer;
mod args;
mod call;
mod event;
mod key;
mod listing;
mod status;
mod trust;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use serde_json::Value;
use vox_common::cli::client::{self, Answer, Client, Daemon};
use vox_common::cli::failure::Failure;
use vox_common::cli::listing::Listing;
use vox_common::cli::screen::Screen;
use vox_common::sys::{clock, syslog};

use self::args::{Cli, Command, Format};
use self::event::Event;
use crate::audio;
use crate::config::{self, Config, ConfigError, Places};

/// Whom the commands are for.
const STATION: Daemon = Daemon { program: "vox-peer", group: "vox" };

/// Does what the command line says; `run` is the daemon itself, with its configuration and the file that holds it.
pub fn main(run: impl FnOnce(Config, PathBuf) -> ExitCode) -> ExitCode {
    let Cli { socket, command } = Cli::parse();
    let done = match command {
        Command::Run { config } => match load(config, socket) {
            Ok((config, file)) => return run(config, file),
            Err(error) => {
                syslog::tell("vox-peer", &error.to_string());
                Err(error.into())
            }
        },
        Command::Check { file } => check(file),
        command => perform(&command, &client::places(socket, "VOX_SOCKET", Places::sockets())),
    };
    done.map_or_else(Failure::tell, |()| ExitCode::SUCCESS)
}

fn load(file: Option<PathBuf>, socket: Option<PathBuf>) -> Result<(Config, PathBuf), ConfigError> {
    let file = file.unwrap_or_else(config::find);
    let mut config = Config::load(&file)?;
    config.control_socket = socket.unwrap_or(config.control_socket);
    Ok((config, file))
}

fn check(file: Option<PathBuf>) -> Result<(), Failure> {
    let (config, file) = load(file, None)?;
    let registry = config.registry.map_or("no registry".into(), |registry| format!("registry {registry}"));
    let name = config.name;
    Ok(Screen::stdout().line(&format!("{} is fine: station {name}, {registry}", file.display()))?)
}

/// Everything that a running station is asked for.
fn perform(command: &Command, places: &[PathBuf]) -> Result<(), Failure> {
    command.check().map_err(Failure::Usage)?;
    let line = command.line().unwrap_or_default();
    let screen = &mut Screen::stdout();
    if let Command::Call { detach, .. } = command {
        return call::call(&line, *detach, places, screen);
    }
    let mut client = match (Client::connect(STATION, places), command) {
        (Err(Failure::NoDaemon(_)), Command::Devices(format)) => {
            return list(&listing::DEVICES, &devices(), *format, screen);
        }
        (connected, _) => connected?,
    };
    let answer = client.ask(&line)?;
    match command {
        Command::Answer => Ok(answer::show(&answer, screen)?),
        Command::Status(Format { json: true }) => print(&status::json(&answer), screen),
        Command::Status(_) => Ok(status::show(&answer, screen)?),
        Command::Users(format) => list(&listing::USERS, &answer, *format, screen),
        Command::History(format) => list(&listing::HISTORY, &answer, *format, screen),
        Command::Devices(format) => list(&listing::DEVICES, &answer, *format, screen),
        Command::Messages(format) => list(&listing::MESSAGES, &answer, *format, screen),
        Command::Key { format: Format { json: true }, .. } => print(&key::json(&answer), screen),
        Command::Key { .. } => Ok(key::show(&answer, screen)?),
        Command::Keys(format) => list(&key::KEYS, &answer, *format, screen),
        Command::Rooms(format) => list(&listing::ROOMS, &listing::rooms(answer), *format, screen),
        Command::Members { format, .. } => list(&listing::MEMBERS, &answer, *format, screen),
        Command::Lookup { format: Format { json: true }, .. } => print(&listing::json_found(&answer), screen),
        Command::Lookup { .. } => Ok(listing::show_found(&answer, screen)?),
        Command::Watch(format) => watch(&mut client, *format, screen),
        _ => Ok(screen.line(&answer.last)?),
    }
}

/// The devices are the machine's: whoever sets a station up wants to see them before it runs.
fn devices() -> Answer {
    let devices = audio::list();
    Answer {
        lines: devices.iter().map(ToString::to_string).collect(),
        last: format!("{} devices", devices.len()),
    }
}

fn list(listing: &Listing, answer: &Answer, format: Format, screen: &mut Screen) -> Result<(), Failure> {
    if format.json {
        print(&listing::json(listing, answer), screen)
    } else {
        Ok(listing::show(listing, answer, screen)?)
    }
}

fn print(value: &Value, screen: &mut Screen) -> Result<(), Failure> {
    Ok(screen.line(&value.to_string())?)
}

/// Shows every event until the station goes away or Ctrl-C ends the program.
fn watch(client: &mut Client, format: Format, screen: &mut Screen) -> Result<(), Failure> {
    client.wait_at_most(None);
    loop {
        let line = client.line()?;
        let Some(event) = Event::read(&line) else { continue };
        if format.json {
            print(&event.json(clock::unix_seconds()), screen)?;
        } else {
            screen.line(&event.sentence())?;
        }
    }
}
