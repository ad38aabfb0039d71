//! `peer.toml` key by key: what each is called, what it may be, and what it is when nobody says.

use std::net::{Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use vox_common::sys::config::{ConfigError, Given, Section};
use vox_common::sys::syslog;
use vox_common::wire::coding::PTIMES;
use vox_common::wire::limits::{MAX_ALLOWED, MAX_CONTACTS};
use vox_common::wire::names::{DisplayName, Name};
use vox_common::wire::signal::MediaSealing;

use super::{
    Audio, Config, HostPort, InputDevice, OutputDevice, PEER_PORT, Period, Places, REGISTRY_PORT, Voice,
};
use crate::agent::allow::Allow;
use crate::agent::consent::{Consent, Rule};
use crate::agent::io::Policy;
use crate::agent::link::Sealing;
use crate::dsp::tasks::Tasks;
use crate::media::orders::{Codec, Coding};
use crate::media::profile::{Numbers, Profile};

pub(super) fn read_top(top: &mut Section<'_>, places: &Places) -> Result<Config, ConfigError> {
    let name = top.required("name", NAME, |given| Name::parse(given.text()?).ok())?;
    let display =
        top.value("display", "at most 64 printable characters", None, |given| match given.text()? {
            "" => Some(None),
            text => DisplayName::new(text).map(Some),
        })?;
    let (registry, sealing, secret_file) = top.section("registry", read_registry)?;
    let contacts = top.section("contacts", read_contacts)?;
    let (listen, dscp) = top.section("network", read_network)?;
    let (voice, alarm_delay) = top.section("voice", read_voice)?;
    let (codec, bitrate) = top.section("codec", |section| read_codec(section, &voice.numbers()))?;
    let (audio, ptime_us) = top.section("audio", |section| read_audio(section, codec, &voice.numbers()))?;
    check_frame(top, &voice, ptime_us)?;
    let call = top.section("call", read_call)?;
    let consent = top.section("consent", |section| read_consent(section, call.auto_answer))?;
    let policy = Policy { consent, allow: call.allow, ring_timeout: call.ring_timeout, alarm_delay };
    let control_socket = top.section("control", |control| control.path("socket", &places.socket))?;
    let state_directory = top.section("state", |state| state.path("directory", &places.state))?;
    let priority = top.section("realtime", read_priority)?;
    let media = top.section("security", read_security)?;
    let log = top.section("log", syslog::Settings::read)?;
    let coding = Coding { codec, ptime_us };
    Ok(Config {
        name,
        display,
        registry,
        sealing,
        secret_file,
        secret: None,
        contacts,
        listen,
        dscp,
        audio,
        coding,
        bitrate,
        voice,
        policy,
        control_socket,
        state_directory,
        priority,
        media,
        log,
    })
}

pub(super) const NAME: &str = "1 to 32 of a-z 0-9 . _ - and begin with a letter";
const HOST: &str = r#"a host and a port like "192.168.1.20:6000""#;

type RegistryKeys = (Option<HostPort>, Sealing, Option<PathBuf>);

fn read_registry(section: &mut Section<'_>) -> Result<RegistryKeys, ConfigError> {
    let allowed = r#"a host and a port like "intercom.lan:5000", or "none""#;
    let address = section.value("address", allowed, None, |given| match given.text()? {
        "none" => Some(None),
        text => HostPort::parse(text, REGISTRY_PORT).map(Some),
    })?;
    let allowed = r#""preferred", "required" or "off""#;
    let sealing =
        section.value("sealed", allowed, Sealing::default(), |given| Sealing::parse(given.text()?))?;
    let allowed = r#"a path that begins with /, or "none""#;
    let secret_file = section.value("secret-file", allowed, None, |given| match given.text()? {
        "none" => Some(None),
        path => path.starts_with('/').then(|| Some(path.into())),
    })?;
    Ok((address, sealing, secret_file))
}

fn read_contacts(section: &mut Section<'_>) -> Result<Vec<(Name, HostPort)>, ConfigError> {
    let allowed = format!("{HOST} under a name of {NAME}");
    let contact =
        |key: &str, given: &Given| Some((Name::parse(key).ok()?, HostPort::parse(given.text()?, PEER_PORT)?));
    let mut contacts = section.each(&allowed, contact)?;
    contacts.sort_by(|(one, _), (other, _)| one.cmp(other));
    if contacts.len() > MAX_CONTACTS {
        let sentence =
            format!("[contacts] has {} entries, but must have at most {MAX_CONTACTS}", contacts.len());
        return Err(section.refuse(&sentence));
    }
    match contacts.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        Some(pair) => Err(section.refuse_again(&pair[0].0.to_string())),
        None => Ok(contacts),
    }
}

