//! A daemon under test: ready when it says so to systemd's protocol.

use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::{Process, wait};

/// What the daemon tells its supervisor (`sd_notify(3)`).
#[derive(Debug)]
pub struct Supervisor(UnixDatagram);

impl Supervisor {
    /// Listens on a socket at `path` and points the command's `NOTIFY_SOCKET` there.
    pub fn of(command: &mut Command, path: &Path) -> Self {
        let _ = std::fs::remove_file(path);
        let socket = UnixDatagram::bind(path).expect("a private directory can be written");
        socket.set_nonblocking(true).expect("a socket of our own");
        command.env("NOTIFY_SOCKET", path);
        Self(socket)
    }

    /// The next thing it said.
    pub fn heard(&self) -> Option<String> {
        let mut bytes = [0; 4096];
        let length = self.0.recv(&mut bytes).ok()?;
        Some(String::from_utf8_lossy(&bytes[..length]).into_owned())
    }
}

/// Starts a daemon and waits until it says READY.
///
/// # Panics
/// It ended instead, or said nothing for ten seconds; with what it printed.
pub fn start(name: &str, mut command: Command, log: &Path) -> Process {
    let supervisor = Supervisor::of(&mut command, &notify_path(log));
    let mut process = Process::start(name, &command, log);
    let ready = wait::within(Duration::from_secs(10), || match supervisor.heard() {
        Some(said) if said.lines().any(|line| line == "READY=1") => Some(true),
        _ => process.ended().map(|_| false),
    });
    assert!(ready == Some(true), "{name} did not become ready:\n{}", process.log());
    process
}

fn notify_path(log: &Path) -> PathBuf {
    log.with_extension("notify")
}
