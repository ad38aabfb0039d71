//! A bad network on a good cable: what comes to a host as UDP is lost, and comes late, by seeded dice. The kernel asks us
//! about each datagram (netfilter's queue), so that programs notice nothing but the weather.
//!
//! It stands in for `netem`, which not every kernel has, and knows bursts that are the same for everybody.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nfq::{Message, Queue, Verdict};
use vox_common::sys::clock;
use vox_peer::rt;

use super::Surroundings;
use super::need::{self, Lack};
use crate::voice::trace::{Dice, Loss, Path};

/// The queue's number; every host has its own.
const QUEUE: u16 = 0;

/// Datagrams that may be on the way at once; more are lost, as in a router.
const MOST: u32 = 8_192;

/// How often it looks for datagrams, and for those whose time has come.
const LOOK: Duration = Duration::from_micros(250);

/// Above every program that it stands between.
const PRIORITY: u8 = 84;

/// What befalls datagrams: which are lost, and how much later than the others one may be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conditions {
    /// Which are lost.
    pub loss: Loss,
    /// Delay is uniform between nothing and this.
    pub jitter: Duration,
}

/// The way into one host.
#[derive(Debug)]
pub struct Emulator {
    conditions: Arc<Mutex<Option<Conditions>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Emulator {
    /// Stands before `host`, from which nothing is kept until there are [`Emulator::set`] conditions. `open` opens the
    /// queue there.
    pub fn before(
        host: &Surroundings,
        seed: u64,
        open: impl FnOnce() -> std::io::Result<Queue>,
    ) -> Result<Self, Lack> {
        need::program("iptables", "iptables")?;
        let queue = open().map_err(|_| Lack::Forbidden("nfqueue"))?;
        let mut order = host.command("iptables");
        order.args("-I INPUT -i eth0 -p udp -j NFQUEUE --queue-num".split(' ')).arg(QUEUE.to_string());
        if !order.output().is_ok_and(|output| output.status.success()) {
            return Err(Lack::Forbidden("nfqueue"));
        }
        let (conditions, stop) = (Arc::default(), Arc::new(AtomicBool::new(false)));
        let mut way = Way::new(queue, seed, Arc::clone(&conditions));
        let until = Arc::clone(&stop);
        let thread = std::thread::spawn(move || way.run(&until));
        Ok(Self { conditions, stop, thread: Some(thread) })
    }

    /// Opens the queue of the host whose thread asks.
    ///
    /// # Errors
    /// Not root, or a kernel without it.
    pub fn open() -> std::io::Result<Queue> {
        let mut queue = Queue::open()?;
        queue.bind(QUEUE)?;
        queue.set_queue_max_len(QUEUE, MOST)?;
        queue.set_nonblocking(true);
        Ok(queue)
    }

    /// From now on.
    pub fn set(&self, conditions: Conditions) {
        *self.conditions.lock().unwrap_or_else(PoisonError::into_inner) = Some(conditions);
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

struct Way {
    queue: Queue,
    seed: u64,
    wanted: Arc<Mutex<Option<Conditions>>>,
    conditions: Option<Conditions>,
    /// Each stream has dice and bursts of its own: programs side by side do not change each other's luck.
    streams: HashMap<[u8; 4], (Path, Dice)>,
    due: BTreeMap<(Instant, u64), Message>,
    passed: u64,
}

impl Way {
    fn new(queue: Queue, seed: u64, wanted: Arc<Mutex<Option<Conditions>>>) -> Self {
        let (streams, due) = (HashMap::new(), BTreeMap::new());
        Self { queue, seed, wanted, conditions: None, streams, due, passed: 0 }
    }

    fn run(&mut self, stop: &AtomicBool) {
        rt::schedule("emulator", PRIORITY);
        while !stop.load(Ordering::Relaxed) {
            self.listen_to_the_forecast();
            let now = clock::now();
            while let Ok(message) = self.queue.recv() {
                self.judge(now, message);
            }
            self.let_through(now);
            clock::sleep_until(now + LOOK);
        }
    }

    fn listen_to_the_forecast(&mut self) {
        let wanted = *self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        if wanted != self.conditions {
            self.conditions = wanted;
            self.streams.clear();
        }
    }

    fn judge(&mut self, now: Instant, mut message: Message) {
        self.passed += 1;
        if let Some(delay) = self.delay(message.get_payload()) {
            self.due.insert((now + delay, self.passed), message);
        } else {
            message.set_verdict(Verdict::Drop);
            let _ = self.queue.verdict(message);
        }
    }

    /// Of a datagram with its IPv4 header; `None`: lost.
    fn delay(&mut self, packet: &[u8]) -> Option<Duration> {
        let Some(Conditions { loss, jitter }) = self.conditions else { return Some(Duration::ZERO) };
        let header = 4 * usize::from(packet.first()? & 15);
        let ports = packet.get(header..header + 4)?.try_into().expect("four bytes");
        let seed = self.seed ^ u64::from(u32::from_be_bytes(ports));
        let fresh = || (Path::new(loss, jitter), Dice(seed));
        let (path, dice) = self.streams.entry(ports).or_insert_with(fresh);
        path.pass(dice)
    }

    fn let_through(&mut self, now: Instant) {
        while let Some(entry) = self.due.first_entry().filter(|entry| entry.key().0 <= now) {
            let mut message = entry.remove();
            message.set_verdict(Verdict::Accept);
            let _ = self.queue.verdict(message);
        }
    }
}