fn read_network(section: &mut Section<'_>) -> Result<(SocketAddr, u8), ConfigError> {
    let any = SocketAddr::from((Ipv6Addr::UNSPECIFIED, PEER_PORT));
    let allowed = r#"an IP address and a port like "[::]:6000" or "0.0.0.0:6000""#;
    let listen = section.value("listen", allowed, any, |given| given.text()?.parse().ok())?;
    let dscp = section.value("dscp", "0 to 63", 46, |given| small(given, 0, 63))?;
    Ok((listen, dscp))
}

/// Up to here most people talk as if there were none (ITU-T G.114).
const ALARM_DELAY: Option<Duration> = Some(Duration::from_millis(150));

fn read_voice(section: &mut Section<'_>) -> Result<(Voice, Option<Duration>), ConfigError> {
    let allowed = r#""lan", "studio", "wifi" or "internet""#;
    let profile =
        section.value("profile", allowed, Profile::default(), |given| Profile::parse(given.text()?))?;
    let profiles_own = profile.numbers().most_delay;
    let allowed = r#"10 to 1000, or "auto""#;
    let max_delay = section.value("max-delay-ms", allowed, profiles_own, |given| {
        let milliseconds = given.whole(10..=1_000).map(|ms| Duration::from_millis(ms.into()));
        milliseconds.or_else(|| auto(given, profiles_own))
    })?;
    let alarm_delay =
        section.value("alarm-delay-ms", "10 to 5000, or 0 for never", ALARM_DELAY, |given| {
            let milliseconds = given.whole(10..=5_000).map(|ms| Some(Duration::from_millis(ms.into())));
            milliseconds.or_else(|| given.whole(0..=0).map(|_| None))
        })?;
    Ok((Voice { profile, max_delay, tasks: read_tasks(section)? }, alarm_delay))
}

fn read_tasks(section: &mut Section<'_>) -> Result<Tasks, ConfigError> {
    let allowed = if Tasks::POSSIBLE { "true or false" } else { "false in a vox-peer built without dsp" };
    let mut task =
        |key| section.value(key, allowed, false, |given| given.flag().filter(|&on| Tasks::POSSIBLE || !on));
    Ok(Tasks {
        echo_cancel: task("echo-cancel")?,
        noise_suppress: task("noise-suppress")?,
        gain_control: task("gain-control")?,
    })
}

