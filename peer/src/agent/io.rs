//! What goes into the agent and what comes out of it.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use vox_common::seal::records::{Opener, Sealer};
use vox_common::wire::disk::Disk;
use vox_common::wire::proof::Secret;

use super::allow::Allow;
use super::consent::Consent;
use crate::media::orders::{MediaNews, MediaOrder, Path};

/// The time, read once for each input.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// For deadlines.
    pub at: Instant,
    /// For people: seconds since 1970 (UTC).
    pub unix: u64,
}

/// A program on the control socket: its place in the shell's table, below
/// [`MAX_CLIENTS`](vox_common::wire::limits::MAX_CLIENTS).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientId(pub u8);

/// A question to the resolver; its answer carries the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket(pub u32);

/// Everything that can happen to a station.
#[derive(Debug)]
pub enum Input<'a> {
    /// The daemon serves from now on.
    Start,
    /// The registry's connection stands; its greeting follows as a line.
    LinkUp,
    /// A line from the registry.
    LinkLine(&'a str),
    /// The registry could not be reached, or the connection ended; a clause for people.
    LinkDown(&'a str),
    /// A datagram that begins like a signal.
    Datagram {
        /// Where it came from, in its plain form.
        from: SocketAddr,
        /// The address of ours that it was sent to.
        local: Option<IpAddr>,
        /// All of it.
        bytes: &'a [u8],
    },
    /// The network says that nobody listens there (ICMP port or host unreachable).
    Unreachable(SocketAddr),
    /// A line from a program on the control socket; `Err` is the refusal that its shape deserves.
    Control(ClientId, Result<&'a str, &'a str>),
    /// A program on the control socket is gone.
    ControlGone(ClientId),
    /// What the resolver found; a clause for people when nothing.
    Resolved(Ticket, Result<&'a [SocketAddr], &'a str>),
    /// The devices of this machine, as the lines of a `DEVICES` answer.
    Devices(ClientId, &'a str),
    /// The sound speaks.
    Media(&'a MediaNews),
    /// How the disk is that state is kept on: told before each line of a program.
    Disk(&'a Disk),
    /// What became of all datagrams so far: words and counts, at most [`MAX_COUNTS`](super::board::MAX_COUNTS).
    Datagrams(&'a [(&'static str, u64)]),
    /// The configuration was read again.
    Reload(&'a Policy, Option<&'a Secret>),
    /// The daemon is to end.
    Stop,
    /// Nothing but time.
    Tick,
}

/// What the agent wants done. Nothing here waits.
#[derive(Debug)]
pub enum Output<'a> {
    /// Connect to the registry.
    Connect,
    /// End the registry's connection.
    Disconnect,
    /// A line to the registry, without its end.
    ToRegistry(&'a str),
    /// Lines to the registry are sealed from now on with the one, and those from it opened with the other.
    Seal(Sealer, Opener),
    /// A signal to another station: the whole datagram.
    Signal(Path, &'a str),
    /// The same to somebody who has proved nothing: not while other datagrams wait to be sent.
    SignalWhenIdle(Path, &'a str),
    /// Signals from these addresses are passed on whatever strangers send: at most once a second, when there are others.
    KnownAddresses(&'a [IpAddr]),
    /// Whole lines to a program on the control socket.
    ToClient(ClientId, &'a str),
    /// Ask the resolver for `host:port`.
    Resolve(Ticket, &'a str),
    /// List the devices for a client.
    ListDevices(ClientId),
    /// An order to the sound.
    Media(MediaOrder),
    /// Keep this text as that state file, in its own time.
    Keep(Kept, &'a str),
    /// Keep it at once, and give a program this answer when it is on the disk, or
    /// [the one that says why it is not](Kept::answer_of_unkept).
    KeepAndAnswer(Kept, &'a str, ClientId, &'a str),
    /// A line for the log: sentence first, then `key=value`.
    Log(log::Level, &'a str),
}

/// What outlives a restart, each in a file of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// The last calls.
    History,
    /// The last messages.
    Messages,
    /// The keys that are remembered.
    KnownKeys,
    /// What people have set by hand.
    Settings,
}

impl Kept {
    /// The name of the file in the state directory.
    pub const fn file(self) -> &'static str {
        match self {
            Self::History => "history",
            Self::Messages => "messages",
            Self::KnownKeys => "known-peers",
            Self::Settings => "settings",
        }
    }

    /// Returns true if others can change it as often as they like: then the disk is not to follow each time. A key is
    /// remembered once, and there are [`MAX_KNOWN_KEYS`](vox_common::wire::limits::MAX_KNOWN_KEYS) of them at most.
    pub const fn is_paced(self) -> bool {
        !matches!(self, Self::KnownKeys)
    }

    /// The answer to an order that was carried out, where the disk does not take what follows from it.
    pub fn answer_of_unkept(self, answer: &str, why: &str) -> String {
        match self {
            Self::Settings if answer.starts_with('2') => format!("{answer}, {NOT_FOR_LONG}: {why}"),
            Self::Settings => answer.to_owned(),
            _ => format!("500 done, {NOT_FOR_LONG}: {why}"),
        }
    }
}

const NOT_FOR_LONG: &str = "but not for longer than this station runs";

/// Where the agent puts what it wants done.
pub type Out<'a> = &'a mut dyn FnMut(Output<'_>);

/// What the operator decides about calls and may change while the daemon runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The answer to each kind of INVITE (`[consent]`).
    pub consent: Consent,
    /// Who may ring.
    pub allow: Allow,
    /// How long it may ring.
    pub ring_timeout: Duration,
    /// How long sound may take from mouth to ear before people are told. `None`: as long as it takes.
    pub alarm_delay: Option<Duration>,
}
