//! Errands: what may take long and is done once, on a thread of its own that posts what it found.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};

use vox_common::sys::net::plain;
use vox_common::sys::thread::spawn;

use super::mail::{Mail, Mailbox};
use crate::agent::io::{ClientId, Ticket};

/// Asks the resolver for `host:port`.
///
/// # Errors
/// The thread could not be started.
pub fn resolve(ticket: Ticket, host: &str, mailbox: &Mailbox) -> io::Result<()> {
    let (host, mailbox) = (host.to_owned(), mailbox.clone());
    spawn("resolve", move || {
        let found = host.to_socket_addrs().map(|found| found.map(plain).collect::<Vec<SocketAddr>>());
        let _ = mailbox.send(Mail::Resolved(ticket, found.map_err(|error| error.to_string())));
    })
    .map(drop)
}

/// Lists the sound devices for a program on the control socket.
///
/// # Errors
/// The thread could not be started.
pub fn list_devices(client: ClientId, mailbox: &Mailbox) -> io::Result<()> {
    let mailbox = mailbox.clone();
    spawn("devices", move || {
        let _ = mailbox.send(Mail::Devices(client, "232 0 devices".to_owned()));
    })
    .map(drop)
}
