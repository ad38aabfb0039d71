//! Waking a thread that parks, from threads that must not wait.

use std::sync::{Arc, OnceLock};
use std::thread::{self, Thread};

/// Names a thread that will say who it is, and wakes it from then on. Never waits, never allocates.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wake(Arc<OnceLock<Thread>>);

impl Wake {
    /// The calling thread is the one to wake. It must look for work before it parks for the first time.
    pub(crate) fn is_me(&self) {
        let _ = self.0.set(thread::current());
    }

    /// Lets the thread's present or next park return.
    pub(crate) fn wake(&self) {
        if let Some(thread) = self.0.get() {
            thread.unpark();
        }
    }
}