/// Echo cancellation and its like work in frames of 10 ms, in which the delay that `studio` is for is lost.
fn check_frame(top: &Section<'_>, voice: &Voice, ptime_us: u32) -> Result<(), ConfigError> {
    let tasks = voice.tasks;
    if ptime_us < voice.least_ptime_us() {
        Err(top.refuse_value("audio.ptime-ms", &format!("at least 10 with voice.{tasks}")))
    } else if voice.profile == Profile::Studio && !tasks.is_none() {
        Err(top.refuse_value("voice.profile", &format!(r#""lan", "wifi" or "internet" with voice.{tasks}"#)))
    } else {
        Ok(())
    }
}

/// What stands for "auto".
fn auto<T>(given: &Given, meant: T) -> Option<T> {
    (given.text()? == "auto").then_some(meant)
}

fn read_audio(
    section: &mut Section<'_>,
    codec: Codec,
    numbers: &Numbers,
) -> Result<(Audio, u32), ConfigError> {
    let allowed = r#""default", the name of a device, "file:PATH.wav", "tone:HERTZ" or "silence""#;
    let input =
        section.value("input", allowed, InputDevice::Default, |given| InputDevice::parse(given.text()?))?;
    let allowed = r#""default", the name of a device, "file:PATH.wav" or "null""#;
    let output = section
        .value("output", allowed, OutputDevice::Default, |given| OutputDevice::parse(given.text()?))?;
    let ptime_us = read_ptime(section, codec, numbers)?;
    let period = section.value("period", r#""auto" or 16 to 8192 frames"#, Period::Auto, period)?;
    Ok((Audio { input, output, period }, ptime_us))
}

/// 20 ms that are not compressed do not fit into a packet, and Opus has no frame of 1.25 ms.
fn read_ptime(section: &mut Section<'_>, codec: Codec, numbers: &Numbers) -> Result<u32, ConfigError> {
    let (allowed, possible) = match codec {
        Codec::Opus => (r#""auto", 2.5, 5, 10 or 20, or 1.25 with codec.name "l16""#, 2_500..=20_000),
        Codec::L16 => (r#""auto", 1.25, 2.5, 5 or 10 with codec.name "l16""#, 1_250..=10_000),
    };
    let profiles_own = numbers.coding.ptime_us.clamp(*possible.start(), *possible.end());
    section.value("ptime-ms", allowed, profiles_own, |given| {
        ptime_us(given).filter(|us| possible.contains(us)).or_else(|| auto(given, profiles_own))
    })
}

fn ptime_us(given: &Given) -> Option<u32> {
    let us = given.number()? * 1_000.0;
    PTIMES.into_iter().find_map(|(_, choice)| (us.to_bits() == f64::from(choice).to_bits()).then_some(choice))
}

fn period(given: &Given) -> Option<Period> {
    given.whole(16..=8192).map(Period::Frames).or_else(|| auto(given, Period::Auto))
}

fn read_codec(section: &mut Section<'_>, numbers: &Numbers) -> Result<(Codec, u32), ConfigError> {
    let profiles_own = numbers.coding.codec;
    let codec = section.value("name", r#""opus", "l16" or "auto""#, profiles_own, |given| {
        Codec::parse(given.text()?).or_else(|| auto(given, profiles_own))
    })?;
    let bitrate = section.value("bitrate", r#"6000 to 510000, or "auto""#, numbers.bitrate, |given| {
        given.whole(6_000..=510_000).or_else(|| auto(given, numbers.bitrate))
    })?;
    Ok((codec, bitrate))
}

/// `[call]`.
struct Call {
    auto_answer: bool,
    allow: Allow,
    ring_timeout: Duration,
}

fn read_call(section: &mut Section<'_>) -> Result<Call, ConfigError> {
    let auto_answer = section.value("auto-answer", "true or false", false, Given::flag)?;
    let allowed = format!(r#""anyone", "known", or at most {MAX_ALLOWED} names like ["bob", "door.hall"]"#);
    let allow = section.value("allow", &allowed, Allow::Anyone, allow)?;
    let seconds = section.value("ring-timeout-s", "1 to 600", 30, |given| given.whole(1..=600))?;
    Ok(Call { auto_answer, allow, ring_timeout: Duration::from_secs(seconds.into()) })
}

/// `call.auto-answer = true` is a shorter way to write `consent.voice = "allow"`, and contradicts anything else there.
fn read_consent(section: &mut Section<'_>, auto_answer: bool) -> Result<Consent, ConfigError> {
    let allowed =
        format!(r#""ask", "allow", "refuse", or at most {MAX_ALLOWED} names like ["bob", "door.hall"]"#);
    let voice = section.optional("voice", &allowed, rule)?;
    let test = section.value("test", &allowed, Rule::Refuse, rule)?;
    match voice {
        Some(voice) if auto_answer && voice != Rule::Allow => {
            Err(section.refuse_value("consent.voice", r#""allow" with call.auto-answer = true"#))
        }
        Some(voice) => Ok(Consent { voice, test }),
        None if auto_answer => Ok(Consent { voice: Rule::Allow, test }),
        None => Ok(Consent { voice: Rule::Ask, test }),
    }
}

fn rule(given: &Given) -> Option<Rule> {
    match given.text() {
        Some("ask") => Some(Rule::Ask),
        Some("allow") => Some(Rule::Allow),
        Some("refuse") => Some(Rule::Refuse),
        Some(_) => None,
        None => names(given).map(Rule::Names),
    }
}

/// A list of at most [`MAX_ALLOWED`] names.
fn names(given: &Given) -> Option<Box<[Name]>> {
    let listed = given.list().filter(|listed| listed.len() <= MAX_ALLOWED)?;
    listed.iter().map(|name| Name::parse(name.text()?).ok()).collect()
}

fn allow(given: &Given) -> Option<Allow> {
    match given.text() {
        Some("anyone") => Some(Allow::Anyone),
        Some("known") => Some(Allow::Known),
        Some(_) => None,
        None => names(given).map(Allow::Only),
    }
}

fn read_priority(section: &mut Section<'_>) -> Result<u8, ConfigError> {
    let choice = |given: &Given| small(given, 3, 98).or_else(|| small(given, 0, 0));
    section.value("priority", "3 to 98, or 0 for ordinary threads", 70, choice)
}

fn read_security(section: &mut Section<'_>) -> Result<MediaSealing, ConfigError> {
    section.value("media", r#""required" or "off""#, MediaSealing::Required, |given| match given.text()? {
        "required" => Some(MediaSealing::Required),
        "off" => Some(MediaSealing::Off),
        _ => None,
    })
}

fn small(given: &Given, least: u32, most: u32) -> Option<u8> {
    given.whole(least..=most).and_then(|number| number.try_into().ok())
}
