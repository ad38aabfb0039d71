//! Parts of a delay, as atomics: each of them has one writing thread.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use crate::media::mouth_to_ear::StationDelay;

/// A time in microseconds that may not be known.
#[derive(Debug, Default)]
pub struct Micros(AtomicU32);

impl Micros {
    /// One more than the time; 0 is what is not known.
    pub(in crate::media) fn set(&self, span: Option<Duration>) {
        let micros = span.map_or(0, |span| u32::try_from(span.as_micros()).unwrap_or(u32::MAX));
        self.0.store(micros.saturating_add(u32::from(span.is_some())), Relaxed);
    }

    pub(super) fn get(&self) -> Option<Duration> {
        self.0.load(Relaxed).checked_sub(1).map(|micros| Duration::from_micros(micros.into()))
    }
}

/// What one station adds to the delay.
#[derive(Debug, Default)]
pub struct DelayStats {
    pub(in crate::media) capture: Micros,
    pub(in crate::media) encode: Micros,
    pub(in crate::media) jitter_buffer: Micros,
    pub(in crate::media) playback: Micros,
}

impl DelayStats {
    pub(super) fn set(&self, delay: &StationDelay) {
        self.capture.set(delay.capture);
        self.encode.set(delay.encode);
        self.jitter_buffer.set(delay.jitter_buffer);
        self.playback.set(delay.playback);
    }

    pub(super) fn get(&self) -> StationDelay {
        StationDelay {
            capture: self.capture.get(),
            encode: self.encode.get(),
            jitter_buffer: self.jitter_buffer.get(),
            playback: self.playback.get(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_not_zero() {
        let micros = Micros::default();
        for (set, get) in [
            (None, None),
            (Some(Duration::ZERO), Some(Duration::ZERO)),
            (Some(Duration::from_nanos(2_500_999)), Some(Duration::from_micros(2_500))),
            (Some(Duration::MAX), Some(Duration::from_micros(u64::from(u32::MAX) - 1))),
            (None, None),
        ] {
            micros.set(set);
            assert_eq!(micros.get(), get, "{set:?}");
        }
    }
}
