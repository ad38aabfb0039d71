//! How a device fares: written by its own threads without waiting, read by whoever opened it.

use std::borrow::Cow;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// One open device's vital signs.
#[derive(Debug, Default)]
pub struct Health {
    calls: AtomicU64,
    xruns: AtomicU64,
    failure: OnceLock<Cow<'static, str>>,
}

impl Health {
    /// The device asked for samples or brought some.
    pub(super) fn called(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    /// The device ran dry or over.
    pub(super) fn ran_dry(&self) {
        self.xruns.fetch_add(1, Ordering::Relaxed);
    }

    /// The device is of no more use. Only the first reason is kept.
    pub(super) fn fail(&self, reason: impl FnOnce() -> String) {
        self.failure.get_or_init(|| reason().into());
    }

    /// The same from a thread that must not allocate.
    pub(super) fn stop(&self, reason: &'static str) {
        let _ = self.failure.set(Cow::Borrowed(reason));
    }

    /// How often the device asked for samples or brought some: one that stands still is as good as gone.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// How often the device ran dry or over.
    pub fn xruns(&self) -> u64 {
        self.xruns.load(Ordering::Relaxed)
    }

    /// Why the device is of no more use, if it is.
    pub fn failure(&self) -> Option<&str> {
        self.failure.get().map(Cow::as_ref)
    }
}
