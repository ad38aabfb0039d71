//! A station and its disk: one that cannot be written, that is full, in memory, or damaged; and how little strangers can
//! make it write.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use serde_json::Value;
use vox_common::sys::clock;
use vox_common::wire::limits::HISTORY_CALLS;
use vox_tests::bed::{Place, Registry, Station, Surroundings, disk, may, wait};

const UNKEPT: &str = "but not for longer than this station runs: cannot keep";

fn status(station: &Station) -> Value {
    let said = station.run(&["status", "--json"]);
    serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {said:?}"))
}

fn fingerprint(station: &Station) -> String {
    station.status("security", "fingerprint").expect("every station has a key")
}

/// The files that are not on the disk, as `status` tells programs.
fn unkept(station: &Station) -> Vec<String> {
    let status = status(station);
    let files = status["unkept"].as_array().expect("always an array").iter();
    files.map(|file| file["file"].as_str().expect("a name").to_owned()).collect()
}

/// Alice, who has called bob once and is known there.
fn acquaintances(place: &Place) -> (Station, Station) {
    let alice = Station::quiet("alice").start(place);
    let bob = Station::quiet("bob").answering().start(place);
    talk(&alice, &bob);
    (alice, bob)
}

fn talk(alice: &Station, bob: &Station) {
    assert_eq!(alice.run(&["call", "--detach", &bob.host()]).code, 0);
    bob.wait_until("talking");
    assert_eq!(alice.run(&["hangup"]).code, 0);
    bob.wait_until("idle");
}

#[test]
fn a_disk_that_cannot_be_written_is_read_and_said_and_used_again_when_it_can() {
    let place = Place::new();
    let Some(around) = may("peer_disk::read_only", disk::read_only(&place.at("alice-state"))) else { return };
    let (mut alice, bob) = acquaintances(&place);
    let key = fingerprint(&alice);
    assert_eq!(alice.run(&["set-status", "away"]).code, 0);
    alice.start_again_within(&around);
    assert_eq!(fingerprint(&alice), key, "what is there is used");
    assert_eq!(alice.status("peer", "status").as_deref(), Some("away"));
    assert_eq!(alice.control().ask("HISTORY").len(), 2);
    alice.process().wait_for_log("cannot write to ");
    let disk = status(&alice)["disk"].clone();
    assert_eq!((&disk["state"], &disk["sentence"]), (&"lost".into(), &"read-only file system".into()));
    assert!(alice.run(&["status"]).out.contains("cannot be written: read-only file system"));

    talk(&alice, &bob);
    wait::until("the history to be missed", 10, || (unkept(&alice) == ["history"]).then_some(()));
    let history = alice.run(&["history"]);
    assert_eq!((history.code, history.out.lines().count()), (0, 2));
    assert!(history.err.contains("not all of this is on the disk"), "{history:?}");
    let set = alice.run(&["volume", "out", "20"]);
    assert!(set.code == 0 && set.out.starts_with(&format!("volume is 20 %, {UNKEPT}")), "{set:?}");
    let forgotten = alice.run(&["forget", &bob.host()]);
    assert!(forgotten.code == 1 && forgotten.err.starts_with(&format!("done, {UNKEPT}")), "{forgotten:?}");
    assert_eq!(unkept(&alice).len(), 3);

    disk::make_writable(alice.process().pid(), &place.at("alice-state"));
    assert_eq!(alice.run(&["volume", "out", "30"]).out, "volume is 30 %\n");
    assert_eq!(unkept(&alice).len(), 2, "the others are tried again in their own time");
    alice.process().end();
    alice.start_again_within(&Surroundings::default());
    assert_eq!(alice.control().ask("HISTORY").len(), 3, "the end has kept it");
}

#[test]
fn a_station_that_cannot_keep_a_key_has_one_for_this_run_and_says_so() {
    let place = Place::new();
    let Some(around) = may("peer_disk::no_key", disk::read_only(&place.at("alice-state"))) else { return };
    let mut alice = Station::quiet("alice").within(&around).start(&place);
    let bob = Station::quiet("bob").answering().start(&place);
    alice.process().wait_for_log("this station has a key for this run alone");
    assert_eq!(alice.status("security", "key-kept").as_deref(), Some("no"));
    assert!(alice.run(&["status"]).out.contains("which is of this run alone"));
    assert_eq!(
        serde_json::from_str::<Value>(&alice.run(&["key", "--json"]).out).expect("JSON")["file"],
        Value::Null
    );
    talk(&alice, &bob);
}

