//! Keys as people meet them: shown, remembered, compared, forgotten, and what becomes of files that are damaged.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::Value;
use vox_common::wire::keys::PublicKey;
use vox_tests::bed::{Place, Station};
use vox_tests::bins;

const KEY: PublicKey = PublicKey([1; 32]);

/// A station that finds this text as the keys that it remembers.
fn who_knows(place: &Place, text: &str) -> Station {
    let directory = place.at("alice-state");
    fs::create_dir_all(&directory).expect("a private directory can be written");
    fs::write(directory.join("known-peers"), text).expect("a private directory can be written");
    Station::quiet("alice").start(place)
}

/// What a command prints as JSON.
fn json(station: &Station, typed: &[&str]) -> Value {
    serde_json::from_str(&station.run(typed).out).expect("JSON")
}

#[test]
fn a_station_shows_its_key_which_a_restart_does_not_change() {
    let place = Place::new();
    let mut alice = Station::quiet("alice").start(&place);
    let own = json(&alice, &["key", "--json"]);
    let key = PublicKey::parse(own["key"].as_str().expect("a key")).expect("a key");
    let fingerprint = key.fingerprint().to_string();
    assert_eq!(own["fingerprint"], fingerprint);
    let file = place.at("alice-state/key");
    assert_eq!(own["file"], file.display().to_string());
    assert_eq!(fs::metadata(&file).expect("the key file").permissions().mode() & 0o777, 0o600);
    let secret = fs::read_to_string(&file).expect("the key file");
    let shown = alice.run(&["key"]).out;
    assert!(shown.contains(&fingerprint) && !shown.contains(secret.trim()), "{shown}");
    alice.start_again();
    assert_eq!(json(&alice, &["key", "--json"]), own);
    assert!(!alice.process().log().contains(secret.trim()));
}

#[test]
fn what_was_verified_and_what_was_forgotten_outlives_a_daemon_that_is_killed() {
    let place = Place::new();
    let mut alice = who_knows(&place, &format!("peer ann {KEY} first-seen=6\npeer bob {KEY} first-seen=7\n"));
    assert_eq!(alice.run(&["forget", "ann"]).code, 0);
    let verified = alice.run(&["verify", "Bob"]);
    assert_eq!(verified.out, format!("verified bob {}\n", KEY.fingerprint()));
    alice.process().kill();
    let file = place.at("alice-state/known-peers");
    assert_eq!(fs::metadata(&file).expect("the file").permissions().mode() & 0o777, 0o600);
    alice.start_again();
    let keys = json(&alice, &["keys", "--json"]);
    let keys = keys["keys"].as_array().expect("a list");
    assert_eq!(keys.iter().map(|key| &key["name"]).collect::<Vec<_>>(), ["bob"]);
    assert!(keys[0]["verified"] == true && keys[0]["verified-at"].is_u64(), "{keys:?}");
    let unknown = alice.run(&["verify", "ann"]);
    assert_eq!(
        (unknown.code, &*unknown.err),
        (1, "no key of ann is known, `vox-peer keys` lists those that are\n")
    );
}

#[test]
fn whoever_forgets_a_key_without_a_disk_is_told() {
    let place = Place::new();
    let alice = who_knows(&place, &format!("peer bob {KEY} first-seen=7\n"));
    fs::remove_dir_all(place.at("alice-state")).expect("a private directory can be removed");
    let forgot = alice.run(&["forget", "bob"]);
    assert_eq!(forgot.code, 1);
    assert!(
        forgot.err.starts_with("done, but not for longer than this station runs: cannot keep "),
        "{}",
        forgot.err
    );
    assert_eq!(alice.run(&["key", "bob"]).code, 1, "it is forgotten all the same");
}

#[test]
fn a_file_that_cannot_be_read_keeps_the_station_from_starting() {
    let place = Place::new();
    let mut alice = Station::quiet("alice").start(&place);
    assert_eq!(alice.process().end().code(), Some(0));
    fs::create_dir(place.at("alice-state/known-peers")).expect("a private directory can be written");
    let run = Command::new(bins::peer()).args(["run", "--config"]).arg(place.at("alice.toml")).output();
    let run = run.expect("it starts");
    let said = String::from_utf8_lossy(&run.stderr).into_owned();
    assert_eq!(run.status.code(), Some(1), "{said}");
    assert!(said.contains("known-peers: it is not an ordinary file, mend it, or move it away"), "{said}");
}

#[test]
fn a_damaged_line_is_told_and_put_aside_and_makes_nobody_a_stranger() {
    let place = Place::new();
    let text = format!("garbage\npeer bob {KEY}\npeer zoe {KEY} first-seen=7\n");
    let mut alice = who_knows(&place, &text);
    alice.process().wait_for_log("2 lines of ");
    let aside = place.at("alice-state/known-peers.damaged");
    assert_eq!(fs::read_to_string(aside).expect("a copy"), text);
    assert_eq!(json(&alice, &["key", "zoe", "--json"])["first-seen"], 7);
    assert_eq!(json(&alice, &["key", "bob", "--json"])["key"], Value::Null);
    assert_eq!(alice.run(&["verify", "bob"]).code, 1);
    assert_eq!(alice.run(&["forget", "bob"]).code, 0);
}
