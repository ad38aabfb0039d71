//! What the registry tells without being asked (DESIGN section 5): `* EVENT word …`.

use std::fmt;

use super::limits::{LINE_BYTES, NAME_BYTES, TEXT_BYTES};
use super::names::Name;
use super::reply::ReplyLine;
use super::users::{ENTRY_BYTES, Entry, Status};
use super::words::split_first;

const _: () = assert!("* JOINED ".len() + ENTRY_BYTES < LINE_BYTES);
const _: () = assert!("* BROADCAST ".len() + NAME_BYTES + 1 + TEXT_BYTES < LINE_BYTES);
const _: () = assert!("* SAY ".len() + 2 * (NAME_BYTES + 1) + TEXT_BYTES < LINE_BYTES);

/// Something happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "a display name lies where it is: nothing is allocated for a line"
)]
pub enum Event<'a> {
    /// A user is there now.
    Joined(Entry),
    /// A user is gone.
    Left(Name),
    /// A user changed its status.
    Status(Name, Status),
    /// A user says something to this one alone.
    Msg(Name, &'a str),
    /// A user says something to everybody.
    Broadcast(Name, &'a str),
    /// A user says something in this room.
    Say {
        /// The room.
        room: Name,
        /// Who says it.
        from: Name,
        /// What.
        text: &'a str,
    },
    /// A user (second) came into this room (first).
    Entered(Name, Name),
    /// A user (second) went out of this room (first).
    Exited(Name, Name),
    /// The registry ends this connection.
    Goodbye(Farewell),
}

/// Why the registry ends a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Farewell {
    /// The registry itself ends.
    ShuttingDown,
    /// An administrator said so.
    Kicked,
    /// An administrator said so, for good.
    Banned,
    /// It did not register in time.
    Idle,
    /// The same station registered again over another connection.
    Replaced,
    /// It went on when it was told to slow down.
    TooFast,
}

impl Farewell {
    const ALL: [Self; 6] =
        [Self::ShuttingDown, Self::Kicked, Self::Banned, Self::Idle, Self::Replaced, Self::TooFast];

    /// The words on the wire.
    pub const fn words(self) -> &'static str {
        match self {
            Self::ShuttingDown => "shutting down",
            Self::Kicked => "kicked",
            Self::Banned => "banned",
            Self::Idle => "idle",
            Self::Replaced => "replaced",
            Self::TooFast => "too fast",
        }
    }

    fn parse(words: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|farewell| farewell.words() == words)
    }
}

impl<'a> Event<'a> {
    /// Reads one line without its end. `None`: it is no event, or one of a later version.
    pub fn parse(line: &'a str) -> Option<Self> {
        let (event, rest) = split_first(line.strip_prefix("* ")?);
        match event {
            "JOINED" => Entry::parse(rest).map(Self::Joined),
            "LEFT" => name(rest).map(|(name, _)| Self::Left(name)),
            "STATUS" => {
                let (name, status) = name(rest)?;
                Some(Self::Status(name, Status::parse(split_first(status).0)?))
            }
            "MSG" => name(rest).map(|(from, text)| Self::Msg(from, text)),
            "BROADCAST" => name(rest).map(|(from, text)| Self::Broadcast(from, text)),
            "SAY" => two_names(rest).map(|(room, from, text)| Self::Say { room, from, text }),
            "ENTERED" => two_names(rest).map(|(room, user, _)| Self::Entered(room, user)),
            "EXITED" => two_names(rest).map(|(room, user, _)| Self::Exited(room, user)),
            "GOODBYE" => Farewell::parse(rest).map(Self::Goodbye),
            _ => None,
        }
    }
}

/// A name, and the rest of the line.
fn name(words: &str) -> Option<(Name, &str)> {
    let (name, rest) = split_first(words);
    Some((Name::parse(name).ok()?, rest))
}

fn two_names(words: &str) -> Option<(Name, Name, &str)> {
    let (first, rest) = name(words)?;
    let (second, rest) = name(rest)?;
    Some((first, second, rest))
}

impl fmt::Display for Event<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Joined(entry) => write!(out, "* JOINED {entry}"),
            Self::Left(name) => write!(out, "* LEFT {name}"),
            Self::Status(name, status) => write!(out, "* STATUS {name} {status}"),
            Self::Msg(from, text) => write!(out, "* MSG {from} {text}"),
            Self::Broadcast(from, text) => write!(out, "* BROADCAST {from} {text}"),
            Self::Say { room, from, text } => write!(out, "* SAY {room} {from} {text}"),
            Self::Entered(room, user) => write!(out, "* ENTERED {room} {user}"),
            Self::Exited(room, user) => write!(out, "* EXITED {room} {user}"),
            Self::Goodbye(farewell) => write!(out, "* GOODBYE {}", farewell.words()),
        }
    }
}

/// A line from a registry, as its client sorts it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "a display name lies where it is: nothing is allocated for a line"
)]
pub enum Heard<'a> {
    /// An answer, or a part of one.
    Reply(ReplyLine<'a>),
    /// Something that was not asked for.
    Event(Event<'a>),
    /// An event of a later version, or noise.
    Unknown,
}

impl<'a> Heard<'a> {
    /// Sorts one line without its end.
    pub fn parse(line: &'a str) -> Self {
        let reply = ReplyLine::parse(line).map(Self::Reply);
        reply.or_else(|| Event::parse(line).map(Self::Event)).unwrap_or(Self::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::users::tests::{entries, names, statuses};
    use proptest::prelude::*;

    #[test]
    fn answers_events_and_noise_are_told_apart() {
        assert!(matches!(Heard::parse("200 pong"), Heard::Reply(_)));
        assert_eq!(
            Heard::parse("* GOODBYE shutting down"),
            Heard::Event(Event::Goodbye(Farewell::ShuttingDown))
        );
        for line in [
            "",
            "*",
            "* ",
            "* DANCED bob",
            "* LEFT",
            "* STATUS bob asleep",
            "* JOINED bob",
            "* MSG",
            "* SAY hall",
            "* ENTERED hall",
            "GET / HTTP/1.1",
        ] {
            assert_eq!(Heard::parse(line), Heard::Unknown, "{line}");
        }
    }

    fn events(text: &'static str) -> impl Strategy<Value = Event<'static>> {
        prop_oneof![
            names().prop_map(move |from| Event::Msg(from, text)),
            names().prop_map(move |from| Event::Broadcast(from, text)),
            (names(), names()).prop_map(move |(room, from)| Event::Say { room, from, text }),
            (names(), names()).prop_map(|(room, user)| Event::Entered(room, user)),
            (names(), names()).prop_map(|(room, user)| Event::Exited(room, user)),
            entries().prop_map(Event::Joined),
            names().prop_map(Event::Left),
            (names(), statuses()).prop_map(|(name, status)| Event::Status(name, status)),
            prop::sample::select(Farewell::ALL.as_slice()).prop_map(Event::Goodbye),
        ]
    }

    proptest! {
        #[test]
        fn an_event_is_read_as_it_was_written(event in "[!-~à-ü][ -~à-ü]{0,60}".prop_flat_map(|text| events(text.leak()))) {
            let line = event.to_string();
            prop_assert_eq!(Event::parse(&line), Some(event));
        }

        #[test]
        fn no_line_is_too_strange_to_sort(line in "(\\* [A-Z]{0,8} )?\\PC{0,80}") {
            let _ = Heard::parse(&line);
        }
    }
}
