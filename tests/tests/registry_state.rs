//! What the real `vox-registry` keeps over restarts: whom it bans and whose names are whose, whatever happens to it and its
//! disk.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::Stdio;
use std::time::Duration;

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use serde_json::Value;
use vox_common::seal::identity::Identity;
use vox_common::sys::clock;
use vox_tests::bed::{Place, Registry, Said, Station, Surroundings, disk, may, wait};
use vox_tests::sealed::Sealed;

fn bans(place: &Place) -> String {
    fs::read_to_string(place.at("registry-state/bans")).unwrap_or_default()
}

#[test]
fn bans_outlive_a_restart_and_a_kill() {
    let place = Place::new();
    let mut registry = Registry::start(&place);
    registry.must(&["ban", "bob"]);
    registry.start_again();
    assert_eq!(registry.must(&["bans"]), "bob\n");
    registry.must(&["ban", "10.0.0.7"]);
    // At once: who was told that it is done can pull the plug.
    registry.process().kill();
    registry.start_again();
    assert_eq!(registry.must(&["bans"]), "bob\n10.0.0.7\n");
    let reply = registry.connect().ask("REGISTER bob 6009");
    assert!(reply.is_some_and(|reply| reply.starts_with("403 ")));
}

#[test]
fn a_state_file_that_is_damaged_loses_nothing() {
    let place = Place::new();
    let mut registry = Registry::start(&place);
    registry.process().end();
    let mut damaged = b"bob\n\xff\0\x01 what is this\n10.0.0.7\n".to_vec();
    damaged.extend([0; 5000]);
    damaged.extend(b"\n2001:db8::7\nan");
    fs::write(place.at("registry-state/bans"), &damaged).unwrap();
    fs::write(place.at("registry-state/bans.new"), "half of a fi").unwrap();
    registry.start_again();
    assert_eq!(registry.must(&["bans"]), "bob\n10.0.0.7\n2001:db8::7\nan\n");
    registry.process().wait_for_log("2 lines of ");
    registry.must(&["unban", "an"]);
    let kept = fs::read(place.at("registry-state/bans")).unwrap();
    let rest =
        [b"bob\n10.0.0.7\n2001:db8::7\n\xff\0\x01 what is this\n".as_slice(), &[0; 5000], b"\n"].concat();
    assert!(kept == rest, "what cannot be read goes on standing there: {}", String::from_utf8_lossy(&kept));
    assert!(fs::read(place.at("registry-state/bans.damaged")).unwrap() == damaged);
    assert!(
        registry
            .must(&["status"])
            .contains("damaged   bans has 2 damaged lines, whom these lines ban is let in")
    );
    registry.start_again();
    assert_eq!(registry.must(&["bans"]), "bob\n10.0.0.7\n2001:db8::7\n");
    assert!(!place.at("registry-state/bans.damaged-1").exists(), "once is enough");
}

#[test]
fn a_state_file_that_cannot_be_read_is_put_aside_and_not_lost() {
    let place = Place::new();
    let mut registry = Registry::start(&place);
    registry.process().end();
    let long = "bob\n".repeat(300_000);
    fs::write(place.at("registry-state/bans"), &long).unwrap();
    mkfifo(&place.at("registry-state/names"), Mode::S_IRWXU).unwrap();
    registry.start_again();
    registry.must(&["ban", "ann"]);
    assert_eq!(bans(&place), "ann\n");
    assert!(fs::read_to_string(place.at("registry-state/bans.unread")).unwrap() == long);
    assert!(place.at("registry-state/names.unread").exists());
    // Whoever looks later is told, too, and what was put aside first stays there.
    registry.process().end();
    fs::write(place.at("registry-state/bans"), "ben\n".repeat(300_000)).unwrap();
    registry.start_again();
    let status = registry.must(&["status"]);
    for file in ["bans", "names"] {
        assert!(status.contains(&format!("damaged   {file} cannot be read, ")), "{status}");
    }
    assert!(fs::read_to_string(place.at("registry-state/bans.unread")).unwrap() == long);
    assert!(place.at("registry-state/bans.unread-1").exists());
}

