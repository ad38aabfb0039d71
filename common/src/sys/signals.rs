//! What an operator's signals ask for.

use std::io;
use std::ops::ControlFlow;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// What a signal asks of a daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM or SIGINT: tell everybody and end.
    Stop,
    /// SIGHUP: read the configuration again.
    Reload,
}

/// Asks this process itself to end, as SIGTERM would. Never waits.
pub fn stop_this_process() {
    // Only a number that is no signal is refused.
    let _ = signal_hook::low_level::raise(SIGTERM);
}

/// Signals that are caught from now on, and kept until somebody waits for them.
#[derive(Debug)]
pub struct Signals(signal_hook::iterator::Signals);

impl Signals {
    /// Catches SIGTERM, SIGINT and SIGHUP for the whole process.
    ///
    /// # Errors
    /// The kernel refuses a pipe or a handler.
    pub fn catch() -> io::Result<Self> {
        signal_hook::iterator::Signals::new([SIGTERM, SIGINT, SIGHUP]).map(Self)
    }

    /// Tells every signal to `act`, on this thread, until it breaks.
    pub fn each(mut self, mut act: impl FnMut(Signal) -> ControlFlow<()>) {
        for number in self.0.forever() {
            let signal = if number == SIGHUP { Signal::Reload } else { Signal::Stop };
            if act(signal).is_break() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_sent_to_the_process_is_told() {
        let signals = Signals::catch().unwrap();
        signal_hook::low_level::raise(SIGHUP).unwrap();
        let mut told = Vec::new();
        signals.each(|signal| {
            told.push(signal);
            if signal == Signal::Reload {
                stop_this_process();
            }
            if signal == Signal::Stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert_eq!(told, [Signal::Reload, Signal::Stop]);
    }
}
