//! A station that cannot start says why in one sentence, and leaves what it found as it was.

use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;
use vox_tests::bed::{Place, Settings, Station, wait};
use vox_tests::bins;

/// Tries to start a station with these settings beside good ones; returns its exit code and last words.
fn start(place: &Place, wrong: &[(&str, &str)]) -> (Option<i32>, String) {
    let mut settings = Settings::default();
    settings
        .set("name", "zoe")
        .set("network.listen", "127.0.0.1:0")
        .set("audio.input", "silence")
        .set("audio.output", "null")
        .set("control.socket", place.at("zoe.sock").display().to_string())
        .set("state.directory", place.at("zoe-state").display().to_string())
        .set("log.level", "error")
        .set("log.target", "stderr");
    for (key, value) in wrong {
        settings.set(key, *value);
    }
    let file = place.write("zoe.toml", &settings.to_toml());
    let output = Command::new(bins::peer()).args(["run", "--config"]).arg(file).output().expect("it starts");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).trim_end().to_owned())
}

#[test]
fn what_keeps_a_station_from_starting_is_one_sentence_and_1() {
    let place = Place::new();
    let alice = Station::named("alice").start(&place);
    let at = |name: &str| place.at(name).display().to_string();
    place.write("file", "mine");
    let silent = UnixDatagram::bind(place.at("datagrams.sock")).expect("a private directory can be written");
    for (key, value, words) in [
        ("network.listen", format!("127.0.0.1:{}", alice.port()), "is taken by another program"),
        ("network.listen", "203.0.113.1:6000".into(), "cannot listen on UDP 203.0.113.1:6000"),
        ("control.socket", at("alice.sock"), "another daemon already answers"),
        ("control.socket", at("file"), "file"),
        ("control.socket", at("datagrams.sock"), "datagrams.sock"),
        ("control.socket", at(&"long".repeat(40)), "longlong"),
        ("control.socket", at("no/such/place.sock"), "no/such/place.sock"),
        ("state.directory", at("file/state"), "cannot write to "),
    ] {
        let (code, said) = start(&place, &[(key, &value)]);
        assert_eq!((code, said.lines().count()), (Some(1), 1), "{key} = {value}: {said}");
        assert!(said.contains(words) && said.starts_with("vox-peer: "), "{key} = {value}: {said}");
    }
    drop(silent);
    assert_eq!(std::fs::read_to_string(place.at("file")).expect("it is still there"), "mine");
    assert!(alice.run(&["status"]).code == 0, "who was there before is not disturbed");
}

#[test]
fn a_configuration_that_was_changed_is_read_again_and_a_broken_one_is_not_taken() {
    let place = Place::new();
    let alice = Station::named("alice").set("audio.input", "silence").start(&place);
    let mut bob = Station::named("bob").set("audio.input", "silence").start(&place);
    let (file, call) = (place.at("bob.toml"), format!("127.0.0.1:{}", bob.port()));
    let text = std::fs::read_to_string(&file).expect("bob's configuration");
    let mut reload = |text: &str, told: &str| {
        place.write("bob.toml", text);
        bob.process().signal(Signal::SIGHUP);
        bob.process().wait_for_log(told);
    };
    reload(&format!("{text}[call]\nauto-answer = true\n"), "configuration was read again");
    assert_eq!(alice.run(&["call", "--detach", &call]).code, 0);
    reload("name = 5\n", "the configuration stays as it was: ");
    reload(&text.replace("\"bob\"", "\"rob\""), "a change of name needs a restart, the old value stays");
    alice.wait_until("talking");
    assert_eq!(bob.status("peer", "name").as_deref(), Some("bob"));
    assert_eq!(alice.run(&["hangup"]).code, 0);
}

#[test]
fn a_sound_file_that_is_not_there_is_told_and_calls_go_on_without_it() {
    let place = Place::new();
    let bob = Station::named("bob").answering().start(&place);
    let missing = format!("file:{}", place.at("missing.wav").display());
    let alice = Station::named("alice").set("audio.input", missing).start(&place);
    let _call = alice.begin(&["call", &format!("127.0.0.1:{}", bob.port())]);
    bob.wait_until("talking");
    let told = wait::within(Duration::from_secs(10), || {
        let audio = alice.run(&["status"]).out;
        audio.lines().any(|line| line.contains("does not work") && line.contains("missing.wav")).then_some(())
    });
    assert!(told.is_some(), "{}", alice.run(&["status"]).out);
    wait::until("silence to be heard", 10, || (bob.figure("media", "packets-received") > 20.0).then_some(()));
}
