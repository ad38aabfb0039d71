//! The heap of debug builds: it ends the program where the audio path allocates or frees, so that every test that makes
//! a sound proves that it does not. Release builds have the system's heap and nothing before it.
//!
//! It sees what is allocated in Rust. What C libraries do is counted by the tests `no_alloc` and `no_alloc_threads`.
#![expect(unsafe_code, reason = "a global allocator is unsafe to write; this one passes every call on")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::backtrace::Backtrace;
use std::cell::Cell;
use std::io::Write;

thread_local! {
    /// Whether this thread is on the audio path. Const and without a destructor: to read it allocates nothing.
    static ON_THE_PATH: Cell<bool> = const { Cell::new(false) };
}

/// Marks the calling thread; tells how it was before.
pub(super) fn mark(on_the_path: bool) -> bool {
    ON_THE_PATH.replace(on_the_path)
}

#[global_allocator]
static HEAP: Guarded = Guarded;

struct Guarded;

// SAFETY: every call is passed on to the system's allocator as it came, or the program ends.
unsafe impl GlobalAlloc for Guarded {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        refuse("allocated");
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        refuse("allocated");
        // SAFETY: as the caller promises.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        refuse("reallocated");
        // SAFETY: as the caller promises.
        unsafe { System.realloc(old, layout, size) }
    }

    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        refuse("freed");
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(old, layout) }
    }
}

/// Ends the program if this thread is on the audio path, and says where. A panic is told before it ends the program
/// anyway.
#[inline]
fn refuse(what: &str) {
    if ON_THE_PATH.get() && !std::thread::panicking() {
        ON_THE_PATH.set(false);
        let thread = std::thread::current();
        let name = thread.name().unwrap_or("?");
        let place = Backtrace::force_capture();
        let _ = writeln!(std::io::stderr(), "the audio path {what} memory on the thread {name}:\n{place}");
        std::process::abort();
    }
}
