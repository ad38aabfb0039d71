//! What stands still around a station while it talks: nothing of the call is late.

use std::io::{ErrorKind, Write};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use vox_common::sys::clock;
use vox_tests::bed::resolver::FrozenResolver;
use vox_tests::bed::station::talk;
use vox_tests::bed::{Place, Station, may, wait};

/// What the call lost so far, on one side.
fn harm(station: &Station) -> f64 {
    ["packets-lost", "packets-late", "underruns"].iter().map(|key| station.figure("media", key)).sum()
}

/// How long the slowest of many answers took.
fn slowest_answer(station: &Station) -> Duration {
    let mut control = station.control();
    let ask = |_| {
        let asked: Instant = clock::now();
        assert_eq!(control.ask("STATUS").last().map(String::as_str), Some("230 end"));
        wait::pause(Duration::from_millis(10));
        clock::now() - asked
    };
    (0..100).map(ask).max().expect("many")
}

/// A program that asks and asks, and never reads; the station cuts it off.
fn ask_without_reading(station: &Station) {
    let mut deaf = UnixStream::connect(station.socket()).expect("a station that is ready answers");
    deaf.set_write_timeout(Some(Duration::from_secs(10))).expect("a socket of our own");
    let cut_off = (0..100_000).find_map(|_| deaf.write_all(b"STATUS\n").err());
    let cut_off = cut_off.expect("nobody answers a hundred thousand times unheard").kind();
    assert!(matches!(cut_off, ErrorKind::BrokenPipe | ErrorKind::ConnectionReset), "{cut_off}");
}

#[test]
fn a_call_does_not_notice_a_resolver_that_stands_still_and_programs_that_do_not_read() {
    let place = Place::new();
    let Some(resolver) = may("freeze::call", FrozenResolver::start(&place)) else { return };
    let alice = Station::named("alice").within(resolver.surroundings());
    let mut alice = alice.set("registry.address", "registry.example:5000").start(&place);
    let bob = Station::named("bob").answering().start(&place);
    resolver.wait_for_questions(1);
    for n in 0..3 {
        let mut impatient = alice.control();
        impatient.say(&format!("CALL host{n}.example:6000"));
        resolver.wait_for_questions(1);
        drop(impatient);
        alice.wait_until("idle");
    }
    let call = wait::until("the impatient to be forgotten", 10, || {
        let mut control = alice.control();
        let said = control.ask(&format!("CALL 127.0.0.1:{}", bob.port()));
        said[0].starts_with("200 ").then_some(control)
    });
    talk(&alice, &bob, Duration::from_secs(1));
    let before = harm(&alice) + harm(&bob);

    let mut watcher = UnixStream::connect(alice.socket()).expect("a station that is ready answers");
    watcher.write_all(b"WATCH\n").expect("it takes a line");
    for _ in 0..5 {
        ask_without_reading(&alice);
    }
    let slowest = slowest_answer(&alice);
    wait::pause(Duration::from_secs(1));
    let harm = harm(&alice) + harm(&bob) - before;
    assert!(harm < 10.0, "{harm} packets were lost or late meanwhile");
    assert!(slowest < Duration::from_secs(1), "STATUS took {slowest:?}");
    assert_eq!(alice.run(&["hangup"]).code, 0);
    bob.wait_until("idle");
    drop((call, watcher));
    assert!(alice.process().end().success(), "whoever stands still is not waited for at the end");
}
