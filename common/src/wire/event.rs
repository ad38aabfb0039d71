//! What the registry tells without being asked (DESIGN section 5): `* EVENT word …`.

use std::fmt;

use super::limits::LINE_BYTES;
use super::names::Name;
use super::reply::ReplyLine;
use super::users::{ENTRY_BYTES, Entry, Status};
use super::words::split_first;

const _: () = assert!("* JOINED ".len() + ENTRY_BYTES < LINE_BYTES);

/// Something happened. Those of rooms and messages join this enum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A user is there now.
    Joined(Entry),
    /// A user is gone.
    Left(Name),
    /// A user changed its status.
    Status(Name, Status),
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
}

impl Farewell {
    const ALL: [Self; 5] = [Self::ShuttingDown, Self::Kicked, Self::Banned, Self::Idle, Self::Replaced];

    /// The words on the wire.
    pub const fn words(self) -> &'static str {
        match self {
            Self::ShuttingDown => "shutting down",
            Self::Kicked => "kicked",
            Self::Banned => "banned",
            Self::Idle => "idle",
            Self::Replaced => "replaced",
        }
    }

    fn parse(words: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|farewell| farewell.words() == words)
    }
}

impl Event {
    /// Reads one line without its end. `None`: it is no event, or one of a later version.
    pub fn parse(line: &str) -> Option<Self> {
        let (event, rest) = split_first(line.strip_prefix("* ")?);
        match event {
            "JOINED" => Entry::parse(rest).map(Self::Joined),
            "LEFT" => Name::parse(split_first(rest).0).ok().map(Self::Left),
            "STATUS" => {
                let (name, status) = split_first(rest);
                Some(Self::Status(Name::parse(name).ok()?, Status::parse(split_first(status).0)?))
            }
            "GOODBYE" => Farewell::parse(rest).map(Self::Goodbye),
            _ => None,
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Joined(entry) => write!(out, "* JOINED {entry}"),
            Self::Left(name) => write!(out, "* LEFT {name}"),
            Self::Status(name, status) => write!(out, "* STATUS {name} {status}"),
            Self::Goodbye(farewell) => write!(out, "* GOODBYE {}", farewell.words()),
        }
    }
}

/// A line from a registry, as its client sorts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard<'a> {
    /// An answer, or a part of one.
    Reply(ReplyLine<'a>),
    /// Something that was not asked for.
    Event(Event),
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
        for line in
            ["", "*", "* ", "* DANCED bob", "* LEFT", "* STATUS bob asleep", "* JOINED bob", "GET / HTTP/1.1"]
        {
            assert_eq!(Heard::parse(line), Heard::Unknown, "{line}");
        }
    }

    fn events() -> impl Strategy<Value = Event> {
        prop_oneof![
            entries().prop_map(Event::Joined),
            names().prop_map(Event::Left),
            (names(), statuses()).prop_map(|(name, status)| Event::Status(name, status)),
            prop::sample::select(Farewell::ALL.as_slice()).prop_map(Event::Goodbye),
        ]
    }

    proptest! {
        #[test]
        fn an_event_is_read_as_it_was_written(event in events()) {
            prop_assert_eq!(Event::parse(&event.to_string()), Some(event));
        }

        #[test]
        fn no_line_is_too_strange_to_sort(line in "(\\* [A-Z]{0,8} )?\\PC{0,80}") {
            let _ = Heard::parse(&line);
        }
    }
}
