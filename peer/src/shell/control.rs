//! The control socket: `control` accepts, a `ctl-N` reads for each program, and the owner writes.

use std::io;
use std::ops::ControlFlow;
use std::os::unix::net::UnixStream;

use vox_common::sys::clients::Clients;
use vox_common::sys::lines::{Line, read_lines};
use vox_common::sys::thread::spawn;
use vox_common::sys::turn::post_in_turn;
use vox_common::sys::unix::ControlListener;
use vox_common::wire::limits::MAX_CLIENTS;

use super::mail::{Mail, Mailbox};
use crate::agent::io::ClientId;

/// Starts the thread that accepts.
///
/// # Errors
/// The thread could not be started.
pub fn start(listener: ControlListener, mailbox: Mailbox) -> io::Result<()> {
    spawn("control", move || {
        let came = |stream| post_in_turn(&mailbox, |turn| Mail::ClientCame(stream, turn));
        let ended = listener.admit_each(came);
        if let Err(error) = ended {
            log::error!("the control socket is lost: {error}");
        }
    })
    .map(drop)
}

/// Gives a program a place and a reader.
pub fn admit(clients: &mut Clients<MAX_CLIENTS>, stream: UnixStream, mailbox: &Mailbox) {
    let mailbox = mailbox.clone();
    clients.admit(stream, "ctl", move |place, stream| {
        let client = ClientId(place);
        let _ = read_lines(stream, |line| post(client, line, &mailbox));
        let _ = mailbox.send(Mail::ClientGone(client));
    });
}

fn post(client: ClientId, line: Line<'_>, mailbox: &Mailbox) -> ControlFlow<()> {
    let line = match line {
        Line::Text(text) => Ok(text.to_owned()),
        Line::TooLong => Err("416 line too long, at most 1024 bytes"),
        Line::NotText => Err("417 not UTF-8 or a control character"),
    };
    post_in_turn(mailbox, |turn| Mail::ClientLine(client, line, turn))
}
