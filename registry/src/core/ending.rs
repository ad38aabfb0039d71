//! The end of a registry: everybody is told, what was on its way is answered, and then connections end.

use std::time::{Duration, Instant};

use heapless::Vec;
use vox_common::wire::event::{Event, Farewell};
use vox_common::wire::limits::MAX_CONNECTIONS;

use super::{ConnId, Out, Output, Registry};

/// How long requests that were on their way are still answered with `503` before connections end.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// How far the end has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Serving,
    /// Everybody was told; connections end at this time.
    Stopping(Instant),
    /// Every connection was ended.
    Stopped,
}

impl Registry<'_> {
    /// Whether it was stopped and the last connection has ended.
    pub fn is_finished(&self) -> bool {
        self.phase == Phase::Stopped && self.tables.connections.len() == 0
    }

    pub(super) fn is_serving(&self) -> bool {
        self.phase == Phase::Serving
    }

    /// Everybody hears it at once, and nobody hears of the others leaving.
    pub(super) fn stop(&mut self, out: Out<'_>) {
        if !self.is_serving() {
            return;
        }
        self.phase = Phase::Stopping(self.now + LAST_WORDS);
        self.tables.voice.line(Event::Goodbye(Farewell::ShuttingDown));
        for conn in self.live_connections() {
            self.tables.voice.send(conn, out);
        }
        out(Output::Ending);
    }

    pub(super) fn end(&mut self, out: Out<'_>) {
        self.phase = Phase::Stopped;
        for conn in self.live_connections() {
            self.dismiss(conn, None, out);
        }
    }

    fn live_connections(&self) -> Vec<ConnId, MAX_CONNECTIONS> {
        self.tables.connections.all_live().collect()
    }
}