#[test]
fn state_that_cannot_be_kept_is_said_and_keeps_nobody_from_calling() {
    let place = Place::new();
    let file = place.write("in-the-way", "");
    let mut registry = Registry::with(&place, &Surroundings::default(), "127.0.0.1", |settings| {
        settings.set("state.directory", file.join("state").display().to_string());
    });
    registry.process().wait_for_log("Bans do not outlive a restart, and no line is sealed: cannot write to");
    assert!(registry.must(&["status"]).contains("cannot be written: not a directory"));
    for name in ["bob", "carol"] {
        let Said { code, err, .. } = registry.administer(&["ban", name]);
        assert!(err.starts_with("done, but not for longer than this registry runs: cannot keep "), "{err}");
        assert_eq!(code, 1);
    }
    assert_eq!(registry.must(&["bans"]), "bob\ncarol\n");
    drop(registry.user("ann", 6000));
}

/// Where names belong to keys.
fn with_keys(place: &Place) -> Registry {
    Registry::with(place, &Surroundings::default(), "127.0.0.1", |settings| {
        settings.set("access.mode", "keys");
        settings.set("limits.connections-per-address", 0).set("limits.requests-per-second", 0);
    })
}

/// What somebody with this key hears who wants this name.
fn register(registry: &Registry, name: &str, key: u8) -> String {
    let (mut wire, holder) = (Sealed::plain(&registry.address()), Identity::new([key; 32]));
    let reply = wire.ask(&wire.proved(&format!("{name} 6000"), &holder));
    reply.map_or(String::new(), |reply| reply[..3].to_owned())
}

/// Bob's and Ann's names belong to the keys 1 and 2, and the registry has ended; the file of names.
fn bob_and_ann(place: &Place, registry: &mut Registry) -> String {
    assert_eq!((register(registry, "bob", 1), register(registry, "ann", 2)), ("200".into(), "200".into()));
    registry.process().end();
    fs::read_to_string(place.at("registry-state/names")).expect("the file of names")
}

#[test]
fn a_name_belongs_to_its_key_over_a_kill_until_it_is_forgotten() {
    let place = Place::new();
    let mut registry = with_keys(&place);
    assert_eq!(register(&registry, "bob", 1), "200");
    let names = || fs::read_to_string(place.at("registry-state/names")).unwrap_or_default();
    wait::until("the name on the disk", 5, || names().starts_with("bob ").then_some(()));
    registry.process().kill();
    registry.start_again();
    assert_eq!(register(&registry, "bob", 2), "403");
    assert_eq!(registry.must(&["forget", "bob"]), "forgot the key of bob\n");
    assert_eq!(register(&registry, "bob", 2), "200");
}

#[test]
fn a_name_whose_line_is_damaged_is_nobodys_until_it_is_forgotten() {
    let place = Place::new();
    let mut registry = with_keys(&place);
    let names = bob_and_ann(&place, &mut registry);
    fs::write(place.at("registry-state/names"), names.replacen("bob ", "bob !", 1)).unwrap();
    registry.start_again();
    assert_eq!(register(&registry, "bob", 3), "403", "a bad character frees no name");
    assert_eq!(register(&registry, "bob", 1), "403", "and nobody can prove to be its owner");
    assert_eq!(
        (register(&registry, "ann", 2), register(&registry, "carol", 3)),
        ("200".into(), "200".into())
    );
    // What the registry keeps after that has not destroyed the line.
    registry.start_again();
    assert_eq!(register(&registry, "bob", 3), "403");
    assert!(
        registry
            .must(&["status"])
            .contains("damaged   names has 1 damaged line, nobody gets a name in it that has no key")
    );
    registry.must(&["forget", "bob"]);
    assert!(!registry.must(&["status"]).contains("damaged"));
    assert_eq!(register(&registry, "bob", 1), "200");
}

