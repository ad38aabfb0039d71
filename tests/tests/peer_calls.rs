//! Calls that go well: by host, contact and name, both at once, on every address, muted, kept, and let go.

use std::time::Duration;

use vox_common::wire::words;
use vox_tests::bed::wav::Recording;
use vox_tests::bed::{Place, Registry, Station, station, wait};

/// Both talk, and hear the packets of the other.
fn both_hear(one: &Station, other: &Station) {
    for station in [one, other] {
        station.wait_until("talking");
        wait::until("packets to be heard", 10, || {
            (station.figure("media", "packets-received") > 5.0).then_some(())
        });
    }
}

fn hang_up(one: &Station, other: &Station) {
    assert_eq!(one.run(&["hangup"]).code, 0);
    one.wait_until("idle");
    other.wait_until("idle");
}

#[test]
fn by_host_and_by_contact_without_any_registry() {
    let place = Place::new();
    let bob = Station::quiet("bob").answering().start(&place);
    let alice = Station::quiet("alice").set("contacts.bob", bob.host()).start(&place);
    for who in [&bob.host(), &format!("@localhost:{}", bob.port()), "bob", "BOB"] {
        let mut control = alice.control();
        assert!(control.ask(&format!("CALL {who}"))[0].starts_with("200 calling "), "{who}");
        control.wait_for(&["talking", "bob"]);
        both_hear(&alice, &bob);
        hang_up(&alice, &bob);
        control.wait_for(&["ended", "bob", "reason=hangup"]);
    }
}

#[test]
fn by_name_with_a_registry() {
    let place = Place::new();
    let registry = Registry::start(&place);
    let (alice, bob) = station::pair(&place, &registry);
    let mut there = bob.watch();
    let _call = alice.begin(&["call", "bob"]);
    both_hear(&alice, &bob);
    there.wait_for(&["talking", "alice", "direction=in"]);
    wait::until("others to see that he is busy", 5, || {
        (alice.run(&["lookup", "bob"]).out.contains("\tbusy")).then_some(())
    });
    hang_up(&bob, &alice);
}

#[test]
fn the_answer_comes_from_the_address_that_was_called() {
    let place = Place::new();
    let alice = Station::quiet("alice").on_every_address().start(&place);
    let bob = Station::quiet("bob").on_every_address().answering().start(&place);
    for address in ["127.0.0.2", "[::1]", "127.0.0.1"] {
        let called = format!("{address}:{}", bob.port());
        let _call = alice.begin(&["call", &called]);
        both_hear(&alice, &bob);
        assert_eq!(alice.status("call", "address").as_ref(), Some(&called));
        hang_up(&alice, &bob);
    }
}

/// What a `* CALL` event says: call-id, and the call-id that it took the place of.
fn ids(event: &str) -> (String, Option<String>) {
    let id = event.split(' ').nth(2).expect("a call-id").to_owned();
    (id, words::value(event, "was").expect("said once").map(str::to_owned))
}

#[test]
fn two_who_call_each_other_at_the_same_moment_talk() {
    let place = Place::new();
    let alice = Station::quiet("alice").start(&place);
    let bob = Station::quiet("bob").set("call.ring-timeout-s", 600).start(&place);
    for round in 0..20 {
        let (mut one, mut other) = (alice.control(), bob.control());
        let ways = [format!("CALL {}", bob.host()), format!("CALL {}", alice.host())];
        one.say(&ways[0]);
        other.say(&ways[1]);
        let answers = [one.ask("HELP"), other.ask("HELP")];
        if answers.iter().all(|answer| answer[0].starts_with("200 calling ")) {
            let placed = answers.each_ref().map(|answer| answer[0].rsplit(' ').next().expect("a call-id"));
            let talks = [one.wait_for(&["talking"]), other.wait_for(&["talking"])].map(|event| ids(&event));
            assert_eq!(talks[0].0, talks[1].0, "round {round}: one call");
            for (placed, (id, was)) in placed.into_iter().zip(&talks) {
                assert!(
                    placed == id || Some(placed) == was.as_deref(),
                    "round {round}: {placed} {id} {was:?}"
                );
            }
        } else {
            // One was quicker, and it rings or talks already at the other: an ordinary call.
            assert!(answers.iter().any(|answer| answer[0].starts_with("200 calling ")), "{answers:?}");
            let _ = [&alice, &bob].map(|station| station.run(&["answer"]));
        }
        alice.wait_until("talking");
        bob.wait_until("talking");
        hang_up(&alice, &bob);
    }
}

