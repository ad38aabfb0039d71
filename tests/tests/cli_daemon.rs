//! Every command against real stations and a real registry.

use std::collections::BTreeSet;
use std::fs;
use std::net::UdpSocket;
use std::process::Command;

use nix::sys::signal::Signal;
use serde_json::Value;
use vox_tests::bed::{Place, Process, Registry, Said, Station, need, station, wait};
use vox_tests::bins;

fn done(station: &Station, typed: &[&str]) -> String {
    let said = station.run(typed);
    assert!(said.code == 0 && said.err.is_empty(), "{typed:?}: {said:?}");
    said.out
}

fn refused(station: &Station, typed: &[&str]) -> String {
    let said = station.run(typed);
    assert!(said.code == 1 && said.err.lines().count() == 1, "{typed:?}: {said:?}");
    said.err
}

fn json(station: &Station, typed: &[&str]) -> Value {
    let out = done(station, &[typed, &["--json"]].concat());
    assert_eq!(out.lines().count(), 1, "{out}");
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error} in {out}"))
}

/// The two stations know each other, and bob answers by himself.
fn meet(place: &Place, registry: &Registry) -> (Station, Station) {
    let (alice, bob) = station::pair(place, registry);
    wait::until("alice to see bob", 10, || alice.run(&["users"]).out.contains("bob\t").then_some(()));
    (alice, bob)
}

/// A watcher at a station that hears already; the other station gave it something to hear.
fn watch(station: &Station, other: &Station, typed: &[&str]) -> Process {
    let watcher = station.begin(typed);
    wait::until("the watcher to hear", 10, || {
        done(other, &["set-status", "away"]);
        done(other, &["set-status", "idle"]);
        (!watcher.log().is_empty()).then_some(())
    });
    watcher
}

#[test]
fn the_commands_of_an_idle_station() {
    let place = Place::new();
    let registry = Registry::start(&place);
    let (alice, bob) = meet(&place, &registry);
    let bobs = format!("127.0.0.1:{}", bob.port());

    assert_eq!(done(&alice, &["lookup", "bob"]), format!("bob\t{bobs}\tidle\t\n"));
    assert_eq!(json(&alice, &["lookup", "bob"])["address"], *bobs);
    assert_eq!(refused(&alice, &["lookup", "nobody"]), "no such user\n");
    let users = json(&alice, &["users"]);
    assert!(users["users"].as_array().is_some_and(|users| users.iter().any(|user| user["name"] == "bob")));
    assert_eq!(done(&alice, &["echo", "two", "words"]), "two words\n");
    assert_eq!(done(&alice, &["volume", "out", "150"]), "volume is 150 %\n");
    for typed in [["answer"], ["reject"], ["hangup"], ["mute"], ["unmute"]] {
        assert_eq!(refused(&alice, &typed), "no such call\n", "{typed:?}");
    }
    assert!(json(&alice, &["devices"])["devices"].is_array());
    assert_eq!(done(&alice, &["history"]), "");
    let status = json(&alice, &["status"]);
    assert_eq!((&status["peer"]["name"], &status["peer"]["state"]), (&"alice".into(), &"idle".into()));
    assert_eq!(
        (&status["registry"]["link"], &status["security"]["media"]),
        (&"up".into(), &"required".into())
    );
    assert_eq!((status["call"].as_array(), status["media"].as_array()), (Some(&vec![]), Some(&vec![])));
    assert!(status["thread"].is_array() && status["audio"].as_array().map(Vec::len) == Some(2));
}

#[test]
fn what_one_says_about_being_called_others_see() {
    let place = Place::new();
    let registry = Registry::start(&place);
    let (alice, bob) = meet(&place, &registry);
    assert_eq!(done(&bob, &["set-status", "dnd"]), "status is dnd\n");
    wait::until("alice to see it", 10, || alice.run(&["users"]).out.contains("\tdnd\t").then_some(()));
    assert!(refused(&alice, &["call", "bob"]).contains("bob does not want to be disturbed"));
}

