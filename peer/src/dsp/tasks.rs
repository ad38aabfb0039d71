//! What may be done to the microphone's sound.

use std::fmt;

/// `[voice] echo-cancel, noise-suppress, gain-control`. None of them is for headsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tasks {
    /// Takes out what the loudspeaker plays.
    pub echo_cancel: bool,
    /// Takes out what is always there: fans, hiss, hum.
    pub noise_suppress: bool,
    /// Brings speech to one loudness.
    pub gain_control: bool,
}

impl Tasks {
    /// Nothing: the sound is sent as it was captured.
    pub const NONE: Self = Self { echo_cancel: false, noise_suppress: false, gain_control: false };

    /// Whether this build can do any of them (the Cargo feature `dsp`).
    pub const POSSIBLE: bool = cfg!(feature = "dsp");

    /// Whether there is nothing to do.
    pub const fn is_none(self) -> bool {
        !(self.echo_cancel || self.noise_suppress || self.gain_control)
    }
}

/// `echo-cancel,noise-suppress`: the keys that are switched on.
impl fmt::Display for Tasks {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = [
            (self.echo_cancel, "echo-cancel"),
            (self.noise_suppress, "noise-suppress"),
            (self.gain_control, "gain-control"),
        ];
        let mut between = "";
        for (_, word) in words.into_iter().filter(|(on, _)| *on) {
            write!(out, "{between}{word}")?;
            between = ",";
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_are_named_as_their_keys() {
        let all = Tasks { echo_cancel: true, noise_suppress: true, gain_control: true };
        assert_eq!(all.to_string(), "echo-cancel,noise-suppress,gain-control");
        assert_eq!(Tasks { echo_cancel: false, ..all }.to_string(), "noise-suppress,gain-control");
        assert!(Tasks::NONE.is_none() && !all.is_none());
    }
}
