//! Somebody on the path between two stations: sees every datagram, decides what goes on in its place, and says what it
//! likes in the name of either.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use super::Station;
use super::relay::{Passed, Relay};

/// What goes on in place of a datagram, at once.
type Fate = Box<dyn FnMut(&Passed) -> Vec<Vec<u8>> + Send>;

/// A running one. The caller calls [`Attacker::address`]; each of the two takes it for the other.
pub struct Attacker {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    relay: Relay,
    fate: Mutex<Fate>,
    stop: AtomicBool,
}

impl Attacker {
    /// Before that station; lets everything pass at first.
    pub fn before(callee: &Station) -> Self {
        Self::on_the_way_to(([127, 0, 0, 1], callee.port()).into())
    }

    fn on_the_way_to(callee: SocketAddr) -> Self {
        let (relay, fate, stop) = (Relay::to(callee), Mutex::new(pass()), AtomicBool::new(false));
        let shared = Arc::new(Shared { relay, fate, stop });
        let lane = |forth| {
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || shared.run(forth))
        };
        let threads = [true, false].map(lane).into();
        Self { shared, threads }
    }

    /// Where the caller finds the callee.
    pub fn address(&self) -> SocketAddr {
        self.shared.relay.address()
    }

    /// From now on, what the caller says goes to another station.
    pub fn leads_to(&self, callee: &Station) {
        self.shared.relay.lead_to(([127, 0, 0, 1], callee.port()).into());
    }

    /// From now on, this goes on in place of each datagram.
    pub fn sends_on(&self, fate: impl FnMut(&Passed) -> Vec<Vec<u8>> + Send + 'static) {
        self.shared.set(Box::new(fate));
    }

    /// From now on, what is meant is lost.
    pub fn keeps(&self, mut meant: impl FnMut(&Passed) -> bool + Send + 'static) {
        self.sends_on(move |came| if meant(came) { Vec::new() } else { vec![came.bytes.clone()] });
    }

    /// From now on, everything passes.
    pub fn lets_pass(&self) {
        self.shared.set(pass());
    }

    /// Everything that came so far, passed on or not.
    pub fn seen(&self) -> Vec<Passed> {
        self.shared.relay.passed()
    }

    /// The first datagram so far that is meant.
    pub fn first(&self, meant: impl Fn(&Passed) -> bool) -> Option<Passed> {
        self.seen().into_iter().find(|passed| meant(passed))
    }

    /// Sends to the callee from where it takes the caller to be.
    pub fn as_caller(&self, datagram: &[u8]) {
        self.shared.relay.send(true, datagram);
    }

    /// Sends to the caller from where it takes the callee to be.
    pub fn as_callee(&self, datagram: &[u8]) {
        self.shared.relay.send(false, datagram);
    }

    /// Sends a datagram that was seen once more, the same way.
    pub fn again(&self, seen: &Passed) {
        self.shared.relay.send(seen.forth, &seen.bytes);
    }
}

impl Drop for Attacker {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn run(&self, forth: bool) {
        while !self.stop.load(Ordering::Relaxed) {
            let Some(came) = self.relay.receive(forth) else { continue };
            let goes_on = self.fate.lock().unwrap_or_else(PoisonError::into_inner)(&came);
            goes_on.iter().for_each(|datagram| self.relay.send(forth, datagram));
        }
    }

    fn set(&self, fate: Fate) {
        *self.fate.lock().unwrap_or_else(PoisonError::into_inner) = fate;
    }
}

fn pass() -> Fate {
    Box::new(|came| vec![came.bytes.clone()])
}