#[test]
fn the_commands_of_two_who_call_each_other_see_the_call_and_its_end() {
    let place = Place::new();
    let alice = Station::quiet("alice").start(&place);
    let bob = Station::quiet("bob").start(&place);
    for _ in 0..5 {
        let mut calls = [alice.begin(&["call", &bob.host()]), bob.begin(&["call", &alice.host()])];
        let both = wait::within(Duration::from_secs(10), || {
            let states = [&alice, &bob].map(|station| station.status("peer", "state").unwrap_or_default());
            if states.iter().any(|state| state == "ringing") {
                let _ = [&alice, &bob].map(|station| station.run(&["answer"]));
            }
            states.iter().all(|state| state == "talking").then_some(())
        });
        assert!(both.is_some(), "{} {}", calls[0].log(), calls[1].log());
        hang_up(&alice, &bob);
        for call in &mut calls {
            let (code, log) = (call.wait(5).code(), call.log());
            // Whoever was too late to call hears that there is a call already.
            let last = log.lines().last().unwrap_or_default();
            let expected = i32::from(!last.starts_with("hung up "));
            assert_eq!(code, Some(expected), "{log}");
            assert!(expected == 0 || last.starts_with("already in a call"), "{log}");
        }
    }
}

#[test]
fn a_dropped_connection_hangs_up_and_a_detached_one_does_not() {
    let place = Place::new();
    let alice = Station::quiet("alice").start(&place);
    let bob = Station::quiet("bob").answering().start(&place);
    let mut here = alice.watch();
    let mut control = alice.control();
    control.ask(&format!("CALL {}", bob.host()));
    control.wait_for(&["talking"]);
    drop(control);
    here.wait_for(&["ended", "reason=hangup"]);
    bob.wait_until("idle");

    let mut control = alice.control();
    control.ask(&format!("CALL {} detach", bob.host()));
    control.wait_for(&["talking"]);
    drop(control);
    both_hear(&alice, &bob);
    let before = alice.figure("media", "packets-received");
    wait::until("the call to go on", 10, || {
        (alice.figure("media", "packets-received") > before + 50.0).then_some(())
    });
    hang_up(&alice, &bob);

    // Gone before it was answered: given up.
    let carol = Station::quiet("carol").start(&place);
    let mut control = alice.control();
    control.ask(&format!("CALL {}", carol.host()));
    carol.wait_until("ringing");
    drop(control);
    carol.wait_until("idle");
    assert_eq!(carol.status("peer", "missed").as_deref(), Some("1"));
}

#[test]
fn a_muted_side_is_not_heard_and_volume_turns_down() {
    let place = Place::new();
    let heard = place.at("heard.wav");
    let alice = Station::named("alice").start(&place);
    let bob = Station::quiet("bob")
        .answering()
        .set("audio.output", format!("file:{}", heard.display()))
        .start(&place);
    let level = |mute: bool, volume: u8| {
        let _call = alice.begin(&["call", &bob.host()]);
        alice.wait_until("talking");
        bob.wait_until("talking");
        assert_eq!(alice.run(&["volume", "in", &volume.to_string()]).code, 0);
        if mute {
            assert_eq!(alice.run(&["mute"]).code, 0);
        }
        wait::pause(Duration::from_millis(700));
        hang_up(&alice, &bob);
        let sound = wait::until("the recording", 5, || {
            Some(Recording::read(&heard)).filter(|sound| sound.seconds() > 0.5)
        });
        sound.piece(sound.seconds() - 0.4, 0.3).level()
    };
    let (loud, soft, silent) = (level(false, 100), level(false, 25), level(true, 100));
    assert!(loud > 0.05, "{loud}");
    assert!(soft < loud / 3.0 && soft > loud / 6.0, "{soft} of {loud}");
    assert!(silent < loud / 100.0, "{silent} of {loud}");
    assert!(level(false, 100) > loud / 2.0, "mute ends with its call");
}
