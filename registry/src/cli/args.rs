//! What may be typed, and the control line that it stands for.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use vox_common::wire::admin::Ban;
use vox_common::wire::limits::MAX_USERS;
use vox_common::wire::names::Name;

/// Knows who is there, so that stations can call each other by name.
#[derive(Debug, Parser)]
#[command(name = "vox-registry", version, disable_help_subcommand = true)]
pub(super) struct Cli {
    /// Control socket of the registry
    #[arg(long, global = true, value_name = "PATH")]
    pub(super) socket: Option<PathBuf>,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run the registry in the foreground, as systemd wants it
    Run(Source),
    /// Read a configuration file and say what is wrong with it
    Check(Check),
    /// Show how the registry is
    Status(Format),
    /// Show who is there, where, and since when
    Users(Format),
    /// End a user's connection
    Kick {
        /// Whom to end
        #[arg(value_parser = name)]
        name: Name,
    },
    /// Keep somebody out, and end the connections that there are
    Ban {
        /// An IP address, or a name
        #[arg(value_name = "ADDRESS-OR-NAME", value_parser = ban)]
        whom: Ban,
    },
    /// Let somebody in again
    Unban {
        /// An IP address, or a name
        #[arg(value_name = "ADDRESS-OR-NAME", value_parser = ban)]
        whom: Ban,
    },
    /// Show who is kept out
    Bans(Format),
    /// Give a name free that belongs to a key
    Forget {
        /// Which name
        #[arg(value_parser = name)]
        name: Name,
    },
    /// Tell everybody, and end the registry
    Stop,
}

/// Where the configuration comes from: a file, and what the command line says otherwise.
#[derive(Debug, Clone, Args)]
pub struct Source {
    #[arg(
        long = "config",
        value_name = "FILE",
        help = "Configuration file, instead of /etc/vox/registry.toml where there is one"
    )]
    pub(super) file: Option<PathBuf>,
    /// Address and port to listen on, instead of the file's
    #[arg(long, value_name = "ADDR")]
    pub(super) listen: Option<SocketAddr>,
    /// Users at a time, instead of the file's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=MAX_USERS as i64))]
    pub(super) max_users: Option<u16>,
    /// `--socket`, which is everybody's.
    #[arg(skip)]
    pub(super) socket: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Check {
    #[arg(
        value_name = "FILE",
        help = "Configuration file, instead of /etc/vox/registry.toml where there is one"
    )]
    pub(super) file: Option<PathBuf>,
    /// Also show the bounds that are compiled in
    #[arg(long)]
    pub(super) limits: bool,
}

#[derive(Debug, Clone, Copy, Args)]
pub(super) struct Format {
    /// As JSON, for programs
    #[arg(long)]
    pub(super) json: bool,
}

impl Command {
    /// The line to send to the registry. `None`: the command is none of a running registry's.
    pub(super) fn line(&self) -> Option<String> {
        Some(match self {
            Self::Run(_) | Self::Check(_) => return None,
            Self::Status(_) => "STATUS".into(),
            Self::Users(_) => "USERS".into(),
            Self::Kick { name } => format!("KICK {name}"),
            Self::Ban { whom } => format!("BAN {whom}"),
            Self::Unban { whom } => format!("UNBAN {whom}"),
            Self::Bans(_) => "BANS".into(),
            Self::Forget { name } => format!("FORGET {name}"),
            Self::Stop => "STOP".into(),
        })
    }
}

fn name(typed: &str) -> Result<Name, String> {
    Name::parse(typed).map_err(|bad| bad.to_string())
}

fn ban(typed: &str) -> Result<Ban, &'static str> {
    Ban::parse(typed).ok_or("it must be an IP address without a port, or a name")
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;
    use vox_common::wire::admin::Request;

    fn parse(typed: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(["vox-registry"].into_iter().chain(typed.split(' ')))
    }

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn what_the_command_line_says_comes_before_the_file() {
        let typed = "run --config /dev/null --listen 127.0.0.1:0 --max-users 3";
        let Command::Run(source) = parse(typed).unwrap().command else { panic!("run") };
        let config = Source { socket: Some("/tmp/s".into()), ..source }.load().unwrap();
        assert_eq!((config.listen, config.max_users), ("127.0.0.1:0".parse().unwrap(), 3));
        assert_eq!(config.control_socket.to_str(), Some("/tmp/s"));
    }

    #[test]
    fn every_command_is_a_control_line_that_the_registry_knows() {
        for (typed, sent) in [
            ("status --json", "STATUS"),
            ("users", "USERS"),
            ("kick Bob", "KICK bob"),
            ("ban ::ffff:10.0.0.7", "BAN 10.0.0.7"),
            ("unban bob", "UNBAN bob"),
            ("bans", "BANS"),
            ("forget bob", "FORGET bob"),
            ("stop", "STOP"),
        ] {
            assert_eq!(parse(typed).unwrap().command.line().unwrap(), sent);
            assert!(Request::parse(sent).is_ok(), "{sent}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_a_mistake_of_usage() {
        for typed in
            ["", "dance", "kick", "kick b!b", "kick bob ann", "ban 10.0.0.7:6000", "run --max-users 513"]
        {
            assert_eq!(parse(typed).expect_err(typed).exit_code(), 2, "{typed}");
        }
    }
}