#[test]
fn while_names_may_be_missing_nobody_takes_a_new_one() {
    let place = Place::new();
    let mut registry = with_keys(&place);
    let names = bob_and_ann(&place, &mut registry);
    let file = place.at("registry-state/names");
    let garbled: [&dyn Fn(); 3] = [
        &|| fs::write(&file, names.replacen("bob ", "b\u{1}b ", 1)).unwrap(),
        &|| fs::write(&file, names.replacen("bob ", "bub ", 1)).unwrap(),
        &|| {
            fs::remove_file(&file).unwrap();
            mkfifo(&file, Mode::S_IRWXU).unwrap();
        },
    ];
    for (n, garble) in garbled.iter().enumerate() {
        garble();
        registry.start_again();
        let known = if n == 2 { "403" } else { "200" };
        assert_eq!(
            (register(&registry, "bob", 3), register(&registry, "ann", 2)),
            ("403".into(), known.into()),
            "{n}"
        );
        assert!(registry.must(&["status"]).contains("names may be missing, and no new one is taken"));
        registry.start_again();
        assert_eq!(register(&registry, "bob", 3), "403", "{n}: after another start, too");
        registry.process().end();
    }
    // An administrator has mended it.
    fs::remove_file(place.at("registry-state/names.unread")).unwrap();
    fs::write(&file, &names).unwrap();
    registry.start_again();
    assert_eq!(
        (register(&registry, "bob", 1), register(&registry, "carol", 3)),
        ("200".into(), "200".into())
    );
}

#[test]
fn a_registry_whose_disk_cannot_be_written_is_still_itself() {
    let place = Place::new();
    let state = place.at("registry-state");
    let Some(around) = may("registry_state::disk", disk::read_only(&state)) else { return };
    let mut registry = with_keys(&place);
    let alice = Station::quiet("alice").registry(&registry).start(&place);
    alice.wait_for_registry();
    registry.must(&["ban", "eve"]);
    registry.start_again_within(&around);
    alice.wait_for_registry();
    assert_eq!(
        alice.status("registry", "sealed").as_deref(),
        Some("yes"),
        "who has pinned its key believes it"
    );
    assert_eq!(register(&registry, "eve", 9), "403");
    assert_eq!(register(&registry, "alice", 9), "403");
    registry.process().wait_for_log("cannot write to ");
    let status = registry.must(&["status"]);
    assert!(status.contains("cannot be written: read-only file system"), "{status}");
    let ban = registry.administer(&["ban", "mallory"]);
    assert!(ban.code == 1 && ban.err.ends_with(": read-only file system\n"), "{ban:?}");
    assert_eq!(register(&registry, "carol", 3), "200");
    let status: Value = serde_json::from_str(&registry.must(&["status", "--json"])).unwrap();
    let unkept: Vec<_> = status["unkept"].as_array().unwrap().iter().map(|file| &file["file"]).collect();
    assert_eq!(unkept, ["bans", "names"]);
}

#[test]
fn names_that_are_taken_do_not_wear_out_the_disk() {
    let place = Place::new();
    let mut registry = with_keys(&place);
    let path = place.at("registry-state/names");
    let (length, mut taken, mut writes) = (Duration::from_secs(12), 0_usize, BTreeSet::new());
    let until = clock::now() + length;
    while clock::now() < until && taken < 1000 {
        assert_eq!(register(&registry, &format!("user{taken}"), 1), "200");
        taken += 1;
        writes.extend(fs::metadata(&path).ok().map(|file| (file.ino(), file.mtime(), file.mtime_nsec())));
        wait::pause(Duration::from_millis(20));
    }
    assert!(taken > 30 && (1..=4).contains(&writes.len()), "{} writes for {taken} names", writes.len());
    registry.process().end();
    assert_eq!(fs::read_to_string(path).unwrap().lines().count(), taken, "the end has kept all of them");
}

/// A pipe that nobody reads is a disk that hangs: open(2) waits for a reader.
#[test]
fn a_disk_that_hangs_holds_up_neither_users_nor_the_end() {
    let place = Place::new();
    let mut registry = Registry::start(&place);
    let mut bob = registry.user("bob", 6000);
    mkfifo(&place.at("registry-state/bans.new"), Mode::S_IRWXU).unwrap();
    let mut waiting = registry.command(&["ban", "10.0.0.7"]).stderr(Stdio::null()).spawn().unwrap();
    let banned = || (registry.must(&["bans"]) == "10.0.0.7\n").then_some(());
    wait::until("the ban", 5, banned);
    assert_eq!(bob.ask("PING").as_deref(), Some("200 pong"));
    assert!(waiting.try_wait().unwrap().is_none(), "nobody is told that a ban is kept while it is not");
    let asked = clock::now();
    assert_eq!(registry.must(&["stop"]), "stopping\n");
    assert!(registry.process().wait(3).success());
    assert!(clock::now() - asked < Duration::from_secs(1));
    assert_eq!(waiting.wait().unwrap().code(), Some(4));
    registry.process().wait_for_log("the disk hangs");
}
