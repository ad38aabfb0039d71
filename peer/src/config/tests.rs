//! The file as a whole: the sample, every key, and what is refused.

use vox_common::wire::limits::{MAX_ALLOWED, MAX_CONTACTS};

use super::read::NAME;
use super::*;
use crate::agent::allow::Allow;
use crate::agent::consent::{Consent, Rule};
use crate::media::orders::Codec;

const SAMPLE: &str = include_str!("../../../systemd/etc/peer.toml");

fn parse(text: &str) -> Result<Config, String> {
    let document = Document::new(Path::new("peer.toml"), text.into());
    Config::parse(&document, &Places::default()).map_err(|error| error.to_string())
}

/// `#key = value` is a key at its default; `# …` is prose.
fn uncomment(line: &str) -> String {
    let code =
        line.strip_prefix('#').filter(|rest| rest.starts_with(|first: char| first.is_ascii_lowercase()));
    code.unwrap_or(line).to_owned() + "\n"
}

#[test]
fn the_sample_shows_every_default() {
    let uncommented: String = SAMPLE.lines().map(uncomment).collect();
    assert_eq!(parse(&uncommented), parse("name = \"alice\""));
    assert_eq!(parse(SAMPLE), Err(format!("peer.toml: name is missing: it must be {NAME}")));
}

#[test]
fn the_sample_holds_every_key() {
    for section in [
        "registry", "network", "audio", "codec", "voice", "call", "consent", "control", "state", "realtime",
        "security", "log",
    ] {
        let refusal = parse(&format!("name = \"a\"\n[{section}]\nno-key = 1")).expect_err(section);
        let (_, keys) = refusal.split_once(" has ").expect("the refusal lists the keys");
        for key in keys.split([',', ' ']).filter(|word| !word.is_empty() && *word != "and") {
            let body = SAMPLE.split_once(&format!("\n[{section}]\n")).expect(section).1;
            let body = body.split("\n[").next().unwrap_or_default();
            assert!(body.contains(&format!("\n#{key} = ")), "{section}.{key}");
        }
    }
}

#[test]
fn every_key_may_be_set() {
    let text = r#"
        name = "Alice"
        display = "Alice A."
        registry = { address = "intercom.lan", secret-file = "/etc/vox/secret" }
        contacts.Bob = "192.168.1.20"
        network = { listen = "127.0.0.1:0", dscp = 0 }
        audio = { input = "tone:440", output = "null", ptime-ms = 2.5, period = 240 }
        codec = { name = "l16", bitrate = 6000 }
        voice = { profile = "wifi", max-delay-ms = 60, alarm-delay-ms = 0, gain-control = false }
        call = { auto-answer = true, ring-timeout-s = 5, allow = ["Bob", "door.hall"] }
        consent = { test = ["Ann"] }
        control.socket = "/tmp/s"
        state.directory = "/tmp/d"
        realtime.priority = 0
        log = { level = "debug", target = "stderr" }
    "#;
    let config = parse(text).expect("all of it is allowed");
    assert_eq!(config.name.as_str(), "alice");
    assert_eq!(config.registry.expect("given").to_string(), "intercom.lan:5000");
    assert_eq!(config.secret_file.expect("given"), Path::new("/etc/vox/secret"));
    assert_eq!(config.contacts[0].1.to_string(), "192.168.1.20:6000");
    assert_eq!(config.coding, Coding { codec: Codec::L16, ptime_us: 2_500 });
    assert_eq!(config.audio.period, Period::Frames(240));
    assert_eq!(
        config.voice,
        Voice { profile: Profile::Wifi, max_delay: Duration::from_millis(60), tasks: Tasks::NONE }
    );
    let allow = Allow::Only(["bob", "door.hall"].map(|name| Name::parse(name).expect("a name")).into());
    let ring_timeout = Duration::from_secs(5);
    let ann = Name::parse("ann").expect("a name");
    let consent = Consent { voice: Rule::Allow, test: Rule::Names([ann].into()) };
    assert_eq!(config.policy, Policy { consent, allow, ring_timeout, alarm_delay: None });
    assert_eq!((config.priority, config.dscp), (0, 0));
}

#[test]
fn what_is_left_out_is_as_the_profile_has_it() {
    let config = parse("name = \"a\"\nvoice.profile = \"internet\"").expect("allowed");
    let numbers = Profile::Internet.numbers();
    assert_eq!(config.voice.numbers(), numbers);
    assert_eq!((config.coding, config.bitrate), (numbers.coding, numbers.bitrate));
    let config = parse("name = \"a\"\nvoice.profile = \"internet\"\ncodec.name = \"l16\"").expect("allowed");
    assert_eq!(config.coding, Coding { codec: Codec::L16, ptime_us: 10_000 });
}

