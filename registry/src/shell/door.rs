//! Threads that wait on a socket and post what comes.

use std::io;
use std::net::{TcpListener, TcpStream};
use std::ops::ControlFlow;
use std::process;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};

use log::error;
use vox_common::seal::identity::Identity;
use vox_common::seal::incoming::Next;
use vox_common::seal::secure;
use vox_common::sys::lines::{Line, read_sealable};
use vox_common::sys::{net, random, thread};
use vox_common::wire::reply::Nonce;
use vox_common::wire::request::Request;
use vox_common::wire::secure::Offer;
use vox_common::wire::verb::Verb;
use vox_common::wire::words::split_first;

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
pub(super) fn read(reader: Reader, stream: Arc<TcpStream>) -> io::Result<()> {
    let name = format!("conn-{}", reader.conn.0);
    let work = move || {
        let (conn, post) = (reader.conn, reader.post.clone());
        // A reset is an end like any other, and so is a record that does not open.
        let _ = read_sealable(&*stream, reader.sink());
        drop(stream);
        let _ = deliver(&post, Mail::Closed(conn));
    };
    thread::spawn(name, work).map(drop)
}

/// What the reader of one connection knows.
pub(super) struct Reader {
    pub(super) conn: ConnId,
    pub(super) nonce: Nonce,
    pub(super) identity: Option<Arc<Identity>>,
    pub(super) post: SyncSender<Mail>,
}

impl Reader {
    fn sink(self) -> impl FnMut(Line<'_>) -> Next {
        let mut has_offered = false;
        move |line| {
            let offer = offer_in(line).filter(|_| !has_offered);
            has_offered |= offer.is_some();
            match offer.zip(self.identity.as_deref()) {
                Some((offer, identity)) => self.shake(identity, &offer),
                None => self.pass_on(Mail::Said(self.conn, Said::from(line))),
            }
        }
    }

    fn pass_on(&self, mail: Mail) -> Next {
        if deliver(&self.post, mail).is_continue() { Next::GoOn } else { Next::End }
    }

    /// Does the arithmetic here, once, where nobody else waits for it; whether the connection is sealed is the core's to say.
    fn shake(&self, identity: &Identity, offer: &Offer) -> Next {
        let taken = secure::take(identity, &self.nonce, offer, &random::secret()).map(Box::new);
        let (decide, decided) = sync_channel(1);
        match self.pass_on(Mail::Offered { conn: self.conn, offer: *offer, taken, decide }) {
            Next::GoOn => decided.recv().map_or(Next::GoOn, Next::Seal),
            end => end,
        }
    }
}

/// What a line offers to seal with.
fn offer_in(line: Line<'_>) -> Option<Offer> {
    let Line::Text(text) = line else { return None };
    let is_offer = Verb::parse(split_first(text).0) == Some(Verb::Secure);
    match is_offer.then(|| Request::parse(text))? {
        Ok(Request::Secure(offer)) => Some(offer),
        _ => None,
    }
}

/// Posts; `Break`: the owner has ended.
pub(super) fn deliver(post: &SyncSender<Mail>, mail: Mail) -> ControlFlow<()> {
    post.send(mail).map_or(ControlFlow::Break(()), ControlFlow::Continue)
}
