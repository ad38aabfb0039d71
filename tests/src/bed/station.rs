//! A station under test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use vox_common::wire::words;

use super::ports::Port;
use super::settings::Value;
use super::{Control, Place, Process, Registry, Settings, Surroundings, daemon, wait};
use crate::bins;

/// A running `vox-peer`.
#[derive(Debug)]
pub struct Station {
    name: String,
    process: Process,
    around: Surroundings,
    place: PathBuf,
    port: Port,
}

/// A station that has not been started yet.
#[derive(Debug)]
pub struct Preparation {
    name: String,
    around: Surroundings,
    settings: Settings,
    port: Port,
}

/// What a command printed, and how it ended.
#[derive(Debug)]
pub struct Said {
    /// Its exit code; -1: killed by a signal.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Station {
    /// Prepares a station on loopback that hears a tone of 440 Hz and plays to nobody.
    pub fn named(name: &str) -> Preparation {
        let port = Port::claim();
        let mut settings = Settings::default();
        settings
            .set("name", name)
            .set("network.listen", format!("127.0.0.1:{}", port.number()))
            .set("audio.input", "tone:440")
            .set("audio.output", "null")
            .set("log.level", "debug")
            .set("log.target", "stderr");
        Preparation { name: name.to_owned(), around: Surroundings::default(), settings, port }
    }

    /// A station of that name with silence for a microphone.
    pub fn quiet(name: &str) -> Preparation {
        Self::named(name).set("audio.input", "silence")
    }

    /// What others on this machine type to call it without any registry.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port())
    }

    /// Hears every event of the station from now on.
    ///
    /// # Panics
    /// The station does not answer.
    pub fn watch(&self) -> Control {
        let mut watcher = self.control();
        assert_eq!(watcher.ask("WATCH"), ["200 watching"]);
        watcher
    }

    /// The UDP port of its calls.
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// Its process.
    pub fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Leaves nothing of it but its process, and the claim of its port.
    pub fn into_process(self) -> (Process, Port) {
        (self.process, self.port)
    }

    /// Its control socket.
    pub fn socket(&self) -> PathBuf {
        socket(&self.place, &self.name)
    }

    /// A connection to its control socket.
    pub fn control(&self) -> Control {
        Control::connect(&self.socket()).expect("a station that is ready answers")
    }

    /// Runs `vox-peer` with these arguments against it, to the end.
    pub fn run(&self, arguments: &[&str]) -> Said {
        self.command(arguments).output().expect("vox-peer starts").into()
    }

    /// Runs `vox-peer` with these arguments against it, in the background, until it ends or is dropped.
    pub fn begin(&self, arguments: &[&str]) -> Process {
        let log = self.place.join(format!("{}-{}.out", self.name, arguments.join("-").replace('/', "_")));
        Process::start(&format!("vox-peer {}", arguments.join(" ")), &self.command(arguments), &log)
    }

    /// A value of its `STATUS`: of the first line of this section.
    pub fn status(&self, section: &str, key: &str) -> Option<String> {
        let lines = self.lines(section);
        let words = lines.first()?;
        words::decode(words::value(words, key).ok()??)
    }

    /// What its `STATUS` says in the lines of this section.
    pub fn lines(&self, section: &str) -> Vec<String> {
        let answer =
            Control::connect(&self.socket()).map(|mut control| control.ask("STATUS")).unwrap_or_default();
        let start = format!("230-{section} ");
        answer.iter().filter_map(|line| line.strip_prefix(&start)).map(str::to_owned).collect()
    }

    /// A value of its `STATUS` as a number; 0 where there is none.
    pub fn figure(&self, section: &str, key: &str) -> f64 {
        self.status(section, key).and_then(|text| text.parse().ok()).unwrap_or(0.0)
    }

    /// Waits until it is `idle`, `calling`, `ringing` or `talking`.
    pub fn wait_until(&self, state: &str) {
        let what = format!("{} to be {state}", self.name);
        wait::until(&what, 20, || (self.status("peer", "state").as_deref() == Some(state)).then_some(()));
    }

    /// Waits until it is registered.
    pub fn wait_for_registry(&self) {
        let what = format!("{} to be registered", self.name);
        wait::until(&what, 20, || (self.status("registry", "link").as_deref() == Some("up")).then_some(()));
    }

    /// When the `capture` or the `playback` of its latest call began with the first sample, since boot. Only devices
    /// that are no cards tell it, in the debug log.
    pub fn sound_began(&self, which: &str) -> Option<Duration> {
        let told = format!("{which} began since-boot-s=");
        wait::within(Duration::from_secs(2), || {
            let log = self.process.log();
            let seconds = log.lines().rev().find_map(|line| line.split_once(&told))?.1;
            seconds.parse().ok().map(Duration::from_secs_f64)
        })
    }

    /// Starts it again, after it was stopped or killed.
    pub fn start_again(&mut self) {
        self.process.end();
        self.process = run(&self.place, &self.name, &self.around);
    }

    /// Starts it again in other surroundings.
    pub fn start_again_within(&mut self, around: &Surroundings) {
        self.around = around.clone();
        self.start_again();
    }

    /// Where it keeps its state.
    pub fn state(&self) -> PathBuf {
        self.place.join(format!("{}-state", self.name))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.around.command(bins::peer());
        command.args(arguments).env("VOX_SOCKET", self.socket());
        command
    }
}

