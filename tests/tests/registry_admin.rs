//! What administrators ask of the real `vox-registry`, by command line and by hand.

use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::Value;
use vox_common::sys::clock;
use vox_common::wire::limits::{DISPLAY_CHARS, MAX_USERS};
use vox_tests::bed::{Place, Registry, Said, Surroundings, need, wait};
use vox_tests::bins;
use vox_tests::people::People;
use vox_tests::transcript::Transcript;
use vox_tests::wire::{Wire, Wires};
use vox_tests::world::World;

/// In a transcript, clients from this number on are users, those below administrators.
const FIRST_USER: u16 = 10;

fn json(registry: &Registry, typed: &str) -> Value {
    let out = registry.must(&[typed, "--json"]);
    assert_eq!(out.lines().count(), 1, "{out}");
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{error} in {out}"))
}

/// Whether somebody of this name is kept out.
fn is_out(registry: &Registry, name: &str) -> bool {
    registry.connect().ask(&format!("REGISTER {name} 6009")).is_some_and(|reply| reply.starts_with("403 "))
}

#[test]
fn the_core_keeps_to_every_transcript() {
    for transcript in Transcript::all("admin") {
        let mut people = People::new(World::new(), FIRST_USER);
        transcript.hold(&mut people);
        people.have_heard_everything();
    }
}

#[test]
fn the_program_keeps_to_every_transcript() {
    for transcript in Transcript::all("admin") {
        let place = Place::new();
        let registry = Registry::start(&place);
        transcript.hold(&mut Wires::new(|client| match client {
            FIRST_USER.. => Wire::tcp(&registry.address()),
            _ => Wire::unix(&registry.socket()),
        }));
    }
}

#[test]
fn who_is_there_is_shown_to_people_and_to_programs() {
    let place = Place::new();
    let registry = Registry::start(&place);
    let mut bob = registry.user("bob", 6000);
    bob.ask("CREATE lobby 4");
    let users = json(&registry, "users");
    let shown = &users["users"][0];
    assert_eq!((&shown["name"], &shown["address"]), (&"bob".into(), &"127.0.0.1:6000".into()));
    assert_eq!(
        (&shown["status"], &shown["fingerprint"], &shown["room"]),
        (&"idle".into(), &Value::Null, &"lobby".into())
    );
    assert!(shown["since-s"].is_u64(), "{users}");
    assert!(registry.must(&["users"]).starts_with("bob\t127.0.0.1:6000\tidle\t"));
    let status = json(&registry, "status");
    assert_eq!(status["registry"]["access"], "open");
    assert!(registry.must(&["status"]).contains("1 of 512 users"));
    assert_eq!(json(&registry, "bans"), serde_json::json!({"bans": []}));
}