#[test]
fn a_disk_in_memory_is_said_to_be_one() {
    let place = Place::new();
    let Some(around) = may("peer_disk::memory", disk::in_memory(&place.at("alice-state"))) else { return };
    let mut alice = Station::quiet("alice").within(&around).start(&place);
    alice.process().wait_for_log("is in memory, choose another state.directory");
    assert_eq!(alice.status("disk", "lasts").as_deref(), Some("no"));
    let mut registry = Registry::with(&place, &around, "127.0.0.1", |settings| {
        settings.set("state.directory", place.at("alice-state").display().to_string());
    });
    registry.process().wait_for_log("is in memory, choose another state.directory");
    assert!(
        registry.must(&["status"]).contains("in memory: nothing there outlives a restart of the machine")
    );
}

#[test]
fn a_disk_that_is_full_is_said_and_used_again_when_there_is_room() {
    let place = Place::new();
    let Some(around) = may("peer_disk::full", disk::full(&place.at("alice-state"))) else { return };
    let (mut alice, bob) = acquaintances(&place);
    let key = fingerprint(&alice);
    alice.start_again_within(&around);
    assert_eq!(fingerprint(&alice), key);
    let set = alice.run(&["set-status", "away"]);
    assert!(set.code == 0 && set.out.ends_with(": no space left on device\n"), "{set:?}");
    talk(&alice, &bob);
    wait::until("the history to be missed", 10, || (unkept(&alice).len() == 2).then_some(()));
    let left = fs::read_dir(disk::inside(alice.process().pid(), &alice.state())).expect("a directory");
    assert!(
        left.flatten().all(|file| file.path().extension().is_none_or(|word| word != "new")),
        "no room is wasted"
    );
    disk::make_room(alice.process().pid(), &alice.state());
    assert_eq!(alice.run(&["set-status", "idle"]).out, "status is idle\n");
    assert_eq!(unkept(&alice), ["history"]);
    alice.process().wait_for_log("settings is kept again");
}

#[test]
fn a_recording_that_stops_because_the_disk_is_full_is_said_to_have_stopped() {
    let place = Place::new();
    let records = place.at("records");
    fs::create_dir(&records).expect("a place of its own");
    let Some(around) = may("peer_disk::recording", disk::in_memory(&records)) else { return };
    let output = format!("file:{}", records.join("call.wav").display());
    let alice = Station::quiet("alice").set("audio.output", output).within(&around).start(&place);
    let bob = Station::quiet("bob").answering().start(&place);
    let _call = alice.begin(&["call", &bob.host()]);
    bob.wait_until("talking");
    let audio = || alice.run(&["status"]).out;
    assert!(audio().contains("records to "), "{}", audio());
    // 96 kB a second fill 256 KiB.
    wait::until("the end of the recording", 20, || {
        audio().contains("the recording has stopped").then_some(())
    });
    assert!(
        audio().lines().any(|line| line.contains("does not work") && line.contains("recording")),
        "{}",
        audio()
    );
    assert_eq!(bob.status("peer", "state").as_deref(), Some("talking"), "the call goes on");
}

#[test]
fn what_a_person_has_set_outlives_a_power_cut() {
    let place = Place::new();
    let registry = Registry::start(&place);
    let mut alice = Station::quiet("alice").registry(&registry).start(&place);
    alice.wait_for_registry();
    let orders: [&[&str]; 4] = [
        &["set-status", "dnd"],
        &["volume", "out", "20"],
        &["volume", "in", "150"],
        &["create", "hall", "12"],
    ];
    for order in orders {
        assert_eq!(alice.run(order).code, 0, "{order:?}");
    }
    // At once: who was told that it is done can pull the plug.
    alice.process().kill();
    alice.start_again();
    alice.wait_for_registry();
    assert_eq!(alice.status("peer", "status").as_deref(), Some("dnd"));
    let choices = alice.lines("choices");
    assert_eq!(choices, ["status=dnd volume-in=150 volume-out=20 room=hall restored=yes"]);
    let volumes: Vec<_> = alice.lines("audio");
    assert!(volumes[0].contains(" volume=150") && volumes[1].contains(" volume=20"), "{volumes:?}");
    wait::until("the room", 10, || alice.status("registry", "room").filter(|room| room == "hall"));
    assert!(alice.run(&["status"]).out.contains("as before the last start"));
    let bob = Station::quiet("bob").start(&place);
    assert!(bob.run(&["call", &alice.host()]).err.contains("does not want to be disturbed"));

    alice.process().end();
    fs::write(alice.state().join("settings"), "status dnd\nvolume-out loud\n").expect("its own file");
    alice.start_again();
    alice.process().wait_for_log("1 lines of ");
    assert_eq!(alice.lines("choices"), ["status=dnd volume-in=100 volume-out=100 restored=yes"]);
    assert_eq!(alice.status("damaged", "file").as_deref(), Some("settings"));
}

