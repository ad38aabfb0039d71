//! Sealed lines with the real `vox-registry`: everything goes through them, and whoever bends them gains nothing.

use std::time::Duration;

use vox_common::seal::identity::Identity;
use vox_common::seal::records::PLAIN_BYTES;
use vox_common::sys::clock;
use vox_tests::bed::{Place, Registry, Surroundings, listen, usage, wait};
use vox_tests::sealed::Sealed;
use vox_tests::torture::Bystander;

fn identity(n: u8) -> Identity {
    Identity::new([n; 32])
}

fn registered(registry: &Registry, name: &str, port: u16, n: u8) -> Sealed {
    let mut wire = Sealed::connect(&registry.address(), &identity(n));
    let reply = wire.ask(&format!("REGISTER {name} {port} key={}", identity(n).public()));
    assert!(reply.as_ref().is_some_and(|reply| reply.starts_with("200 ")), "{reply:?}");
    wire
}

/// Hears a whole answer.
fn answer(wire: &mut Sealed, line: &str) -> Vec<String> {
    wire.say(line);
    let mut heard = Vec::new();
    while heard.last().is_none_or(|line: &String| line.as_bytes()[3] == b'-') {
        heard.push(wire.hear().expect("the rest of the answer"));
    }
    heard
}

#[test]
fn sealed_and_plain_clients_are_served_alike() {
    let place = Place::new();
    let registry = Registry::start(&place);
    let mut alice = registered(&registry, "alice", 6000, 1);
    let mut bob = registry.user("bob", 6001);
    assert_eq!(alice.ask("MSG bob hello").as_deref(), Some("200 delivered"));
    assert_eq!(bob.hear().as_deref(), Some("* MSG alice hello"));
    let text = "x".repeat(900);
    assert_eq!(bob.ask(&format!("MSG alice {text}")).as_deref(), Some("200 delivered"));
    assert_eq!(alice.hear(), Some(format!("* MSG bob {text}")));
    let key = identity(1).public().to_string();
    assert_eq!(bob.ask("LOOKUP alice"), Some(format!("211 alice 127.0.0.1:6000 idle key={key}")));
    let status = registry.must(&["status"]);
    assert!(status.contains("2 connections, 1 of them sealed"), "{status}");
}

#[test]
fn a_listing_of_many_records_comes_whole() {
    let place = Place::new();
    let registry = Registry::without_limits(&place);
    let others: Vec<_> = (0..60)
        .map(|n| registry.user_shown_as(&"門".repeat(64), &format!("station-{n:02}"), 7000 + n))
        .collect();
    let mut alice = registered(&registry, "alice", 6000, 1);
    let list = answer(&mut alice, "LIST");
    assert_eq!(list.len(), others.len() + 2);
    assert!(list.iter().map(String::len).sum::<usize>() > 8 * PLAIN_BYTES);
    assert_eq!(list.last().map(String::as_str), Some("210 61 users"));
}

#[test]
fn a_station_that_comes_again_takes_the_place_of_its_ghost_at_once() {
    let place = Place::new();
    let registry = Registry::start(&place);
    let mut ghost = registered(&registry, "bob", 6000, 1);
    let mut thief = Sealed::connect(&registry.address(), &identity(2));
    let claim = format!("REGISTER bob 6000 key={}", identity(1).public());
    assert_eq!(thief.ask(&claim).as_deref(), Some("409 name is taken"), "who tells a key does not hold it");
    let mut again = registered(&registry, "bob", 6000, 1);
    assert_eq!(ghost.hear().as_deref(), Some("* GOODBYE replaced"));
    assert_eq!(ghost.hear(), None);
    assert_eq!(again.ask("PING").as_deref(), Some("200 pong"));
}

#[test]
fn the_registrys_key_is_the_same_after_a_kill_and_another_in_another_directory() {
    let place = Place::new();
    let mut registry = Registry::start(&place);
    let key = Sealed::plain(&registry.address()).key;
    registry.process().wait_for_log(&format!("fingerprint={}", key.fingerprint()));
    assert!(registry.must(&["status"]).contains(&format!("key {}", key.fingerprint())));
    registry.process().kill();
    registry.start_again();
    assert_eq!(Sealed::plain(&registry.address()).key, key);
    let elsewhere = Place::new();
    assert_ne!(Sealed::plain(&Registry::start(&elsewhere).address()).key, key);
}

