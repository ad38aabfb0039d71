//! Who may speak to the real daemons at their control sockets, whatever the mode of the socket has become: other users
//! try it, with other groups.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use vox_tests::bed::need::{self, Lack};
use vox_tests::bed::{Control, Place, Process, Registry, Said, Station, Surroundings, may, wait};
use vox_tests::bins;

/// Groups as sysusers makes them, for the daemon under test alone: vox and vox-admin of other numbers than here.
const GROUPS: &str = "root:x:0:\nvox:x:64001:\nvox-admin:x:64002:\n";
const VOX: u32 = 64_001;
const VOX_ADMIN: u32 = 64_002;

/// A user without a name; its first group has the same number.
const ANN: u32 = 64_010;
const BEN: u32 = 64_011;

/// A place that everybody may enter, and what a daemon finds around it there.
fn open_place() -> Result<(Place, Surroundings), Lack> {
    need::root()?;
    let place = Place::new();
    widen(place.path(), 0o777);
    let groups = place.write("group", GROUPS);
    let script = format!(
        "mount --bind {} /etc/group && chmod 666 $NOTIFY_SOCKET && exec \"$0\" \"$@\"",
        groups.display()
    );
    Ok((place, Surroundings::default().through(["unshare", "-m", "sh", "-c", &script])))
}

fn widen(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("ours, and we are root");
}

/// As this user, with this first group and these others.
fn as_user(user: u32, group: u32, others: &[u32]) -> Surroundings {
    let others: Vec<String> = others.iter().map(u32::to_string).collect();
    let more = if others.is_empty() {
        vec!["--clear-groups".into()]
    } else {
        vec!["--groups".into(), others.join(",")]
    };
    let setpriv = ["setpriv".into(), "--reuid".into(), user.to_string(), "--regid".into(), group.to_string()];
    Surroundings::default().through(setpriv.into_iter().chain(more))
}

/// What `status` says to them at this socket, and how it ends.
fn status(program: &Path, socket: &Path, them: &Surroundings) -> (i32, String) {
    let asked = them.command(program).args(["status", "--socket"]).arg(socket).output();
    let said: Said = asked.expect("setpriv starts").into();
    (said.code, said.err)
}

/// Tries it as members of the group and as others, on a socket that everybody may open.
fn only_members_are_let_in(program: &Path, socket: &Path, group: &str, gid: u32) {
    let refused = (1, format!("not let in: you are neither root nor in the group {group}\n"));
    widen(socket, 0o666);
    let many: Vec<u32> = (1000..1063).collect();
    for (others, first, answer) in [
        (vec![], gid, (0, String::new())),
        (vec![gid], ANN, (0, String::new())),
        (vec![7, gid, 9], ANN, (0, String::new())),
        ([&many[..], &[gid]].concat(), ANN, (0, String::new())),
        (vec![], ANN, refused.clone()),
        (vec![0, 7], ANN, refused.clone()),
        (many.clone(), ANN, refused.clone()),
        // More than are looked at: only the first group counts.
        ([&many[..], &[1, gid]].concat(), ANN, refused),
        ([&many[..], &[1, 2]].concat(), gid, (0, String::new())),
    ] {
        let said = status(program, socket, &as_user(ANN, first, &others));
        assert_eq!(said, answer, "first group {first}, others {others:?}");
    }
    assert_eq!(status(program, socket, &Surroundings::default()).0, 0, "root");
}

#[test]
fn a_station_listens_to_root_and_its_group_whatever_the_mode_of_its_socket() {
    let Some((place, around)) = may("control_rights::station", open_place()) else { return };
    let mut alice = Station::quiet("alice").within(&around).start(&place);
    let group = fs::metadata(alice.socket()).map(|file| std::os::unix::fs::MetadataExt::gid(&file));
    assert_eq!(group.expect("a socket"), VOX);
    only_members_are_let_in(&bins::peer(), &alice.socket(), "vox", VOX);
    alice.process().wait_for_log(&format!("somebody who may not speak to us tried uid={ANN} pid="));
}