/// A line without what differs from one registry to another: times, addresses, paths, and the columns with them.
fn without_figures(line: &str) -> String {
    let begins = |first: char| first.is_ascii_digit() || first == '/';
    let is_figure = |word: &&str| word.starts_with(begins) || word.starts_with("SHA256:");
    let is_unit = |word: &&str| ["s", "s,", "min", "min,", "h", "h,", "d", "d,"].contains(word);
    line.split_whitespace().filter(|word| !is_figure(word) && !is_unit(word)).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_manual_quotes_what_is_shown() {
    let place = Place::new();
    let registry = Registry::start(&place);
    let mut alice = Wire::tcp(&registry.address());
    alice.ask("REGISTER alice 6000 display=Alice");
    assert!(alice.ask("CREATE lobby 4").is_some());
    let mut bob = registry.user("bob", 6001);
    assert_eq!(bob.ask("STATUS dnd").as_deref(), Some("200 status is dnd"));
    let manual = fs::read_to_string(need::top().join("docs/man/vox-registry.8")).unwrap();
    let examples =
        manual.split_once(".Sh EXAMPLES\n.Bd -literal\n").unwrap().1.split("\n.Ed").next().unwrap();
    for example in examples.split("$ vox-registry ").skip(1) {
        let (typed, shown) = example.split_once('\n').unwrap();
        let said = on_a_terminal(&registry, typed);
        let both = |text: &str| text.lines().map(without_figures).collect::<Vec<_>>();
        assert_eq!(both(&said), both(shown), "{typed}");
    }
}

/// A terminal, through script(1).
fn on_a_terminal(registry: &Registry, typed: &str) -> String {
    let line = format!("{} {typed}", bins::registry().display());
    let mut command = Command::new("script");
    command.args(["-qec", &line, "/dev/null"]).env("NO_COLOR", "1");
    command.env("VOX_REGISTRY_SOCKET", registry.socket());
    Said::from(command.output().expect("script starts")).out
}

#[test]
fn a_full_registry_is_shown_whole() {
    let place = Place::new();
    let registry = Registry::without_limits(&place);
    let display = "%20".repeat(DISPLAY_CHARS);
    let come = |n: usize| {
        let mut wire = registry.connect();
        let reply =
            wire.ask(&format!("REGISTER user-with-the-longest-name-{n:04} {} display={display}", 6000 + n));
        assert!(reply.is_some_and(|reply| reply.starts_with("200 ")));
        wire
    };
    let _users: Vec<Wire> = (0..MAX_USERS).map(come).collect();
    let users = json(&registry, "users");
    assert_eq!(users["users"].as_array().map(Vec::len), Some(MAX_USERS));
    assert!(registry.must(&["status"]).contains("512 of 512 users"));
}

#[test]
fn whoever_is_kicked_hears_it_and_may_come_again() {
    let place = Place::new();
    let mut registry = Registry::start(&place);
    let mut bob = registry.user("bob", 6000);
    assert_eq!(registry.must(&["kick", "bob"]), "kicked bob\n");
    registry.process().wait_for_log("said goodbye to bob: kicked conn=");
    assert_eq!(bob.rest(), ["* GOODBYE kicked"]);
    assert_eq!(registry.administer(&["kick", "bob"]).err, "no such user\n");
    drop(registry.user("bob", 6000));
}

#[test]
fn a_name_that_is_banned_is_out_until_it_is_not() {
    let place = Place::new();
    let registry = Registry::start(&place);
    let mut bob = registry.user("bob", 6000);
    let mut ann = registry.user("ann", 6001);
    registry.must(&["ban", "Bob"]);
    assert_eq!(bob.rest(), ["* GOODBYE banned"]);
    assert!(is_out(&registry, "bob"));
    assert_eq!(ann.ask("PING").as_deref(), Some("200 pong"));
    assert_eq!(registry.must(&["bans"]), "bob\n");
    assert_eq!(registry.administer(&["ban", "bob"]).code, 1);
    registry.must(&["unban", "bob"]);
    assert_eq!(registry.administer(&["unban", "bob"]).code, 1);
    drop(registry.user("bob", 6000));
}

#[test]
fn an_address_that_is_banned_ends_everybody_there_and_nobody_else() {
    let place = Place::new();
    let registry = Registry::with(&place, &Surroundings::default(), "[::]", |_| {});
    let port = registry.port();
    let come = |host: &str, name: &str| {
        let mut wire = Wire::tcp(&format!("{host}:{port}"));
        wire.hear();
        wire.ask(&format!("REGISTER {name} 6000"));
        wire
    };
    let mut bob = come("127.0.0.1", "bob");
    let mut stranger = Wire::tcp(&format!("127.0.0.1:{port}"));
    stranger.hear();
    registry.must(&["ban", "127.0.0.1"]);
    assert_eq!(bob.rest(), ["* GOODBYE banned"]);
    assert_eq!(stranger.rest(), ["* GOODBYE banned"]);
    let mut late = Wire::tcp(&format!("127.0.0.1:{port}"));
    assert!(late.rest().iter().any(|line| line.starts_with("403 ")));
    let mut ann = come("[::1]", "ann");
    assert_eq!(ann.ask("PING").as_deref(), Some("200 pong"));
}

fn stop_within_a_second(registry: &mut Registry, users: &mut [Wire]) {
    let asked = clock::now();
    assert_eq!(registry.must(&["stop"]), "stopping\n");
    assert!(registry.process().wait(3).success());
    assert!(clock::now() - asked < Duration::from_secs(1));
    for user in users {
        assert_eq!(user.rest(), ["* GOODBYE shutting down"]);
    }
}

#[test]
fn stop_ends_it_within_a_second_while_some_flood_and_others_do_not_read() {
    let place = Place::new();
    let mut registry = Registry::without_limits(&place);
    let mut users: Vec<Wire> = (0..100).map(|n| registry.user(&format!("user{n}"), 6000 + n)).collect();
    let mut deaf = registry.user("deaf", 7000);
    (0..2_000).for_each(|_| deaf.say("LIST"));
    let address = registry.address();
    let flood = thread::spawn(move || {
        let mut wire = Wire::tcp(&address);
        while wire.ask("ECHO as much as I can").is_some() {}
    });
    stop_within_a_second(&mut registry, &mut users);
    flood.join().unwrap();
}

#[test]
fn stop_tells_everybody_and_ends_with_0_within_a_second() {
    let place = Place::new();
    let mut registry = Registry::start(&place);
    let mut users: Vec<Wire> = (0..20).map(|n| registry.user(&format!("user{n}"), 6000 + n)).collect();
    let mut idle = Wire::unix(&registry.socket());
    stop_within_a_second(&mut registry, &mut users);
    assert_eq!(idle.hear(), None);
    assert!(!registry.socket().exists());
}

#[test]
fn the_log_says_who_did_it() {
    let place = Place::new();
    let mut registry = Registry::start(&place);
    let _bob = registry.user("bob", 6000);
    registry.must(&["ban", "bob"]);
    let uid = nix::unistd::getuid();
    registry.process().wait_for_log("bob");
    let log = registry.process().log();
    let line = log.lines().find(|line| line.contains("ban")).expect("a line about the ban");
    assert!(line.contains(&format!("uid={uid} pid=")), "{log}");
}

#[test]
fn what_keeps_a_command_from_being_done_is_one_sentence_and_one_code() {
    let place = Place::new();
    let mut registry = Registry::start(&place);
    let socket = registry.socket().display().to_string();
    let say = |registry: &Registry, typed: &[&str]| {
        let Said { code, out, err } = registry.administer(typed);
        assert_eq!(out, "", "{typed:?}");
        (code, err)
    };
    assert_eq!(say(&registry, &["kick", "nobody"]), (1, "no such user\n".into()));
    assert_eq!(say(&registry, &["ban", "10.0.0.7:6000"]).0, 2);
    assert_eq!(say(&registry, &["status", "--config", "x"]).0, 2);
    registry.process().end();
    let nobody =
        format!("no vox-registry answers at {socket}: is it running? try `systemctl start vox-registry`\n");
    assert_eq!(say(&registry, &["status"]), (3, nobody));
    registry.start_again();
    registry.process().signal(Signal::SIGSTOP);
    let mut waiting = registry.command(&["users"]).stderr(Stdio::piped()).spawn().unwrap();
    wait::pause(Duration::from_millis(300));
    registry.process().kill();
    assert_eq!(waiting.wait().unwrap().code(), Some(4));
    let mut said = String::new();
    std::io::Read::read_to_string(&mut waiting.stderr.take().unwrap(), &mut said).unwrap();
    assert!(said.starts_with("vox-registry went away"), "{said}");
}
