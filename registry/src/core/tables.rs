//! The tables of a registry and the buffer for what it says: all its memory, in one piece.

use std::fmt::{self, Write};

use vox_common::wire::limits::{MAX_USERS, SEND_BUFFER};
use vox_common::wire::reply::LISTED_USER_BYTES;

use super::connections::Connections;
use super::events::Events;
use super::users::Users;

/// The longest answer: LIST of a full registry. It goes into a connection's send buffer in one piece, and what
/// the kernel grants is twice [`SEND_BUFFER`]: one reader may have two of them waiting.
const LISTING_BYTES: usize = MAX_USERS * LISTED_USER_BYTES + "210 512 users\n".len();
const _: () = assert!(LISTING_BYTES <= SEND_BUFFER);

/// All tables together, which is nearly all the memory that a registry needs. Half of 4 MiB is for the rest.
const _: () = assert!(size_of::<Tables>() <= 512 * 1024);

/// The tables, in fixed capacity and all zero while empty, so that a `static` of them costs only what is used.
#[derive(Debug)]
pub struct Tables {
    pub(super) connections: Connections,
    pub(super) users: Users,
    pub(super) events: Events,
    pub(super) text: Text,
}

impl Tables {
    /// Nobody is there.
    #[expect(clippy::new_without_default, reason = "half a megabyte does not belong on a stack")]
    pub const fn new() -> Self {
        Self {
            connections: Connections::new(),
            users: Users::new(),
            events: Events::new(),
            text: Text(heapless::String::new()),
        }
    }
}

/// As many users as one LIST of them fits a send buffer of so many bytes.
pub const fn users_listed_in(bytes: usize) -> usize {
    bytes / LISTED_USER_BYTES
}

/// What is being said: one line, or a whole listing.
#[derive(Debug)]
pub(super) struct Text(pub(super) heapless::String<LISTING_BYTES>);

impl Text {
    /// Only this line.
    pub(super) fn line(&mut self, line: impl fmt::Display) -> &str {
        self.0.clear();
        self.add(line);
        &self.0
    }

    pub(super) fn add(&mut self, line: impl fmt::Display) {
        writeln!(self.0, "{line}").expect("the longest listing fits, by the assertion on LISTING_BYTES");
    }
}