#[test]
fn a_registry_without_a_place_for_its_key_does_not_start_where_keys_matter() {
    for (key, value) in [("access.mode", "keys"), ("access.sealed", "required")] {
        let place = Place::new();
        let file = place.write("in-the-way", "");
        let text = format!(
            "listen = \"127.0.0.1:0\"\nstate.directory = \"{}/state\"\n{key} = \"{value}\"\nlog.target = \"stderr\"\n\
             control.socket = \"{}\"\npage.listen = \"none\"\n",
            file.display(),
            place.at("registry.sock").display()
        );
        let config = place.write("registry.toml", &text);
        let mut command = std::process::Command::new(vox_tests::bins::registry());
        let ended = command.arg("run").arg("--config").arg(config).output().expect("it starts");
        let told = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.code(), Some(1), "{told}");
        assert!(told.contains("cannot keep a key in"), "{told}");
    }
}

/// Garbage, records that are cut, come again, are too long, empty or plain, and an offer for another connection.
#[test]
fn whoever_bends_a_sealed_connection_loses_it_and_nobody_else_notices() {
    let place = Place::new();
    let registry = Registry::without_limits(&place);
    let mut bob = registered(&registry, "bob", 6001, 2);
    let eve = || Sealed::connect(&registry.address(), &identity(3));
    let ends = |mut wire: Sealed, bytes: &[u8], what: &str| {
        wire.send(bytes);
        assert_eq!(wire.hear(), None, "{what}");
    };
    ends(eve(), b"PING\n", "a plain line");
    ends(eve(), &[0xff; 3000], "a giant length");
    ends(eve(), &[0, 0, 0, 0], "an empty record");
    ends(eve(), &[0, 16].into_iter().chain([0; 16]).collect::<Vec<_>>(), "nothing but a tag");
    ends(eve(), &[4, 16].into_iter().chain([7; 1040]).collect::<Vec<_>>(), "the longest record, of garbage");
    let mut wire = eve();
    let record = wire.record("PING");
    wire.send(&record);
    assert_eq!(wire.hear().as_deref(), Some("200 pong"));
    ends(wire, &record, "the same record again");
    let mut wire = eve();
    let _left_out = wire.record("PING");
    let second = wire.record("PING");
    ends(wire, &second, "a record out of turn");
    let mut first = eve();
    let replayed = first.record("PING");
    ends(eve(), &replayed, "a record of another connection");
    let mut wire = eve();
    let cut = wire.record("PING");
    wire.send(&cut[..cut.len() - 1]);
    drop(wire);
    assert_eq!(bob.ask("PING").as_deref(), Some("200 pong"));
}

/// An offer is 0.2 ms of arithmetic: a crowd that offers garbage as fast as it can neither stalls nor grows the registry.
#[test]
fn a_flood_of_offers_and_of_handshakes_that_never_end_holds_nobody_up() {
    let place = Place::new();
    let mut registry = Registry::with(&place, &Surroundings::default(), "127.0.0.1", |settings| {
        settings.set("limits.connections-per-address", 0).set("limits.requests-per-second", 0);
        settings.set("log.level", "info");
    });
    let (address, pid) = (registry.address(), registry.process().pid());
    let bystander = Bystander::of(&address);
    let garbage = format!("SECURE {}", "A".repeat(128));
    let storm = || {
        for _ in 0..50 {
            let mut eve = Sealed::plain(&address);
            assert!(eve.ask(&garbage).is_some_and(|line| line.starts_with("403 ")));
        }
    };
    storm();
    let before = usage::resident_mb(pid);
    // Half an offer, and half a record, are the last that these say for as long as it lasts.
    let mut idle: Vec<Sealed> = (0..40).map(|_| Sealed::plain(&address)).collect();
    idle.iter_mut().for_each(|wire| wire.send(&garbage.as_bytes()[..40]));
    let mut half: Vec<Sealed> = (0..40).map(|n| Sealed::connect(&address, &identity(n + 1))).collect();
    half.iter_mut().for_each(|wire| wire.send(&[4, 0, 1, 2, 3]));
    let until = clock::now() + Duration::from_secs(2);
    while clock::now() < until {
        storm();
    }
    drop((idle, half));
    let took = bystander.finish();
    let late = listen::quantile(&took, 0.99);
    assert!(late < 500.0, "a PING took {late} ms");
    wait::until("no client but those that stay", 10, || {
        registry.must(&["status"]).contains(" 0 connections").then_some(())
    });
    let grown = usage::resident_mb(pid) - before;
    assert!(grown < 4.0, "it grew by {grown} MB");
}
