//! A real rsyslog that is stopped, frozen and restarted while a call runs.

use std::time::Duration;

use vox_tests::bed::rsyslog::Rsyslog;
use vox_tests::bed::station::{Station, talk};
use vox_tests::bed::{Place, Registry, may, wait};

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
    let call = alice.status("call", "id").expect("the call still runs");
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
