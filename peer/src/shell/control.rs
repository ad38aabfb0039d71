//! The control socket: `control` accepts, a `ctl-N` reads for each program, and the owner writes.

use std::io;
use std::ops::ControlFlow;
use std::os::unix::net::{UnixListener, UnixStream};

use nix::sys::socket::{setsockopt, sockopt};
use vox_common::sys::lines::{Line, read_lines};
use vox_common::sys::net::{Sent, accept_each, send_now};
use vox_common::sys::thread::spawn;
use vox_common::sys::unix::credentials;
use vox_common::wire::limits::MAX_CLIENTS;

use super::mail::{Mail, Mailbox, post_in_turn};
use crate::agent::io::ClientId;

/// The longest answer (USERS of a full registry) goes in whole; the kernel doubles it for its own needs.
const SEND_BUFFER: usize = 256 * 1024;

/// Starts the thread that accepts.
///
/// # Errors
/// The thread could not be started.
pub fn start(listener: UnixListener, mailbox: Mailbox) -> io::Result<()> {
    spawn("control", move || {
        let accept = || listener.accept().map(|(stream, _)| stream);
        let came = |stream| post_in_turn(&mailbox, |turn| Mail::ClientCame(stream, turn));
        let ended = accept_each(accept, came);
        if let Err(error) = ended {
            log::error!("the control socket is lost: {error}");
        }
    })
    .map(drop)
}

/// The programs that are connected, each in its place. Held by the owner.
#[derive(Debug, Default)]
pub struct Clients([Option<UnixStream>; MAX_CLIENTS]);

impl Clients {
    /// Gives a program a place and a reader, or tells it that there is none.
    pub fn admit(&mut self, stream: UnixStream, mailbox: &Mailbox) {
        let Some(place) = self.0.iter().position(Option::is_none) else {
            return refuse(&stream, "420 too many programs on this socket, try again later\n");
        };
        let client = ClientId(u8::try_from(place).expect("there are fewer than 256 places"));
        let attended = credentials(&stream).and_then(|who| {
            log::debug!("a program speaks to us client={place} uid={} pid={}", who.uid, who.pid);
            attend(client, &stream, mailbox.clone())
        });
        match attended {
            Ok(()) => self.0[place] = Some(stream),
            Err(error) => refuse(&stream, &format!("500 cannot serve you: {error}\n")),
        }
    }

    /// Sends whole lines; a program that does not read them is cut off.
    pub fn send(&self, client: ClientId, lines: &str) {
        let Some(stream) = self.0.get(usize::from(client.0)).and_then(Option::as_ref) else { return };
        if !matches!(send_now(stream, lines.as_bytes()), Sent::Whole) {
            log::debug!("a program on the control socket does not read client={}", client.0);
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
    }

    /// Its reader has spoken its last word: the place is free.
    pub fn dismiss(&mut self, client: ClientId) {
        if let Some(place) = self.0.get_mut(usize::from(client.0)) {
            *place = None;
        }
    }
}

fn refuse(stream: &UnixStream, line: &str) {
    let _ = send_now(stream, line.as_bytes());
    let _ = stream.shutdown(std::net::Shutdown::Both);
}

fn attend(client: ClientId, stream: &UnixStream, mailbox: Mailbox) -> io::Result<()> {
    setsockopt(stream, sockopt::SndBuf, &SEND_BUFFER)?;
    let reader = stream.try_clone()?;
    spawn(format!("ctl-{}", client.0), move || {
        let _ = read_lines(&reader, |line| post(client, line, &mailbox));
        let _ = mailbox.send(Mail::ClientGone(client));
    })
    .map(drop)
}

fn post(client: ClientId, line: Line<'_>, mailbox: &Mailbox) -> ControlFlow<()> {
    let line = match line {
        Line::Text(text) => Ok(text.to_owned()),
        Line::TooLong => Err("416 line too long, at most 1024 bytes"),
        Line::NotText => Err("417 not UTF-8 or a control character"),
    };
    post_in_turn(mailbox, |turn| Mail::ClientLine(client, line, turn))
}