#[cfg(feature = "dsp")]
#[test]
fn what_is_done_to_the_sound_is_done_in_10_ms() {
    let on = "name = \"a\"\nvoice = { profile = \"lan\", echo-cancel = true, noise-suppress = true }";
    let config = parse(on).expect("allowed");
    assert_eq!(config.voice.tasks.to_string(), "echo-cancel,noise-suppress");
    assert!(config.coding.ptime_us >= 10_000);
    assert_eq!(
        parse(&format!("{on}\naudio.ptime-ms = 2.5")),
        Err(
            "peer.toml:3: audio.ptime-ms is 2.5, but must be at least 10 with voice.echo-cancel,noise-suppress"
                .into()
        )
    );
}

#[cfg(feature = "dsp")]
#[test]
fn studio_has_no_time_for_echo_cancellation() {
    assert_eq!(
        parse("name = \"a\"\n[voice]\nprofile = \"studio\"\necho-cancel = true"),
        Err("peer.toml:3: voice.profile is \"studio\", but must be \"lan\", \"wifi\" or \"internet\" with voice.echo-cancel".into())
    );
}

#[cfg(not(feature = "dsp"))]
#[test]
fn what_this_build_cannot_do_is_refused() {
    let refusal = parse("name = \"a\"\nvoice.echo-cancel = true");
    let sentence = "voice.echo-cancel is true, but must be false in a vox-peer built without dsp";
    assert_eq!(refusal, Err(format!("peer.toml:2: {sentence}")));
    assert!(parse("name = \"a\"\nvoice.echo-cancel = false").is_ok());
}

#[test]
fn a_studio_sends_the_shortest_packets_that_its_codec_has_unless_told_otherwise() {
    for (said, codec, ptime_us) in [
        ("", Codec::L16, 1_250),
        ("codec.name = \"auto\"\naudio.ptime-ms = \"auto\"", Codec::L16, 1_250),
        ("audio.ptime-ms = 5", Codec::L16, 5_000),
        ("codec.name = \"opus\"", Codec::Opus, 2_500),
        ("codec.name = \"opus\"\naudio.ptime-ms = 20", Codec::Opus, 20_000),
    ] {
        let config = parse(&format!("name = \"a\"\nvoice.profile = \"studio\"\n{said}")).expect(said);
        assert_eq!(config.coding, Coding { codec, ptime_us }, "{said}");
    }
    let config = parse("name = \"a\"\ncodec.name = \"l16\"\naudio.ptime-ms = 1.25").expect("allowed");
    assert_eq!(config.coding, Coding { codec: Codec::L16, ptime_us: 1_250 });
}

#[test]
fn what_is_not_allowed_is_told() {
    for (text, sentence) in [
        (
            "name = \"a\"\nvoice.echo-cancel = \"yes\"",
            if Tasks::POSSIBLE {
                "2: voice.echo-cancel is \"yes\", but must be true or false"
            } else {
                "2: voice.echo-cancel is \"yes\", but must be false in a vox-peer built without dsp"
            },
        ),
        ("name = \"2\"", "1: name is \"2\", but must be 1 to 32 of a-z 0-9 . _ - and begin with a letter"),
        (
            "name = \"a\"\nregistry.secret-file = \"secret\"",
            "2: registry.secret-file is \"secret\", but must be a path that begins with /, or \"none\"",
        ),
        (
            "name = \"a\"\ncall.allow = \"nobody\"",
            "2: call.allow is \"nobody\", but must be \"anyone\", \"known\", or at most 64 names like [\"bob\", \"door.hall\"]",
        ),
        (
            "name = \"a\"\nsecurity.media = \"on\"",
            "2: security.media is \"on\", but must be \"required\" or \"off\"",
        ),
        (
            "name = \"a\"\naudio.ptime-ms = 1.25",
            "2: audio.ptime-ms is 1.25, but must be \"auto\", 2.5, 5, 10 or 20, or 1.25 with codec.name \"l16\"",
        ),
        (
            "name = \"a\"\naudio.ptime-ms = 20\ncodec.name = \"l16\"",
            "2: audio.ptime-ms is 20, but must be \"auto\", 1.25, 2.5, 5 or 10 with codec.name \"l16\"",
        ),
        (
            "name = \"a\"\nvoice.profile = \"moon\"",
            "2: voice.profile is \"moon\", but must be \"lan\", \"studio\", \"wifi\" or \"internet\"",
        ),
        (
            "name = \"a\"\nvoice.max-delay-ms = 9",
            "2: voice.max-delay-ms is 9, but must be 10 to 1000, or \"auto\"",
        ),
        (
            "name = \"a\"\nvoice.alarm-delay-ms = 9",
            "2: voice.alarm-delay-ms is 9, but must be 10 to 5000, or 0 for never",
        ),
        (
            "name = \"a\"\nrealtime.priority = 1",
            "2: realtime.priority is 1, but must be 3 to 98, or 0 for ordinary threads",
        ),
        (
            "name = \"a\"\ncontrol.socket = \"x\"",
            "2: control.socket is \"x\", but must be a path that begins with /",
        ),
        (
            "name = \"a\"\ncontacts.bob = \"x:0\"",
            "2: contacts.bob is \"x:0\", but must be a host and a port like \"192.168.1.20:6000\" under a name of 1 to 32 of a-z 0-9 . _ - and begin with a letter",
        ),
    ] {
        assert_eq!(parse(text), Err(format!("peer.toml:{sentence}")));
    }
    let twice = parse("name = \"a\"\ncontacts.bob = \"x\"\ncontacts.Bob = \"y\"");
    assert_eq!(twice, Err("peer.toml:3: contacts.bob stands twice (case does not matter)".into()));
}

