//! What a registry has to tell its operator.

use std::fmt;
use std::net::SocketAddr;

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
    /// A request was not served.
    Refused(ConnId, Refusal),
}

impl fmt::Display for News<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registered { name, address, conn, users } => {
                write!(out, "{name} has registered address={address} conn={} users={users}", conn.0)
            }
            Self::Left { name, users } => write!(out, "{name} has left users={users}"),
            Self::Refused(conn, refusal) => write!(out, "refused \"{refusal}\" conn={}", conn.0),
        }
    }
}
