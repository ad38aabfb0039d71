//! Named threads with small stacks, whose failure to start is an answer.

use std::io;
use std::panic::resume_unwind;
use std::thread::{self, Builder, JoinHandle};

/// The stack of a thread that reads lines or owns a core whose tables are elsewhere.
///
/// Frames are several times as large without optimisation. Pages are the kernel's only once touched.
const STACK_BYTES: usize = if cfg!(debug_assertions) { 256 * 1024 } else { 64 * 1024 };

/// Starts `work` on a thread called `name` (at most 15 bytes are seen in `ps`) with a small stack.
///
/// # Errors
/// The kernel has no room for another thread.
pub fn spawn<T: Send + 'static>(
    name: impl Into<String>,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    Builder::new().name(name.into()).stack_size(STACK_BYTES).spawn(work)
}

/// The stack of a thread that calls what is not ours: modules of the resolver (`nss`), plugins of libasound.
const ROOMY_STACK_BYTES: usize = 1024 * 1024;

/// As [`spawn`], with room for libraries that take as much stack as they like.
///
/// # Errors
/// The kernel has no room for another thread.
pub fn spawn_roomy<T: Send + 'static>(
    name: impl Into<String>,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    Builder::new().name(name.into()).stack_size(ROOMY_STACK_BYTES).spawn(work)
}

/// Does `work` on a roomy stack of its own and waits for it: what passes over that stack, such as large tables as they are
/// made, is the kernel's again afterwards, which is not so of the main thread's.
///
/// # Errors
/// The kernel has no room for another thread.
///
/// # Panics
/// `work` does.
pub fn aside<T: Send>(work: impl FnOnce() -> T + Send) -> io::Result<T> {
    thread::scope(|scope| {
        let thread = Builder::new().name("aside".into()).stack_size(ROOMY_STACK_BYTES);
        Ok(thread.spawn_scoped(scope, work)?.join().unwrap_or_else(|panic| resume_unwind(panic)))
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_done_aside_is_there_afterwards() {
        let words = String::from("tables");
        assert_eq!(super::aside(|| words.len()).unwrap(), 6);
    }

    #[test]
    fn a_thread_bears_its_name() {
        let thread = super::spawn("conn-7", || std::thread::current().name().map(String::from)).unwrap();
        assert_eq!(thread.join().unwrap().as_deref(), Some("conn-7"));
    }
}
