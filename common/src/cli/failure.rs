//! How the program ends when it does not end well: one sentence on stderr and one exit code.

use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use crate::sys::config::ConfigError;

/// Why a command was not done.
#[derive(Debug)]
pub enum Failure {
    /// The daemon or the other side said no: exit code 1.
    Refused(String),
    /// What was typed makes no sense: exit code 2, as clap's own.
    Usage(String),
    /// No daemon answers: exit code 3.
    NoDaemon(String),
    /// It went away before it was done: exit code 4.
    Lost(String),
    /// The configuration is wrong: exit code 78, `EX_CONFIG` of sysexits(3).
    Config(ConfigError),
    /// Nobody reads what we write (`vox-peer watch | head`): no failure at all.
    Closed,
    /// What we write cannot be written: exit code 1.
    Output(io::Error),
}

impl Failure {
    /// Tells the sentence and gives the exit code.
    pub fn tell(self) -> ExitCode {
        let (code, sentence) = match self {
            Self::Closed => return ExitCode::SUCCESS,
            Self::Refused(sentence) => (1, sentence),
            Self::Output(error) => (1, format!("cannot write: {error}")),
            Self::Usage(sentence) => (2, sentence),
            Self::NoDaemon(sentence) => (3, sentence),
            Self::Lost(sentence) => (4, sentence),
            Self::Config(error) => (78, error.to_string()),
        };
        // Nobody is left to be told that stderr is closed.
        let _ = writeln!(io::stderr(), "{sentence}");
        ExitCode::from(code)
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

/// Of writing to stdout, which is the only thing whose `io::Error` is not put into a sentence at once.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == ErrorKind::BrokenPipe { Self::Closed } else { Self::Output(error) }
    }
}
