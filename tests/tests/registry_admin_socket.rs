//! The administrators' socket of the real `vox-registry`: whose it is, who may have it, and what it stands.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use vox_common::wire::limits::{LINE_BYTES, MAX_ADMINS};
use vox_tests::bed::{Place, Registry, Said, Surroundings, wait};
use vox_tests::bins;
use vox_tests::wire::Wire;

#[test]
fn there_is_room_for_eight_administrators_and_again_when_one_leaves() {
    let place = Place::new();
    let registry = Registry::start(&place);
    let mut admins: Vec<Wire> = (0..MAX_ADMINS).map(|_| Wire::unix(&registry.socket())).collect();
    for admin in &mut admins {
        assert_eq!(admin.ask("BANS").as_deref(), Some("216 0 bans"));
    }
    let Said { code, err, .. } = registry.administer(&["bans"]);
    assert_eq!((code, err.as_str()), (1, "too many programs on this socket, try again later\n"));
    admins.pop();
    wait::until("a place to be free", 5, || (registry.administer(&["bans"]).code == 0).then_some(()));
}

#[test]
fn the_socket_is_for_owner_and_group_alone() {
    let place = Place::new();
    let registry = Registry::start(&place);
    let mode = fs::metadata(registry.socket()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o660);
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    fs::set_permissions(place.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let nobody = Surroundings::default().through([
        "setpriv",
        "--reuid",
        "65534",
        "--regid",
        "65534",
        "--clear-groups",
    ]);
    let mut command = nobody.command(bins::registry());
    command.args(["status", "--socket"]).arg(registry.socket());
    let Said { code, err, .. } = command.output().unwrap().into();
    assert_eq!(code, 3);
    assert!(err.ends_with(": are you in the group vox-admin?\n"), "{err}");
}

#[test]
fn a_second_registry_on_the_same_socket_does_not_start() {
    let place = Place::new();
    let registry = Registry::start(&place);
    let config = place.write("second.toml", "[log]\ntarget = \"stderr\"\n");
    let mut second = Command::new(bins::registry());
    second
        .args(["run", "--listen", "127.0.0.1:0", "--config"])
        .arg(config)
        .arg("--socket")
        .arg(registry.socket());
    let Said { code, err, .. } = second.output().unwrap().into();
    assert_eq!(code, 1, "{err}");
    let sentence = format!(
        "vox-registry: another daemon already answers on {}, choose another control.socket",
        registry.socket().display()
    );
    assert_eq!(err.lines().last(), Some(sentence.as_str()));
    assert!(registry.must(&["status"]).contains("vox, access open"));
}

#[test]
fn a_socket_that_cannot_be_made_keeps_nobody_from_calling() {
    let place = Place::new();
    let mut registry = Registry::with(&place, &Surroundings::default(), "127.0.0.1", |settings| {
        settings.set("control.socket", "/no/such/place/registry.sock");
    });
    registry.process().wait_for_log(
        "Nobody can administer this registry: cannot open the control socket /no/such/place/registry.sock: no such file",
    );
    drop(registry.user("bob", 6000));
    assert!(registry.process().end().success());
}

#[test]
fn a_socket_that_a_killed_registry_left_behind_is_taken_over() {
    let place = Place::new();
    let mut registry = Registry::start(&place);
    registry.process().kill();
    assert!(registry.socket().exists());
    registry.start_again();
    registry.must(&["status"]);
}

#[test]
fn what_is_no_line_is_refused_and_the_connection_goes_on() {
    let place = Place::new();
    let registry = Registry::start(&place);
    let mut admin = Wire::unix(&registry.socket());
    assert_eq!(admin.ask("KICK\tbob").as_deref(), Some("417 not UTF-8, or a control character"));
    admin.send(b"KICK \xff\n");
    assert_eq!(admin.hear().as_deref(), Some("417 not UTF-8, or a control character"));
    let long = format!("KICK {}", "x".repeat(LINE_BYTES));
    assert_eq!(admin.ask(&long).as_deref(), Some("416 line too long, it may have 1024 bytes"));
    assert_eq!(admin.ask("BANS").as_deref(), Some("216 0 bans"));
}

#[test]
fn garbage_and_floods_of_an_administrator_hurt_nobody() {
    let place = Place::new();
    let registry = Registry::start(&place);
    let mut bob = registry.user("bob", 6000);
    let mut admin = Wire::unix(&registry.socket());
    for byte in 0..=255_u8 {
        admin.send(&[byte, b'x', b'\n']);
    }
    admin.send(&vec![b'x'; 100_000]);
    admin.send(b"\nSTATUS");
    drop(admin);
    let mut deaf = Wire::unix(&registry.socket());
    (0..20_000).for_each(|_| deaf.say("HELP"));
    assert_eq!(bob.ask("PING").as_deref(), Some("200 pong"));
    registry.must(&["status"]);
}
