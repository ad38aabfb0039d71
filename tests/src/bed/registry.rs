//! A registry under test.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use vox_common::wire::names::DisplayName;

use super::ports::Port;
use super::process::Process;
use super::{Place, Said, Settings, Surroundings, daemon};
use crate::bins;
use crate::wire::Wire;

/// A running `vox-registry`.
#[derive(Debug)]
pub struct Registry {
    process: Process,
    surroundings: Surroundings,
    place: PathBuf,
    host: String,
    port: Port,
}

impl Registry {
    /// Starts one on loopback.
    pub fn start(place: &Place) -> Self {
        Self::with(place, &Surroundings::default(), "127.0.0.1", |_| {})
    }

    /// Starts one on loopback that takes as many requests and connections from one address as come.
    pub fn without_limits(place: &Place) -> Self {
        Self::with(place, &Surroundings::default(), "127.0.0.1", |settings| {
            settings.set("limits.connections-per-address", 0).set("limits.requests-per-second", 0);
        })
    }

    /// Starts one on an address of the surroundings, with settings of the test's own.
    pub fn with(
        place: &Place,
        around: &Surroundings,
        host: &str,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let port = Port::claim();
        let mut settings = Settings::default();
        let at = |name: &str| place.at(name).display().to_string();
        settings
            .set("listen", format!("{host}:{}", port.number()))
            .set("control.socket", at("registry.sock"))
            .set("page.listen", "none")
            .set("state.directory", at("registry-state"))
            .set("log.level", "debug")
            .set("log.target", "stderr");
        change(&mut settings);
        let _ = std::fs::create_dir_all(place.at("registry-state"));
        place.write("registry.toml", &settings.to_toml());
        let place = place.path().to_owned();
        let process = run(&place, around);
        Self { process, surroundings: around.clone(), place, host: host.to_owned(), port }
    }

    /// Where it listens.
    pub fn address(&self) -> String {
        format!("{}:{}", self.host, self.port.number())
    }

    /// The TCP port it listens on.
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// Its process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Starts it again, after it was stopped or killed.
    pub fn start_again(&mut self) {
        self.process.end();
        self.process = run(&self.place, &self.surroundings);
    }

    /// Starts it again in other surroundings.
    pub fn start_again_within(&mut self, around: &Surroundings) {
        self.surroundings = around.clone();
        self.start_again();
    }

    /// Its control socket.
    pub fn socket(&self) -> PathBuf {
        self.place.join("registry.sock")
    }

    /// Runs `vox-registry` with these arguments against it, to the end.
    pub fn administer(&self, arguments: &[&str]) -> Said {
        self.command(arguments).output().expect("vox-registry starts").into()
    }

    /// Runs `vox-registry` with these arguments against it, which must succeed, and returns what it printed.
    ///
    /// # Panics
    /// It did not.
    pub fn must(&self, arguments: &[&str]) -> String {
        let said = self.administer(arguments);
        assert!(said.code == 0 && said.err.is_empty(), "{arguments:?}: {said:?}");
        said.out
    }

    /// `vox-registry` with these arguments, as an administrator types it.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.surroundings.command(bins::registry());
        command.args(arguments).env("VOX_REGISTRY_SOCKET", self.socket());
        command
    }

    /// A client that has registered under this name.
    ///
    /// # Panics
    /// It was refused.
    pub fn user(&self, name: &str, port: u16) -> Wire {
        self.registered(name, &port.to_string())
    }

    /// The same, of whom people see another name.
    pub fn user_shown_as(&self, display: &str, name: &str, port: u16) -> Wire {
        let display = DisplayName::new(display).expect("it can be shown").to_word();
        self.registered(name, &format!("{port} display={display}"))
    }

    fn registered(&self, name: &str, rest: &str) -> Wire {
        let mut wire = self.connect();
        let reply = wire.ask(&format!("REGISTER {name} {rest}"));
        let expected = format!("200 registered {name} ");
        assert!(reply.as_ref().is_some_and(|reply| reply.starts_with(&expected)), "{reply:?}");
        wire
    }

    /// A client that was greeted.
    ///
    /// # Panics
    /// It was refused.
    pub fn connect(&self) -> Wire {
        let mut wire = Wire::tcp(&self.address());
        let greeting = wire.hear();
        assert!(greeting.as_ref().is_some_and(|line| line.starts_with("220 ")), "{greeting:?}");
        wire
    }

    /// Asks one line as anybody could by hand, and returns what comes after the greeting.
    pub fn ask(&self, line: &str) -> Vec<String> {
        let stream = TcpStream::connect(self.address()).expect("the registry listens");
        stream.set_read_timeout(Some(Duration::from_secs(5))).expect("a socket of our own");
        (&stream).write_all(format!("{line}\nQUIT\n").as_bytes()).expect("a fresh connection takes a line");
        BufReader::new(stream).lines().map_while(Result::ok).skip(1).collect()
    }
}

fn run(place: &std::path::Path, around: &Surroundings) -> Process {
    let mut command = around.command(bins::registry());
    command.arg("run").arg("--config").arg(place.join("registry.toml"));
    daemon::start("vox-registry", command, &place.join("registry.log"))
}
