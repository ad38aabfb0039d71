//! The thread `dsp`, between the microphone and `media-tx`: there only while a call runs and there is something to do.
//!
//! Its work allocates (`crate::dsp`), so it is nobody else's: the card's threads put what they have into rings and wake
//! it, and it wakes `media-tx`.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread::{self, Builder, JoinHandle, Thread};

use rtrb::{Consumer, Producer, RingBuffer};

use super::captured::{BLOCKS_WAITING, Captured};
use super::grants::Grants;
use super::wake::Wake;
use crate::dsp::chain::Chain;
use crate::dsp::tasks::Tasks;
use crate::rt;

/// Echo cancellation and the resampling of the reference work on the stack.
const STACK_BYTES: usize = 512 * 1024;

/// The rings between the microphone, the loudspeaker and the sending thread.
pub(crate) struct Between {
    /// What works on the sound. `None`: it is sent as it was captured.
    pub(crate) dsp: Option<DspHandle>,
    /// What the sending thread is to send.
    pub(crate) captured: Consumer<Captured>,
    /// Where the loudspeaker leaves what it plays, if anybody wants it.
    pub(crate) played: Option<Producer<Captured>>,
}

/// Puts `dsp` behind the microphone, where there is something to do.
pub(crate) fn between(
    tasks: Tasks,
    captured: Consumer<Captured>,
    grants: &Arc<Grants>,
    keeper: &Wake,
) -> Between {
    if tasks.is_none() {
        return Between { dsp: None, captured, played: None };
    }
    let (sent, to_send) = RingBuffer::new(BLOCKS_WAITING);
    let (played, reference) = RingBuffer::new(BLOCKS_WAITING);
    let state = State::Idle(Rings { captured, reference, sent });
    let dsp = DspHandle { tasks, grants: Arc::clone(grants), keeper: keeper.clone(), state };
    Between { dsp: Some(dsp), captured: to_send, played: tasks.echo_cancel.then_some(played) }
}

/// The keeper's end.
pub(crate) struct DspHandle {
    tasks: Tasks,
    grants: Arc<Grants>,
    keeper: Wake,
    state: State,
}

enum State {
    Idle(Rings),
    Running {
        stop: Arc<AtomicBool>,
        thread: JoinHandle<Option<Rings>>,
    },
    /// Between the others.
    Changing,
}

struct Rings {
    captured: Consumer<Captured>,
    reference: Consumer<Captured>,
    sent: Producer<Captured>,
}

impl DspHandle {
    /// Starts the thread unless it runs, in a room of which nothing is known. It wakes `sender`.
    ///
    /// # Errors
    /// The kernel has no room for a thread; it may have some for the next call.
    pub(crate) fn start(&mut self, priority: u8, sender: Option<Thread>) -> io::Result<()> {
        if let State::Running { .. } = self.state {
            return Ok(());
        }
        let (give, taken) = sync_channel(1);
        let started = self.spawn(taken, priority, sender)?;
        if let State::Idle(rings) = std::mem::replace(&mut self.state, started) {
            let _ = give.send(rings);
        }
        Ok(())
    }

    /// Ends the thread; what it had learned of the room is forgotten.
    pub(crate) fn stop(&mut self) {
        self.state = match std::mem::replace(&mut self.state, State::Changing) {
            State::Running { stop, thread } => {
                stop.store(true, Ordering::Release);
                thread.thread().unpark();
                thread.join().ok().flatten().map_or(State::Changing, State::Idle)
            }
            other => other,
        };
    }

    /// The thread that the microphone is to wake.
    pub(crate) fn thread(&self) -> Option<Thread> {
        match &self.state {
            State::Running { thread, .. } => Some(thread.thread().clone()),
            _ => None,
        }
    }

    /// The thread waits for its rings, so that they are not lost where there is no thread.
    fn spawn(&self, taken: Receiver<Rings>, priority: u8, sender: Option<Thread>) -> io::Result<State> {
        let stop = Arc::new(AtomicBool::new(false));
        let (tasks, stopping) = (self.tasks, Arc::clone(&stop));
        let (grants, keeper) = (Arc::clone(&self.grants), self.keeper.clone());
        let thread = Builder::new().name("dsp".into()).stack_size(STACK_BYTES).spawn(move || {
            let mut rings = taken.recv().ok()?;
            let chain = Chain::new(tasks);
            grants.report(&rt::schedule("dsp", priority));
            keeper.wake();
            rt::flush_denormals();
            if let Some(chain) = chain {
                rings.run(chain, sender.as_ref(), &stopping);
            }
            Some(rings)
        })?;
        Ok(State::Running { stop, thread })
    }
}

impl Drop for DspHandle {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Rings {
    fn run(&mut self, mut chain: Chain, sender: Option<&Thread>, stop: &AtomicBool) {
        self.forget_old();
        while !stop.load(Ordering::Acquire) {
            self.work(&mut chain);
            if let Some(sender) = sender {
                sender.unpark();
            }
            thread::park();
        }
    }

    /// What came between two calls belongs to neither.
    fn forget_old(&mut self) {
        while self.captured.pop().is_ok() {}
        while self.reference.pop().is_ok() {}
    }

    fn work(&mut self, chain: &mut Chain) {
        while let Ok(block) = self.reference.pop() {
            chain.played(block.when, block.samples());
        }
        let Self { captured, sent, .. } = self;
        while let Ok(block) = captured.pop() {
            chain.captured(block.when, block.samples(), &mut |when, frame| {
                if let Some(frame) = Captured::new(when, frame) {
                    // Full: the sending thread is held up, and the receiver is told by the time stamps.
                    let _ = sent.push(frame);
                }
            });
        }
    }
}
