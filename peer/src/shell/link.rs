//! The thread `link`: resolves, connects and reads; the owner writes.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use vox_common::seal::incoming::Next;
use vox_common::sys::config::reason;
use vox_common::sys::lines::{Line, read_sealable};
use vox_common::sys::net::tune;
use vox_common::sys::thread::spawn_roomy;
use vox_common::sys::turn::post_in_turn;

use super::mail::{Mail, Mailbox};
use crate::config::HostPort;

/// An address of the registry that does not answer for this long is passed over.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Starts the thread; each message makes it try once to connect.
///
/// # Errors
/// The thread could not be started.
pub fn start(registry: HostPort, mailbox: Mailbox) -> io::Result<SyncSender<()>> {
    let (connect, orders) = sync_channel(1);
    spawn_roomy("link", move || run(&registry, &orders, &mailbox))?;
    Ok(connect)
}

fn run(registry: &HostPort, orders: &Receiver<()>, mailbox: &Mailbox) {
    while orders.recv().is_ok() {
        let why = match connect(registry) {
            Ok(stream) => converse(&stream, mailbox),
            Err(error) => format!("cannot connect to {registry}: {}", reason(&error)),
        };
        if mailbox.send(Mail::LinkDown(why)).is_err() {
            return;
        }
    }
}

fn connect(registry: &HostPort) -> io::Result<TcpStream> {
    let addresses = (registry.host.as_str(), registry.port).to_socket_addrs()?;
    let mut failure = io::Error::other("the name has no address");
    for address in addresses {
        match connect_to(address) {
            Ok(stream) => return Ok(stream),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

fn connect_to(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, CONNECT_TIMEOUT)?;
    tune(&stream)?;
    Ok(stream)
}

/// Reads until the connection ends; what is no text is not the registry's, and is passed over.
fn converse(stream: &TcpStream, mailbox: &Mailbox) -> String {
    let Ok(writer) = stream.try_clone() else { return "too many open files".to_owned() };
    let (openers, opened) = sync_channel(1);
    if mailbox.send(Mail::LinkUp(writer, openers)).is_err() {
        return String::new();
    }
    // Once the owner has dealt with a line, it has also said whether the next one is sealed.
    let ended = read_sealable(stream, |line| match line {
        Line::Text(text) => match post_in_turn(mailbox, |turn| Mail::LinkLine(text.to_owned(), turn)) {
            ControlFlow::Continue(()) => opened.try_recv().map_or(Next::GoOn, Next::Seal),
            ControlFlow::Break(()) => Next::End,
        },
        _ => Next::GoOn,
    });
    match ended {
        Ok(()) => "the registry closed the connection".to_owned(),
        Err(error) if error.kind() == ErrorKind::InvalidData => {
            "what came from the registry was changed on its way".to_owned()
        }
        Err(error) => format!("the connection to the registry broke: {}", reason(&error)),
    }
}
