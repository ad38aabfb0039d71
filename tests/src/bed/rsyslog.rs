//! A real rsyslog on a socket of its own.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use nix::sys::signal::Signal;

use super::need::{self, Lack};
use super::{Place, Process, wait};

/// A running rsyslogd that writes every message, as it came, to one file.
#[derive(Debug)]
pub struct Rsyslog {
    directory: PathBuf,
    process: Process,
}

impl Rsyslog {
    /// Starts it.
    pub fn start(place: &Place) -> Result<Self, Lack> {
        need::program("rsyslogd", "rsyslog")?;
        let directory = place.path().to_owned();
        place.write("rsyslog.conf", &configuration(place));
        let process = run(&directory);
        Ok(Self { directory, process })
    }

    /// What `log.target` says to reach it.
    pub fn target(&self) -> String {
        format!("syslog:{}", self.directory.join("log.sock").display())
    }

    /// Every message so far, one a line.
    pub fn messages(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.directory.join("messages")).unwrap_or_default()).into_owned()
    }

    /// Waits for a message.
    pub fn wait_for(&self, needle: &str) {
        wait::until(&format!("{needle:?} in the log"), 20, || self.messages().contains(needle).then_some(()));
    }

    /// Lets it stand still, with its socket open.
    pub fn freeze(&self) {
        self.process.signal(Signal::SIGSTOP);
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.process.signal(Signal::SIGCONT);
    }

    /// Ends it. Its socket goes with it.
    pub fn stop(&mut self) {
        self.process.end();
    }

    /// Starts it again, after [`Rsyslog::stop`].
    pub fn start_again(&mut self) {
        self.process = run(&self.directory);
    }
}

fn run(directory: &std::path::Path) -> Process {
    let mut command = Command::new("rsyslogd");
    command
        .arg("-n")
        .arg("-f")
        .arg(directory.join("rsyslog.conf"))
        .arg("-i")
        .arg(directory.join("rsyslog.pid"));
    let socket = directory.join("log.sock");
    let _ = fs::remove_file(&socket);
    let process = Process::start("rsyslogd", &command, &directory.join("rsyslog.log"));
    wait::until("rsyslogd", 10, || socket.exists().then_some(()));
    process
}

fn configuration(place: &Place) -> String {
    let at = |name: &str| place.at(name).display().to_string();
    format!(
        r#"global(workDirectory="{}")
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket="{}")
template(name="raw" type="string" string="%rawmsg%\n")
*.* action(type="omfile" file="{}" template="raw" asyncWriting="off")
"#,
        place.path().display(),
        at("log.sock"),
        at("messages")
    )
}
