//! Errands: what may take long and is done once, on a thread of its own that posts what it found.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::thread;

use vox_common::sys::net::plain;
use vox_common::sys::thread::spawn;

use super::mail::{Mail, Mailbox};
use crate::agent::io::{ClientId, Ticket};
use crate::audio;

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
    // ALSA's plugins want a stack of the ordinary size.
    thread::Builder::new().name("devices".into()).spawn(move || {
        let devices = audio::list();
        let lines = devices.iter().fold(String::new(), |lines, device| lines + &format!("232-{device}\n"));
        let _ = mailbox.send(Mail::Devices(client, format!("{lines}232 {} devices", devices.len())));
    })?;
    Ok(())
}
