//! Every way in which a call can end, told apart on both sides: by exit code and sentence, by events, in the history.

use std::net::UdpSocket;
use std::time::Duration;

use nix::sys::signal::Signal;
use vox_common::sys::clock;
use vox_tests::bed::{Place, Registry, Station, wait};

fn missed(station: &Station) -> String {
    station.status("peer", "missed").expect("STATUS tells it")
}

/// The outcome of the last call as the history has it, and whether it came in or went out.
fn last_call(station: &Station) -> String {
    let lines = station.control().ask("HISTORY");
    let last = lines.iter().rev().nth(1).expect("there was a call");
    let words: Vec<&str> = last.split(' ').collect();
    format!("{} {}", words[1], words[4])
}

/// Alice calls bob, and both tell the same story in their own words.
fn story(alice: &Station, bob: &Station, told: (i32, &str), reasons: (&str, &str), during: impl FnOnce()) {
    let (mut here, mut there) = (alice.watch(), bob.watch());
    let mut call = alice.begin(&["call", &bob.host()]);
    during();
    assert_eq!(call.wait(12).code(), Some(told.0), "{}", call.log());
    assert!(call.log().contains(told.1), "{:?} in {}", told.1, call.log());
    here.wait_for(&["ended", &format!("reason={}", reasons.0)]);
    there.wait_for(&["ended", "alice", &format!("reason={}", reasons.1)]);
    assert_eq!(
        (last_call(alice), last_call(bob)),
        (format!("out {}", reasons.0), format!("in {}", reasons.1))
    );
    alice.wait_until("idle");
    bob.wait_until("idle");
}

#[test]
fn whoever_hangs_up_did_so_on_both_sides() {
    let place = Place::new();
    let alice = Station::quiet("alice").start(&place);
    let bob = Station::quiet("bob").answering().start(&place);
    story(&alice, &bob, (0, "hung up here after"), ("hangup", "far-hangup"), || {
        bob.wait_until("talking");
        alice.wait_until("talking");
        assert_eq!(alice.run(&["hangup"]).code, 0);
    });
    story(&alice, &bob, (0, "hung up there after"), ("far-hangup", "hangup"), || {
        alice.wait_until("talking");
        bob.wait_until("talking");
        assert_eq!(bob.run(&["hangup"]).code, 0);
    });
}

#[test]
fn a_call_that_is_refused_given_up_or_not_heard() {
    let place = Place::new();
    let alice = Station::quiet("alice").start(&place);
    let bob = Station::quiet("bob").set("call.ring-timeout-s", 1).start(&place);
    story(&alice, &bob, (1, "bob declined"), ("declined", "declined"), || {
        bob.wait_until("ringing");
        assert_eq!(bob.run(&["reject"]).code, 0);
    });
    story(&alice, &bob, (1, "the call to bob was cancelled"), ("cancelled", "cancelled"), || {
        bob.wait_until("ringing");
        assert_eq!(alice.run(&["hangup"]).code, 0);
    });
    story(&alice, &bob, (1, "bob does not answer"), ("no-answer", "no-answer"), || ());
    assert_eq!(bob.run(&["set-status", "dnd"]).code, 0);
    story(&alice, &bob, (1, " does not want to be disturbed"), ("dnd", "dnd"), || ());
}

#[test]
fn the_caller_does_not_wait_for_ever_either() {
    let place = Place::new();
    let alice = Station::quiet("alice").set("call.ring-timeout-s", 1).start(&place);
    let bob = Station::quiet("bob").start(&place);
    story(&alice, &bob, (1, "bob does not answer"), ("no-answer", "no-answer"), || ());
    assert_eq!(missed(&bob), "0", "it was looked at");
}

#[test]
fn who_talks_is_busy_and_goes_on_talking() {
    let place = Place::new();
    let alice = Station::quiet("alice").start(&place);
    let bob = Station::quiet("bob").answering().start(&place);
    let carol = Station::quiet("carol").start(&place);
    let _call = carol.begin(&["call", &bob.host()]);
    bob.wait_until("talking");
    let (mut here, mut there) = (alice.watch(), bob.watch());
    let said = alice.run(&["call", &bob.host()]);
    assert_eq!((said.code, said.err), (1, "bob is busy\n".to_owned()));
    here.wait_for(&["ended", "reason=busy"]);
    there.wait_for(&["ended", "alice", "reason=busy"]);
    carol.wait_until("talking");
    assert_eq!(bob.status("call", "name").as_deref(), Some("carol"));
    assert_eq!(missed(&bob), "1");
}

