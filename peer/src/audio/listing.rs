//! Which sound cards there are.

use std::fmt;

use cpal::HostId;
use cpal::traits::{DeviceTrait, HostTrait};
use vox_common::wire::words::encode;

use crate::media::orders::Direction;

/// The most devices that are listed; the first are those that people name.
const MOST: usize = 256;

/// A device that `peer.toml` may name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceInfo {
    /// Which way it goes. A device for both is listed twice.
    pub direction: Direction,
    /// What to write into `peer.toml`.
    pub name: String,
    /// What its maker calls it, in one line.
    pub description: String,
    /// Whether `default` means this one.
    pub default: bool,
}

/// The words of `232-…` on the control socket.
impl fmt::Display for DeviceInfo {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let direction = if self.direction == Direction::In { "in" } else { "out" };
        let default = if self.default { " default" } else { "" };
        write!(out, "{direction} {}{default}", encode(&self.name))?;
        match self.description.as_str() {
            "" => Ok(()),
            description => write!(out, " description={}", encode(description)),
        }
    }
}

/// Lists the devices, without opening them. May take a while: not for the owner of anything.
pub fn list() -> Vec<DeviceInfo> {
    let devices = cpal::host_from_id(HostId::Alsa).and_then(|host| host.devices());
    devices.into_iter().flatten().flat_map(|device| both_ways(&device)).take(MOST).collect()
}

fn both_ways(device: &cpal::Device) -> Vec<DeviceInfo> {
    let ways = [(Direction::In, device.supports_input()), (Direction::Out, device.supports_output())];
    ways.into_iter().filter_map(|(direction, fits)| fits.then(|| info(direction, device))?).collect()
}

fn info(direction: Direction, device: &cpal::Device) -> Option<DeviceInfo> {
    let name = device.id().ok()?.id().to_owned();
    let description =
        device.description().map(|description| description.name().to_owned()).unwrap_or_default();
    let default = name == "default";
    Some(DeviceInfo { direction, name, description, default })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_one_line_of_words() {
        let device = |name: &str, description: &str, default| DeviceInfo {
            direction: Direction::Out,
            name: name.into(),
            description: description.into(),
            default,
        };
        let card = device("plughw:CARD=USB,DEV=0", "USB Audio\nfront", false);
        assert_eq!(card.to_string(), "out plughw:CARD=USB,DEV=0 description=USB%20Audio%0Afront");
        assert_eq!(device("default", "", true).to_string(), "out default default");
    }
}
