//! What goes into the registry and what comes out of it.

use std::net::SocketAddr;

use vox_common::wire::disk::Disk;
use vox_common::wire::keys::PublicKey;
use vox_common::wire::line::Line;
use vox_common::wire::names::Name;
use vox_common::wire::reply::Nonce;
use vox_common::wire::secure::{Answer, Offer};

use super::{Access, ConnId, Limits, News, Sealing};

/// A program on the administrators' socket: its place in the shell's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AdminId(pub u8);

/// What a connection, an administrator, the operator or the time brings.
#[derive(Debug)]
pub enum Input<'a> {
    /// Somebody connected.
    Opened {
        /// The place of the connection; free until now.
        conn: ConnId,
        /// The far end.
        from: SocketAddr,
        /// Our end.
        to: SocketAddr,
        /// 128 fresh random bits.
        nonce: Nonce,
    },
    /// Somebody connected for whom the shell has no place, and was told so.
    Unseated(SocketAddr),
    /// A connection said something.
    Line(ConnId, Line<'a>),
    /// A connection offers to seal its lines.
    Offered {
        /// Which one.
        conn: ConnId,
        /// What it has said.
        offer: Offer,
        /// The answer, which the shell has made of it. `None`: the offer does not open.
        taken: Option<Shaken>,
    },
    /// A connection has ended; nothing more comes from it.
    Closed(ConnId),
    /// An administrator said something.
    Admin(AdminId, Line<'a>),
    /// How the disk is that state is kept on: told before each [`Input::Admin`].
    Disk(&'a Disk),
    /// The configuration was read again.
    Settings(&'a Settings),
    /// The operator ends the registry.
    Stop,
    /// [`Registry::deadline`](super::Registry::deadline) has come.
    Tick,
}

/// What an offer to seal has brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shaken {
    /// The key that the other side has proved to hold.
    pub key: PublicKey,
    /// What it has to be told, in plain.
    pub answer: Answer,
}

/// What is to be done.
#[derive(Debug)]
pub enum Output<'a> {
    /// Send these whole lines. The one output whose [`Fate`] matters.
    Send(ConnId, &'a str),
    /// What is sent to this connection from now on is sealed, and what it sends.
    Seal(ConnId),
    /// End the connection once what was sent has left; [`Input::Closed`] follows.
    Close(ConnId),
    /// Send these whole lines to an administrator.
    Answer(AdminId, &'a str),
    /// Keep this text as a state file, instead of the one before.
    Keep(Kept, &'a str),
    /// Something for the log.
    News(News<'a>),
    /// The registry ends: everybody was told, and connections follow.
    Ending,
}

/// What became of a [`Output::Send`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The kernel has all of it; of any other output: it is being done.
    Sent,
    /// This reader is too slow, or gone: nothing more reaches it.
    Lost,
}

/// Where the registry puts what it wants done.
pub type Out<'o> = &'o mut dyn FnMut(Output<'_>) -> Fate;

/// What outlives a restart, in a file each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// Who is kept out.
    Bans,
    /// Which name belongs to which key.
    Names,
}

impl Kept {
    /// The name of its file in the state directory.
    pub const fn file(self) -> &'static str {
        match self {
            Self::Bans => "bans",
            Self::Names => "names",
        }
    }
}

/// What an operator can choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// What the greeting calls this registry.
    pub name: Name,
    /// The TCP port on which it really listens.
    pub port: u16,
    /// Users at a time, at most [`MAX_USERS`](vox_common::wire::limits::MAX_USERS).
    pub max_users: usize,
    /// Rooms at a time, at most [`MAX_ROOMS`](vox_common::wire::limits::MAX_ROOMS).
    pub max_rooms: usize,
    /// Who may register.
    pub access: Access,
    /// Whether their lines must be sealed.
    pub sealing: Sealing,
    /// What one client, and one address, may ask of the registry.
    pub limits: Limits,
}