#[test]
fn a_registry_listens_to_root_and_administrators_whatever_the_mode_of_its_socket() {
    let Some((place, around)) = may("control_rights::registry", open_place()) else { return };
    let mut registry = Registry::with(&place, &around, "127.0.0.1", |_| {});
    only_members_are_let_in(&bins::registry(), &registry.socket(), "vox-admin", VOX_ADMIN);
    registry.process().wait_for_log(&format!("somebody who may not speak to us tried uid={ANN} pid="));
}

#[test]
fn a_station_of_a_user_listens_to_root_and_that_user_alone() {
    let Some((place, around)) = may("control_rights::user", open_place()) else { return };
    let run = place.path().display().to_string();
    // Ann may use the system's station too, and others who may get nothing from that.
    let her = ["setpriv", "--reuid", "64010", "--regid", "64010", "--groups", "64001"];
    let hers = around.through(her).with("XDG_RUNTIME_DIR", run);
    fs::create_dir(place.at("ann-state")).expect("ours");
    widen(&place.at("ann-state"), 0o777);
    let station = Station::quiet("ann").within(&hers).start(&place);
    widen(&station.socket(), 0o666);
    let refused = (1, "not let in: this daemon serves its own user alone\n".to_owned());
    for (user, first, others, answer) in [
        (ANN, ANN, vec![], (0, String::new())),
        (BEN, BEN, vec![], refused.clone()),
        (BEN, ANN, vec![VOX], refused),
    ] {
        let said = status(&bins::peer(), &station.socket(), &as_user(user, first, &others));
        assert_eq!(said, answer, "{user} {first} {others:?}");
    }
    assert_eq!(status(&bins::peer(), &station.socket(), &Surroundings::default()).0, 0, "root");
}

/// So many idle programs of a member of the group, until it is dropped.
fn idle_members(place: &Place, socket: &Path, group: u32, count: usize) -> Process {
    let script =
        format!("for i in $(seq {count}); do sleep 60 | nc -U {} & done; echo begun; wait", socket.display());
    let mut command = as_user(ANN, group, &[]).command("timeout");
    command.args(["60", "sh", "-c", &script]);
    Process::start_asking_to_end("idle programs", &command, &place.at("idle.log"))
}

#[test]
fn whoever_fills_all_places_of_a_control_socket_does_not_lock_out_root() {
    let Some((place, around)) = may("control_rights::root", open_place()) else { return };
    let alice = Station::quiet("alice").within(&around).start(&place);
    let registry = Registry::with(&place, &around, "127.0.0.1", |_| {});
    for (program, socket, group) in
        [(bins::peer(), alice.socket(), VOX), (bins::registry(), registry.socket(), VOX_ADMIN)]
    {
        let idle = idle_members(&place, &socket, group, 40);
        let full = (1, "too many programs on this socket, try again later\n".to_owned());
        let theirs = || status(&program, &socket, &as_user(BEN, group, &[]));
        wait::until("all their places to be taken", 20, || (theirs() == full).then_some(()));
        assert_eq!(status(&program, &socket, &Surroundings::default()), (0, String::new()), "root");
        drop(idle);
        wait::until("their places to be free", 20, || (theirs().0 == 0).then_some(()));
    }
}

#[test]
fn a_crowd_that_is_turned_away_takes_no_place_and_fills_no_log() {
    let Some((place, around)) = may("control_rights::crowd", open_place()) else { return };
    let mut alice = Station::quiet("alice").within(&around).start(&place);
    widen(&alice.socket(), 0o666);
    let script = format!(
        "for i in $(seq 300); do printf 'STATUS\\nHANGUP\\n' | nc -U -w 1 {} >/dev/null & done; wait",
        alice.socket().display()
    );
    let crowd = as_user(BEN, BEN, &[]).command("sh").args(["-c", &script]).status();
    assert!(crowd.expect("setpriv starts").success());
    assert_eq!(
        Control::connect(&alice.socket()).expect("it listens").ask("STATUS").last().map(String::as_str),
        Some("230 end")
    );
    wait::pause(std::time::Duration::from_millis(100));
    let log = alice.process().log();
    let told = log.lines().filter(|line| line.contains("may not speak to us")).count();
    assert!((1..=3).contains(&told), "{told} lines for 300\n{log}");
}
