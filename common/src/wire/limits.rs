//! The hard bounds of every table and message. Configuration may lower them, nothing raises them.

/// A line of text with its LF (DESIGN section 4). Longer: `416 line too long`, and the rest is skipped.
pub const LINE_BYTES: usize = 1024;

/// Free text in a line: a message, an echo, a word said in a room. Longer: `400`.
pub const TEXT_BYTES: usize = 900;

/// A name of a user or of a room. Longer: `430 bad name`.
pub const NAME_BYTES: usize = 32;

/// Characters of a display name. More: `400`.
pub const DISPLAY_CHARS: usize = 64;

/// Bytes of a display name, before and after it is percent-encoded: all of its characters may be of any script in
/// Unicode's basic plane. Longer, with more than 48 of the others (emoji): `400`.
pub const DISPLAY_BYTES: usize = 3 * DISPLAY_CHARS;

/// What a user calls somebody by: a name, or a host with its port. Longer: `400`.
pub const CALLEE_BYTES: usize = 64;

/// One signal datagram (DESIGN section 6). Longer: dropped and counted.
pub const SIGNAL_BYTES: usize = 1200;

/// Users in a registry. At the brim: `420 registry full`.
pub const MAX_USERS: usize = 512;

/// Connections to a registry, registered or not. At the brim: `420 registry full` instead of a greeting.
pub const MAX_CONNECTIONS: usize = 640;

/// Connections that have not registered yet, so that silent ones cannot keep users out.
pub const MAX_UNREGISTERED: usize = 128;

/// Rooms in a registry. At the brim: `421 no room for another room`.
pub const MAX_ROOMS: usize = 64;

/// Names and addresses that a registry keeps out. At the brim: `420` to the administrator.
pub const MAX_BANS: usize = 256;

/// Names that belong to keys in a registry. At the brim no new name is let in: `403`.
pub const MAX_BOUND_NAMES: usize = 1024;

/// Legs of calls in one station. At the brim: an INVITE is answered `busy`.
pub const MAX_LEGS: usize = 8;

/// Programs on one station's control socket at a time. At the brim: `420 too many control clients`.
pub const MAX_CLIENTS: usize = 32;

/// Programs on a registry's control socket at a time. At the brim: as for a station.
pub const MAX_ADMINS: usize = 8;

/// `[contacts]` in peer.toml. More are refused when the file is read.
pub const MAX_CONTACTS: usize = 64;

/// Names in `[call] allow` of peer.toml. More are refused when the file is read.
pub const MAX_ALLOWED: usize = 64;

/// Calls kept in the history. At the brim the oldest is forgotten.
pub const HISTORY_CALLS: usize = 64;

/// Messages kept by the station that they came to. At the brim the oldest is forgotten.
pub const KEPT_MESSAGES: usize = 64;

/// Keys that a station remembers, of people, hosts and registries. At the brim no new one is remembered, and that is said;
/// nothing that is remembered gives way.
pub const MAX_KNOWN_KEYS: usize = 512;

/// The send buffer that a registry asks of the kernel for each connection, which grants twice of it for its own
/// book-keeping. It is the queue of the connection: a reader who lets it fill is too slow, and is let go. It
/// fits the default `net.core.wmem_max` of 212,992.
pub const SEND_BUFFER: usize = 192 * 1024;
