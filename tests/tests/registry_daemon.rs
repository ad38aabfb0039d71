//! The real `vox-registry` as the machine sees it: how it starts, reads its configuration again, and ends.

use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;
use vox_common::sys::clock;
use vox_tests::bed::daemon::Supervisor;
use vox_tests::bed::need::program;
use vox_tests::bed::{Place, Process, Registry, Surroundings, may, wait};
use vox_tests::bins;
use vox_tests::wire::Wire;

#[test]
fn a_registry_without_descriptors_waits_for_some() {
    let Some(()) = may("registry::prlimit", program("prlimit", "util-linux")) else { return };
    let place = Place::new();
    let few = Surroundings::default().through(["prlimit", "--nofile=40:40"]);
    let registry = Registry::with(&place, &few, "127.0.0.1", |_| {});
    let mut wires: Vec<Wire> = (0..60).map(|_| Wire::tcp(&registry.address())).collect();
    let mut late = wires.split_off(50);
    assert!(wires[0].hear().is_some_and(|line| line.starts_with("220 ")));
    drop(wires);
    for wire in &mut late {
        assert!(wire.hear().is_some_and(|line| line.starts_with("220 ")));
    }
}

#[test]
fn a_registry_that_is_stopped_says_goodbye_and_ends_within_a_second() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let place = Place::new();
        let mut registry = Registry::start(&place);
        let mut clients: Vec<Wire> = (0..20).map(|n| registry.user(&format!("user{n}"), 6000 + n)).collect();
        let asked = clock::now();
        registry.process().signal(signal);
        for client in &mut clients {
            assert_eq!(client.rest(), ["* GOODBYE shutting down"]);
        }
        assert!(registry.process().wait(3).success());
        assert!(clock::now() - asked < Duration::from_secs(1));
    }
}

#[test]
fn a_request_that_waits_when_the_registry_ends_is_told_so() {
    let place = Place::new();
    let mut registry = Registry::without_limits(&place);
    let mut bob = registry.user("bob", 6000);
    // Frozen, it has more to answer than it can before it hears of the end, and less than a slow reader would have.
    registry.process().signal(Signal::SIGSTOP);
    bob.send("PING\n".repeat(10_000).as_bytes());
    registry.process().signal(Signal::SIGTERM);
    registry.process().signal(Signal::SIGCONT);
    let heard = bob.rest();
    let told = heard.iter().position(|line| line == "* GOODBYE shutting down").expect("a goodbye");
    assert!(heard[..told].iter().all(|line| line == "200 pong"));
    assert!(heard.len() > told + 1 && heard[told + 1..].iter().all(|line| line == "503 shutting down"));
    assert!(registry.process().wait(3).success());
}

#[test]
fn a_configuration_read_again_counts_and_a_broken_one_does_not() {
    let place = Place::new();
    let mut registry = Registry::start(&place);
    let _alice = registry.user("alice", 6000);
    let good = std::fs::read_to_string(place.at("registry.toml")).unwrap();
    let refused = |registry: &Registry| registry.ask("REGISTER bob 6001")[0] == "420 registry full";
    place.write("registry.toml", &format!("max-users = 0\n{good}"));
    registry.process().signal(Signal::SIGHUP);
    registry.process().wait_for_log("Keeping the old configuration");
    registry.process().wait_for_log("max-users is 0, but must be 1 to 512");
    assert!(!refused(&registry));
    place.write(
        "registry.toml",
        &format!("max-users = 1\n{good}").replace("listen = \"127", "listen = \"128"),
    );
    registry.process().signal(Signal::SIGHUP);
    registry.process().wait_for_log("listen keeps its old value");
    wait::until("the new bound", 5, || refused(&registry).then_some(()));
}

#[test]
fn who_may_come_and_how_much_they_may_ask_is_read_again_too() {
    let place = Place::new();
    let mut registry = Registry::without_limits(&place);
    let mut alice = registry.user("alice", 6000);
    let before = std::fs::read_to_string(place.at("registry.toml")).unwrap();
    // Enough for whoever looks whether it is so: REGISTER and QUIT.
    let stricter = before.replace("requests-per-second = 0", "requests-per-second = 1\nburst = 2");
    place.write("registry.toml", &format!("{stricter}[access]\nmode = \"keys\"\n"));
    registry.process().signal(Signal::SIGHUP);
    wait::until("the new access", 5, || {
        registry.ask("REGISTER bob 6001")[0].starts_with("403 ").then_some(())
    });
    alice.send(b"PING\nPING\nPING\n");
    let heard: Vec<_> = (0..3).filter_map(|_| alice.hear()).collect();
    assert_eq!(heard, ["200 pong", "200 pong", "429 slow down"]);
}

#[test]
fn systemd_hears_of_progress_of_a_reload_and_of_the_end() {
    let place = Place::new();
    let config = place.write("registry.toml", "[log]\ntarget = \"stderr\"\n");
    let mut command = Command::new(bins::registry());
    command.args(["run", "--listen", "127.0.0.1:0", "--config"]).arg(config).env("WATCHDOG_USEC", "200000");
    command.arg("--socket").arg(place.at("registry.sock"));
    let supervisor = Supervisor::of(&mut command, &place.at("notify"));
    let mut registry = Process::start("vox-registry", &command, &place.at("registry.log"));
    let hear = |what: &str| {
        wait::until(what, 5, || {
            supervisor.heard().filter(|heard| heard.lines().any(|line| line.starts_with(what)))
        })
    };
    assert!(hear("READY=1").contains("STATUS=listening on 127.0.0.1:"));
    (0..3).for_each(|_| drop(hear("WATCHDOG=1")));
    registry.signal(Signal::SIGHUP);
    hear("RELOADING=1");
    hear("READY=1");
    registry.signal(Signal::SIGTERM);
    hear("STOPPING=1");
    assert!(registry.wait(3).success());
}

#[test]
fn a_port_that_is_taken_is_one_sentence_and_the_end() {
    let place = Place::new();
    let registry = Registry::start(&place);
    let config = place.write("second.toml", "");
    let output = Command::new(bins::registry())
        .args(["run", "--listen", &registry.address(), "--config"])
        .arg(config)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let sentence = format!("vox-registry: cannot listen on {}: address already in use\n", registry.address());
    assert_eq!(String::from_utf8(output.stderr).unwrap(), sentence);
}
