//! `peer.toml`: every key as a value that was checked. The manual of each key is peer.toml(5).

mod places;
mod read;
mod values;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use vox_common::sys::config::ConfigError;
use vox_common::sys::config::Document;
use vox_common::sys::{secret, syslog};
use vox_common::wire::names::{DisplayName, Name};
use vox_common::wire::proof::Secret;
use vox_common::wire::signal::MediaSealing;

pub use self::places::{Places, find};
pub use self::values::{HostPort, InputDevice, OutputDevice, Period};
use crate::agent::io::Policy;
use crate::agent::link::Sealing;
use crate::dsp::tasks::Tasks;
use crate::media::orders::Coding;
use crate::media::profile::{Numbers, Profile};

/// The UDP port of stations, where an address names none.
pub const PEER_PORT: u16 = 6000;

/// The TCP port of registries, where an address names none.
pub const REGISTRY_PORT: u16 = 5000;

/// A whole `peer.toml`.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// What this station is called.
    pub name: Name,
    /// What people see instead of the name.
    pub display: Option<DisplayName>,
    /// Where the registry is. `None`: calls by host and contacts only.
    pub registry: Option<HostPort>,
    /// Whether the lines to it are sealed.
    pub sealing: Sealing,
    /// The file that holds the registry's secret, where it asks for one.
    pub secret_file: Option<PathBuf>,
    /// What that file holds; only [`Config::load`] looks into it.
    pub secret: Option<Secret>,
    /// `[contacts]`, by name, at most [`MAX_CONTACTS`](vox_common::wire::limits::MAX_CONTACTS), each name once.
    pub contacts: Vec<(Name, HostPort)>,
    /// The address of the one UDP socket for signals and media.
    pub listen: SocketAddr,
    /// Differentiated services code point of everything sent on it (RFC 2474), 0 to 63.
    pub dscp: u8,
    /// `[audio]`.
    pub audio: Audio,
    /// `[codec]` and `audio.ptime-ms`: how this station codes what it sends.
    pub coding: Coding,
    /// Bits per second of Opus without loss, 6,000 to 510,000.
    pub bitrate: u32,
    /// `[voice]`.
    pub voice: Voice,
    /// What holds at once when the file is read again: `[call]` and `voice.alarm-delay-ms`.
    pub policy: Policy,
    /// The control socket.
    pub control_socket: PathBuf,
    /// Where the history is kept.
    pub state_directory: PathBuf,
    /// SCHED_FIFO priority of the sound card's threads; 0: ordinary threads.
    pub priority: u8,
    /// Whether calls are sealed.
    pub media: MediaSealing,
    /// `[log]`.
    pub log: syslog::Settings,
}

/// `[audio]`: the two devices.
#[derive(Debug, Clone, PartialEq)]
pub struct Audio {
    /// Where sound comes from.
    pub input: InputDevice,
    /// Where sound goes to.
    pub output: OutputDevice,
    /// Frames per period of the card.
    pub period: Period,
}

/// `[voice]`: delay against certainty, and what is done to the microphone's sound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Voice {
    /// The kind of network.
    pub profile: Profile,
    /// The playout delay is never more than this: the profile's own number, or what `max-delay-ms` says instead.
    pub max_delay: Duration,
    /// Echo, noise and loudness.
    pub tasks: Tasks,
}

impl Voice {
    /// As a file says that names only the profile.
    pub const fn of(profile: Profile) -> Self {
        Self { profile, max_delay: profile.numbers().most_delay, tasks: Tasks::NONE }
    }

    /// The profile's numbers, with what the file says instead of them.
    pub const fn numbers(&self) -> Numbers {
        let mut numbers = self.profile.numbers();
        if numbers.coding.ptime_us < self.least_ptime_us() {
            numbers.coding.ptime_us = self.least_ptime_us();
        }
        Numbers { most_delay: self.max_delay, ..numbers }
    }

    /// Shorter packets are of no use, because the sound comes in frames of so many microseconds from [`dsp`](crate::dsp).
    pub const fn least_ptime_us(&self) -> u32 {
        if self.tasks.is_none() { 0 } else { 10_000 }
    }
}

impl Config {
    /// Reads a file, with the [`Places`] and the secret that go with it.
    ///
    /// # Errors
    /// One sentence with file, line, key, and what is allowed.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let document = Document::read(path)?;
        let config = Self::parse(&document, &Places::beside(path))?;
        let secret = config.secret_file.as_deref().map(secret::read).transpose();
        let secret = secret.map_err(|fault| document.refuse_about("registry.secret-file", &fault))?;
        Ok(Self { secret, ..config })
    }

    /// Reads a document.
    ///
    /// # Errors
    /// One sentence with file, line, key, and what is allowed.
    pub fn parse(document: &Document, places: &Places) -> Result<Self, ConfigError> {
        document.parse(|top| read::read_top(top, places))
    }
}

#[cfg(test)]
mod tests;