#[test]
fn a_call_that_is_answered_muted_and_hung_up_with_ctrl_c() {
    let place = Place::new();
    let registry = Registry::start(&place);
    let (alice, bob) = meet(&place, &registry);
    let watcher = watch(&bob, &alice, &["watch", "--json"]);
    let mut call = alice.begin(&["call", "bob"]);
    call.wait_for_log("talking with bob");
    bob.wait_until("talking");

    assert_eq!(done(&alice, &["mute"]), "muted\n");
    assert_eq!(json(&alice, &["status"])["call"][0]["muted"], true);
    assert_eq!(done(&alice, &["unmute"]), "not muted\n");
    assert_eq!(json(&alice, &["status"])["call"][0]["name"], "bob");
    assert!(refused(&alice, &["call", "ann"]).starts_with("already in a call"));

    call.signal(Signal::SIGINT);
    assert_eq!(call.wait(10).code(), Some(0));
    assert!(call.log().contains("\nhung up here after "), "{}", call.log());
    bob.wait_until("idle");
    watcher.wait_for_log("far-hangup");
    let states: Vec<String> = watcher.log().lines().filter_map(state_of_call).collect();
    assert_eq!(states, ["ringing-here", "talking", "ended"]);

    let calls = json(&alice, &["history"]);
    assert_eq!((&calls["calls"][0]["name"], &calls["calls"][0]["reason"]), (&"bob".into(), &"hangup".into()));
    assert!(done(&bob, &["history"]).contains("\tfrom\talice\t"));
}

/// Every key of an object and of what is in it.
fn keys(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => object.iter().for_each(|(key, value)| {
            found.insert(key.clone());
            keys(value, found);
        }),
        Value::Array(items) => items.iter().for_each(|item| keys(item, found)),
        _ => {}
    }
}

#[test]
fn every_word_of_json_is_written_down() {
    let place = Place::new();
    let registry = Registry::start(&place);
    let (alice, bob) = meet(&place, &registry);
    let mut found = BTreeSet::new();
    let watcher = watch(&bob, &alice, &["watch", "--json"]);
    done(&alice, &["create", "hall", "4"]);
    done(&bob, &["join", "hall"]);
    done(&bob, &["msg", "alice", "hello"]);
    let call = alice.begin(&["call", "bob"]);
    call.wait_for_log("talking with bob");
    wait::until("delays to be told", 20, || watcher.log().contains("\"total-ms\"").then_some(()));
    let typed = ["status", "users", "history", "messages", "devices", "key", "keys", "rooms", "members"];
    typed.iter().for_each(|typed| keys(&json(&alice, &[typed]), &mut found));
    keys(&json(&alice, &["key", "bob"]), &mut found);
    keys(&json(&alice, &["lookup", "bob"]), &mut found);
    let events = watcher.log();
    events.lines().for_each(|line| keys(&serde_json::from_str(line).expect("an event"), &mut found));
    assert!(found.len() > 60, "{found:?}");
    let page = fs::read_to_string(need::top().join("docs/man/vox-peer.1")).expect("the manual");
    let section =
        page.split_once(".Sh JSON\n").and_then(|(_, rest)| rest.split_once("\n.Sh ")).expect("JSON").0;
    let written: BTreeSet<_> = section.split([' ', '\n']).collect();
    let unwritten: Vec<_> = found.iter().filter(|key| !written.contains(key.as_str())).collect();
    assert!(unwritten.is_empty(), "vox-peer(1), JSON, lacks {unwritten:?}");
}

fn state_of_call(line: &str) -> Option<String> {
    let event: Value = serde_json::from_str(line).expect("one object a line");
    (event["event"] == "call").then(|| event["state"].as_str().expect("a call has a state").to_owned())
}

#[test]
fn a_call_is_answered_or_refused_by_hand() {
    let place = Place::new();
    let registry = Registry::start(&place);
    let (alice, bob) = meet(&place, &registry);

    let mut call = bob.begin(&["call", "alice"]);
    alice.wait_until("ringing");
    call.wait_for_log("it rings at alice");
    assert_eq!(done(&alice, &["reject"]), "rejected\n");
    assert_eq!(call.wait(10).code(), Some(1));
    assert!(call.log().ends_with("alice declined\n"), "{}", call.log());

    let mut call = bob.begin(&["call", "alice", "--detach"]);
    alice.wait_until("ringing");
    assert!(done(&alice, &["answer"]).starts_with("talking with bob, new key SHA256:"));
    assert_eq!(call.wait(10).code(), Some(0));
    bob.wait_until("talking");
    assert_eq!(done(&alice, &["hangup"]), "hung up\n");
    bob.wait_until("idle");
}

