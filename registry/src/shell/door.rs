//! Threads that wait on a socket and post what comes.

use std::io;
use std::net::{TcpListener, TcpStream};
use std::ops::ControlFlow;
use std::process;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;

use log::error;
use vox_common::sys::lines::read_lines;
use vox_common::sys::{net, thread};

use super::mail::{Mail, Said};
use crate::core::ConnId;

/// Accepts until the owner has ended.
pub(super) fn open(listener: &TcpListener, post: &SyncSender<Mail>) {
    let sink = |(stream, from)| deliver(post, Mail::Accepted(stream, from));
    if let Err(error) = net::accept_each(|| listener.accept(), sink) {
        // A registry that nobody can reach is better started again.
        error!("Cannot accept connections any more: {error}");
        log::logger().flush();
        process::exit(1);
    }
}

/// Reads a connection on a thread of its own until it ends, which is the last that is posted of it.
pub(super) fn read(conn: ConnId, stream: Arc<TcpStream>, post: SyncSender<Mail>) -> io::Result<()> {
    let name = format!("conn-{}", conn.0);
    let work = move || {
        // A reset is an end like any other.
        let _ = read_lines(&*stream, |line| deliver(&post, Mail::Said(conn, Said::from(line))));
        drop(stream);
        let _ = deliver(&post, Mail::Closed(conn));
    };
    thread::spawn(name, work).map(drop)
}

/// Posts; `Break`: the owner has ended.
pub(super) fn deliver(post: &SyncSender<Mail>, mail: Mail) -> ControlFlow<()> {
    post.send(mail).map_or(ControlFlow::Break(()), ControlFlow::Continue)
}
