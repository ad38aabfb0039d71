//! A virtual sound card, exact to the sample: JACK's dummy server behind ALSA's jack plugin, so that stations run the
//! same code as on a real card, and a probe that speaks into their microphones and listens at their loudspeakers.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

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

/// While a client that was late has not caught up, a server lets nobody in or out, but for so long at most.
const CLIENT_TIMEOUT_MS: &str = "1000";

/// What a probe records at most, where nothing else is said.
const RECORDED: Duration = Duration::from_secs(300);

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
        Self::started(place, frames, &Surroundings::default())
    }

    /// As [`Card::start`], with a clock that is so many parts in a million too fast.
    pub fn start_fast(place: &Place, frames: u32, ppm: f64) -> Result<Self, Lack> {
        let library = library("faketime/libfaketimeMT.so.1").ok_or(Lack::Package("faketime"))?;
        let around = Surroundings::default().with("LD_PRELOAD", library.display().to_string());
        Self::started(place, frames, &around.with("FAKETIME", format!("+0 x{:.6}", 1.0 + ppm * 1e-6)))
    }

    fn started(place: &Place, frames: u32, around: &Surroundings) -> Result<Self, Lack> {
        need::program("jackd", "jackd2")?;
        library("alsa-lib/libasound_module_pcm_jack.so").ok_or(Lack::Package("libasound2-plugins"))?;
        let slot = Slot::wait("jackd", MOST);
        // JACK forgets a server that was killed only when another of the same name comes.
        let server = format!("vox{}-{}", nix::unistd::getuid(), slot.number());
        let mut command = around.command("jackd");
        command
            .args(["-n", &server, "-t", CLIENT_TIMEOUT_MS])
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
        self.plugged_into(station, Surroundings::default())
    }

    /// As [`Card::surroundings`], in other surroundings: on a host with a network of its own.
    pub fn plugged_into(&self, station: &str, around: Surroundings) -> Surroundings {
        let file = self.place.join(format!("{station}-asound.conf"));
        fs::write(&file, alsa_configuration(station)).expect("a private directory can be written");
        around.with("ALSA_CONFIG_PATH", file.display().to_string()).with_all(self.variables())
    }

    /// Speaks into the microphones of stations, over and over, and records what their loudspeakers play, until it
    /// is told to [`Probe::finish`]. Stations connect to it by themselves as they open the card.
    pub fn probe(&self, place: &Place, microphones: &[(&str, &Path)]) -> Probe {
        self.probe_with_cables(place.path(), microphones, &[], RECORDED)
    }

    /// As [`Card::probe`], into `directory`, for at most so long. Programs that do not connect by themselves are
    /// connected as they come: the ports of each cable's two patterns (POSIX) with each other.
    pub fn probe_with_cables(
        &self,
        directory: &Path,
        microphones: &[(&str, &Path)],
        cables: &[(String, String)],
        most: Duration,
    ) -> Probe {
        let mut command = Surroundings::default().with_all(self.variables()).command(bins::own("probe"));
        command.arg(directory).arg(most.as_secs().to_string());
        command.args(microphones.iter().map(|(station, file)| format!("{station}={}", file.display())));
        command.args(cables.iter().map(|(from, to)| format!("{from}->{to}")));
        let process = Process::start_with_input("probe", &command, &directory.join("probe.log"));
        process.wait_for_log("ready");
        Probe { process, place: directory.to_owned() }
    }

    /// How often a program on this card was not done in time, by the card's own count.
    pub fn xruns(&self) -> usize {
        self.process.log().matches("JackEngine::XRun").count()
    }

    /// How a program finds this server.
    pub fn variables(&self) -> [(&'static str, String); 3] {
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
        let status = wait::until("the end of the probe", 60, || self.process.ended());
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
    // For programs that do not speak in floating samples.
    let plug = |way: &str| format!("pcm.plug{way} {{ type plug slave.pcm \"vox{way}\" }}\n");
    let default = "pcm.!default { type asym capture.pcm \"voxin\" playback.pcm \"voxout\" hint { show on description \"default\" } }\n";
    let cards = ["in", "out"].map(|way| card(way) + &plug(way)).concat();
    format!("pcm.null {{ type null }}\n{cards}{default}")
}

/// JACK's own threads are real-time where we may.
fn realtime() -> &'static [&'static str] {
    if nix::unistd::geteuid().is_root() { &["-R", "-P", "80"] } else { &["-r"] }
}

/// A library below /usr/lib or the directory of its kind of machine.
fn library(name: &str) -> Option<PathBuf> {
    let kinds = fs::read_dir("/usr/lib").into_iter().flatten().flatten().map(|entry| entry.path());
    kinds.chain([PathBuf::from("/usr/lib")]).map(|kind| kind.join(name)).find(|library| library.exists())
}
