//! A card that offers just what a test wants and fails when it is told to: a plugin of ALSA (`tests/alsa/voxcard.c`), so
//! that stations run the same code on it as on a real card.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::need::{self, Lack};
use super::wav::Recording;
use super::{Place, Surroundings};

/// What a card offers: one rate, one number of channels, one sample format by its name in ALSA.
#[derive(Debug, Clone, Copy)]
pub struct Offer {
    /// In Hz.
    pub rate: u32,
    /// In each direction.
    pub channels: u16,
    /// As `snd_pcm_format_value` takes it.
    pub format: &'static str,
}

/// How a card behaves.
#[derive(Debug, Clone, Copy)]
pub enum Mood {
    /// As it should.
    Works,
    /// It was pulled out.
    Gone,
    /// Another program has it.
    Busy,
    /// Every poll of it is an error.
    Fails,
    /// Every transfer is an xrun.
    RunsDry,
    /// It says that it is ready and never is.
    Spins,
}

/// The card, called `voxcard`, with the description `Vox Card, Test`. It is also the default one.
#[derive(Debug)]
pub struct Voxcard {
    place: PathBuf,
    name: String,
    offer: Offer,
}

impl Voxcard {
    /// Plugs one in for a station of that name. Its microphone hears a tone of 660 Hz.
    pub fn plug_in(place: &Place, name: &str, offer: Offer) -> Result<Self, Lack> {
        need::program("cc", "gcc")?;
        let card = Self { place: place.path().to_owned(), name: name.to_owned(), offer };
        let plugin = card.file("so");
        compile(&plugin);
        card.is(Mood::Works);
        card.configure();
        Ok(card)
    }

    /// Another card takes its place, which the configuration of ALSA says from now on.
    pub fn becomes(&mut self, offer: Offer) {
        self.offer = offer;
        self.configure();
    }

    fn configure(&self) {
        let configuration = self.configuration(&self.file("so"));
        fs::write(self.file("conf"), configuration).expect("a private directory can be written");
    }

    /// Lets it behave so from now on.
    pub fn is(&self, mood: Mood) {
        let letter = match mood {
            Mood::Works => "w",
            Mood::Gone => "g",
            Mood::Busy => "b",
            Mood::Fails => "e",
            Mood::RunsDry => "x",
            Mood::Spins => "s",
        };
        // Whole or not at all: the card may read it at any time.
        fs::write(self.file("new"), letter).expect("a private directory can be written");
        fs::rename(self.file("new"), self.file("mood")).expect("a private directory can be written");
    }

    /// What a station finds that has this card as its only one.
    pub fn surroundings(&self) -> Surroundings {
        Surroundings::default().with("ALSA_CONFIG_PATH", self.file("conf").display().to_string())
    }

    /// What its loudspeaker played so far on one of its channels, the first of which is 0.
    pub fn heard(&self, channel: usize) -> Recording {
        let Offer { rate, channels, format } = self.offer;
        let bytes = fs::read(self.file("ear")).unwrap_or_default();
        let width = width(format);
        let frames = bytes.chunks_exact(width * usize::from(channels));
        let samples = frames.map(|frame| sample(format, &frame[channel * width..][..width]));
        Recording { rate, samples: samples.collect() }
    }

    /// Whether its microphone was ever opened, were it only to see what it can do.
    pub fn microphone_was_opened(&self) -> bool {
        let log = fs::read_to_string(self.file("log")).unwrap_or_default();
        log.lines().any(|line| line == "in")
    }

    fn file(&self, what: &str) -> PathBuf {
        self.place.join(format!("{}-card.{what}", self.name))
    }

    fn configuration(&self, plugin: &Path) -> String {
        let Offer { rate, channels, format } = self.offer;
        let [ear, mood, log] = ["ear", "mood", "log"].map(|what| self.file(what).display().to_string());
        let card = |name: &str| {
            format!(
                "pcm.{name} {{ type voxcard rate {rate} channels {channels} format \"{format}\" tone 660 ear \"{ear}\" \
                 mood \"{mood}\" log \"{log}\" hint {{ show on description \"Vox Card, Test\" }} }}\n"
            )
        };
        let plugin = plugin.display();
        format!("pcm_type.voxcard {{ lib \"{plugin}\" }}\n{}{}", card("voxcard"), card("!default"))
    }
}

fn compile(plugin: &Path) {
    let mut compiler = Command::new("cc");
    compiler.args(["-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-DPIC", "-o"]).arg(plugin);
    compiler.arg(need::top().join("tests/alsa/voxcard.c")).args(["-lasound", "-lm"]);
    let compiled = compiler.output().expect("a C compiler starts");
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
}

/// Bytes of a sample.
fn width(format: &str) -> usize {
    match format {
        "U8" | "S8" => 1,
        "FLOAT64_LE" => 8,
        format if format.contains("16") => 2,
        _ => 4,
    }
}

fn sample(format: &str, bytes: &[u8]) -> f32 {
    let four = || <[u8; 4]>::try_from(bytes).expect("four bytes");
    let two = || <[u8; 2]>::try_from(bytes).expect("two bytes");
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "samples")]
    match format {
        "U8" => f32::from(bytes[0]) / 128.0 - 1.0,
        "S16_LE" => f32::from(i16::from_le_bytes(two())) / 32_768.0,
        "U16_LE" => f32::from(u16::from_le_bytes(two())) / 32_768.0 - 1.0,
        "S24_LE" => (i32::from_le_bytes(four()) << 8) as f32 / 2_147_483_648.0,
        "S32_LE" => i32::from_le_bytes(four()) as f32 / 2_147_483_648.0,
        "FLOAT_LE" => f32::from_le_bytes(four()),
        "FLOAT64_LE" => f64::from_le_bytes(bytes.try_into().expect("eight bytes")) as f32,
        other => panic!("no test plays {other}"),
    }
}