/// A refusal is one line that begins with the file; anything else is a configuration.
fn is_told_in_one_line(text: &str) {
    if let Err(refusal) = parse(text) {
        assert!(
            refusal.starts_with("peer.toml:") && !refusal.contains(char::is_control),
            "{text:?}: {refusal:?}"
        );
    }
}

#[test]
fn no_change_of_the_sample_is_too_strange_to_refuse() {
    let sample: String = SAMPLE.lines().map(uncomment).filter(|line| !line.starts_with('#')).collect();
    for at in 0..sample.len() {
        is_told_in_one_line(&sample[..at]);
        for letter in ["", "\"", "\n", "=", "9", "\u{1b}", "\u{e9}"] {
            is_told_in_one_line(&format!("{}{letter}{}", &sample[..at], &sample[at + 1..]));
        }
    }
}

proptest::proptest! {
    #[test]
    fn no_text_is_too_strange_to_refuse(text in "[a-z\\[\\]=\"'0-9. {}#\\n\\x00-\\x1f]{0,60}") {
        is_told_in_one_line(&text);
    }
}

#[test]
fn who_may_ring_is_anyone_the_known_or_a_list() {
    let allow =
        |said: &str| parse(&format!("name = \"a\"\ncall.allow = {said}")).map(|config| config.policy.allow);
    assert_eq!(allow("\"anyone\""), Ok(Allow::Anyone));
    assert_eq!(allow("\"known\""), Ok(Allow::Known));
    assert_eq!(allow("[]"), Ok(Allow::Only([].into())));
    let names = |count: usize| format!("{:?}", (0..count).map(|n| format!("u{n}")).collect::<Vec<_>>());
    assert!(matches!(allow(&names(MAX_ALLOWED)), Ok(Allow::Only(names)) if names.len() == MAX_ALLOWED));
    for wrong in [names(MAX_ALLOWED + 1).as_str(), "[\"2bob\"]", "[5]", "true"] {
        assert!(allow(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn consent_is_given_for_each_kind_and_auto_answer_is_a_short_way_to_say_so() {
    let voice =
        |said: &str| parse(&format!("name = \"a\"\n{said}")).map(|config| config.policy.consent.voice);
    assert_eq!(voice(""), Ok(Rule::Ask));
    assert_eq!(voice("call.auto-answer = true"), Ok(Rule::Allow));
    assert_eq!(voice("call.auto-answer = true\nconsent.voice = \"allow\""), Ok(Rule::Allow));
    assert_eq!(voice("consent.voice = \"refuse\""), Ok(Rule::Refuse));
    assert_eq!(voice("consent.voice = [\"Bob\"]"), Ok(Rule::Names([Name::parse("bob").unwrap()].into())));
    assert_eq!(
        voice("call.auto-answer = true\nconsent.voice = \"ask\""),
        Err("peer.toml:3: consent.voice is \"ask\", but must be \"allow\" with call.auto-answer = true"
            .into())
    );
    for wrong in ["\"anyone\"", "true", "[7]"] {
        assert!(voice(&format!("consent.voice = {wrong}")).is_err(), "{wrong}");
    }
}

#[test]
fn contacts_are_bounded() {
    use std::fmt::Write;
    let mut text = String::from("name = \"a\"\n[contacts]\n");
    for n in 0..=MAX_CONTACTS {
        writeln!(text, "c{n} = \"10.0.0.1\"").expect("into a string");
    }
    assert_eq!(parse(&text), Err("peer.toml:2: [contacts] has 65 entries, but must have at most 64".into()));
}
