//! What may be typed, and the control line that it stands for. The manual is vox-peer(1).

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use vox_common::wire::limits::TEXT_BYTES;

/// Carries calls from station to station.
#[derive(Debug, Parser)]
#[command(name = "vox-peer", version, disable_help_subcommand = true)]
pub(super) struct Cli {
    /// Control socket of the station
    #[arg(long, global = true, value_name = "PATH")]
    pub(super) socket: Option<PathBuf>,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run the station in the foreground, as systemd wants it
    Run {
        /// Configuration file
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Call somebody and stay until the call ends; Ctrl-C hangs up
    Call {
        /// A name, an address, or @host
        #[arg(value_parser = word)]
        who: String,
        /// Return as soon as the call is answered or refused
        #[arg(long)]
        detach: bool,
    },
    /// Take the call that rings
    Answer,
    /// Refuse the call that rings
    Reject,
    /// End the call
    Hangup,
    /// Send silence instead of the microphone
    Mute,
    /// Send the microphone again
    Unmute,
    /// Set how loud the microphone (in) or the loudspeaker (out) is
    Volume {
        /// Which of the two
        way: Way,
        /// Percent, 0 to 200; 100 leaves it as it is
        #[arg(value_parser = clap::value_parser!(u8).range(0..=200))]
        percent: u8,
    },
    /// Show everything about this station
    Status(Format),
    /// Show who is there
    Users(Format),
    /// Show where one user is
    Lookup {
        /// Whom to look for
        #[arg(value_parser = word)]
        name: String,
        #[command(flatten)]
        format: Format,
    },
    /// Show the last calls, and count the missed ones anew
    History(Format),
    /// Show the last messages that came, and count the unread ones anew
    Messages(Format),
    /// Show the sound devices
    Devices(Format),
    /// Show the key by which others know this station, or the one that is remembered of somebody
    Key {
        /// Whose key; without one, this station's own
        #[arg(value_parser = word)]
        who: Option<String>,
        #[command(flatten)]
        format: Format,
    },
    /// Show every key that is remembered
    Keys(Format),
    /// Forget a key, so that the next one is trusted on its first use
    Forget {
        /// Whose key: a name, or a host as it was called
        #[arg(value_parser = word)]
        who: String,
    },
    /// Note that you have compared the key
    Verify {
        /// Whose key: a name, or a host as it was called
        #[arg(value_parser = word)]
        who: String,
    },
    /// Send a text to one user
    Msg {
        /// Whom to tell it
        #[arg(value_parser = word)]
        name: String,
        /// Any words
        #[arg(required = true)]
        text: Vec<String>,
    },
    /// Send a text to every other user
    Broadcast {
        /// Any words
        #[arg(required = true)]
        text: Vec<String>,
    },
    /// Make a room and go into it
    Create {
        /// Its name
        #[arg(value_parser = word)]
        room: String,
        /// How many may be in it
        capacity: u16,
    },
    /// Go into a room, and out of the one before
    Join {
        /// Its name
        #[arg(value_parser = word)]
        room: String,
    },
    /// Go out of the room
    Leave,
    /// Show which rooms there are
    Rooms(Format),
    /// Show who is in a room
    Members {
        /// Its name; without one, the room that this station is in
        #[arg(value_parser = word)]
        room: Option<String>,
        #[command(flatten)]
        format: Format,
    },
    /// Send a text to the others in the room
    Say {
        /// Any words
        #[arg(required = true)]
        text: Vec<String>,
    },
    /// Let the registry answer a text
    Echo {
        /// Any words
        #[arg(required = true)]
        text: Vec<String>,
    },
    /// Tell others whether you like to be called
    SetStatus {
        /// What to tell
        status: Status,
    },
    /// Show every event as it happens
    Watch(Format),
    /// Read a configuration file and say what is wrong with it
    Check {
        /// Configuration file
        file: Option<PathBuf>,
    },
}

#[derive(Debug, Clone, Copy, Args)]
pub(super) struct Format {
    /// As JSON, for programs
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Way {
    In,
    Out,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum Status {
    Idle,
    Busy,
    Away,
    Dnd,
}

impl Command {
    /// The line to send to the station. `None`: the command is none of the station's.
    pub(super) fn line(&self) -> Option<String> {
        Some(match self {
            Self::Run { .. } | Self::Check { .. } => return None,
            Self::Call { who, detach: false } => format!("CALL {who}"),
            Self::Call { who, detach: true } => format!("CALL {who} detach"),
            Self::Answer => "ANSWER".into(),
            Self::Reject => "REJECT".into(),
            Self::Hangup => "HANGUP".into(),
            Self::Mute => "MUTE on".into(),
            Self::Unmute => "MUTE off".into(),
            Self::Volume { way, percent } => format!("VOLUME {} {percent}", spelled(way)),
            Self::Status(_) => "STATUS".into(),
            Self::Users(_) => "USERS".into(),
            Self::Lookup { name, .. } => format!("LOOKUP {name}"),
            Self::History(_) => "HISTORY".into(),
            Self::Messages(_) => "MESSAGES".into(),
            Self::Devices(_) => "DEVICES".into(),
            Self::Key { who: None, .. } => "KEY".into(),
            Self::Key { who: Some(who), .. } => format!("KEY {who}"),
            Self::Keys(_) => "KEYS".into(),
            Self::Forget { who } => format!("FORGET {who}"),
            Self::Verify { who } => format!("VERIFY {who}"),
            Self::Msg { name, text } => format!("MSG {name} {}", text.join(" ")),
            Self::Broadcast { text } => format!("BROADCAST {}", text.join(" ")),
            Self::Create { room, capacity } => format!("CREATE {room} {capacity}"),
            Self::Join { room } => format!("JOIN {room}"),
            Self::Leave => "LEAVE".into(),
            Self::Rooms(_) => "ROOMS".into(),
            Self::Members { room: None, .. } => "MEMBERS".into(),
            Self::Members { room: Some(room), .. } => format!("MEMBERS {room}"),
            Self::Say { text } => format!("SAY {}", text.join(" ")),
            Self::Echo { text } => format!("ECHO {}", text.join(" ")),
            Self::SetStatus { status } => format!("SET-STATUS {}", spelled(status)),
            Self::Watch(_) => "WATCH".into(),
        })
    }

    /// Refuses free text that cannot stand in a line.
    pub(super) fn check(&self) -> Result<(), String> {
        let (Self::Echo { text } | Self::Msg { text, .. } | Self::Broadcast { text } | Self::Say { text }) =
            self
        else {
            return Ok(());
        };
        let text = text.join(" ");
        if text.len() > TEXT_BYTES || text.chars().any(char::is_control) {
            return Err(format!("a text is at most {TEXT_BYTES} bytes without control characters"));
        }
        Ok(())
    }
}

/// The word of an enumeration as clap spells it, which is as the wire spells it.
fn spelled(value: &impl ValueEnum) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

/// What can stand as one word of a line.
fn word(typed: &str) -> Result<String, &'static str> {
    let plain = !typed.is_empty() && typed.len() <= 255 && !typed.contains([' ', '\t']);
    let plain = plain && !typed.chars().any(char::is_control);
    if plain { Ok(typed.into()) } else { Err("it must be one word") }
}

#[cfg(test)]
mod tests;