impl Preparation {
    /// Sets a key of its configuration.
    #[must_use]
    pub fn set(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.settings.set(key, value);
        self
    }

    /// Puts it into other surroundings.
    #[must_use]
    pub fn within(mut self, around: &Surroundings) -> Self {
        self.around = around.clone();
        self
    }

    /// Lets it register there.
    #[must_use]
    pub fn registry(self, registry: &Registry) -> Self {
        self.set("registry.address", registry.address())
    }

    /// Listens on every address, IPv4 and IPv6.
    #[must_use]
    pub fn on_every_address(self) -> Self {
        let listen = format!("[::]:{}", self.port.number());
        self.set("network.listen", listen)
    }

    /// Answers by itself.
    #[must_use]
    pub fn answering(self) -> Self {
        self.set("call.auto-answer", true)
    }

    /// The UDP port that it will have.
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// Starts it and waits until it is ready.
    pub fn start(mut self, place: &Place) -> Station {
        let state = place.at(&format!("{}-state", self.name));
        fs::create_dir_all(&state).expect("a private directory can be written");
        self.settings
            .set("control.socket", socket(place.path(), &self.name).display().to_string())
            .set("state.directory", state.display().to_string());
        place.write(&format!("{}.toml", self.name), &self.settings.to_toml());
        let process = run(place.path(), &self.name, &self.around);
        let place = place.path().to_owned();
        Station { name: self.name, process, around: self.around, place, port: self.port }
    }
}

/// Starts alice and bob with one registry; bob answers by himself.
pub fn pair(place: &Place, registry: &Registry) -> (Station, Station) {
    let alice = Station::named("alice").registry(registry).start(place);
    let bob = Station::named("bob").registry(registry).answering().start(place);
    alice.wait_for_registry();
    bob.wait_for_registry();
    (alice, bob)
}

/// Lets both talk to each other for a while after the call was set up.
pub fn talk(one: &Station, other: &Station, length: Duration) {
    one.wait_until("talking");
    other.wait_until("talking");
    wait::pause(length);
}

fn run(place: &Path, name: &str, around: &Surroundings) -> Process {
    let mut command = around.command(bins::peer());
    command.arg("run").arg("--config").arg(place.join(format!("{name}.toml")));
    daemon::start(&format!("vox-peer {name}"), command, &place.join(format!("{name}.log")))
}

fn socket(place: &Path, name: &str) -> PathBuf {
    place.join(format!("{name}.sock"))
}
