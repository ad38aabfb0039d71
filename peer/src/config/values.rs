//! Values that more than one character of meaning stands in: devices, hosts with ports.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

/// Where sound comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum InputDevice {
    /// The system's choice.
    Default,
    /// A sound device by the name that `vox-peer devices` shows.
    Named(String),
    /// A WAV file, from its beginning with each call and followed by silence.
    File(PathBuf),
    /// A sine of this many hertz.
    Tone(f32),
    /// Nothing but zeros.
    Silence,
}

/// Where sound goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutputDevice {
    /// The system's choice.
    Default,
    /// A sound device by the name that `vox-peer devices` shows.
    Named(String),
    /// A WAV file that holds the latest call.
    File(PathBuf),
    /// Nowhere, at the pace of the clock.
    Null,
}

/// The period that the sound card is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// As near as the card can come to the packetization time, or to 5 ms where that is shorter.
    Auto,
    /// This many frames.
    Frames(u32),
}

/// A host, by name or address, and a port: as written, before it is resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPort {
    /// A host name or an IP literal without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl InputDevice {
    /// Reads the value of the key; `None`: not one of the forms above.
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once(':') {
            _ if text.is_empty() => None,
            _ if text == "default" => Some(Self::Default),
            _ if text == "silence" => Some(Self::Silence),
            Some(("file", path)) => wav(path).map(Self::File),
            Some(("tone", hertz)) => tone(hertz).map(Self::Tone),
            _ => Some(Self::Named(text.into())),
        }
    }
}

impl OutputDevice {
    /// Reads the value of the key; `None`: not one of the forms above.
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once(':') {
            _ if text.is_empty() => None,
            _ if text == "default" => Some(Self::Default),
            _ if text == "null" => Some(Self::Null),
            Some(("file", path)) => wav(path).map(Self::File),
            _ => Some(Self::Named(text.into())),
        }
    }
}

fn wav(path: &str) -> Option<PathBuf> {
    (!path.is_empty()).then(|| path.into())
}

fn tone(hertz: &str) -> Option<f32> {
    hertz.parse().ok().filter(|hertz| (20.0..=20_000.0).contains(hertz))
}

impl HostPort {
    /// Reads `host`, `host:port`, `[v6]`, `[v6]:port` or a bare IPv6 address; the port may be left out.
    pub fn parse(text: &str, default_port: u16) -> Option<Self> {
        let (host, port) = split_port(text)?;
        let port = port.map_or(Some(default_port), |port| port.parse().ok().filter(|&port| port != 0))?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:%".contains(&byte);
        (!host.is_empty() && host.len() <= 253 && host.bytes().all(plain))
            .then(|| Self { host: host.into(), port })
    }
}

fn split_port(text: &str) -> Option<(&str, Option<&str>)> {
    if let Some(bracketed) = text.strip_prefix('[') {
        let (host, rest) = bracketed.split_once(']')?;
        let port = if rest.is_empty() { None } else { Some(rest.strip_prefix(':')?) };
        return host.contains(':').then_some((host, port));
    }
    match text.split_once(':') {
        None => Some((text, None)),
        Some((_, port)) if port.contains(':') => text.parse::<IpAddr>().ok().map(|_| (text, None)),
        Some((host, port)) => Some((host, Some(port))),
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(out, "[{}]:{}", self.host, self.port)
        } else {
            write!(out, "{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_a_word_of_ours_or_the_name_of_a_card() {
        for (text, device) in [
            ("default", Some(InputDevice::Default)),
            ("silence", Some(InputDevice::Silence)),
            ("tone:440", Some(InputDevice::Tone(440.0))),
            ("tone:0", None),
            ("tone:nan", None),
            ("tone:", None),
            ("file:", None),
            ("file:/a b.wav", Some(InputDevice::File("/a b.wav".into()))),
            ("plughw:1,0", Some(InputDevice::Named("plughw:1,0".into()))),
            ("", None),
        ] {
            assert_eq!(InputDevice::parse(text), device, "{text}");
        }
        assert_eq!(OutputDevice::parse("null"), Some(OutputDevice::Null));
        assert_eq!(OutputDevice::parse("file:x.wav"), Some(OutputDevice::File("x.wav".into())));
    }

    #[test]
    fn a_host_may_leave_out_its_port() {
        for (text, shown) in [
            ("intercom.lan:5000", "intercom.lan:5000"),
            ("intercom.lan", "intercom.lan:7"),
            ("192.168.1.20:6000", "192.168.1.20:6000"),
            ("[fe80::1%eth0]:6000", "[fe80::1%eth0]:6000"),
            ("[::1]", "[::1]:7"),
            ("::1", "[::1]:7"),
        ] {
            assert_eq!(HostPort::parse(text, 7).expect(text).to_string(), shown);
        }
    }

    #[test]
    fn what_is_not_a_host_is_refused() {
        for text in [
            "",
            ":5000",
            "a:",
            "a:0",
            "a:70000",
            "a:b:5",
            "[a]:5",
            "[::1]5",
            "[::1",
            "a b",
            "a/b",
            "jo\u{e3}o",
        ] {
            assert_eq!(HostPort::parse(text, 7), None, "{text}");
        }
    }
}
