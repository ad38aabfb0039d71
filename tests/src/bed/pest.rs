//! Somebody with a key of his own who calls a station without end, each time anew and by a handshake that is whole.

use std::collections::HashSet;
use std::net::{Ipv4Addr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use vox_common::sys::clock;
use vox_common::wire::keys::PublicKey;
use vox_common::wire::signal::{CallId, Cookie, Say, Signal};

use super::Station;
use crate::far::{Far, Word};
use crate::handshake::hello;

/// Between two calls. Each is two signals: a little less than what a station takes in from one address (200 in a second).
const PAUSE: Duration = Duration::from_millis(11);

/// How long it takes until everything has been heard that was said before.
const LEFTOVERS: Duration = Duration::from_millis(200);

/// By then a station has repeated every last word of the last six seconds.
const REPEATED: Duration = Duration::from_millis(1_500);

/// One of them.
pub struct Pest {
    socket: UdpSocket,
    /// Of his key and of his call-ids.
    number: u8,
    called: u64,
    /// Calls that were refused by who can open what is sealed for the station.
    refused: HashSet<CallId>,
}

/// What a station has done for one of them.
#[derive(Debug)]
pub struct Bother {
    /// Calls that it has refused: so many handshakes has it computed.
    pub refused: usize,
    /// How long it was called.
    pub during: Duration,
    /// Refused calls that it still had something to say of when it was left alone.
    pub in_memory: usize,
}

impl Pest {
    /// At an address of loopback that ends with this number.
    pub fn at(number: u8, station: &Station) -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::new(127, 0, 0, number), 0)).expect("loopback is there");
        socket.connect(("127.0.0.1", station.port())).expect("loopback is there");
        Self { socket, number, called: 0, refused: HashSet::new() }
    }

    /// Calls until it is to stop, and listens to what comes of it.
    pub fn call_until(mut self, stop: &AtomicBool) -> Bother {
        let began = clock::now();
        while !stop.load(Ordering::Relaxed) {
            self.knock();
            self.hear_until(clock::now() + PAUSE);
        }
        let during = clock::now() - began;
        self.hear_until(clock::now() + LEFTOVERS);
        let refused = std::mem::take(&mut self.refused).len();
        self.hear_until(clock::now() + REPEATED);
        Bother { refused, during, in_memory: self.refused.len() }
    }

    fn knock(&mut self) {
        self.called += 1;
        let mut id = [self.number; 16];
        id[8..].copy_from_slice(&self.called.to_be_bytes());
        self.send(Signal::untagged(CallId(id), Say::Knock).to_string().as_bytes());
    }

    fn hear_until(&mut self, end: Instant) {
        let mut room = [0; 2_048];
        while let Some(length) = self.receive(end, &mut room) {
            match Signal::parse(&room[..length]) {
                Ok(Signal { id, say: Say::Retry(cookie, key), .. }) => self.invite(id, cookie, key),
                Ok(Signal { id, say: Say::Reject(_, Some(_)), .. }) => _ = self.refused.insert(id),
                _ => {}
            }
        }
    }

    fn receive(&self, end: Instant, room: &mut [u8]) -> Option<usize> {
        let left = end.checked_duration_since(clock::now()).filter(|left| !left.is_zero())?;
        self.socket.set_read_timeout(Some(left)).expect("a socket of our own");
        self.socket.recv(room).ok()
    }

    fn invite(&self, id: CallId, cookie: Cookie, key: PublicKey) {
        let mut far = Far::new([self.number; 32], key);
        self.send(&far.say(id, Word::Invite(cookie, hello("mallory"))));
    }

    fn send(&self, datagram: &[u8]) {
        self.socket.send(datagram).expect("the station listens");
    }
}
