//! What happens when a side, its registry or its machine goes away at a bad moment.

use std::time::Duration;

use nix::sys::signal::Signal;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use vox_common::sys::clock;
use vox_tests::bed::{Place, Registry, Station, wait};
use vox_tests::wire::Wire;

/// Packets go on coming in.
fn still_hears(station: &Station) {
    let before = station.figure("media", "packets-received");
    wait::until("more packets", 10, || {
        (station.figure("media", "packets-received") > before + 20.0).then_some(())
    });
}

#[test]
fn a_call_and_calling_by_name_outlive_the_registry() {
    let place = Place::new();
    let mut registry = Registry::start(&place);
    let alice = Station::quiet("alice").registry(&registry).start(&place);
    let bob = Station::quiet("bob").registry(&registry).answering().start(&place);
    wait::until("alice to know bob", 10, || alice.run(&["users"]).out.contains("bob\t").then_some(()));
    let _call = alice.begin(&["call", "bob"]);
    bob.wait_until("talking");
    let mut events = alice.watch();
    registry.process().kill();
    events.wait_for(&["*", "LINK", "down"]);
    still_hears(&alice);
    still_hears(&bob);
    assert_eq!(alice.run(&["hangup"]).code, 0);
    bob.wait_until("idle");

    assert!(alice.run(&["users"]).out.contains("bob\t"));
    assert!(alice.control().ask("USERS").last().is_some_and(|last| last.contains(" as of ")));
    let again = alice.run(&["call", "bob", "--detach"]);
    assert_eq!(again.code, 0, "{again:?}");
    bob.wait_until("talking");

    registry.start_again();
    events.wait_for(&["*", "LINK", "up"]);
    bob.wait_for_registry();
    still_hears(&bob);
    let users = wait::within(Duration::from_secs(5), || {
        let users = alice.control().ask("USERS");
        (users.iter().filter(|user| user.contains(" busy SHA256:")).count() == 2).then_some(())
    });
    assert!(users.is_some(), "a status is told again: {:?}", alice.control().ask("USERS"));
}

#[test]
fn a_registry_that_stands_still_keeps_nobody_from_calling() {
    let place = Place::new();
    let mut registry = Registry::start(&place);
    let alice = Station::quiet("alice").registry(&registry).start(&place);
    let bob = Station::quiet("bob").registry(&registry).answering().start(&place);
    wait::until("alice to know bob", 10, || alice.run(&["users"]).out.contains("bob\t").then_some(()));
    registry.process().signal(Signal::SIGSTOP);
    let mut asking = alice.control();
    asking.say("CALL zoe");
    alice.wait_until("calling");
    assert_eq!(alice.control().ask("CALL bob"), ["440 already in a call, hang up first"]);
    assert_eq!(alice.run(&["hangup"]).code, 0);
    assert_eq!(asking.ask("USERS")[0], "404 zoe cannot be found: the call was given up");
    assert_eq!(alice.run(&["call", "bob", "--detach"]).code, 0);
    still_hears(&bob);
    registry.process().signal(Signal::SIGCONT);
    assert_eq!(alice.run(&["hangup"]).code, 0);
    assert_eq!(alice.run(&["echo", "again"]).out, "again\n");
}

#[test]
fn a_name_that_is_still_taken_is_asked_for_again() {
    let place = Place::new();
    let registry = Registry::start(&place);
    let mut ghost = Wire::tcp(&registry.address());
    ghost.hear();
    assert!(ghost.ask("REGISTER alice 1").is_some_and(|answer| answer.starts_with("200 ")));
    let alice = Station::quiet("alice").registry(&registry).start(&place);
    wait::until("the refusal", 10, || {
        alice.status("registry", "reason").filter(|reason| reason.contains("name is taken"))
    });
    drop(ghost);
    alice.wait_for_registry();
}

#[test]
fn a_side_that_was_restarted_is_served_at_once() {
    let place = Place::new();
    let alice = Station::quiet("alice").answering().start(&place);
    let mut bob = Station::quiet("bob").answering().start(&place);
    let mut events = alice.watch();
    let _call = alice.begin(&["call", &bob.host()]);
    events.wait_for(&["talking", "bob"]);
    bob.wait_until("talking");
    bob.process().kill();
    bob.start_again();
    let asked = clock::now();
    assert_eq!(bob.run(&["call", "--detach", &alice.host()]).code, 0);
    assert!(clock::now() - asked < Duration::from_secs(3), "{:?}", clock::now() - asked);
    events.wait_for(&["ended", "bob", "reason=lost"]);
    events.wait_for(&["talking", "bob"]);
    still_hears(&alice);
    still_hears(&bob);
}

#[test]
fn a_side_that_stood_still_is_lost_on_both_and_can_be_called_again() {
    let place = Place::new();
    let alice = Station::quiet("alice").start(&place);
    let mut bob = Station::quiet("bob").answering().start(&place);
    let (mut here, mut there) = (alice.watch(), bob.watch());
    let _call = alice.begin(&["call", &bob.host()]);
    bob.wait_until("talking");
    bob.process().signal(Signal::SIGSTOP);
    here.wait_for(&["ended", "bob", "reason=lost"]);
    bob.process().signal(Signal::SIGCONT);
    there.wait_for(&["ended", "alice", "reason=lost"]);
    assert_eq!(alice.run(&["call", "--detach", &bob.host()]).code, 0);
    still_hears(&alice);
    still_hears(&bob);
}

