//! The thread `media-tx`: captured samples into packets, and a report every second, to each leg.
//!
//! Everything it needs is made before the call and given back after it; while it runs it neither allocates, locks,
//! logs, nor waits for anything but the microphone.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{self, Builder, JoinHandle, Thread};
use std::time::{Duration, Instant};

use rtrb::{Consumer, Producer, RingBuffer};
use vox_common::sys::clock;
use vox_common::wire::limits::MAX_LEGS;

pub(crate) use self::outgoing::Outgoing;
use super::captured::Captured;
use super::controls::Controls;
use super::grants::Grants;
use super::udp::{Arrival, UdpSender};
use super::wake::Wake;
use crate::audio::span;
use crate::media::framer::HOLE;
use crate::media::loudness::{Gain, Meter};
use crate::media::orders::LegId;
use crate::media::sequence::samples_between;
use crate::media::stats::Stats;
use crate::rt;

mod exit;
mod outgoing;

/// Orders that may wait for the next wake-up.
const ORDERS_WAITING: usize = 32;

/// libopus keeps its scratch on the stack; frames are larger without optimisation.
const STACK_BYTES: usize = if cfg!(debug_assertions) { 1024 * 1024 } else { 256 * 1024 };

/// A change of whom is sent to.
pub(crate) enum TxOrder {
    /// One leg more, silent until [`TxOrder::Send`].
    Join(Box<Outgoing>),
    /// The far end is there.
    Send(LegId),
    /// One leg less.
    Leave(LegId),
}

/// Everything that the thread works with.
pub(crate) struct Transmitter {
    orders: Consumer<TxOrder>,
    /// What has left goes back here: nothing is freed on this thread.
    left: Producer<Box<Outgoing>>,
    captured: Consumer<Captured>,
    reports: Consumer<Arrival>,
    legs: [Option<Box<Outgoing>>; MAX_LEGS],
    gain: Gain,
    meter: Meter,
    /// When the sample after the last captured one will be, or was, captured.
    tail: Option<Instant>,
    shared: Shared,
}

/// What the thread shares with others.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) sender: UdpSender,
    pub(crate) stats: Arc<Stats>,
    pub(crate) controls: Arc<Controls>,
    pub(crate) grants: Arc<Grants>,
    pub(crate) keeper: Wake,
    pub(crate) cname: Arc<str>,
    /// The playout never waits for longer.
    pub(crate) most_delay: Duration,
}

/// The keeper's end.
pub(crate) struct TxHandle {
    orders: Producer<TxOrder>,
    left: Consumer<Box<Outgoing>>,
    state: State,
}

enum State {
    Idle(Box<Transmitter>),
    Running {
        stop: Arc<AtomicBool>,
        thread: JoinHandle<Option<Box<Transmitter>>>,
    },
    /// Between the others.
    Changing,
}

/// Makes what sends, without starting it.
pub(crate) fn new(shared: Shared, captured: Consumer<Captured>, reports: Consumer<Arrival>) -> TxHandle {
    let (order_in, orders) = RingBuffer::new(ORDERS_WAITING);
    let (left, left_out) = RingBuffer::new(ORDERS_WAITING);
    let transmitter = Transmitter {
        orders,
        left,
        captured,
        reports,
        legs: Default::default(),
        gain: Gain::new(100),
        meter: Meter::default(),
        tail: None,
        shared,
    };
    TxHandle { orders: order_in, left: left_out, state: State::Idle(Box::new(transmitter)) }
}

impl TxHandle {
    /// Starts the thread unless it runs.
    ///
    /// # Errors
    /// The kernel has no room for a thread; it may have some for the next call.
    pub(crate) fn start(&mut self, priority: u8) -> io::Result<()> {
        if let State::Running { .. } = self.state {
            return Ok(());
        }
        let (give, taken) = sync_channel(1);
        let started = spawn(taken, priority)?;
        if let State::Idle(transmitter) = std::mem::replace(&mut self.state, started) {
            let _ = give.send(transmitter);
        }
        Ok(())
    }

    /// Ends the thread and takes back what it worked with.
    pub(crate) fn stop(&mut self) {
        match std::mem::replace(&mut self.state, State::Changing) {
            State::Running { stop, thread } => {
                stop.store(true, Ordering::Release);
                thread.thread().unpark();
                self.state = thread.join().ok().flatten().map_or(State::Changing, State::Idle);
            }
            other => self.state = other,
        }
        self.sweep();
    }

    /// The thread that the microphone is to wake.
    pub(crate) fn thread(&self) -> Option<Thread> {
        match &self.state {
            State::Running { thread, .. } => Some(thread.thread().clone()),
            _ => None,
        }
    }

