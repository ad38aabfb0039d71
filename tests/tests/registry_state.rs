//! What the real `vox-registry` keeps over restarts: whom it bans and whose names are whose, whatever happens to it and its
//! disk.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use vox_common::seal::identity::Identity;
use vox_common::sys::clock;
use vox_tests::bed::{Place, Registry, Said, Surroundings, wait};
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
fn a_state_file_that_is_damaged_loses_what_is_damaged() {
    let place = Place::new();
    let mut registry = Registry::start(&place);
    registry.process().end();
    let mut damaged = b"bob\n\xff\0\x01 what is this\n10.0.0.7\n".to_vec();
    damaged.extend([0; 5000]);
    damaged.extend(b"\n2001:db8::7\nan");
    fs::write(place.at("registry-state/bans"), damaged).unwrap();
    fs::write(place.at("registry-state/bans.new"), "half of a fi").unwrap();
    registry.start_again();
    assert_eq!(registry.must(&["bans"]), "bob\n10.0.0.7\n2001:db8::7\nan\n");
    registry.process().wait_for_log("Passed over 2 lines");
    registry.must(&["unban", "an"]);
    wait::until("a file without damage", 5, || {
        (bans(&place) == "bob\n10.0.0.7\n2001:db8::7\n").then_some(())
    });
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
}

#[test]
fn state_that_cannot_be_kept_is_said_and_keeps_nobody_from_calling() {
    let place = Place::new();
    let file = place.write("in-the-way", "");
    let mut registry = Registry::with(&place, &Surroundings::default(), "127.0.0.1", |settings| {
        settings.set("state.directory", file.join("state").display().to_string());
    });
    registry.process().wait_for_log("Bans do not outlive a restart, and no line is sealed: cannot write to");
    for name in ["bob", "carol"] {
        let Said { code, err, .. } = registry.administer(&["ban", name]);
        assert!(err.starts_with("done, but not for longer than this registry runs: cannot keep "), "{err}");
        assert_eq!(code, 1);
    }
    assert_eq!(registry.must(&["bans"]), "bob\ncarol\n");
    drop(registry.user("ann", 6000));
}

#[test]
fn a_name_belongs_to_its_key_over_a_kill_until_it_is_forgotten() {
    let place = Place::new();
    let mut registry = Registry::with(&place, &Surroundings::default(), "127.0.0.1", |settings| {
        settings.set("access.mode", "keys");
    });
    let register = |registry: &Registry, key: u8| {
        let (mut wire, holder) = (Sealed::plain(&registry.address()), Identity::new([key; 32]));
        let reply = wire.ask(&wire.proved("bob 6000", &holder));
        reply.map_or(String::new(), |reply| reply[..3].to_owned())
    };
    assert_eq!(register(&registry, 1), "200");
    let names = || fs::read_to_string(place.at("registry-state/names")).unwrap_or_default();
    wait::until("the name on the disk", 5, || names().starts_with("bob ").then_some(()));
    registry.process().kill();
    registry.start_again();
    assert_eq!(register(&registry, 2), "403");
    assert_eq!(registry.must(&["forget", "bob"]), "forgot the key of bob\n");
    assert_eq!(register(&registry, 2), "200");
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
