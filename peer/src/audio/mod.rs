//! Sound devices behind one seam: cards through cpal, and files, tones and nothing at the pace of the clock.
//!
//! A device calls the [`Microphone`] or the [`Speaker`] from a thread of its own, which it has made a real-time
//! thread; nobody who is called there allocates, locks, logs or waits.

use std::time::Instant;

pub use self::abilities::Abilities;
pub use self::health::Health;
pub use self::listing::{DeviceInfo, list};
pub use self::open::{
    Device, Needs, open_card_input, open_card_output, open_clocked_input, open_clocked_output,
};
pub use crate::media::sequence::span;

mod abilities;
mod beat;
mod card;
mod duty;
mod find;
mod format;
mod health;
mod listing;
mod open;
mod rate;
mod reader;
mod resample;
mod shape;
mod trouble;
mod writer;

/// Samples per second of everything inside: mono, −1 to 1.
pub const RATE: u32 = 48_000;

/// A microphone hands over at most so many samples at a time.
pub const BLOCK: usize = 480;

/// Takes at most [`BLOCK`] captured samples, of which the first was captured at the given time.
pub type Microphone = Box<dyn FnMut(Instant, &[f32]) + Send>;

/// Fills samples, as many as the device wants at once.
pub type Speaker = Box<dyn FnMut(Asked, &mut [f32]) + Send>;

/// When a device asks for samples.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// Now.
    pub now: Instant,
    /// When the first of them will leave the device as sound: after what it still holds.
    pub heard: Instant,
}

impl Asked {
    /// Of a device that holds nothing: what it is given now is heard now.
    pub fn at(now: Instant) -> Self {
        Self { now, heard: now }
    }

    /// As long after both times as the first `samples` of a longer piece last.
    #[must_use]
    pub fn after(self, samples: usize) -> Self {
        let passed = span(samples);
        Self { now: self.now + passed, heard: self.heard + passed }
    }
}
