//! The one mailbox of the agent: everything that other threads have read, in owned form.

use std::net::{IpAddr, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::SyncSender;

use vox_common::seal::records::Opener;
use vox_common::sys::turn::Turn;
use vox_common::wire::limits::{MAX_CLIENTS, SIGNAL_BYTES};
use vox_common::wire::proof::Secret;

use crate::agent::io::{ClientId, Policy, Ticket};
use crate::media::orders::MediaNews;

/// Letters that wait. At the brim readers of sockets wait, and signals are dropped and counted.
pub const MAILBOX: usize = 256;
const _: () =
    assert!(MAX_CLIENTS < MAILBOX / 4, "readers, of whom each has one letter here, leave room for signals");

/// One letter.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "a signal lies in its letter: the thread `udp` does not allocate"
)]
pub enum Mail {
    /// The registry's connection stands; the owner writes to it, and tells its reader if what comes is sealed.
    LinkUp(TcpStream, SyncSender<Opener>),
    /// A line from the registry.
    LinkLine(String, Turn),
    /// The registry could not be reached, or the connection has ended.
    LinkDown(String),
    /// A datagram that begins like a signal.
    Datagram(SocketAddr, Option<IpAddr>, heapless::Vec<u8, SIGNAL_BYTES>),
    /// Nobody listens there.
    Unreachable(SocketAddr),
    /// A program has connected to the control socket.
    ClientCame(UnixStream, Turn),
    /// A line from it, or the refusal that its shape deserves.
    ClientLine(ClientId, Result<String, &'static str>, Turn),
    /// The answer to a line that had to wait for the disk, for the program whose session it is.
    ClientServed(ClientId, u64, String, Option<Turn>),
    /// It is gone: the last letter of its reader.
    ClientGone(ClientId),
    /// The resolver's answer.
    Resolved(Ticket, Result<Vec<SocketAddr>, String>),
    /// The list of devices.
    Devices(ClientId, String),
    /// The sound speaks.
    Media(MediaNews),
    /// The configuration was read again.
    Reload(Policy, Option<Secret>),
    /// The daemon is to end.
    Stop,
}

/// Where threads post their letters.
pub type Mailbox = SyncSender<Mail>;
