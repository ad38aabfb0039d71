//! The tables of a registry and the buffers for what it says: all its memory, in one piece.

use vox_common::seal::records::sealed_bytes;
use vox_common::wire::limits::{MAX_USERS, NAME_BYTES, SEND_BUFFER};
use vox_common::wire::reply::LISTED_USER_BYTES;
use vox_common::wire::users::ENTRY_BYTES;

use super::addresses::Addresses;
use super::bans::Bans;
use super::connections::Connections;
use super::events::Events;
use super::names::Names;
use super::newcomers::Newcomers;
use super::rooms::Rooms;
use super::users::Users;
use super::voice::Voice;

/// The longest that a client hears in one piece: LIST of a full registry, or JOINED of all its users. It goes into a
/// connection's send buffer, and what the kernel grants is twice [`SEND_BUFFER`]: one reader may have two waiting.
const TOLD_BYTES: usize = MAX_USERS * LINE_BYTES;

/// The longest line of it.
const LINE_BYTES: usize = "* JOINED ".len() + ENTRY_BYTES + 1;
const _: () = assert!(sealed_bytes(TOLD_BYTES) <= SEND_BUFFER);
const _: () = assert!(MAX_USERS * LISTED_USER_BYTES + "210 512 users\n".len() <= TOLD_BYTES);

/// The longest that an administrator hears: who is there, since when, and in which room.
pub(super) const LISTING_BYTES: usize =
    MAX_USERS * (LISTED_USER_BYTES + " since-s=18446744073709551615 room=".len() + NAME_BYTES) + 32;
const _: () = assert!(TOLD_BYTES <= LISTING_BYTES, "the buffer holds whatever is told");

/// All tables together, which is nearly all the memory that a registry can need.
pub const TABLES_BYTES: usize = size_of::<Tables>();
const _: () = assert!(TABLES_BYTES <= 1024 * 1024);

/// The tables, in fixed capacity and all zero while empty, so that a `static` of them costs only what is used.
#[derive(Debug)]
pub struct Tables {
    pub(super) connections: Connections,
    pub(super) addresses: Addresses,
    pub(super) users: Users,
    pub(super) newcomers: Newcomers,
    pub(super) rooms: Rooms,
    pub(super) bans: Bans,
    pub(super) names: Names,
    pub(super) events: Events,
    pub(super) voice: Voice,
}

impl Tables {
    /// Nobody is there.
    #[expect(clippy::new_without_default, reason = "a megabyte does not belong on a stack")]
    pub const fn new() -> Self {
        Self {
            connections: Connections::new(),
            addresses: Addresses::new(),
            users: Users::new(),
            newcomers: Newcomers::new(),
            rooms: Rooms::new(),
            bans: Bans::new(),
            names: Names::new(),
            events: Events::new(),
            voice: Voice::new(),
        }
    }
}

/// As many users as JOINED of them all, sealed, fits a send buffer of so many bytes.
pub const fn users_listed_in(bytes: usize) -> usize {
    let mut users = MAX_USERS;
    while users > 0 && sealed_bytes(users * LINE_BYTES) > bytes {
        users -= 1;
    }
    users
}
