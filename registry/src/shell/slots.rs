//! The sockets of all connections, and everything that is written to them.

use std::net::{Shutdown, TcpStream};
use std::sync::Arc;

use vox_common::seal::records::{Sealer, sealed_bytes};
use vox_common::sys::net::{Sent, send_now};
use vox_common::wire::limits::MAX_CONNECTIONS;

use crate::core::{ConnId, Fate};

/// A place is taken from accept until the reader's last word, so that an id in the mailbox is never stale.
pub(super) struct Slots {
    places: [Option<Slot>; MAX_CONNECTIONS],
    /// Of the connection whose offer to seal the core is about to take.
    offered: Option<Box<Sealer>>,
    /// For what is sealed, on its way to the kernel.
    sealed: Box<[u8]>,
}

/// As much of what is said as is sealed and sent in one piece.
const AT_ONCE: usize = 32 * 1024;

struct Slot {
    stream: Arc<TcpStream>,
    /// Nothing more may be sent: it was said goodbye to, or it reads too slowly.
    is_shut: bool,
    /// Seals what is sent, once the core says so.
    sealer: Option<Box<Sealer>>,
}

impl Slots {
    pub(super) fn new() -> Self {
        let sealed = vec![0; sealed_bytes(AT_ONCE)].into_boxed_slice();
        Self { places: [const { None }; MAX_CONNECTIONS], offered: None, sealed }
    }

    /// A place for a connection. `None`: all are taken.
    pub(super) fn allot(&mut self, stream: Arc<TcpStream>) -> Option<ConnId> {
        let (place, slot) = (0..).zip(&mut self.places).find(|(_, slot)| slot.is_none())?;
        *slot = Some(Slot { stream, is_shut: false, sealer: None });
        Some(ConnId(place))
    }

    pub(super) fn free(&mut self, conn: ConnId) {
        self.places[usize::from(conn.0)] = None;
    }

    /// Sends whole lines, or lets go of a reader who has not read those before them.
    pub(super) fn send(&mut self, conn: ConnId, lines: &str) -> Fate {
        let Some(slot) = open(&mut self.places, conn) else {
            return Fate::Lost;
        };
        match slot.send(lines.as_bytes(), &mut self.sealed) {
            Sent::Whole => Fate::Sent,
            Sent::NotWhole => {
                slot.shut();
                Fate::Lost
            }
        }
    }

    /// What seals the connection that the core hears of next, if it says so.
    pub(super) fn offer(&mut self, sealer: Option<Sealer>) {
        self.offered = sealer.map(Box::new);
    }

    /// Whatever is sent from now on is sealed.
    pub(super) fn seal(&mut self, conn: ConnId) {
        if let Some(slot) = open(&mut self.places, conn) {
            slot.sealer = self.offered.take();
        }
    }

    /// Whether what is sent is sealed.
    pub(super) fn is_sealed(&mut self, conn: ConnId) -> bool {
        open(&mut self.places, conn).is_some_and(|slot| slot.sealer.is_some())
    }

    /// Ends a connection; what was sent still arrives, and the reader ends by itself.
    pub(super) fn close(&mut self, conn: ConnId) {
        if let Some(slot) = open(&mut self.places, conn) {
            slot.shut();
        }
    }
}

fn open(places: &mut [Option<Slot>], conn: ConnId) -> Option<&mut Slot> {
    places[usize::from(conn.0)].as_mut().filter(|slot| !slot.is_shut)
}

impl Slot {
    fn send(&mut self, lines: &[u8], sealed: &mut [u8]) -> Sent {
        let Some(sealer) = &mut self.sealer else {
            return send_now(&self.stream, lines);
        };
        let is_whole = |piece| send_now(&self.stream, sealer.seal(piece, sealed)) == Sent::Whole;
        if lines.chunks(AT_ONCE).all(is_whole) { Sent::Whole } else { Sent::NotWhole }
    }

    fn shut(&mut self) {
        self.is_shut = true;
        // Refused only where the far end was faster.
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}
