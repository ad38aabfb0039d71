//! What the units give up, as `systemd-analyze security` counts it, and why they keep the rest.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use vox_tests::bed::{may, need};

/// The units, and the exposure that each may have at most: of 10, where 0 is nothing at all.
const MOST: [(&str, f64); 3] =
    [("vox-registry.service", 1.5), ("vox-peer.service", 2.2), ("user/vox-peer.service", 6.5)];

fn unit(name: &str) -> PathBuf {
    need::top().join("systemd").join(name)
}

fn analysis(name: &str, more: &[&str]) -> String {
    let mut analyze = Command::new("systemd-analyze");
    analyze.args(["security", "--no-pager", "--offline=yes"]).args(more).arg(unit(name));
    String::from_utf8_lossy(&analyze.output().expect("it starts").stdout).into_owned()
}

/// What it says is exposed: `PrivateUsers=`, `@resources`, `AF_UNIX`, …
fn exposed(name: &str) -> Vec<String> {
    let said: Value = serde_json::from_str(&analysis(name, &["--json=short"])).expect("json");
    let rows = said.as_array().expect("rows").iter().filter(|row| row["exposure"].is_string());
    let names = rows.map(|row| row["name"].as_str().expect("a name"));
    names.map(|name| name.rsplit(['~', '/']).next().unwrap_or(name).to_owned()).collect()
}

#[test]
fn the_units_give_up_what_they_do_not_need() {
    let Some(()) = may("systemd::hardening", need::program("systemd-analyze", "systemd")) else { return };
    for (name, most) in MOST {
        let said = analysis(name, &[]);
        let level = said
            .lines()
            .find_map(|line| line.split_once("exposure level for")?.1.split(' ').nth(2)?.parse().ok());
        assert!(level.is_some_and(|level: f64| level <= most), "{name}: {level:?}, but at most {most}");
    }
}

#[test]
fn what_a_unit_keeps_it_explains() {
    let Some(()) = may("systemd::hardening", need::program("systemd-analyze", "systemd")) else { return };
    for name in ["vox-registry.service", "vox-peer.service"] {
        let text = fs::read_to_string(unit(name)).expect("a unit of ours");
        let comments: String = text.lines().filter(|line| line.starts_with('#')).collect();
        let exposed = exposed(name);
        assert!(exposed.len() > 5, "{name}: {exposed:?}");
        for what in exposed {
            assert!(comments.contains(&what), "{name}: no comment says why {what} is exposed");
        }
    }
}
