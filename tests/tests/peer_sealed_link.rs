//! Stations and a registry as they run: sealed by themselves, seen by nobody on the way, and not to be talked out of it.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

use vox_tests::bed::{Place, Registry, Station, wait};

/// Somebody on the way between a station and its registry, who writes down everything, and may change what the registry
/// says.
struct Ear {
    address: String,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Ear {
    fn before(registry: &Registry, change: fn(&mut Vec<u8>)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("a port").to_string();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (to, notes) = (registry.address(), heard.clone());
        thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let Ok(far) = TcpStream::connect(&to) else { continue };
                let ends = [(near.try_clone(), far.try_clone()), (Ok(far), Ok(near))];
                for ((from, to), change) in ends.into_iter().zip([|_: &mut Vec<u8>| {}, change]) {
                    let (from, to, notes) = (from.expect("a socket"), to.expect("a socket"), notes.clone());
                    thread::spawn(move || carry(from, to, &notes, change));
                }
            }
        });
        Self { address, heard }
    }

    fn heard(&self, words: &str) -> bool {
        self.heard
            .lock()
            .expect("nobody panics with it")
            .windows(words.len())
            .any(|piece| piece == words.as_bytes())
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, notes: &Mutex<Vec<u8>>, change: fn(&mut Vec<u8>)) {
    let mut bytes = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        let mut piece = bytes[..count].to_vec();
        change(&mut piece);
        notes.lock().expect("nobody panics with it").extend(&piece);
        if to.write_all(&piece).is_err() {
            break;
        }
    }
    let _ = to.shutdown(std::net::Shutdown::Both);
}

fn known(place: &Path, name: &str) -> String {
    fs::read_to_string(place.join(format!("{name}-state/known-peers"))).unwrap_or_default()
}

/// Takes the registry's key out of its greeting.
fn without_key(piece: &mut Vec<u8>) {
    if let Some(at) =
        piece.windows(5).position(|word| word == b" key=").filter(|_| piece.starts_with(b"220 "))
    {
        piece.truncate(at);
        piece.push(b'\n');
    }
}

/// Bends one bit of whatever is sealed.
fn bend(piece: &mut Vec<u8>) {
    if let Some(last) = piece.pop() {
        piece.push(if last == b'\n' { last } else { last ^ 1 });
    }
}

fn reason(station: &Station, begins: &str) -> String {
    let told = || station.status("registry", "reason").filter(|reason| reason.starts_with(begins));
    wait::until(&format!("the link to be down: {begins}"), 20, told)
}

#[test]
fn whoever_listens_on_the_way_learns_neither_names_nor_messages() {
    let place = Place::new();
    let registry = Registry::start(&place);
    let ear = Ear::before(&registry, |_| {});
    let station = |name| Station::quiet(name).set("registry.address", ear.address.clone()).start(&place);
    let (alice, bob) = (station("alice"), station("bob"));
    alice.wait_for_registry();
    bob.wait_for_registry();
    let mut watcher = bob.watch();
    assert_eq!(alice.run(&["msg", "bob", "the-key-is-under-the-mat"]).code, 0);
    watcher.wait_for(&["*", "MSG", "alice", "the-key-is-under-the-mat"]);
    assert!(ear.heard("220 vox-registry ") && ear.heard("SECURE "), "it listens at the right place");
    for secret in ["REGISTER", "alice", "bob", "MSG", "under-the-mat", "JOINED", "127.0.0.1"] {
        assert!(!ear.heard(secret), "{secret}");
    }
    assert_eq!(alice.status("registry", "sealed").as_deref(), Some("yes"));
}

#[test]
fn a_registry_that_suddenly_has_another_key_or_none_is_refused_until_it_is_forgotten() {
    let place = Place::new();
    let mut registry = Registry::start(&place);
    let alice = Station::quiet("alice").registry(&registry).start(&place);
    alice.wait_for_registry();
    let address = registry.address();
    wait::until("the key to be kept", 5, || {
        known(place.path(), "alice").starts_with(&format!("registry {address} ")).then_some(())
    });
    registry.process().end();
    fs::remove_file(place.at("registry-state/key")).expect("the registry's key");
    registry.start_again();
    let told = reason(&alice, "the registry's key has changed from SHA256:");
    assert!(told.contains(&format!("`vox-peer forget {address}`")), "{told}");
    assert_eq!(alice.run(&["forget", &address]).code, 0);
    alice.wait_for_registry();
}

#[test]
fn nobody_on_the_way_can_take_the_seal_off_once_it_was_there() {
    let place = Place::new();
    let registry = Registry::start(&place);
    let honest = Station::quiet("alice").registry(&registry).start(&place);
    honest.wait_for_registry();
    wait::until("the key to be kept", 5, || (!known(place.path(), "alice").is_empty()).then_some(()));
    let pinned = known(place.path(), "alice");
    drop(honest);
    for (change, begins) in [
        (without_key as fn(&mut Vec<u8>), "the registry offers no key, but had SHA256:"),
        (bend, "what came from the registry was changed"),
    ] {
        let ear = Ear::before(&registry, change);
        let place = Place::new();
        fs::create_dir_all(place.at("alice-state")).expect("a private directory");
        fs::write(place.at("alice-state/known-peers"), pinned.replace(&registry.address(), &ear.address))
            .expect("a private directory");
        let alice = Station::quiet("alice").set("registry.address", ear.address.clone()).start(&place);
        reason(&alice, begins);
        assert!(!ear.heard("REGISTER"), "nothing was said in plain");
    }
}

#[test]
fn a_first_use_without_a_seal_is_said_or_forbidden() {
    let place = Place::new();
    let registry = Registry::start(&place);
    let ear = Ear::before(&registry, without_key);
    let station = |name| Station::quiet(name).set("registry.address", ear.address.clone());
    let mut alice = station("alice").start(&place);
    alice.wait_for_registry();
    assert_eq!(alice.status("registry", "sealed").as_deref(), Some("no"));
    alice.process().wait_for_log("lines to the registry are not sealed");
    assert_eq!(known(place.path(), "alice"), "");
    let strict = station("bob").set("registry.sealed", "required").start(&place);
    reason(&strict, "the registry does not seal its lines");
}

#[test]
fn where_names_belong_to_keys_stations_prove_theirs_with_a_seal_or_without() {
    let place = Place::new();
    let registry =
        Registry::with(&place, &vox_tests::bed::Surroundings::default(), "127.0.0.1", |settings| {
            settings.set("access.mode", "keys");
        });
    let alice = Station::quiet("alice").registry(&registry).start(&place);
    let bob = Station::quiet("bob").registry(&registry).set("registry.sealed", "off").start(&place);
    alice.wait_for_registry();
    bob.wait_for_registry();
    assert_eq!(bob.status("registry", "sealed").as_deref(), Some("no"));
    let elsewhere = Place::new();
    let thief = Station::quiet("bob").registry(&registry).start(&elsewhere);
    reason(&thief, "the registry refuses: not let in: the name belongs to another key");
    let found = alice.control().ask("LOOKUP bob");
    assert!(found[0].starts_with("211 bob ") && found[0].contains(" key="), "{found:?}");
}
