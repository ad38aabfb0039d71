//! Both daemons under a real systemd, installed as `make install` installs them.

use std::fs;
use std::process::Command;
use std::time::Duration;

use vox_tests::bed::debian::Debian;
use vox_tests::bed::need::{self, Lack};
use vox_tests::bed::{Place, may, wait};
use vox_tests::bins;

const REGISTRY: &str = "[log]\nlevel = \"debug\"\n";
const ALICE: &str = r#"name = "alice"
[registry]
address = "localhost:5000"
[audio]
input = "tone:440"
output = "file:/var/lib/vox-peer/heard.wav"
[log]
level = "debug"
"#;
const BOB: &str = r#"name = "bob"
[registry]
address = "127.0.0.1:5000"
[network]
listen = "[::]:6001"
[audio]
input = "tone:440"
output = "null"
[call]
auto-answer = true
"#;

/// Asked by hand, as anybody could.
const WHO_IS_THERE: &str = "printf 'LIST\\nQUIT\\n' | socat -t 2 - TCP:127.0.0.1:5000";
const PAGE: &str =
    "printf 'GET /api/users HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n' | socat -t 2 - TCP:127.0.0.1:5080";
const ALL_USERS: &str = "printf 'USERS\\n' | socat -t 1 - UNIX:/run/vox/peer.sock";
const ALL_OF_STATUS: &str = "printf 'STATUS\\n' | socat -t 1 - UNIX:/run/vox/peer.sock";

/// A Debian with vox installed, users and directories made, and alice's and the registry's configuration in place.
fn debian(place: &Place) -> Result<Debian, Lack> {
    need::root()?;
    let files = place.at("files");
    let built = bins::peer().parent().expect("a program stands in a directory").display().to_string();
    let arguments =
        [format!("DESTDIR={}", files.display()), "PREFIX=/usr".to_owned(), format!("FROM={built}")];
    let installed =
        Command::new("make").arg("-s").arg("install").args(arguments).current_dir(need::top()).output();
    let installed = installed.expect("make starts");
    assert!(installed.status.success(), "{}", String::from_utf8_lossy(&installed.stderr));
    fs::write(files.join("etc/vox/registry.toml"), REGISTRY).expect("installed just now");
    fs::write(files.join("etc/vox/peer.toml"), ALICE).expect("installed just now");
    fs::write(files.join("etc/hosts"), "127.0.0.1 localhost\n").expect("installed just now");
    fs::write(files.join("etc/vox/bob.toml"), BOB).expect("installed just now");
    let debian = Debian::boot(place, &files)?;
    debian.must("cp -r --preserve=mode /mnt/. / && systemd-sysusers && systemd-tmpfiles --create && systemctl daemon-reload");
    Ok(debian)
}

fn property(debian: &Debian, unit: &str, name: &str) -> String {
    debian.run(&format!("systemctl show -P {name} {unit}")).out.trim().to_owned()
}

/// A second station on the same machine.
fn start_bob(debian: &Debian) {
    debian.must(
        "systemd-run -q --unit=vox-bob -p Type=notify -p User=vox-peer -p StateDirectory=vox-bob \
         -E VOX_SOCKET=/run/vox/bob.sock vox-peer run --config /etc/vox/bob.toml",
    );
    debian.wait_for("vox-peer users", "bob");
}

#[test]
fn started_by_systemctl_one_calls_the_other() {
    let place = Place::new();
    let Some(debian) = may("systemd::calls", debian(&place)) else { return };
    debian.must("systemctl start vox-registry vox-peer");
    start_bob(&debian);
    debian.wait_for(PAGE, "\"name\":\"alice\"");
    debian.must("vox-peer call bob --detach");
    debian.wait_for("vox-peer status", "talking");
    debian.wait_for(ALL_OF_STATUS, "policy=fifo");
    debian.wait_for(ALL_OF_STATUS, "granted=yes");

    debian.must("systemctl stop vox-bob");
    debian.wait_for("vox-peer status", "idle");
    debian.must("vox-peer users");
    debian.must("systemctl stop vox-registry");
    debian.wait_for(ALL_USERS, "as of");
    debian.must("systemctl start vox-registry");
    debian.wait_for(WHO_IS_THERE, "210-alice");
    debian.must("systemctl stop vox-peer");
    assert!(debian.must(WHO_IS_THERE).contains("210 "));
    assert_eq!(property(&debian, "vox-peer", "Result"), "success");
}

