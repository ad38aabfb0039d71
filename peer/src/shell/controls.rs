//! What people may turn while the microphone runs: set by the keeper, read by the sending thread.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering::Relaxed};

/// The microphone's volume and mute.
#[derive(Debug)]
pub(crate) struct Controls {
    volume: AtomicU8,
    muted: AtomicBool,
}

impl Default for Controls {
    fn default() -> Self {
        Self { volume: AtomicU8::new(100), muted: AtomicBool::new(false) }
    }
}

impl Controls {
    /// In percent; 100 changes nothing.
    pub(crate) fn set_volume(&self, percent: u8) {
        self.volume.store(percent, Relaxed);
    }

    /// Lets silence be sent, or the microphone again.
    pub(crate) fn mute(&self, muted: bool) {
        self.muted.store(muted, Relaxed);
    }

    /// How loud the microphone is to be, in percent; 0 while it is muted.
    pub(crate) fn loudness(&self) -> u8 {
        if self.muted.load(Relaxed) { 0 } else { self.volume.load(Relaxed) }
    }
}