#[test]
fn a_file_that_cannot_be_read_is_put_aside_and_not_lost() {
    let place = Place::new();
    let mut alice = Station::quiet("alice").start(&place);
    alice.process().end();
    mkfifo(&alice.state().join("history"), Mode::S_IRWXU).expect("a directory of its own");
    let long = "what ".repeat(300_000);
    fs::write(alice.state().join("messages"), &long).expect("a directory of its own");
    alice.start_again();
    let damaged: Vec<_> = alice.lines("damaged");
    assert!(
        damaged[0].starts_with("file=history lines=- ") && damaged[1].starts_with("file=messages lines=- "),
        "{damaged:?}"
    );
    assert!(alice.state().join("history.unread").exists());
    assert!(fs::read_to_string(alice.state().join("messages.unread")).expect("it is there") == long);
}

/// How often a file is replaced until this is dropped.
struct Writes<'a> {
    path: &'a Path,
    seen: BTreeSet<(u64, i64, i64)>,
}

impl Writes<'_> {
    fn look(&mut self) {
        if let Ok(file) = fs::metadata(self.path) {
            self.seen.insert((file.ino(), file.mtime(), file.mtime_nsec()));
        }
    }
}

/// Lets `annoy` work for a while, and counts what it does and how often a file is written.
fn count_writes(path: &Path, mut annoy: impl FnMut()) -> (usize, usize) {
    let mut writes = Writes { path, seen: BTreeSet::new() };
    let (mut annoyed, until) = (0, clock::now() + LENGTH);
    while clock::now() < until {
        annoy();
        annoyed += 1;
        writes.look();
    }
    (annoyed, writes.seen.len())
}

/// As long as strangers annoy.
const LENGTH: Duration = Duration::from_secs(12);

/// One write in 5 s, the first at once, and one more for a machine that lags behind.
const MOST_WRITES: usize = 4;

fn few_writes(what: &str, annoyed: usize, writes: usize) {
    let in_an_hour = |count: usize| count * 3600 / 12;
    assert!(annoyed >= 10 * MOST_WRITES, "{what}: only {annoyed}, which shows nothing");
    assert!(
        (1..=MOST_WRITES).contains(&writes),
        "{what}: {} an hour make {} writes an hour; allowed are {}",
        in_an_hour(annoyed),
        in_an_hour(writes),
        in_an_hour(MOST_WRITES)
    );
}

#[test]
fn calls_that_are_refused_do_not_wear_out_the_disk() {
    let place = Place::new();
    let mut bob = Station::quiet("bob").set("call.allow", "known").start(&place);
    let alice = Station::quiet("alice").start(&place);
    let mut control = alice.control();
    let path = bob.state().join("history");
    let (calls, writes) = count_writes(&path, || {
        control.say(&format!("CALL {}", bob.host()));
        control.wait_for(&["ended"]);
    });
    few_writes("refused calls", calls, writes);
    bob.process().end();
    let kept = fs::read_to_string(path).expect("the history");
    let refused = kept.lines().filter(|line| line.contains(" not-allowed ")).count();
    assert_eq!(refused, calls.min(HISTORY_CALLS), "the end has kept all of them");
}

#[test]
fn messages_do_not_wear_out_the_disk() {
    let place = Place::new();
    let registry = Registry::without_limits(&place);
    let mut bob = Station::quiet("bob").registry(&registry).start(&place);
    bob.wait_for_registry();
    let mut eve = registry.user("eve", 6000);
    let path = bob.state().join("messages");
    let mut sent = 0;
    let (messages, writes) = count_writes(&path, || {
        sent += 1;
        // Faster than it reads, and the registry would let bob go.
        wait::pause(Duration::from_millis(20));
        assert_eq!(eve.ask(&format!("MSG bob {sent} {}", "x".repeat(800))).as_deref(), Some("200 delivered"));
    });
    few_writes("messages", messages, writes);
    wait::until("all of them", 10, || {
        let shown = bob.control().ask("MESSAGES");
        shown.iter().any(|line| line.contains(&format!(" text={sent} "))).then_some(())
    });
    bob.process().end();
    assert!(fs::read_to_string(path).expect("the messages").contains(&format!(" text={sent} ")));
}