    /// Gives an order, carried out at the next wake-up.
    pub(crate) fn order(&mut self, order: TxOrder) {
        self.sweep();
        if self.orders.push(order).is_err() {
            log::error!("media-tx does not take orders");
        }
        if let Some(thread) = self.thread() {
            thread.unpark();
        }
    }

    /// Frees what has left.
    fn sweep(&mut self) {
        while self.left.pop().is_ok() {}
    }
}

impl Drop for TxHandle {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The thread waits for what it works with, so that nothing is lost where there is no thread.
fn spawn(taken: Receiver<Box<Transmitter>>, priority: u8) -> io::Result<State> {
    let stop = Arc::new(AtomicBool::new(false));
    let stopping = Arc::clone(&stop);
    let thread = Builder::new().name("media-tx".into()).stack_size(STACK_BYTES).spawn(move || {
        let mut transmitter = taken.recv().ok()?;
        transmitter.shared.grants.report(&rt::schedule("media-tx", priority));
        transmitter.shared.keeper.wake();
        rt::flush_denormals();
        transmitter.run(&stopping);
        Some(transmitter)
    })?;
    Ok(State::Running { stop, thread })
}

impl Transmitter {
    fn run(&mut self, stop: &AtomicBool) {
        let _audio = rt::on_the_audio_path();
        self.forget_old();
        while !stop.load(Ordering::Acquire) {
            let now = clock::now();
            self.take_orders(now);
            self.take_samples();
            self.take_reports();
            self.report(now);
            thread::park_timeout(self.rest(now));
        }
        self.take_orders(clock::now());
    }

    /// What came between two calls belongs to neither.
    fn forget_old(&mut self) {
        self.tail = None;
        while self.captured.pop().is_ok() {}
        while self.reports.pop().is_ok() {}
    }

    fn take_orders(&mut self, now: Instant) {
        while let Ok(order) = self.orders.pop() {
            match order {
                TxOrder::Join(leg) => self.put(leg.id(), Some(leg)),
                TxOrder::Leave(leg) => self.put(leg, None),
                TxOrder::Send(leg) => {
                    if let Some(leg) = self.leg(leg) {
                        leg.begin(now);
                    }
                }
            }
        }
    }

    fn leg(&mut self, leg: LegId) -> Option<&mut Outgoing> {
        self.legs.get_mut(usize::from(leg.0))?.as_deref_mut()
    }

    fn put(&mut self, leg: LegId, comes: Option<Box<Outgoing>>) {
        let Some(place) = self.legs.get_mut(usize::from(leg.0)) else { return };
        if let Some(mut leaves) = std::mem::replace(place, comes) {
            leaves.end(&self.shared);
            let _ = self.left.push(leaves);
        }
    }

    fn take_samples(&mut self) {
        while let Ok(mut block) = self.captured.pop() {
            self.note_hole(block.when);
            self.gain.set(self.shared.controls.loudness());
            self.gain.apply(block.samples_mut());
            self.meter.note(block.samples());
            let level_db = self.meter.db();
            for leg in self.legs.iter_mut().flatten() {
                leg.send(&block, level_db, &self.shared);
            }
            self.tail = Some(block.when + span(block.samples().len()));
        }
    }

    /// Samples that the card lost are silence to the receiver, or it would play everything after them too late.
    fn note_hole(&mut self, captured: Instant) {
        let Some(tail) = self.tail else { return };
        let missing = samples_between(tail, captured);
        if missing > HOLE {
            for leg in self.legs.iter_mut().flatten() {
                leg.skip(u32::try_from(missing).unwrap_or(u32::MAX));
            }
        }
    }

    /// What comes meanwhile waits: reports, however many, must not hold up the microphone.
    fn take_reports(&mut self) {
        for _ in 0..self.reports.slots() {
            let Ok(arrival) = self.reports.pop() else { return };
            let stats = Arc::clone(&self.shared.stats);
            if let Some(leg) = self.leg(arrival.leg) {
                leg.hear(&arrival, &stats);
            }
        }
    }

    fn report(&mut self, now: Instant) {
        for leg in self.legs.iter_mut().flatten() {
            if leg.report_due().is_some_and(|due| now >= due) {
                leg.report(now, self.tail, &self.shared);
            }
        }
    }

    /// Until the next report; a microphone wakes earlier.
    fn rest(&self, now: Instant) -> Duration {
        let due = self.legs.iter().flatten().filter_map(|leg| leg.report_due()).min();
        due.map_or(REST, |due| due.saturating_duration_since(now))
    }
}

/// How long to rest where nothing is due.
const REST: Duration = Duration::from_secs(1);