#[test]
fn a_call_that_is_not_taken_is_told_apart() {
    let place = Place::new();
    let registry = Registry::start(&place);
    let (alice, bob) = meet(&place, &registry);
    assert_eq!(refused(&alice, &["call", "nobody"]), "no such user\n");
    assert_eq!(refused(&alice, &["call", "alice"]), "that is yourself\n");
    let silent = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("loopback");
    assert_eq!(refused(&alice, &["call", &silent.to_string()]), format!("{silent} is unreachable\n"));
    let carol = Station::named("carol").registry(&registry).start(&place);
    carol.wait_for_registry();
    let _call = alice.begin(&["call", "bob"]);
    bob.wait_until("talking");
    let bobs = format!("127.0.0.1:{}", bob.port());
    assert_eq!(refused(&carol, &["call", "bob"]), "bob is busy\n");
    assert_eq!(refused(&carol, &["call", &bobs]), "bob is busy\n");
}

#[test]
fn a_daemon_that_ends_ends_its_watchers_and_calls_with_4() {
    let place = Place::new();
    let registry = Registry::start(&place);
    let (mut alice, bob) = meet(&place, &registry);
    let mut watcher = watch(&alice, &bob, &["watch"]);
    let mut call = alice.begin(&["call", "bob"]);
    call.wait_for_log("talking with bob");
    watcher.wait_for_log("talking with bob");
    alice.process().kill();
    assert_eq!((watcher.wait(10).code(), call.wait(10).code()), (Some(4), Some(4)));
    assert!(call.log().ends_with("vox-peer went away\n"), "{}", call.log());
    assert_eq!(alice.run(&["status"]).code, 3);
}

/// A terminal, through script(1).
fn on_a_terminal(station: &Station, typed: &str, end: &str) -> Said {
    let line = format!("{end} {} {typed}", bins::peer().display());
    let mut command = Command::new("script");
    command
        .args(["-qec", line.trim(), "/dev/null"])
        .env("VOX_SOCKET", station.socket())
        .env_remove("NO_COLOR");
    command.output().expect("script starts").into()
}

#[test]
fn people_at_a_terminal_see_headings_and_the_running_call() {
    let place = Place::new();
    let registry = Registry::start(&place);
    let (alice, bob) = meet(&place, &registry);
    let shown = on_a_terminal(&alice, "users", "");
    assert!(shown.out.contains("\u{1b}[1mNAME") && shown.out.contains("ADDRESS"), "{shown:?}");
    assert!(on_a_terminal(&alice, "history", "").out.contains("no calls"));
    let call = on_a_terminal(&alice, "call bob", "timeout --foreground -s INT 4");
    assert!(call.out.contains("\r\u{1b}[K\u{1b}[?7ltalking with bob 0:0"), "{call:?}");
    assert!(call.out.contains("hung up here after "), "{call:?}");
    bob.wait_until("idle");
}

#[test]
fn the_devices_of_the_machine_are_shown_without_a_station_too() {
    let place = Place::new();
    let alice = Station::named("alice").start(&place);
    let mut alone = Command::new(bins::peer());
    alone.args(["devices", "--json", "--socket"]).arg(place.at("none.sock"));
    let output = alone.output().expect("vox-peer starts");
    let shown: Value = serde_json::from_slice(&output.stdout).expect("one object");
    assert_eq!(shown, json(&alice, &["devices"]));
}

#[test]
fn a_station_that_cannot_start_says_why_in_one_sentence() {
    let place = Place::new();
    let alice = Station::named("alice").start(&place);
    let file = |name: &str, listen: u16, socket: &str| {
        let socket = place.at(socket).display().to_string();
        let text = format!(
            "name = \"{name}\"\nnetwork.listen = \"127.0.0.1:{listen}\"\naudio = {{ input = \"silence\", output = \"null\" }}\n\
             control.socket = \"{socket}\"\nstate.directory = \"{}\"\nlog = {{ level = \"error\", target = \"stderr\" }}\n",
            place.path().display()
        );
        place.write(&format!("{name}.conf"), &text).display().to_string()
    };
    for (file, words) in [
        (file("port", alice.port(), "port.sock"), "is taken"),
        (file("socket", 0, "alice.sock"), "another daemon already answers"),
        (file("nowhere", 0, "no/such/place.sock"), "control socket"),
    ] {
        let output =
            Command::new(bins::peer()).args(["run", "--config", &file]).output().expect("vox-peer starts");
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().last().unwrap_or_default();
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(last.contains(words), "{words}: {said}");
    }
}
