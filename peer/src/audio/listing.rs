//! Which sound cards there are, and what they can do.

use std::fmt;

use cpal::traits::{DeviceTrait, HostTrait};
use vox_common::wire::words::encode;

use super::Abilities;
use super::card::alone;
use super::find::{description, goes, host, id};
use super::trouble::why;
use crate::media::orders::Direction;

/// The most devices that are listed; the first are those that people name.
const MOST: usize = 256;

/// Characters of a description: it shares a line.
const LONGEST: usize = 80;

/// Not asked what they can do: these are no cards, but convert for others or speak to a sound server, which may take
/// long where it does not run. They can be named all the same.
const NO_CARDS: [&str; 10] =
    ["null", "jack", "lavrate", "oss", "pulse", "samplerate", "speex", "speexrate", "upmix", "vdownmix"];

/// A device that `peer.toml` may name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceInfo {
    /// Which way it goes. A device for both is listed twice.
    pub direction: Direction,
    /// Its ALSA id: what to write into `peer.toml`.
    pub name: String,
    /// What its maker calls it, in one line, which may be written there as well.
    pub description: String,
    /// Whether `default` means this one.
    pub default: bool,
    /// What it can do, or why that cannot be told.
    pub abilities: Result<Abilities, String>,
}

/// The words of `232-…` on the control socket.
impl fmt::Display for DeviceInfo {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let direction = if self.direction == Direction::In { "in" } else { "out" };
        let default = if self.default { " default" } else { "" };
        write!(out, "{direction} {}{default}", encode(&self.name))?;
        match &self.abilities {
            Ok(Abilities { rates, channels }) => {
                word(out, "rates", rates)?;
                word(out, "channels", channels)?;
            }
            Err(trouble) => word(out, "trouble", trouble)?,
        }
        word(out, "description", &self.description)
    }
}

fn word(out: &mut fmt::Formatter<'_>, key: &str, value: &str) -> fmt::Result {
    if value.is_empty() { Ok(()) } else { write!(out, " {key}={}", encode(value)) }
}

/// Lists the devices, and opens each card for a moment to see what it can do. May take a while: not for the owner of
/// anything.
pub fn list() -> Vec<DeviceInfo> {
    let devices = host().ok().and_then(|host| host.devices().ok());
    devices.into_iter().flatten().flat_map(|device| both_ways(&device)).take(MOST).collect()
}

fn both_ways(device: &cpal::Device) -> Vec<DeviceInfo> {
    let ways = [Direction::In, Direction::Out].into_iter();
    ways.filter(|&way| goes(device, way)).map(|way| info(way, device)).collect()
}

fn info(direction: Direction, device: &cpal::Device) -> DeviceInfo {
    let name = id(device);
    let is_card = !NO_CARDS.contains(&name.as_str());
    let abilities = if is_card { abilities(direction, device) } else { Ok(Abilities::default()) };
    let description = description(device).chars().take(LONGEST).collect();
    DeviceInfo { direction, default: name == "default", name, description, abilities }
}

/// No call waits for a card longer than it takes to ask one other.
fn abilities(direction: Direction, device: &cpal::Device) -> Result<Abilities, String> {
    let _alone = alone();
    let able = match direction {
        Direction::In => device.supported_input_configs().map(Abilities::of),
        Direction::Out => device.supported_output_configs().map(Abilities::of),
    };
    able.map_err(|error| why(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_one_line_of_words() {
        let device = |name: &str, description: &str, default, abilities| DeviceInfo {
            direction: Direction::Out,
            name: name.into(),
            description: description.into(),
            default,
            abilities,
        };
        let able = Ok(Abilities { rates: "44100,48000".into(), channels: "1-2".into() });
        let card = device("plughw:CARD=USB,DEV=0", "USB Audio\nfront", false, able);
        assert_eq!(
            card.to_string(),
            "out plughw:CARD=USB,DEV=0 rates=44100,48000 channels=1-2 description=USB%20Audio%0Afront"
        );
        assert_eq!(device("default", "", true, Ok(Abilities::default())).to_string(), "out default default");
        let busy = device("hw:CARD=A,DEV=0", "", false, Err("it is in use".into()));
        assert_eq!(busy.to_string(), "out hw:CARD=A,DEV=0 trouble=it%20is%20in%20use");
    }
}
