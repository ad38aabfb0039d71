//! The thread `clock`: what drives devices that have no clock of their own.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use vox_common::sys::clock;
use vox_common::sys::thread::spawn;

use super::span;
use crate::media::orders::ThreadGrant;
use crate::rt;

/// Later than this the beats that were missed are left out instead of being made up for.
const HOPELESS: Duration = Duration::from_secs(1);

/// A thread that works at a steady pace until this is dropped.
pub(super) struct Beat {
    what: &'static str,
    stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<Instant>>,
}

impl Beat {
    /// Calls `work` every `samples` with the time that this beat stands for, never more often on average than the
    /// monotonic clock says. The log is told at the end when `what` began.
    pub(super) fn start(
        what: &'static str,
        samples: usize,
        priority: u8,
        report: impl FnOnce(ThreadGrant) + Send + 'static,
        work: impl FnMut(Instant) + Send + 'static,
    ) -> io::Result<Self> {
        let stopping = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&stopping);
        let thread = spawn("clock", move || {
            report(rt::schedule("clock", priority));
            rt::flush_denormals();
            run(span(samples), &stop, work)
        })?;
        Ok(Self { what, stopping, thread: Some(thread) })
    }
}

/// Returns the time of the first beat.
fn run(period: Duration, stop: &AtomicBool, mut work: impl FnMut(Instant)) -> Instant {
    let _audio = rt::on_the_audio_path();
    let began = clock::now();
    let mut due = began;
    while !stop.load(Ordering::Acquire) {
        work(due);
        due = next(due, period, clock::now());
        clock::sleep_until(due);
    }
    began
}

/// With this, two recordings can be laid beside each other.
fn tell_the_log(what: &str, began: Instant) {
    let since_boot = clock::monotonic().saturating_sub(clock::now().saturating_duration_since(began));
    log::debug!("{what} began since-boot-s={:.6}", since_boot.as_secs_f64());
}

fn next(due: Instant, period: Duration, now: Instant) -> Instant {
    let next = due + period;
    if now.saturating_duration_since(next) > HOPELESS { now } else { next }
}

impl Drop for Beat {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take()
            && let Ok(began) = thread.join()
        {
            tell_the_log(self.what, began);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missed_beats_are_made_up_for_unless_there_are_too_many() {
        let (due, period) = (clock::now(), Duration::from_millis(10));
        assert_eq!(next(due, period, due), due + period);
        assert_eq!(next(due, period, due + period * 50), due + period);
        assert_eq!(next(due, period, due + period * 500), due + period * 500);
    }
}
