//! A bad network for one call, and a witness of it: forwards datagrams between a caller and a callee, holds them up,
//! loses and doubles some by a seed, and keeps a copy of them all.

use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use vox_common::sys::clock;

use super::pcap;
pub use super::relay::Passed;
use super::relay::{Relay, socket};

/// What happens to datagrams.
#[derive(Debug, Clone, Copy, Default)]
pub struct Weather {
    /// The share that is lost, 0 to 1.
    pub loss: f64,
    /// The share that comes twice, 0 to 1.
    pub doubled: f64,
    /// The share that is overtaken by the next one, 0 to 1.
    pub overtaken: f64,
    /// How long each way takes.
    pub delay: Duration,
    /// Where the dice begin.
    pub seed: u64,
}

/// A running forwarder. The caller calls [`Forwarder::address`].
#[derive(Debug)]
pub struct Forwarder {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

/// A datagram, and when it is to leave.
type Due = (Instant, Vec<u8>);

#[derive(Debug)]
struct Shared {
    relay: Relay,
    stand_in: Option<UdpSocket>,
    stop: AtomicBool,
}

impl Forwarder {
    /// Forwards between whoever sends to its address and `callee`, on loopback.
    pub fn start(callee: SocketAddr, weather: Weather) -> Self {
        Self::with(callee, weather, None)
    }

    /// As [`Forwarder::start`], but instead of the caller's media the callee hears what somebody else sends to
    /// `port` on loopback.
    pub fn speaking_for_the_caller(callee: SocketAddr, port: u16) -> Self {
        Self::with(callee, Weather::default(), Some(port))
    }

    fn with(callee: SocketAddr, weather: Weather, stand_in: Option<u16>) -> Self {
        let (relay, stop) = (Relay::to(callee), AtomicBool::new(false));
        let shared = Arc::new(Shared { relay, stand_in: stand_in.map(socket), stop });
        let lane = |forth: bool| {
            let shared = Arc::clone(&shared);
            let seed = weather.seed * 2 + u64::from(forth);
            let mut dice = Dice { weather, rng: ChaCha8Rng::seed_from_u64(seed) };
            let (held, due) = channel();
            let way = Arc::clone(&shared);
            let out = std::thread::spawn(move || way.send_when_due(forth, &due));
            [std::thread::spawn(move || shared.run(forth, &mut dice, &held)), out]
        };
        let mut threads: Vec<_> = [lane(true), lane(false)].into_iter().flatten().collect();
        if stand_in.is_some() {
            let shared = Arc::clone(&shared);
            threads.push(std::thread::spawn(move || shared.speak_for_the_caller()));
        }
        Self { shared, threads }
    }

    /// Where the caller finds the callee.
    pub fn address(&self) -> SocketAddr {
        self.shared.relay.address()
    }

    /// Everything that came so far, lost or not.
    pub fn passed(&self) -> Vec<Passed> {
        self.shared.relay.passed()
    }

    /// Writes what passed as a capture file that tshark reads.
    pub fn write_capture(&self, path: &Path) {
        pcap::write(path, &self.passed()).expect("a private directory can be written");
    }
}

impl Drop for Forwarder {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn run(&self, forth: bool, dice: &mut Dice, out: &Sender<Due>) {
        // Late by less than the delays that are measured through here.
        let _ = vox_peer::rt::schedule("forwarder", 60);
        let mut held = None;
        while !self.stop.load(Ordering::Relaxed) {
            let Some(came) = self.relay.receive(forth) else { continue };
            let due = clock::now() + dice.weather.delay;
            if forth && self.stand_in.is_some() && came.is_media() {
                continue;
            }
            for datagram in dice.throw(came.bytes, &mut held) {
                let _ = out.send((due, datagram));
            }
        }
    }

    /// In the order in which they came: every one takes as long.
    fn send_when_due(&self, forth: bool, held: &Receiver<Due>) {
        let _ = vox_peer::rt::schedule("forwarder", 60);
        while let Ok((due, datagram)) = held.recv() {
            clock::sleep_until(due);
            self.relay.send(forth, &datagram);
        }
    }

    fn speak_for_the_caller(&self) {
        let mut bytes = [0; 2048];
        while let (Some(socket), false) = (&self.stand_in, self.stop.load(Ordering::Relaxed)) {
            if let Ok(length) = socket.recv(&mut bytes) {
                self.relay.send(true, &bytes[..length]);
            }
        }
    }
}

struct Dice {
    weather: Weather,
    rng: ChaCha8Rng,
}

impl Dice {
    /// What leaves when this comes in. `held` waits to be overtaken.
    fn throw(&mut self, datagram: Vec<u8>, held: &mut Option<Vec<u8>>) -> Vec<Vec<u8>> {
        if self.happens(self.weather.loss) {
            return Vec::new();
        }
        if held.is_none() && self.happens(self.weather.overtaken) {
            *held = Some(datagram);
            return Vec::new();
        }
        let twice = self.happens(self.weather.doubled).then(|| datagram.clone());
        [Some(datagram), twice, held.take()].into_iter().flatten().collect()
    }

    fn happens(&mut self, share: f64) -> bool {
        f64::from(self.rng.next_u32()) / f64::from(u32::MAX) < share
    }
}
