//! Who is who in calls between real stations: first use, known keys, changed keys, the four words, and who may ring.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use nix::sys::signal::Signal;
use vox_common::wire::words;
use vox_tests::bed::{Place, Registry, Station, station, wait};

/// A value of a station's own call.
fn of_call(station: &Station, key: &str) -> String {
    wait::until("the call to be shown", 10, || station.status("call", key))
}

/// The lines of a file of keys, but for the registry's.
fn known(place: &Place, name: &str) -> Vec<String> {
    let text = fs::read_to_string(place.at(&format!("{name}-state/known-peers"))).unwrap_or_default();
    text.lines().filter(|line| !line.starts_with("registry ")).map(str::to_owned).collect()
}

/// Waits until a key is remembered for `peer <name>` or `host <host>`.
fn wait_for_key(place: &Place, name: &str, whom: &str) -> String {
    let start = format!("{whom} ");
    wait::until("the key to be on the disk", 10, || {
        known(place, name).into_iter().find(|line| line.starts_with(&start))
    })
}

/// Waits until that many ended calls are on the disk.
fn wait_for_history(place: &Place, name: &str, calls: usize) {
    wait::until("the history to be on the disk", 10, || {
        let text = fs::read_to_string(place.at(&format!("{name}-state/history"))).unwrap_or_default();
        (text.matches(" talked-s=").count() == calls).then_some(())
    });
}

fn fingerprint(station: &Station) -> String {
    let mut control = station.control();
    let own = control.ask("KEY").swap_remove(0);
    words::value(&own, "fingerprint").expect("once").expect("a fingerprint").to_owned()
}

fn wait_for_idle(stations: [&Station; 2]) {
    stations.iter().for_each(|station| station.wait_until("idle"));
}

/// A station is set up anew: another key.
fn set_up_anew(place: &Place, station: &mut Station, name: &str) {
    station.process().end();
    fs::remove_file(place.at(&format!("{name}-state/key"))).expect("it had one");
    station.start_again();
}

#[test]
fn the_first_call_is_said_to_be_new_the_next_one_is_known_and_the_words_are_the_same_on_both_sides() {
    let place = Place::new();
    let mut bob = Station::quiet("bob").answering().start(&place);
    let mut alice = Station::quiet("alice").set("contacts.bob", bob.host()).start(&place);
    let mut seen = Vec::new();
    for trust in ["new", "known"] {
        let call = alice.begin(&["call", "bob"]);
        let words = of_call(&alice, "words");
        assert_eq!(of_call(&bob, "words"), words);
        assert_eq!((of_call(&alice, "trust"), of_call(&bob, "trust")), (trust.to_owned(), trust.to_owned()));
        assert_eq!(of_call(&alice, "sealed"), "yes");
        assert_eq!(of_call(&alice, "fingerprint"), fingerprint(&bob));
        assert_eq!(of_call(&bob, "fingerprint"), fingerprint(&alice));
        call.wait_for_log(&format!("four words: {}; if bob reads", words.replace('-', " ")));
        let news = format!("bob has a new key {}", fingerprint(&bob));
        assert_eq!(call.log().matches(&news).count(), 1, "the first time alone: {}", call.log());
        seen.push(words);
        assert_eq!(alice.run(&["hangup"]).code, 0);
        wait_for_idle([&alice, &bob]);
        wait_for_key(&place, "alice", "peer bob");
        wait_for_key(&place, "bob", "peer alice");
        wait_for_history(&place, "alice", seen.len());
        for name in ["alice", "bob"] {
            let file = place.at(&format!("{name}-state/known-peers"));
            assert_eq!(fs::metadata(file).expect("kept").permissions().mode() & 0o777, 0o600);
        }
        // What is known outlives a daemon that is killed.
        for station in [&mut alice, &mut bob] {
            station.process().kill();
            station.start_again();
        }
    }
    assert_ne!(seen[0], seen[1]);
    assert_eq!((known(&place, "alice").len(), known(&place, "bob").len()), (1, 1));
    let history = alice.run(&["history", "--json"]).out;
    assert!(history.contains("\"trust\":\"new\"") && history.contains("\"sealed\":true"), "{history}");
}

#[test]
fn who_takes_a_call_reads_whose_key_it_is_and_the_words_that_the_caller_reads() {
    let place = Place::new();
    let bob = Station::quiet("bob").start(&place);
    let alice = Station::quiet("alice").set("contacts.bob", bob.host()).start(&place);
    for trust in ["new", "known", "verified"] {
        let _call = alice.begin(&["call", "bob"]);
        bob.wait_until("ringing");
        let said = bob.run(&["answer"]);
        let talking = format!("talking with alice, {trust} key {}\n", fingerprint(&alice));
        let words = format!("four words: {}", of_call(&alice, "words").replace('-', " "));
        let compare = match trust {
            "verified" => "\n",
            _ => "; if alice reads the same ones, `vox-peer verify alice`\n",
        };
        assert_eq!((said.code, said.out), (0, format!("{talking}{words}{compare}")));
        if trust == "known" {
            assert_eq!(bob.run(&["verify", "alice"]).code, 0);
        }
        assert_eq!(bob.run(&["hangup"]).code, 0);
        wait_for_idle([&alice, &bob]);
    }
}

#[test]
fn what_was_verified_is_said_to_be_on_the_next_call() {
    let place = Place::new();
    let bob = Station::quiet("bob").answering().start(&place);
    let alice = Station::quiet("alice").set("contacts.bob", bob.host()).start(&place);
    let first = alice.begin(&["call", "bob"]);
    first.wait_for_log("four words");
    let said = alice.run(&["verify", "bob"]);
    assert_eq!(said.out, format!("verified bob {}\n", fingerprint(&bob)));
    assert_eq!(alice.run(&["hangup"]).code, 0);
    wait_for_idle([&alice, &bob]);
    let _call = alice.begin(&["call", "bob"]);
    assert_eq!(of_call(&alice, "trust"), "verified");
    let status = alice.run(&["status"]).out;
    assert!(status.contains("verified key SHA256:") && status.contains("calls are encrypted"), "{status}");
}