#[test]
fn killed_daemons_come_back() {
    let place = Place::new();
    let Some(debian) = may("systemd::killed", debian(&place)) else { return };
    debian.must("systemctl start vox-registry vox-peer");
    for unit in ["vox-registry", "vox-peer"] {
        let before = property(&debian, unit, "MainPID");
        debian.must(&format!("kill -9 {before}"));
        wait::until(&format!("{unit} to come back"), 20, || {
            let now = property(&debian, unit, "MainPID");
            (now != "0" && now != before && property(&debian, unit, "ActiveState") == "active").then_some(())
        });
    }
    debian.wait_for(WHO_IS_THERE, "210-alice");
    debian.must("vox-peer users");
}

/// What both daemons show of their keys and their disks.
fn both(debian: &Debian) -> [String; 2] {
    ["vox-registry", "vox-peer"].map(|program| debian.must(&format!("{program} status")))
}

fn key(status: &str) -> &str {
    let (_, key) = status.split_once("key SHA256:").expect("a daemon has a key");
    key.split_whitespace().next().unwrap_or_default()
}

#[test]
fn a_disk_that_became_read_only_is_read_after_a_restart() {
    let place = Place::new();
    let Some(debian) = may("systemd::read_only", debian(&place)) else { return };
    debian.must("systemctl start vox-registry vox-peer");
    debian.wait_for("vox-peer status", "registry  up");
    let before = both(&debian);
    debian.must("systemctl stop vox-registry vox-peer");
    for directory in ["/var/lib/vox-registry", "/var/lib/vox-peer"] {
        debian.must(&format!("mount --bind {directory} {directory} && mount -o remount,bind,ro {directory}"));
    }
    debian.must("systemctl start vox-registry vox-peer");
    debian.wait_for("vox-peer status", "registry  up");
    for (before, now) in before.iter().zip(both(&debian)) {
        assert_eq!(key(before), key(&now));
        assert!(now.contains("cannot be written: read-only file system"), "{now}");
    }
}

#[test]
fn a_daemon_that_stands_still_is_replaced() {
    let place = Place::new();
    let Some(debian) = may("systemd::watchdog", debian(&place)) else { return };
    let quick = "[Service]\\nWatchdogSec=1\\nTimeoutAbortSec=1\\n";
    for unit in ["vox-registry", "vox-peer"] {
        let directory = format!("/run/systemd/system/{unit}.service.d");
        debian.must(&format!("mkdir -p {directory} && printf '{quick}' >{directory}/quick.conf"));
    }
    debian.must("systemctl daemon-reload && systemctl start vox-registry vox-peer");
    wait::pause(Duration::from_secs(3));
    for unit in ["vox-registry", "vox-peer"] {
        assert_eq!(
            property(&debian, unit, "NRestarts"),
            "0",
            "{unit} is fed while it works\n{}",
            debian.journal()
        );
        debian.must(&format!("kill -STOP {}", property(&debian, unit, "MainPID")));
    }
    for unit in ["vox-registry", "vox-peer"] {
        wait::until(&format!("{unit} to be replaced"), 20, || {
            (property(&debian, unit, "NRestarts") == "1").then_some(())
        });
    }
    debian.wait_for(WHO_IS_THERE, "210-alice");
}

#[test]
fn a_bad_configuration_stays_down_and_says_why() {
    let place = Place::new();
    let Some(debian) = may("systemd::configuration", debian(&place)) else { return };
    for (unit, file) in [("vox-registry", "/etc/vox/registry.toml"), ("vox-peer", "/etc/vox/peer.toml")] {
        debian.must(&format!("sed -i '1i nonsense = 1' {file}"));
        assert_ne!(debian.run(&format!("systemctl start {unit}")).code, 0);
        wait::pause(Duration::from_secs(1));
        assert_eq!(property(&debian, unit, "ExecMainStatus"), "78");
        assert_eq!(property(&debian, unit, "ActiveState"), "failed");
        assert_eq!(property(&debian, unit, "NRestarts"), "0");
        let journal = debian.must(&format!("journalctl --no-pager -o cat -u {unit}"));
        assert!(journal.contains(file) && journal.contains("nonsense"), "{journal}");
    }
}