#[test]
fn a_station_that_is_told_to_end_says_goodbye_within_a_second() {
    let place = Place::new();
    let mut alice = Station::quiet("alice").start(&place);
    let bob = Station::quiet("bob").answering().start(&place);
    let carol = Station::quiet("carol").start(&place);
    for (callee, state, reason) in [(&bob, "talking", "far-hangup"), (&carol, "ringing", "cancelled")] {
        let mut events = callee.watch();
        let mut call = alice.begin(&["call", &callee.host()]);
        callee.wait_until(state);
        let asked = clock::now();
        alice.process().signal(Signal::SIGTERM);
        assert_eq!(alice.process().wait(5).code(), Some(0));
        assert!(clock::now() - asked < Duration::from_secs(1), "{:?}", clock::now() - asked);
        events.wait_for(&["ended", "alice", &format!("reason={reason}")]);
        call.wait(5);
        assert!(!alice.socket().exists(), "its socket is gone");
        alice.start_again();
    }
    let outcomes: Vec<String> =
        alice.control().ask("HISTORY").iter().filter_map(|line| outcome(line)).collect();
    assert_eq!(outcomes, ["hangup", "cancelled"]);
}

fn outcome(line: &str) -> Option<String> {
    line.starts_with("231-").then(|| line.split(' ').nth(4).map(str::to_owned))?
}

#[test]
fn the_history_and_the_missed_calls_outlive_the_daemon() {
    let place = Place::new();
    let alice = Station::quiet("alice").start(&place);
    let mut bob = Station::quiet("bob").set("call.ring-timeout-s", 1).start(&place);
    assert_eq!(alice.run(&["call", &bob.host()]).code, 1);
    bob.process().end();
    bob.start_again();
    assert_eq!(bob.status("peer", "missed").as_deref(), Some("1"));
    assert_eq!(alice.run(&["call", &bob.host()]).code, 1);
    bob.wait_until("idle");
    // It is on the disk soon after the call has ended, whatever happens to the daemon then.
    wait::until("the disk", 5, || {
        let kept = std::fs::read_to_string(place.at("bob-state/history")).ok()?;
        kept.starts_with("missed 2").then_some(())
    });
    bob.process().kill();
    bob.start_again();
    assert_eq!(bob.status("peer", "missed").as_deref(), Some("2"));
    let history = bob.control().ask("HISTORY");
    assert_eq!(history.len(), 3, "{history:#?}");
    assert_eq!(outcome(&history[0]).as_deref(), Some("no-answer"));
    assert_eq!(bob.status("peer", "missed").as_deref(), Some("0"), "somebody has looked");
    bob.process().kill();
    bob.start_again();
    assert_eq!(bob.control().ask("HISTORY").len(), 3);
}

/// One side is killed at a random moment of the set-up; the other is idle again by itself, or is called at once by
/// the side that was restarted. A callee that was restarted may be called again, and answer, before anybody looks.
fn vanish(seed: u64) {
    let place = Place::new();
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let mut alice = Station::quiet("alice").start(&place);
    let mut bob = Station::quiet("bob");
    if dice.next_u32() % 2 == 0 {
        bob = bob.answering();
    }
    let mut bob = bob.start(&place);
    let (to_bob, to_alice) = (bob.host(), alice.host());
    let mut control = alice.control();
    control.say(&format!("CALL {to_bob} detach"));
    wait::pause(Duration::from_micros(u64::from(dice.next_u32() % 60_000)));
    let caller_dies = dice.next_u32() % 2 == 0;
    let (dead, alive, to_alive) =
        if caller_dies { (&mut alice, &bob, to_bob) } else { (&mut bob, &alice, to_alice) };
    dead.process().kill();
    let killed = clock::now();
    if dice.next_u32() % 4 == 0 {
        alive.wait_until("idle");
        assert!(clock::now() - killed < Duration::from_secs(20), "seed {seed}: {:?}", clock::now() - killed);
    }
    dead.start_again();
    let state = dead.status("peer", "state").unwrap_or_default();
    let is_called_again = !caller_dies && ["ringing", "talking"].contains(&&*state);
    assert!(state == "idle" || is_called_again, "seed {seed}: {state}");
    let mut call = dead.begin(&["call", &to_alive]);
    let served = wait::within(Duration::from_secs(20), || {
        let _ = [alive, &*dead].map(|station| station.control().ask("ANSWER"));
        let talks = |station: &Station| station.status("peer", "state").as_deref() == Some("talking");
        (talks(alive) && talks(dead)).then_some(())
    });
    assert!(
        served.is_some(),
        "seed {seed}: the restarted side was not served: {:?} {}",
        call.ended(),
        call.log()
    );
}

#[test]
fn whoever_vanishes_while_a_call_is_set_up_is_forgotten_and_may_come_back_at_once() {
    let first = u64::from(std::process::id()) * 100;
    std::thread::scope(|threads| {
        for lane in 0..10 {
            threads.spawn(move || (0..2).for_each(|round| vanish(first + lane * 2 + round)));
        }
    });
}
