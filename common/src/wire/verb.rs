//! The verbs of the registry's clients: what they take, and what they do.

use super::words::split_first;

/// The first word of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// SECURE
    Secure,
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
    /// MSG
    Msg,
    /// BROADCAST
    Broadcast,
    /// CREATE
    Create,
    /// JOIN
    Join,
    /// LEAVE
    Leave,
    /// ROOMS
    Rooms,
    /// MEMBERS
    Members,
    /// SAY
    Say,
    /// PING
    Ping,
    /// ECHO
    Echo,
    /// STATS
    Stats,
    /// HELP
    Help,
    /// QUIT
    Quit,
}

impl Verb {
    /// All of them, in the order in which HELP lists them.
    pub const ALL: [Self; 19] = [
        Self::Secure,
        Self::Register,
        Self::List,
        Self::Lookup,
        Self::Status,
        Self::Watch,
        Self::Msg,
        Self::Broadcast,
        Self::Create,
        Self::Join,
        Self::Leave,
        Self::Rooms,
        Self::Members,
        Self::Say,
        Self::Ping,
        Self::Echo,
        Self::Stats,
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
            Self::Secure => "SECURE <message>",
            Self::Register => {
                "REGISTER <name> <udp-port> [key=<key>] [proof=<proof>] [key-proof=<proof>] [display=<text>]"
            }
            Self::List => "LIST [prefix]",
            Self::Lookup => "LOOKUP <name>",
            Self::Status => "STATUS idle|busy|away|dnd",
            Self::Watch => "WATCH on|off",
            Self::Msg => "MSG <name> <text>",
            Self::Broadcast => "BROADCAST <text>",
            Self::Create => "CREATE <room> <capacity>",
            Self::Join => "JOIN <room>",
            Self::Leave => "LEAVE",
            Self::Rooms => "ROOMS",
            Self::Members => "MEMBERS [room]",
            Self::Say => "SAY <text>",
            Self::Ping => "PING [text]",
            Self::Echo => "ECHO <text>",
            Self::Stats => "STATS",
            Self::Help => "HELP [verb]",
            Self::Quit => "QUIT",
        }
    }

    /// What it does, for people at a terminal.
    pub const fn explanation(self) -> &'static str {
        match self {
            Self::Secure => "seals this connection, for programs that do Noise IK",
            Self::Register => "takes a name for as long as this connection lasts",
            Self::List => "tells who is there",
            Self::Lookup => "tells where one user is",
            Self::Status => "tells others whether you like to be called",
            Self::Watch => "tells you at once who comes, goes or changes status",
            Self::Msg => "sends a text to one user",
            Self::Broadcast => "sends a text to every other user",
            Self::Create => "makes a room for so many and puts you in it",
            Self::Join => "puts you in a room, and out of the one before",
            Self::Leave => "takes you out of your room, which ends with its last member",
            Self::Rooms => "tells which rooms there are",
            Self::Members => "tells who is in a room, or in yours",
            Self::Say => "sends a text to the others in your room",
            Self::Ping => "answers pong",
            Self::Echo => "answers the text",
            Self::Stats => "tells what was counted since the start",
            Self::Help => "explains the verbs",
            Self::Quit => "gives your name back and ends the connection",
        }
    }
}