#[test]
fn a_person_runs_a_station_of_their_own() {
    let place = Place::new();
    let Some(debian) = may("systemd::user", debian(&place)) else { return };
    debian.must("systemctl start vox-registry vox-peer");
    debian.must("useradd -m -u 1000 ann && mkdir -p ~ann/.config/vox && sed s/6001/6002/ /etc/vox/bob.toml >~ann/.config/vox/peer.toml");
    debian.must("chown -R ann ~ann && loginctl enable-linger ann");
    let ann = |command: &str| {
        format!(
            "cd ~ann && setpriv --reuid 1000 --regid 1000 --clear-groups env HOME=/home/ann XDG_RUNTIME_DIR=/run/user/1000 {command}"
        )
    };
    debian.wait_for(&ann("systemctl --user is-system-running"), "running");
    debian.must(&ann("systemctl --user start vox-peer"));
    debian.wait_for("vox-peer users", "bob");
    debian.must("vox-peer call bob --detach");
    debian.wait_for(&ann("vox-peer status"), "talking");
    let before = debian.must(&ann("systemctl --user show -P MainPID vox-peer"));
    debian.must(&format!("kill -9 {before}"));
    debian.wait_for("vox-peer status", "idle");
    debian.wait_for(&ann("systemctl --user show -P NRestarts vox-peer"), "1");
    debian.wait_for(&ann("vox-peer status"), "idle");
    debian.must(&ann("systemctl --user stop vox-peer"));
    debian.must("vox-peer status");
}

#[test]
fn an_administrator_looks_after_the_registry_and_bans_outlive_its_restart() {
    let place = Place::new();
    let Some(debian) = may("systemd::administrator", debian(&place)) else { return };
    debian.must("systemctl start vox-registry vox-peer");
    debian.wait_for("vox-registry users", "alice\t127.0.0.1:6000\tidle\t");
    assert!(debian.must("vox-registry status").contains("1 of 512 users"));
    assert_eq!(debian.must("vox-registry kick alice"), "kicked alice\n");
    debian.wait_for("vox-registry users", "alice");

    debian.must("vox-registry ban alice");
    debian.must("systemctl restart vox-registry");
    assert_eq!(debian.must("vox-registry bans"), "alice\n");
    assert_eq!(debian.must("vox-registry users"), "");
    debian.must("useradd -G vox-admin carol && useradd dave");
    let as_user = |name: &str| {
        debian.run(&format!("setpriv --reuid {name} --regid {name} --init-groups vox-registry unban alice"))
    };
    let carol = as_user("carol");
    assert_eq!(carol.out, "unbanned alice\n", "{carol:?}");
    // Sooner than by itself, which has learnt to wait.
    debian.must("systemctl restart vox-peer");
    debian.wait_for("vox-registry users", "alice");
    let dave = as_user("dave");
    assert!(dave.code == 3 && dave.err.ends_with("are you in the group vox-admin?\n"), "{dave:?}");
    debian.must("chmod 666 /run/vox/*.sock");
    let dave = as_user("dave");
    assert_eq!(dave.err, "not let in: you are neither root nor in the group vox-admin\n", "{dave:?}");
    assert_eq!(dave.code, 1);
    let carol = as_user("carol");
    assert_eq!(carol.err, "no such ban\n");

    debian.must("vox-registry stop");
    assert_eq!(property(&debian, "vox-registry", "ActiveState"), "inactive");
    assert_eq!(property(&debian, "vox-registry", "Result"), "success");
    let journal = debian.must("journalctl --no-pager -o cat -u vox-registry");
    assert!(journal.contains("alice is banned uid=0 pid="), "{journal}");
    let carols = debian.must("id -u carol");
    assert!(journal.contains(&format!("uid={} pid=", carols.trim())), "{journal}");
}

#[test]
fn a_daemon_keeps_its_key_for_itself_and_runs_nothing_that_it_could_have_written() {
    let place = Place::new();
    let Some(debian) = may("systemd::key", debian(&place)) else { return };
    debian.must("systemctl start vox-registry vox-peer");
    for unit in ["vox-registry", "vox-peer"] {
        let daemon = property(&debian, unit, "MainPID");
        for directory in [format!("/var/lib/{unit}"), "/run/vox".to_owned()] {
            debian.must(&format!("cp /bin/true {directory} && {directory}/true"));
            let said = debian.run(&format!("nsenter -m -t {daemon} -- {directory}/true"));
            assert!(said.code == 126 && said.err.ends_with("Permission denied\n"), "{directory}: {said:?}");
        }
        let limit = debian.must(&format!("grep 'core file' /proc/{daemon}/limits"));
        assert_eq!(limit.split_whitespace().nth(4), Some("0"), "{unit} leaves no core: {limit}");
    }
    let kept = debian.must("stat -c '%a %U' /var/lib/vox-peer /var/lib/vox-peer/key");
    assert_eq!(kept, "700 vox-peer\n600 vox-peer\n");
    debian.must("chmod 640 /var/lib/vox-peer/key; systemctl stop vox-peer");
    assert_ne!(debian.run("systemctl start vox-peer").code, 0);
    let journal = debian.must("journalctl --no-pager -o cat -u vox-peer");
    assert!(journal.contains("key has mode 0640, but must have mode 0600: try chmod 600"), "{journal}");
}
