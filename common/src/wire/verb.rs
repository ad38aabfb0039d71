//! The verbs of the registry's clients: what they take, and what they do.

use super::words::split_first;

/// The first word of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// REGISTER
    Register,
    /// LIST
    List,
    /// LOOKUP
    Lookup,
    /// STATUS
    Status,
    /// WATCH
    Watch,
    /// PING
    Ping,
    /// ECHO
    Echo,
    /// HELP
    Help,
    /// QUIT
    Quit,
}

impl Verb {
    /// All of them, in the order in which HELP lists them.
    pub const ALL: [Self; 9] = [
        Self::Register,
        Self::List,
        Self::Lookup,
        Self::Status,
        Self::Watch,
        Self::Ping,
        Self::Echo,
        Self::Help,
        Self::Quit,
    ];

    /// Reads a verb in upper or lower case.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verb| word.eq_ignore_ascii_case(verb.word()))
    }

    /// The verb as HELP writes it.
    pub fn word(self) -> &'static str {
        split_first(self.usage()).0
    }

    /// The request with all that may be said in it.
    pub const fn usage(self) -> &'static str {
        match self {
            Self::Register => "REGISTER <name> <udp-port> [key=<key>] [display=<text>]",
            Self::List => "LIST [prefix]",
            Self::Lookup => "LOOKUP <name>",
            Self::Status => "STATUS idle|busy|away|dnd",
            Self::Watch => "WATCH on|off",
            Self::Ping => "PING [text]",
            Self::Echo => "ECHO <text>",
            Self::Help => "HELP [verb]",
            Self::Quit => "QUIT",
        }
    }

    /// What it does, for people at a terminal.
    pub const fn explanation(self) -> &'static str {
        match self {
            Self::Register => "takes a name for as long as this connection lasts",
            Self::List => "tells who is there",
            Self::Lookup => "tells where one user is",
            Self::Status => "tells others whether you like to be called",
            Self::Watch => "tells you at once who comes, goes or changes status",
            Self::Ping => "answers pong",
            Self::Echo => "answers the text",
            Self::Help => "explains the verbs",
            Self::Quit => "gives your name back and ends the connection",
        }
    }
}
