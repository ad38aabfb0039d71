//! What a registry has to tell its operator.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use vox_common::wire::admin::Ban;
use vox_common::wire::names::Name;
use vox_common::wire::refusal::Refusal;

use super::ConnId;

/// One event for the log: a sentence, then `key=value`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News<'a> {
    /// A user came.
    Registered {
        /// Its name.
        name: &'a Name,
        /// Where it takes calls, as it sees itself.
        address: SocketAddr,
        /// Its connection.
        conn: ConnId,
        /// How many users there are now.
        users: usize,
    },
    /// A user went.
    Left {
        /// Its name.
        name: &'a Name,
        /// How many users there are now.
        users: usize,
    },
    /// A user made a room.
    RoomMade {
        /// Its name.
        room: &'a Name,
        /// As many members as may be.
        capacity: usize,
    },
    /// The last member left a room.
    RoomEnded {
        /// Its name.
        room: &'a Name,
    },
    /// The registry ended a connection.
    Dismissed {
        /// Whose it was, if it had registered.
        name: Option<&'a Name>,
        /// The words of the goodbye.
        why: &'a str,
        /// The connection.
        conn: ConnId,
    },
    /// A reader was too slow, or gone without a word.
    TooSlow(ConnId),
    /// An administrator keeps somebody out from now on.
    Banned(&'a Ban),
    /// An administrator lets somebody in again.
    Unbanned(&'a Ban),
    /// An administrator gave a name free that belonged to a key.
    Forgotten(&'a Name),
    /// A request was not served.
    Refused(ConnId, Refusal),
    /// A connection was not taken.
    TurnedAway(IpAddr, Refusal),
}

impl News<'_> {
    /// Whether a client can make as much of it as it likes: not for everybody's log.
    pub fn is_detail(&self) -> bool {
        matches!(self, Self::Refused(..) | Self::TurnedAway(..))
    }
}

impl fmt::Display for News<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registered { name, address, conn, users } => {
                write!(out, "{name} has registered address={address} conn={} users={users}", conn.0)
            }
            Self::Left { name, users } => write!(out, "{name} has left users={users}"),
            Self::RoomMade { room, capacity } => write!(out, "room {room} was made capacity={capacity}"),
            Self::RoomEnded { room } => write!(out, "room {room} has ended"),
            Self::Dismissed { name, why, conn } => {
                let whom = name.map_or("a stranger", Name::as_str);
                write!(out, "said goodbye to {whom}: {why} conn={}", conn.0)
            }
            Self::TooSlow(conn) => write!(out, "let go of a reader that is too slow or gone conn={}", conn.0),
            Self::Banned(whom) => write!(out, "{whom} is banned"),
            Self::Unbanned(whom) => write!(out, "{whom} is not banned any more"),
            Self::Forgotten(name) => write!(out, "{name} belongs to no key any more"),
            Self::Refused(conn, refusal) => write!(out, "refused \"{refusal}\" conn={}", conn.0),
            Self::TurnedAway(from, refusal) => write!(out, "turned away \"{refusal}\" from={from}"),
        }
    }
}
