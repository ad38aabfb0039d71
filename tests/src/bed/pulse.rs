//! The ordinary desktop's path: a PulseAudio daemon with two null sinks behind ALSA's pulse plugin.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};

use super::need::{self, Lack};
use super::{Place, Process, Surroundings, wait};

/// A running PulseAudio daemon: what is played into the sink `mic` is what stations capture; what they play goes to
/// the sink `spk`. A third sink, `other`, is nobody's at first.
#[derive(Debug)]
pub struct Pulse {
    around: Surroundings,
    _process: Process,
}

impl Pulse {
    /// Starts it.
    pub fn start(place: &Place) -> Result<Self, Lack> {
        need::program("pulseaudio", "pulseaudio")?;
        need::program("parec", "pulseaudio-utils")?;
        let socket = place.at("pulse.sock");
        let home = place.path().display().to_string();
        let configuration = place.write("pulse-asound.conf", CONFIGURATION);
        let around = Surroundings::default()
            .with("PULSE_SERVER", format!("unix:{}", socket.display()))
            .with("HOME", home.clone())
            .with("XDG_RUNTIME_DIR", home.clone())
            .with("PULSE_RUNTIME_PATH", home)
            .with("ALSA_CONFIG_PATH", configuration.display().to_string());
        let mut command = around.command("pulseaudio");
        command.args([
            "-n",
            "--daemonize=no",
            "--exit-idle-time=-1",
            "--use-pid-file=no",
            "--log-target=stderr",
        ]);
        command
            .arg("-L")
            .arg(format!("module-native-protocol-unix auth-anonymous=1 socket={}", socket.display()));
        command.args([
            "-L",
            "module-null-sink sink_name=mic rate=48000",
            "-L",
            "module-null-sink sink_name=spk rate=48000",
            "-L",
            "module-null-sink sink_name=other rate=48000",
        ]);
        command.env_remove("PULSE_SERVER");
        let process = Process::start("pulseaudio", &command, &place.at("pulse.log"));
        let pulse = Self { around, _process: process };
        wait::until("pulseaudio", 10, || pulse.is_ready().then_some(()));
        Ok(pulse)
    }

    /// What a station finds that has these sinks as its only card.
    pub fn surroundings(&self) -> &Surroundings {
        &self.around
    }

    /// Speaks into the microphone, in the background.
    pub fn speak(&self, place: &Place, file: &Path) -> Process {
        let mut command = self.around.command("paplay");
        command.args(["--device=mic"]).arg(file);
        Process::start("paplay", &command, &place.at("paplay.log"))
    }

    /// What a station finds on a desktop: its default card is whatever the person at the desktop chose.
    pub fn desktop(&self, place: &Place) -> Surroundings {
        let configuration = place.write("desktop-asound.conf", DESKTOP);
        self.around.clone().with("ALSA_CONFIG_PATH", configuration.display().to_string())
    }

    /// Chooses the sink that the desktop plays to.
    pub fn choose(&self, sink: &str) {
        let chosen = self.around.command("pactl").args(["set-default-sink", sink]).status();
        assert!(chosen.expect("pactl starts").success(), "{sink} cannot be chosen");
    }

    /// Records the loudspeaker as raw 16-bit samples of 48,000 Hz into a file, until it is dropped.
    pub fn record(&self, place: &Place, file: &Path) -> Process {
        self.record_sink("spk", place, file)
    }

    /// The same of any sink.
    pub fn record_sink(&self, sink: &str, place: &Place, file: &Path) -> Process {
        let mut command = self.around.command("sh");
        let order = "exec parec --device=$1.monitor --rate=48000 --channels=1 --format=s16le --latency-msec=20 >\"$0\"";
        command.arg("-c").arg(order).arg(file).arg(sink);
        File::create(file).expect("a private directory can be written");
        Process::start("parec", &command, &place.at("parec.log"))
    }

    fn is_ready(&self) -> bool {
        let mut command: Command = self.around.command("pactl");
        let asked = command.args(["info"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
        asked.is_ok_and(|status| status.success())
    }
}

const CONFIGURATION: &str = r#"pcm.null { type null }
pcm.voxin { type pulse device "mic.monitor" hint { show on description "voxin" } }
pcm.voxout { type pulse device "spk" hint { show on description "voxout" } }
pcm.!default { type asym capture.pcm "voxin" playback.pcm "voxout" hint { show on description "default" } }
"#;

const DESKTOP: &str = r#"pcm.null { type null }
pcm.!default { type pulse hint { show on description "default" } }
"#;
