//! A real rsyslog: stopped, frozen and restarted while a call runs, and given all that a stranger can say.

use std::time::Duration;

use vox_tests::bed::rsyslog::Rsyslog;
use vox_tests::bed::station::{Station, talk};
use vox_tests::bed::{Place, Registry, may, wait};
use vox_tests::wire::Wire;

/// What the call lost so far, on one side.
fn harm(station: &Station) -> f64 {
    ["packets-lost", "packets-late", "underruns"].iter().map(|key| station.figure("media", key)).sum()
}

/// Lets the registry write many lines: everybody who comes and goes is an event.
fn coming_and_going(registry: &Registry, times: usize) {
    for _ in 0..times {
        let said = registry.ask("REGISTER visitor 7000");
        assert!(said[0].starts_with("200 "), "{said:?}");
    }
}

#[test]
fn a_call_does_not_notice_what_becomes_of_the_syslog_daemon() {
    let place = Place::new();
    let Some(mut rsyslog) = may("syslog::call", Rsyslog::start(&place)) else { return };
    let registry = Registry::with(&place, &<_>::default(), "127.0.0.1", |settings| {
        settings.set("log.target", rsyslog.target()).set("limits.requests-per-second", 0);
    });
    let named = |name| Station::named(name).registry(&registry).set("log.target", rsyslog.target());
    let alice = named("alice").start(&place);
    let bob = named("bob").answering().start(&place);
    alice.wait_for_registry();
    bob.wait_for_registry();
    let _call = alice.begin(&["call", "bob"]);
    talk(&alice, &bob, Duration::from_millis(1500));
    rsyslog.wait_for("vox-registry");
    rsyslog.wait_for("vox-peer");
    let before = harm(&alice) + harm(&bob);

    rsyslog.freeze();
    // More lines than the daemon's socket and our ring can hold together.
    coming_and_going(&registry, 600);
    assert_eq!(registry.ask("ECHO prompt")[0], "200 prompt");
    rsyslog.thaw();
    rsyslog.wait_for("lines were lost");

    rsyslog.stop();
    coming_and_going(&registry, 10);
    rsyslog.start_again();
    wait::pause(Duration::from_millis(1500));
    let call = alice.status("call", "call").expect("the call still runs");
    assert_eq!(alice.run(&["hangup"]).code, 0);
    bob.wait_until("idle");
    wait::until("the end of the call in the new log", 10, || {
        let messages = rsyslog.messages();
        let ends = messages.lines().filter(|line| line.contains("ended") && line.contains(&call));
        (ends.count() == 2).then_some(())
    });
    let harm = harm(&alice) + harm(&bob) - before;
    assert!(harm < 10.0, "{harm} packets were lost or late meanwhile");
}

/// What our sentences tell besides.
const KEYS: [&str; 9] =
    ["version", "fingerprint", "address", "conn", "users", "capacity", "client", "uid", "pid"];

/// Whether a log line is a sentence of ours, with fields of ours; what it quotes is a refusal, which is ours, too.
fn is_ours(line: &str) -> bool {
    let Some((_, sentence)) = line.split_once("]: ") else { return false };
    let unquoted: String = sentence.split('"').step_by(2).collect();
    let mut keys = unquoted.split(' ').filter_map(|word| Some(word.split_once('=')?.0));
    line.contains(" vox-registry[") && keys.all(|key| KEYS.contains(&key))
}

#[test]
fn nothing_that_is_said_to_a_registry_begins_a_line_of_its_own_or_forges_a_field() {
    let place = Place::new();
    let Some(rsyslog) = may("syslog::forging", Rsyslog::start(&place)) else { return };
    let registry = Registry::with(&place, &<_>::default(), "127.0.0.1", |settings| {
        settings.set("log.target", rsyslog.target()).set("log.level", "debug");
    });
    let mut wire = Wire::tcp(&registry.address());
    wire.hear();
    for line in [
        "REGISTER mallory 6000 display=%0A<13>vox-registry[1]:%20forged=yes",
        "REGISTER mallory=root 6000",
        "REGISTER mallory 6000 key=forged=yes",
        "ECHO a\u{2028}vox-registry[1]: forged=yes",
        "forged=yes",
        "REGISTER mallory 6000 forged=yes display=%E2%80%A8forged=yes",
        "REGISTER mallory 6000 forged=yes display=%22%20forged=yes",
        "CREATE forged=yes 3",
        "CREATE room 3 forged=yes",
        "MSG mallory forged=yes",
        "SAY <13>vox-registry[1]: forged=yes",
    ] {
        assert!(wire.ask(line).is_some(), "{line:?} is answered");
    }
    wire.send(b"PING \r<13>vox-registry[1]: forged=yes\x00\x1b[2J\xff\n");
    wire.send(&[b'x'; 4000]);
    wire.send(b"\nCREATE bridge 3\n");
    wait::until("the room", 5, || (wire.hear()? == "200 created bridge").then_some(()));
    registry.must(&["ban", "mallory"]);
    for event in [
        "mallory has registered address=127.0.0.1:6000 conn=",
        "room bridge was made capacity=3",
        "mallory is banned uid=",
        "said goodbye to mallory: banned conn=",
        "room bridge has ended uid=",
        "mallory has left users=0 uid=",
    ] {
        rsyslog.wait_for(event);
    }
    let messages = rsyslog.messages();
    assert!(!messages.contains("forged"), "{messages}");
    assert!(messages.lines().all(is_ours), "{messages}");
}
