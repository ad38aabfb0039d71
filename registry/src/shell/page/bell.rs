//! How the owner tells the page that there is something new: it never waits, and only when somebody looks.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, Ordering};

use nix::sys::eventfd::{EfdFlags, EventFd};

/// A descriptor that wakes the page, and whether it wants to be woken.
#[derive(Debug)]
pub(in crate::shell) struct Bell {
    wake: EventFd,
    is_awaited: AtomicBool,
}

impl Bell {
    /// # Errors
    /// The machine has run out of descriptors.
    pub(in crate::shell) fn new() -> io::Result<Self> {
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
        Ok(Self { wake: EventFd::from_flags(flags)?, is_awaited: AtomicBool::new(false) })
    }

    /// Something has changed: wakes the page once if it has asked for that.
    pub(in crate::shell) fn changed(&self) {
        if self.is_awaited.swap(false, Ordering::AcqRel) {
            self.ring();
        }
    }

    /// Wakes the page in any case.
    pub(super) fn ring(&self) {
        // Refused only when it has been rung 2^64 times and nobody listened.
        let _ = self.wake.write(1);
    }

    /// Asks to be woken by the next change. Whoever looks at the registry after this misses nothing.
    pub(super) fn await_change(&self) {
        self.is_awaited.store(true, Ordering::Release);
    }

    /// Makes the descriptor quiet again. `true`: it was rung.
    pub(super) fn hush(&self) -> bool {
        self.wake.read().is_ok()
    }
}

impl AsFd for Bell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.wake.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_rings_once_for_whoever_asked_and_never_else() {
        let bell = Bell::new().unwrap();
        bell.changed();
        assert!(!bell.hush(), "nobody had asked");
        bell.await_change();
        bell.changed();
        bell.changed();
        assert!(bell.hush() && !bell.hush(), "once");
        bell.changed();
        assert!(!bell.hush(), "it is to be asked again");
    }
}
