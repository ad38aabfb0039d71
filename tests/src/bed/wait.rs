//! Waiting for something to become so.

use std::time::Duration;

use vox_common::sys::clock;

/// How often a waiting test looks again.
const LOOK: Duration = Duration::from_millis(5);

/// Looks until there is something; `None` after `within`.
pub fn within<T>(within: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = clock::now() + within;
    loop {
        if let Some(found) = look() {
            return Some(found);
        }
        let now = clock::now();
        if now >= deadline {
            return None;
        }
        clock::sleep_until(deadline.min(now + LOOK));
    }
}

/// Looks until there is something, and fails the test in the words of `what` after `seconds`.
pub fn until<T>(what: &str, seconds: u64, look: impl FnMut() -> Option<T>) -> T {
    within(Duration::from_secs(seconds), look)
        .unwrap_or_else(|| panic!("waited {seconds} s in vain for {what}"))
}

/// Lets time pass. Only where that is the thing under test: a call that talks for a while.
pub fn pause(length: Duration) {
    clock::sleep_until(clock::now() + length);
}
