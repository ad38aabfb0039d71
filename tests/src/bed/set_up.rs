//! Setting up a call, and how long that takes.

use std::time::Duration;

use vox_common::sys::clock;

use super::{Control, Process, Station};

/// A call that both sides say is on.
#[derive(Debug)]
pub struct Call {
    /// `vox-peer call`, which stays until the end.
    pub program: Process,
    /// From the start of that program until both stations had told `talking`.
    pub took: Duration,
}

/// Lets `vox-peer call` begin a call with somebody who answers by himself, and waits until both sides talk.
pub fn call(caller: &Station, who: &str, other: &Station) -> Call {
    let mut watchers = [watch(caller), watch(other)];
    let began = clock::now();
    let program = caller.begin(&["call", who]);
    for watcher in &mut watchers {
        watcher.wait_for(&["CALL", "talking"]);
    }
    Call { program, took: clock::now() - began }
}

fn watch(station: &Station) -> Control {
    let mut control = station.control();
    control.ask("WATCH");
    control
}
