//! The thread `rt-guard`: a real-time thread that spins costs all of them their priority until the next call, not the
//! machine its other programs and not the daemon its life.

use std::io;
use std::sync::Arc;

use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit, setrlimit};
use signal_hook::consts::SIGXCPU;
use signal_hook::iterator::Signals;
use vox_common::sys::thread::spawn;

use super::grants::Grants;
use super::wake::Wake;
use crate::rt;

/// So long, in microseconds, may a real-time thread work without waiting once, where nobody has set a limit
/// (`LimitRTTIME=`). A period of sound takes a thousandth.
const LONGEST_WORK_US: u64 = 500_000;

/// Starts it, one above all other threads: whoever spins may have every processor.
///
/// # Errors
/// There is no room for the thread, or its signal cannot be caught.
pub(super) fn start(priority: u8, grants: Arc<Grants>, keeper: Wake) -> io::Result<()> {
    if let Err(error) = limit() {
        log::info!("the time of real-time threads is not limited: {error}");
    }
    let mut exhausted = Signals::new([SIGXCPU])?;
    spawn("rt-guard", move || {
        rt::schedule("rt-guard", priority.saturating_add(1));
        for _ in exhausted.forever() {
            let _ = rt::step_down();
            // So was this one, and it must go on being the first.
            rt::schedule("rt-guard", priority.saturating_add(1));
            grants.revoke();
            keeper.wake();
            log::error!("a real-time thread did not pause: all are ordinary threads until the next call");
        }
    })?;
    Ok(())
}

/// Only the soft limit, which is a signal; the hard one is the administrator's, and ends the daemon.
fn limit() -> io::Result<()> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_RTTIME)?;
    if soft == RLIM_INFINITY {
        setrlimit(Resource::RLIMIT_RTTIME, LONGEST_WORK_US.min(hard), hard)?;
    }
    Ok(())
}
