//! The sockets of all connections, and everything that is written to them.

use std::net::{Shutdown, TcpStream};
use std::sync::Arc;

use vox_common::sys::net::{Sent, send_now};
use vox_common::wire::limits::MAX_CONNECTIONS;

use crate::core::{ConnId, Fate};

/// A place is taken from accept until the reader's last word, so that an id in the mailbox is never stale.
pub(super) struct Slots([Option<Slot>; MAX_CONNECTIONS]);

struct Slot {
    stream: Arc<TcpStream>,
    /// Nothing more may be sent: it was said goodbye to, or it reads too slowly.
    is_shut: bool,
}

impl Slots {
    pub(super) const fn new() -> Self {
        Self([const { None }; MAX_CONNECTIONS])
    }

    /// A place for a connection. `None`: all are taken.
    pub(super) fn allot(&mut self, stream: Arc<TcpStream>) -> Option<ConnId> {
        let (place, slot) = (0..).zip(&mut self.0).find(|(_, slot)| slot.is_none())?;
        *slot = Some(Slot { stream, is_shut: false });
        Some(ConnId(place))
    }

    pub(super) fn free(&mut self, conn: ConnId) {
        self.0[usize::from(conn.0)] = None;
    }

    /// Sends whole lines, or lets go of a reader who has not read those before them.
    pub(super) fn send(&mut self, conn: ConnId, lines: &str) -> Fate {
        let Some(slot) = self.open(conn) else {
            return Fate::Lost;
        };
        match send_now(&slot.stream, lines.as_bytes()) {
            Sent::Whole => Fate::Sent,
            Sent::NotWhole => {
                slot.shut();
                Fate::Lost
            }
        }
    }

    /// Ends a connection; what was sent still arrives, and the reader ends by itself.
    pub(super) fn close(&mut self, conn: ConnId) {
        if let Some(slot) = self.open(conn) {
            slot.shut();
        }
    }

    fn open(&mut self, conn: ConnId) -> Option<&mut Slot> {
        self.0[usize::from(conn.0)].as_mut().filter(|slot| !slot.is_shut)
    }
}

impl Slot {
    fn shut(&mut self) {
        self.is_shut = true;
        // Refused only where the far end was faster.
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}
