//! A station and a registry that does not let everybody in: secrets, bans, crowds.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::sys::signal::Signal;
use vox_tests::bed::{Place, Registry, Said, Settings, Station, Surroundings, wait};
use vox_tests::bins;

fn registry(place: &Place, change: impl FnOnce(&mut Settings)) -> Registry {
    Registry::with(place, &Surroundings::default(), "127.0.0.1", change)
}

/// A registry that asks for `sesame`.
fn asking(place: &Place) -> Registry {
    let file = secret(place, "registry-secret", "sesame\n");
    registry(place, |settings| {
        settings.set("access.mode", "secret").set("access.secret-file", file.display().to_string());
    })
}

fn secret(place: &Place, name: &str, text: &str) -> PathBuf {
    let file = place.write(name, text);
    fs::set_permissions(&file, Permissions::from_mode(0o600)).expect("a file of our own");
    file
}

/// A station of that name with that secret.
fn with_secret(name: &str, file: &Path, place: &Place, registry: &Registry) -> Station {
    let station = Station::quiet(name).registry(registry);
    station.set("registry.secret-file", file.display().to_string()).start(place)
}

/// Waits until the station tells this reason for being away from the registry.
fn wait_for_reason(station: &Station, reason: &str) {
    let mut told = None;
    let came = wait::within(std::time::Duration::from_secs(20), || {
        told = station.status("registry", "reason");
        (told.as_deref() == Some(reason)).then_some(())
    });
    assert!(came.is_some(), "{reason}: {told:?}");
}

#[test]
fn whoever_knows_the_secret_is_let_in_and_the_others_are_told_why_not() {
    let place = Place::new();
    let registry = asking(&place);
    let right = secret(&place, "right", "sesame");
    let wrong = secret(&place, "wrong", "simsim\n");
    let alice = with_secret("alice", &right, &place, &registry);
    let bob = with_secret("bob", &wrong, &place, &registry);
    let carol = Station::quiet("carol").registry(&registry).start(&place);
    alice.wait_for_registry();
    wait_for_reason(&bob, "the registry refuses: not let in: the proof is not of this registry's secret");
    wait_for_reason(&carol, "the registry refuses: not let in: proof= of the registry's secret is needed");
    let shown = bob.run(&["status"]).out;
    assert!(shown.contains("not let in: the proof is not of this registry's secret"), "{shown}");
    for mut station in [alice, bob] {
        let log = station.process().log();
        assert!(!log.contains("sesame") && !log.contains("simsim"), "{log}");
    }
}

#[test]
fn a_secret_that_was_mended_is_taken_by_sighup_and_a_bad_one_changes_nothing() {
    let place = Place::new();
    let registry = asking(&place);
    let file = secret(&place, "secret", "simsim");
    let mut bob = with_secret("bob", &file, &place, &registry);
    wait_for_reason(&bob, "the registry refuses: not let in: the proof is not of this registry's secret");
    fs::write(&file, "sesame").expect("a file of our own");
    bob.process().signal(Signal::SIGHUP);
    bob.wait_for_registry();

    fs::set_permissions(&file, Permissions::from_mode(0o644)).expect("a file of our own");
    bob.process().signal(Signal::SIGHUP);
    bob.process().wait_for_log("registry.secret-file: the secret file ");
    assert_eq!(bob.status("registry", "link").as_deref(), Some("up"));
}

fn check(place: &Place, file: &str) -> Said {
    let toml = place.write("x.toml", &format!("name = \"a\"\n[registry]\nsecret-file = \"{file}\"\n"));
    let run = |command: &str, option: &[&str]| {
        Said::from(
            Command::new(bins::peer()).arg(command).args(option).arg(&toml).output().expect("vox-peer"),
        )
    };
    let (checked, ran) = (run("check", &[]), run("run", &["--config"]));
    assert_eq!(checked.code, ran.code);
    checked
}

#[test]
fn a_secret_file_that_is_none_is_one_sentence_and_78() {
    let place = Place::new();
    let at = |name: &str| place.at(name).display().to_string();
    secret(&place, "empty", "\n");
    secret(&place, "open", "sesame");
    fs::set_permissions(place.at("open"), Permissions::from_mode(0o640)).expect("a file of our own");
    for (name, why) in [
        ("missing", "cannot be read: no such file or directory"),
        ("empty", "must hold 1 to 256 bytes"),
        ("open", "has mode 0640, but must have mode 0600: try chmod 600"),
    ] {
        let said = check(&place, &at(name));
        let sentence = format!("registry.secret-file: the secret file {} {why}\n", at(name));
        assert!(said.code == 78 && said.err.ends_with(&sentence), "{said:?}");
    }
}

#[test]
fn why_the_registry_sends_a_station_away_stands_in_its_status() {
    let place = Place::new();
    let registry = registry(&place, |_| {});
    let start = |name| Station::quiet(name).registry(&registry).start(&place);
    let ordered = |order: [&str; 2]| assert_eq!(registry.administer(&order).code, 0, "{order:?}");
    let [alice, bob] = ["alice", "bob"].map(start);
    alice.wait_for_registry();
    bob.wait_for_registry();
    ordered(["kick", "alice"]);
    wait_for_reason(&alice, "the registry said goodbye: kicked");
    ordered(["ban", "bob"]);
    wait_for_reason(&bob, "the registry said goodbye: banned");
    ordered(["ban", "carol"]);
    wait_for_reason(&start("carol"), "the registry refuses: not let in: banned");
    ordered(["ban", "127.0.0.1"]);
    wait_for_reason(&start("dave"), "the registry refuses: not let in: banned");
}

#[test]
fn a_crowd_at_one_address_is_told_as_such() {
    let place = Place::new();
    let registry = registry(&place, |settings| _ = settings.set("limits.connections-per-address", 1));
    let alice = Station::quiet("alice").registry(&registry).start(&place);
    alice.wait_for_registry();
    let bob = Station::quiet("bob").registry(&registry).start(&place);
    wait_for_reason(&bob, "the registry refuses: slow down, too many connections from your address");
}
