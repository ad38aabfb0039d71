//! From the microphone's thread to the sending one, or to `dsp`: blocks of samples through a ring.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Thread;
use std::time::Instant;

use rtrb::{Consumer, Producer, RingBuffer};

use super::try_cell::TryCell;
use crate::audio::{BLOCK, Microphone};
use crate::media::loudness::saturate;

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

    /// Other programs of a sound server, and files, may bring what is no number. It is silence here: in meters and
    /// filters it would stay.
    fn put(&self, when: Instant, samples: &[f32], sender: Option<&Thread>) {
        if let Some(mut block) = Captured::new(when, samples) {
            saturate(block.samples_mut());
            self.0.with(|ring| ring.push(block).is_ok());
        }
        if let Some(sender) = sender {
            sender.unpark();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_is_silence_and_what_is_beyond_full_scale_is_full_scale() {
        let (ring, mut taken) = CaptureRing::new();
        let mut microphone = ring.microphone(None, Arc::default());
        microphone(vox_common::sys::clock::now(), &[0.5, f32::NAN, -0.25, f32::INFINITY, 1e30, -2.0]);
        let block = taken.pop().expect("one block");
        assert_eq!(block.samples(), [0.5, 0.0, -0.25, 0.0, 1.0, -1.0]);
    }
}
