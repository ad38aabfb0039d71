//! Which device a name means.

use cpal::traits::{DeviceTrait, HostTrait};
use cpal::{Device, DeviceId, Host, HostId};

use crate::media::orders::Direction;

/// The longest that a refusal may be: it goes into one line of STATUS.
const SENTENCE_BYTES: usize = 300;

/// The host that production opens.
pub(super) fn host() -> Result<Host, String> {
    cpal::host_from_id(HostId::Alsa).map_err(|error| error.to_string())
}

/// The device of that name; `None`: the default one. A name is an ALSA id in any of its forms (`hw:CARD=USB,DEV=0`,
/// `hw:USB`, `plughw:1`), or what people call the device or its card.
///
/// # Errors
/// There is none; the sentence says what there is.
pub(super) fn find(name: Option<&str>, direction: Direction) -> Result<Device, String> {
    let host = host()?;
    let Some(name) = name else {
        return host.default_output_device().ok_or_else(|| "there is no default sound device".to_owned());
    };
    let by_id = host.device_by_id(&DeviceId::new(HostId::Alsa, name));
    by_id.or_else(|| called(&host, name, direction)).ok_or_else(|| nothing_called(&host, name, direction))
}

/// The ALSA id of a device.
pub(super) fn id(device: &Device) -> String {
    device.id().map(|id| id.id().to_owned()).unwrap_or_default()
}

/// What its maker calls it, in one line.
pub(super) fn description(device: &Device) -> String {
    device.description().map(|description| description.name().to_owned()).unwrap_or_default()
}

/// Whether sound can go that way, as far as that is known without opening it.
pub(super) fn goes(device: &Device, direction: Direction) -> bool {
    match direction {
        Direction::In => device.supports_input(),
        Direction::Out => device.supports_output(),
    }
}

fn that_way(host: &Host, direction: Direction) -> impl Iterator<Item = Device> {
    host.devices().into_iter().flatten().filter(move |device| goes(device, direction))
}

/// One card has many ids that all bear its name: the one that converts what the card cannot comes first.
fn called(host: &Host, name: &str, direction: Direction) -> Option<Device> {
    let named = that_way(host, direction).filter(|device| is_called(&description(device), name));
    named.min_by_key(|device| {
        let id = id(device);
        ["plughw:", "hw:"].iter().position(|prefix| id.starts_with(prefix)).unwrap_or(2)
    })
}

/// `USB Audio Device, USB Audio` is called that, and `USB Audio Device`.
fn is_called(description: &str, name: &str) -> bool {
    let card = description.split_once(',').map_or(description, |(card, _)| card);
    [description, card].iter().any(|one| one.trim().eq_ignore_ascii_case(name.trim()))
}

fn nothing_called(host: &Host, name: &str, direction: Direction) -> String {
    let there: Vec<String> =
        that_way(host, direction).map(|device| id(&device)).filter(|id| is_plain(id)).collect();
    refusal(name, direction, &there)
}

/// Other ids are cards in other clothes, for surround sound and the like.
fn is_plain(id: &str) -> bool {
    id != "null" && (!id.contains(':') || id.starts_with("hw:") || id.starts_with("plughw:"))
}

fn refusal(name: &str, direction: Direction, there: &[String]) -> String {
    let way = if direction == Direction::In { "input" } else { "output" };
    let mut sentence = format!("no such sound device: {name}");
    for (at, id) in there.iter().enumerate() {
        let before = if at == 0 { format!("; for {way} there is ") } else { ", ".into() };
        if sentence.len() + before.len() + id.len() > SENTENCE_BYTES {
            return sentence + " and more, see vox-peer devices";
        }
        sentence = sentence + &before + id;
    }
    if there.is_empty() { sentence + "; there is none at all for " + way } else { sentence }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_answers_to_its_own_name_and_to_that_of_its_device() {
        let usb = "USB Audio Device, USB Audio";
        for name in ["usb audio device", "USB Audio Device, USB Audio", " USB Audio Device "] {
            assert!(is_called(usb, name), "{name}");
        }
        assert!(!is_called(usb, "USB") && !is_called(usb, "USB Audio"));
    }

    #[test]
    fn a_refusal_says_what_there_is_in_one_short_line() {
        let names = |count| (0..count).map(|n| format!("hw:CARD={n},DEV=0")).collect::<Vec<_>>();
        let of = |count| refusal("USB", Direction::In, &names(count));
        assert_eq!(of(0), "no such sound device: USB; there is none at all for input");
        assert_eq!(of(2), "no such sound device: USB; for input there is hw:CARD=0,DEV=0, hw:CARD=1,DEV=0");
        assert!(of(100).ends_with(" and more, see vox-peer devices") && of(100).len() < 350);
    }

    #[test]
    fn cards_in_other_clothes_are_not_offered() {
        let plain: Vec<_> =
            ["default", "null", "hw:CARD=A,DEV=0", "plughw:CARD=A,DEV=0", "surround51:CARD=A"]
                .into_iter()
                .filter(|id| is_plain(id))
                .collect();
        assert_eq!(plain, ["default", "hw:CARD=A,DEV=0", "plughw:CARD=A,DEV=0"]);
    }
}