#[test]
fn a_changed_key_ends_the_attempt_on_both_sides_until_it_is_forgotten() {
    let place = Place::new();
    let registry = Registry::start(&place);
    let (mut alice, mut bob) = station::pair(&place, &registry);
    assert_eq!(alice.run(&["call", "--detach", "bob"]).code, 0);
    assert_eq!(alice.run(&["hangup"]).code, 0);
    wait_for_idle([&alice, &bob]);
    let before = [wait_for_key(&place, "alice", "peer bob"), wait_for_key(&place, "bob", "peer alice")];
    set_up_anew(&place, &mut bob, "bob");
    bob.wait_for_registry();
    wait::until("alice to hear of bob", 10, || alice.run(&["users"]).out.contains("bob").then_some(()));

    let called = alice.run(&["call", "bob"]);
    assert_eq!(called.code, 1, "{called:?}");
    assert!(called.err.contains("another key than the one that is known"), "{}", called.err);
    assert!(called.err.contains("`vox-peer forget bob`"), "{}", called.err);
    let called = bob.run(&["call", "alice"]);
    assert_eq!(called.code, 1, "{called:?}");
    assert!(called.err.contains("alice knows this station by another key"), "{}", called.err);
    alice.process().wait_for_log("has another key than the one that is known");
    assert!(alice.run(&["history"]).out.contains("another key than the one that is known"));
    assert_eq!(known(&place, "alice"), [before[0].clone()], "nothing is stored");

    assert_eq!(alice.run(&["forget", "bob"]).code, 0);
    assert_eq!(alice.run(&["call", "--detach", "bob"]).code, 0);
    alice.wait_until("talking");
    assert_eq!((of_call(&alice, "trust"), of_call(&bob, "trust")), ("new".to_owned(), "known".to_owned()));
    assert_ne!(wait_for_key(&place, "alice", "peer bob"), before[0]);
}

#[test]
fn a_caller_who_is_not_allowed_does_not_ring_and_reads_why() {
    let place = Place::new();
    let mut bob = Station::quiet("bob").answering().set("call.allow", "known").start(&place);
    let alice = Station::quiet("alice").set("contacts.bob", bob.host()).start(&place);
    let refused = |alice: &Station| {
        let called = alice.run(&["call", "bob"]);
        assert_eq!((called.code, &*called.err), (1, "bob does not take calls from here\n"));
    };
    refused(&alice);
    assert!(bob.run(&["history"]).out.contains("not allowed"));
    let text = fs::read_to_string(place.at("bob.toml")).expect("bob's configuration");
    let mut reload = |allow: &str| {
        place.write("bob.toml", &text.replace("\"known\"", allow));
        let count = bob.process().log().matches("configuration was read again").count();
        bob.process().signal(Signal::SIGHUP);
        wait::until("the configuration to be read", 10, || {
            (bob.process().log().matches("configuration was read again").count() > count).then_some(())
        });
    };
    reload("[\"carol\"]");
    refused(&alice);
    reload("[\"alice\"]");
    assert_eq!(alice.run(&["call", "--detach", "bob"]).code, 0);
    assert_eq!(alice.run(&["hangup"]).code, 0);
    reload("\"known\"");
    wait::until("bob to be idle", 10, || {
        let called = alice.run(&["call", "--detach", "bob"]);
        (called.code == 0).then_some(())
    });
}

#[test]
fn a_call_in_the_clear_needs_both_sides_and_shows() {
    let place = Place::new();
    let mut bob = Station::quiet("bob").answering().set("security.media", "off").start(&place);
    let alice = Station::quiet("alice").set("contacts.bob", bob.host()).start(&place);
    let called = alice.run(&["call", "bob"]);
    assert_eq!(called.code, 1);
    assert!(called.err.contains("differ in [security] media"), "{}", called.err);
    let called = bob.run(&["call", &alice.host()]);
    assert!(called.code == 1 && called.err.contains("differ in [security] media"), "{called:?}");

    let carol =
        Station::quiet("carol").set("security.media", "off").set("contacts.bob", bob.host()).start(&place);
    let call = carol.begin(&["call", "bob"]);
    call.wait_for_log("NOT ENCRYPTED: everybody on the way can listen");
    for station in [&carol, &bob] {
        assert_eq!(of_call(station, "sealed"), "no");
        let status = station.run(&["status"]).out;
        assert!(status.contains("calls are NOT ENCRYPTED"), "{status}");
    }
    assert_eq!(of_call(&carol, "words"), of_call(&bob, "words"), "who talks is proved all the same");
    bob.process().wait_for_log("call is not encrypted");
    bob.process().wait_for_log("security.media is off");
}

#[test]
fn a_disk_that_takes_nothing_is_told_and_the_call_goes_on() {
    let place = Place::new();
    let bob = Station::quiet("bob").answering().start(&place);
    let mut alice = Station::quiet("alice").set("contacts.bob", bob.host()).start(&place);
    fs::remove_dir_all(place.at("alice-state")).expect("a private directory can be removed");
    assert_eq!(alice.run(&["call", "--detach", "bob"]).code, 0);
    alice.process().wait_for_log("known-peers: no such file or directory");
    wait::pause(Duration::from_millis(200));
    alice.wait_until("talking");
    assert!(alice.run(&["key", "bob"]).out.contains("SHA256:"), "it is known as long as the daemon runs");
}
