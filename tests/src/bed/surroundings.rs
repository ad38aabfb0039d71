//! What a program finds around it: a network, a private /dev, sound servers.

use std::ffi::OsStr;
use std::fs;
use std::process::Command;

use super::need;

/// How programs are started in some surroundings: through other programs, and with variables set.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    through: Vec<String>,
    variables: Vec<(String, String)>,
}

impl Surroundings {
    /// Variables as a unit of ours sets them.
    ///
    /// # Panics
    /// There is no such unit.
    pub fn of_unit(name: &str) -> Self {
        let unit = fs::read_to_string(need::top().join("systemd").join(name)).expect("a unit of ours");
        let lines = unit.lines().filter_map(|line| line.strip_prefix("Environment="));
        lines
            .filter_map(|line| line.split_once('='))
            .fold(Self::default(), |around, (key, value)| around.with(key, value))
    }

    /// Runs programs through another (`ip netns exec h1`), inside those already there.
    #[must_use]
    pub fn through<S: AsRef<str>>(mut self, words: impl IntoIterator<Item = S>) -> Self {
        self.through.extend(words.into_iter().map(|word| word.as_ref().to_owned()));
        self
    }

    /// Sets a variable of the environment.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.variables.push((key.to_owned(), value.into()));
        self
    }

    /// Sets several.
    #[must_use]
    pub fn with_all<'a>(self, variables: impl IntoIterator<Item = (&'a str, String)>) -> Self {
        variables.into_iter().fold(self, |around, (key, value)| around.with(key, value))
    }

    /// The command that starts a program here.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = match self.through.split_first() {
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(program.as_ref());
                command
            }
            None => Command::new(program.as_ref()),
        };
        command.envs(self.variables.iter().map(|(key, value)| (key, value)));
        command
    }
}
