//! A child process that ends with its test.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::wait;

/// How long a process may take to end when it is asked to.
const GRACE: Duration = Duration::from_secs(3);

/// A running program, with what it printed in a file. Dropped: ended, by its own process id.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
    ended: Option<ExitStatus>,
}

impl Process {
    /// Starts a program; what it prints goes to the end of `log`.
    ///
    /// The kernel kills it with the thread that called this (`PR_SET_PDEATHSIG`), so that a test that is itself
    /// killed leaves nobody behind.
    pub fn start(name: &str, command: &Command, log: &Path) -> Self {
        Self::spawned(name, tied(command, "KILL"), Stdio::null(), log)
    }

    /// As [`Process::start`], but asked to end (SIGTERM) instead of killed: it has children to end itself.
    pub fn start_asking_to_end(name: &str, command: &Command, log: &Path) -> Self {
        Self::spawned(name, tied(command, "TERM"), Stdio::null(), log)
    }

    /// As [`Process::start`], with a pipe as its standard input that stays open.
    pub fn start_with_input(name: &str, command: &Command, log: &Path) -> Self {
        Self::spawned(name, tied(command, "KILL"), Stdio::piped(), log)
    }

    fn spawned(name: &str, mut command: Command, input: Stdio, log: &Path) -> Self {
        let file =
            File::options().create(true).append(true).open(log).expect("a private directory can be written");
        command.stdin(input).stderr(file.try_clone().expect("a descriptor to spare")).stdout(file);
        let child = command.spawn().unwrap_or_else(|error| panic!("cannot start {name}: {error}"));
        Self { name: name.to_owned(), child, log: log.to_owned(), ended: None }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        if self.ended.is_none() {
            let _ = kill(Pid::from_raw(self.child.id().cast_signed()), signal);
        }
    }

    /// Closes its standard input.
    pub fn close_input(&mut self) {
        drop(self.child.stdin.take());
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().expect("our own child");
        }
        self.ended
    }

    /// Waits until it ends by itself.
    pub fn wait(&mut self, seconds: u64) -> ExitStatus {
        let what = format!("the end of {}", self.name);
        wait::until(&what, seconds, || self.ended())
    }

    /// Asks it to end (SIGTERM) and waits; kills it after a grace.
    pub fn end(&mut self) -> ExitStatus {
        self.signal(Signal::SIGCONT);
        self.signal(Signal::SIGTERM);
        wait::within(GRACE, || self.ended()).unwrap_or_else(|| self.kill())
    }

    /// Kills it (SIGKILL).
    pub fn kill(&mut self) -> ExitStatus {
        self.signal(Signal::SIGKILL);
        let status = self.child.wait().expect("our own child");
        self.ended = Some(status);
        status
    }

    /// What it printed so far.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap_or_default()).into_owned()
    }

    /// Waits until it has printed something.
    pub fn wait_for_log(&self, needle: &str) {
        wait::until(&format!("{needle:?} from {}", self.name), 10, || {
            self.log().contains(needle).then_some(())
        });
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.ended().is_none() {
            self.end();
        }
    }
}

/// The same command, told to die with the thread that starts it.
fn tied(command: &Command, signal: &str) -> Command {
    let mut tied = Command::new("setpriv");
    tied.args(["--pdeathsig", signal, "--"]).arg(command.get_program()).args(command.get_args());
    // Where an ordinary user does not look for daemons.
    tied.env("PATH", std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin");
    for (key, value) in command.get_envs() {
        match value {
            Some(value) => tied.env(key, value),
            None => tied.env_remove(key),
        };
    }
    if let Some(directory) = command.get_current_dir() {
        tied.current_dir(directory);
    }
    tied
}