#[test]
fn where_nobody_can_listen_is_known_at_once() {
    let place = Place::new();
    let alice = Station::quiet("alice").start(&place);
    let closed = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("loopback");
    let mut watcher = alice.watch();
    // The first answers by ICMP, and to the other an IPv4 socket cannot even send.
    for nowhere in [closed.to_string(), "[::1]:6000".into(), "255.255.255.255:6000".into()] {
        let asked = clock::now();
        let said = alice.run(&["call", &nowhere]);
        assert_eq!((said.code, said.err), (1, format!("{nowhere} is unreachable\n")));
        assert!(clock::now() - asked < Duration::from_secs(3), "{nowhere}: {:?}", clock::now() - asked);
    }
    watcher.wait_for(&["ended", "reason=unreachable"]);
    assert_eq!(last_call(&alice), "out unreachable");
}

#[test]
fn who_says_nothing_is_unreachable_after_six_seconds() {
    let place = Place::new();
    let alice = Station::quiet("alice").start(&place);
    let mute = UdpSocket::bind("127.0.0.1:0").expect("loopback");
    let address = mute.local_addr().expect("a bound socket");
    let said = alice.run(&["call", &address.to_string()]);
    assert_eq!((said.code, said.err), (1, format!("{address} is unreachable\n")));
}

#[test]
fn a_call_to_oneself_is_told_so_by_name_and_by_address() {
    let place = Place::new();
    let alice = Station::quiet("alice").start(&place);
    assert_eq!(alice.control().ask("CALL alice"), ["412 that is yourself"]);
    let said = alice.run(&["call", &alice.host()]);
    assert_eq!((said.code, said.err.as_str()), (1, "that is yourself\n"));
    alice.wait_until("idle");
}

#[test]
fn refusals_before_anything_rings() {
    let place = Place::new();
    let registry = Registry::start(&place);
    let alice = Station::quiet("alice").registry(&registry).start(&place);
    let bob = Station::quiet("bob").answering().start(&place);
    assert_eq!(
        bob.control().ask("CALL alice"),
        ["441 no registry now, and no such name in the address book"]
    );
    alice.wait_for_registry();
    assert_eq!(alice.control().ask("CALL nobody"), ["404 no such user"]);
    let said = alice.run(&["call", "no.such.host.invalid"]);
    assert!(said.code == 1 && said.err.starts_with("no.such.host.invalid cannot be found: "), "{said:?}");
    let mut control = alice.control();
    control.ask(&format!("CALL {}", bob.host()));
    alice.wait_until("talking");
    assert_eq!(alice.control().ask("CALL nobody"), ["440 already in a call, hang up first"]);
}

#[test]
fn somebody_else_at_a_known_address_is_told_apart() {
    let place = Place::new();
    let bob = Station::quiet("bob").answering().start(&place);
    let alice = Station::quiet("alice").set("contacts.carol", bob.host()).start(&place);
    let said = alice.run(&["call", "carol"]);
    assert_eq!((said.code, said.err.as_str()), (1, "somebody else answers at the address of carol\n"));
    assert_eq!(last_call(&alice), "out not-here");
}

#[test]
fn ctrl_c_while_it_rings_gives_up_and_the_other_side_has_missed_a_call() {
    let place = Place::new();
    let alice = Station::quiet("alice").start(&place);
    let bob = Station::quiet("bob").start(&place);
    let mut there = bob.watch();
    let mut call = alice.begin(&["call", &bob.host()]);
    call.wait_for_log("it rings at bob");
    call.signal(Signal::SIGINT);
    assert_eq!(call.wait(5).code(), Some(0), "{}", call.log());
    there.wait_for(&["ended", "alice", "reason=cancelled"]);
    assert_eq!(missed(&bob), "1");
}

#[test]
fn a_side_that_was_killed_is_lost_to_the_other_within_seconds() {
    let place = Place::new();
    let alice = Station::quiet("alice").start(&place);
    let mut bob = Station::quiet("bob").answering().start(&place);
    let mut here = alice.watch();
    let mut call = alice.begin(&["call", &bob.host()]);
    call.wait_for_log("talking with bob");
    bob.wait_until("talking");
    bob.process().kill();
    let killed = clock::now();
    here.wait_for(&["ended", "bob", "reason=lost"]);
    assert!(clock::now() - killed < Duration::from_secs(12), "it took {:?}", clock::now() - killed);
    assert_eq!(call.wait(5).code(), Some(4));
    assert!(call.log().contains("bob was lost"), "{}", call.log());
    assert_eq!(last_call(&alice), "out lost");
}

#[test]
fn a_side_that_was_killed_while_it_rang_is_lost_too() {
    let place = Place::new();
    let mut alice = Station::quiet("alice").start(&place);
    let bob = Station::quiet("bob").start(&place);
    let mut there = bob.watch();
    let _call = alice.begin(&["call", &bob.host()]);
    bob.wait_until("ringing");
    alice.process().kill();
    there.wait_for(&["ended", "alice", "reason=lost"]);
    assert_eq!(bob.status("peer", "state").as_deref(), Some("idle"));
    wait::until("the missed call to count", 5, || (missed(&bob) == "1").then_some(()));
}
