//! From the microphone's thread to the sending one, or to `dsp`: blocks of samples through a ring.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Thread;
use std::time::Instant;

use rtrb::{Consumer, Producer, RingBuffer};

use super::try_cell::TryCell;
use crate::audio::{BLOCK, Microphone};

/// Blocks that may wait while the sending thread is held up: 80 ms of the shortest. More are lost; the receiver
/// is told by the time stamps.
pub(super) const BLOCKS_WAITING: usize = 64;

/// Samples as a device brought them; or, on the way to `dsp`, as one was given them.
pub(crate) struct Captured {
    /// When the first of them was captured, or given.
    pub(crate) when: Instant,
    length: u16,
    samples: [f32; BLOCK],
}

impl Captured {
    pub(super) fn new(when: Instant, from: &[f32]) -> Option<Self> {
        let mut samples = [0.0; BLOCK];
        samples.get_mut(..from.len())?.copy_from_slice(from);
        Some(Self { when, length: u16::try_from(from.len()).ok()?, samples })
    }

    pub(crate) fn samples(&self) -> &[f32] {
        &self.samples[..usize::from(self.length)]
    }

    pub(crate) fn samples_mut(&mut self) -> &mut [f32] {
        &mut self.samples[..usize::from(self.length)]
    }
}

/// The end that one microphone after the other writes to.
#[derive(Clone)]
pub(crate) struct CaptureRing(Arc<TryCell<Producer<Captured>>>);

impl CaptureRing {
    pub(crate) fn new() -> (Self, Consumer<Captured>) {
        let (blocks, taken) = RingBuffer::new(BLOCKS_WAITING);
        (Self(Arc::new(TryCell::new(blocks))), taken)
    }

    /// What a device calls: puts the samples into the ring and wakes `sender`. From its first call on the stand-in
    /// is silent.
    pub(crate) fn microphone(&self, sender: Option<Thread>, stand_in_ends: Arc<AtomicBool>) -> Microphone {
        let this = self.clone();
        Box::new(move |when, samples| {
            stand_in_ends.store(true, Ordering::Relaxed);
            this.put(when, samples, sender.as_ref());
        })
    }

    /// What the clock calls while a card is being opened: silence is sent.
    pub(crate) fn stand_in(&self, sender: Option<Thread>, ends: Arc<AtomicBool>) -> Microphone {
        let this = self.clone();
        Box::new(move |when, samples| {
            if !ends.load(Ordering::Relaxed) {
                this.put(when, samples, sender.as_ref());
            }
        })
    }

    fn put(&self, when: Instant, samples: &[f32], sender: Option<&Thread>) {
        if let Some(block) = Captured::new(when, samples) {
            self.0.with(|ring| ring.push(block).is_ok());
        }
        if let Some(sender) = sender {
            sender.unpark();
        }
    }
}
