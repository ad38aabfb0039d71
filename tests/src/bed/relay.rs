//! Two sockets between a caller and a callee, each of whom takes it for the other. Keeps a copy of all that comes.

use std::net::{SocketAddr, UdpSocket};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use vox_common::sys::clock;

/// How long a thread waits for a datagram before it looks whether it is to end.
const LOOK: Duration = Duration::from_millis(100);

/// One datagram as it came in.
#[derive(Debug, Clone)]
pub struct Passed {
    /// Since boot.
    pub at: Duration,
    /// From the caller to the callee.
    pub forth: bool,
    /// Its contents.
    pub bytes: Vec<u8>,
}

impl Passed {
    /// RTP or RTCP (RFC 7983), not a signal.
    pub fn is_media(&self) -> bool {
        self.bytes.first().is_some_and(|byte| (128..=191).contains(byte))
    }

    /// RTP, not RTCP (RFC 5761).
    pub fn is_sound(&self) -> bool {
        self.is_media() && self.bytes.get(1).is_some_and(|byte| !(64..=95).contains(&(byte & 127)))
    }

    /// A signal with this verb.
    pub fn says(&self, verb: &str) -> bool {
        self.bytes
            .strip_prefix(b"VOX1 ")
            .is_some_and(|words| words.starts_with(format!("{verb} ").as_bytes()))
    }
}

/// The sockets, and what came through them.
#[derive(Debug)]
pub struct Relay {
    front: UdpSocket,
    back: UdpSocket,
    caller: Mutex<Option<SocketAddr>>,
    passed: Mutex<Vec<Passed>>,
}

impl Relay {
    /// In front of `callee`, on loopback.
    pub fn to(callee: SocketAddr) -> Self {
        let (front, back) = (socket(0), socket(0));
        let relay = Self { front, back, caller: Mutex::default(), passed: Mutex::default() };
        relay.lead_to(callee);
        relay
    }

    /// From now on somebody else is the callee.
    pub fn lead_to(&self, callee: SocketAddr) {
        self.back.connect(callee).expect("loopback is there");
    }

    /// Where the caller finds the callee.
    pub fn address(&self) -> SocketAddr {
        self.front.local_addr().expect("a bound socket")
    }

    /// Everything that came so far.
    pub fn passed(&self) -> Vec<Passed> {
        locked(&self.passed).clone()
    }

    /// The next datagram from that side; `None` after a while without any.
    pub fn receive(&self, forth: bool) -> Option<Passed> {
        let mut bytes = [0; 2048];
        let length =
            if forth { self.take_from_caller(&mut bytes)? } else { self.back.recv(&mut bytes).ok()? };
        let passed = Passed { at: clock::monotonic(), forth, bytes: bytes[..length].to_vec() };
        locked(&self.passed).push(passed.clone());
        Some(passed)
    }

    /// Sends to the callee as if it were the caller, or the other way round.
    pub fn send(&self, forth: bool, datagram: &[u8]) {
        let caller = *locked(&self.caller);
        let _ = match (forth, caller) {
            (true, _) => self.back.send(datagram),
            (false, Some(caller)) => self.front.send_to(datagram, caller),
            (false, None) => Ok(0),
        };
    }

    fn take_from_caller(&self, bytes: &mut [u8]) -> Option<usize> {
        let (length, from) = self.front.recv_from(bytes).ok()?;
        *locked(&self.caller) = Some(from);
        Some(length)
    }
}

/// One on loopback whose reader looks up now and then.
pub fn socket(port: u16) -> UdpSocket {
    let socket = UdpSocket::bind(("127.0.0.1", port)).expect("loopback is there");
    socket.set_read_timeout(Some(LOOK)).expect("a socket of our own");
    socket
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
