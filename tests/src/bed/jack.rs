//! A virtual sound card, exact to the sample: JACK's dummy server behind ALSA's jack plugin, so that stations run the
//! same code as on a real card, and a probe that speaks into their microphones and listens at their loudspeakers.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::signal::Signal;

use super::need::{self, Lack};
use super::slots::Slot;
use super::{Place, Process, Surroundings, wait};
use crate::bed::wav::Recording;
use crate::bins;

/// JACK servers at once on one machine; at nine or so JACK's registry of servers is full.
const MOST: u32 = 6;

/// Before the file of a microphone: it is in a room in which it hears its own station's loudspeaker too.
pub const ECHO: &str = "echo:";

/// A running card of 48,000 Hz.
#[derive(Debug)]
pub struct Card {
    server: String,
    place: PathBuf,
    command: Command,
    process: Process,
    _slot: Slot,
}

impl Card {
    /// Plugs in a card whose clock ticks every `frames` samples; the periods of stations are multiples of that.
    pub fn start(place: &Place, frames: u32) -> Result<Self, Lack> {
        need::program("jackd", "jackd2")?;
        plugin()?;
        let slot = Slot::wait("jackd", MOST);
        // JACK forgets a server that was killed only when another of the same name comes.
        let server = format!("vox{}-{}", nix::unistd::getuid(), slot.number());
        let mut command = Command::new("jackd");
        command
            .args(["-n", &server])
            .args(realtime())
            .args(["-d", "dummy", "-r", "48000", "-C", "1", "-P", "1"]);
        command.args(["-p", &frames.to_string()]).env("JACK_NO_AUDIO_RESERVATION", "1");
        let place = place.path().to_owned();
        let process = plugged_in(&command, &place, &server);
        Ok(Self { server, place, command, process, _slot: slot })
    }

    /// Pulls it out while it is in use.
    pub fn pull_out(&mut self) {
        self.process.kill();
    }

    /// Lets it stand still, so that nobody can open it.
    pub fn freeze(&self) {
        self.process.signal(Signal::SIGSTOP);
    }

    /// Plugs it in again.
    pub fn plug_in(&mut self) {
        self.process = plugged_in(&self.command, &self.place, &self.server);
    }

    /// What a station finds that has this card as its only one.
    pub fn surroundings(&self, station: &str) -> Surroundings {
        let file = self.place.join(format!("{station}-asound.conf"));
        fs::write(&file, alsa_configuration(station)).expect("a private directory can be written");
        Surroundings::default()
            .with("ALSA_CONFIG_PATH", file.display().to_string())
            .with_all(self.variables())
    }

    /// Speaks into the microphones of stations, over and over, and records what their loudspeakers play, until it
    /// is told to [`Probe::finish`]. Stations connect to it by themselves as they open the card.
    pub fn probe(&self, place: &Place, microphones: &[(&str, &Path)]) -> Probe {
        let mut command = Surroundings::default().with_all(self.variables()).command(bins::own("probe"));
        command.arg(place.path());
        for (station, file) in microphones {
            command.arg(format!("{station}={}", file.display()));
        }
        let log = place.at("probe.log");
        let process = Process::start_with_input("probe", &command, &log);
        process.wait_for_log("ready");
        Probe { process, place: place.path().to_owned() }
    }

    /// How often a program on this card was not done in time, by the card's own count.
    pub fn xruns(&self) -> usize {
        self.process.log().matches("JackEngine::XRun").count()
    }

    fn variables(&self) -> [(&'static str, String); 3] {
        let yes = || "1".to_owned();
        [
            ("JACK_DEFAULT_SERVER", self.server.clone()),
            ("JACK_NO_START_SERVER", yes()),
            ("JACK_NO_AUDIO_RESERVATION", yes()),
        ]
    }
}

/// A running probe.
#[derive(Debug)]
pub struct Probe {
    process: Process,
    place: PathBuf,
}

impl Probe {
    /// Ends it, and lets it write what it heard.
    pub fn finish(mut self) -> Heard {
        self.process.close_input();
        let status = wait::until("the end of the probe", 20, || self.process.ended());
        assert!(status.success(), "the probe failed:\n{}", self.process.log());
        Heard { place: self.place.clone() }
    }
}

/// What a probe spoke and heard, each from the same sample on.
#[derive(Debug)]
pub struct Heard {
    place: PathBuf,
}

impl Heard {
    /// What was spoken into a station's microphone.
    pub fn microphone(&self, station: &str) -> Recording {
        Recording::read(&self.place.join(format!("{station}-mic.wav")))
    }

    /// What came out of a station's loudspeaker.
    pub fn loudspeaker(&self, station: &str) -> Recording {
        Recording::read(&self.place.join(format!("{station}-ear.wav")))
    }

    /// A table that the probe wrote: lines of numbers.
    pub fn table(&self, name: &str) -> Vec<Vec<f64>> {
        let text = fs::read_to_string(self.place.join(name)).unwrap_or_default();
        text.lines().map(|line| line.split(',').filter_map(|word| word.parse().ok()).collect()).collect()
    }
}

fn plugged_in(command: &Command, place: &Path, server: &str) -> Process {
    Process::start("jackd", command, &place.join(format!("{server}.log")))
}

/// Replaces the whole configuration of ALSA. The plugin connects to the named ports as a station opens the card.
fn alsa_configuration(station: &str) -> String {
    let ports =
        format!("capture_ports {{ 0 probe:mic_{station} }} playback_ports {{ 0 probe:ear_{station} }}");
    let card = |way: &str| {
        format!(
            "pcm.vox{way} {{ type jack name \"{station}_{way}\" {ports} hint {{ show on description \"vox{way}\" }} }}\n"
        )
    };
    let default = "pcm.!default { type asym capture.pcm \"voxin\" playback.pcm \"voxout\" hint { show on description \"default\" } }\n";
    format!("pcm.null {{ type null }}\n{}{}{default}", card("in"), card("out"))
}

/// JACK's own threads are real-time where we may.
fn realtime() -> &'static [&'static str] {
    if nix::unistd::geteuid().is_root() { &["-R", "-P", "80"] } else { &["-r"] }
}

/// ALSA's jack plugin, or its lack.
fn plugin() -> Result<(), Lack> {
    let libraries = fs::read_dir("/usr/lib").into_iter().flatten().flatten().map(|entry| entry.path());
    let found = libraries
        .chain([PathBuf::from("/usr/lib")])
        .any(|library| library.join("alsa-lib/libasound_module_pcm_jack.so").exists());
    if found { Ok(()) } else { Err(Lack::Package("libasound2-plugins")) }
}
