//! Which sound cards there are.

use cpal::HostId;
use cpal::traits::{DeviceTrait, HostTrait};

use crate::media::orders::Direction;

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

/// Lists the devices, without opening them. May take a while: not for the owner of anything.
pub fn list() -> Vec<DeviceInfo> {
    let devices = cpal::host_from_id(HostId::Alsa).and_then(|host| host.devices());
    devices.into_iter().flatten().flat_map(|device| both_ways(&device)).collect()
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
