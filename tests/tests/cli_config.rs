//! A configuration that is wrong is one sentence and exit code 78, from either program and from `run` and `check` alike.

use std::path::{Path, PathBuf};
use std::process::Command;

use vox_tests::bed::{Place, Said, need};
use vox_tests::bins;

const WRONG: [(&str, &str); 8] = [
    ("name = 5", ":1: name is 5, but must be 1 to 32 of a-z 0-9 . _ - and begin with a letter"),
    ("name = \"a\"\nname = \"b\"", ":2: name stands twice"),
    ("name = \"a\"\ncolour = 3", ":2: colour is not a key: outside sections there are "),
    ("name = \"a\"\n[colours]", ":2: [colours] is not a section: there are "),
    (
        "name = \"a\"\n[log]\nlevel = \"loud\"",
        ":3: log.level is \"loud\", but must be \"error\", \"warn\", \"info\" or \"debug\"",
    ),
    ("name = \"a\"\n[log]\ntarget = \"file\"", ":3: log.target is \"file\", but must be "),
    (
        "name = \"a\"\ncontrol.socket = \"here\"",
        ":2: control.socket is \"here\", but must be a path that begins with /",
    ),
    ("name = ", ":1: this is not TOML: "),
];

fn run(program: &Path, arguments: &[&str], home: &Path) -> Said {
    let mut command = Command::new(program);
    command.args(arguments).env("HOME", home).env_remove("XDG_CONFIG_HOME").env_remove("VOX_SOCKET");
    let output = command.output().expect("the program starts");
    Said {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

fn programs() -> [PathBuf; 2] {
    [bins::peer(), bins::registry()]
}

fn is_one_sentence(said: &Said, sentence: &str) -> bool {
    said.code == 78 && said.out.is_empty() && said.err.starts_with(sentence) && said.err.lines().count() == 1
}

#[test]
fn what_is_wrong_in_a_file_is_one_sentence_and_78() {
    let place = Place::new();
    for (text, sentence) in WRONG {
        let file = place.write("x.toml", text).display().to_string();
        for program in programs() {
            for arguments in [["check", &file].as_slice(), ["run", "--config", &file].as_slice()] {
                let said = run(&program, arguments, place.path());
                assert!(is_one_sentence(&said, &format!("{file}{sentence}")), "{text:?}: {said:?}");
            }
        }
    }
}

#[test]
fn a_file_that_cannot_be_read_is_one_sentence_and_78() {
    let place = Place::new();
    let missing = place.at("none.toml").display().to_string();
    for program in programs() {
        for arguments in [["check", &missing].as_slice(), ["run", "--config", &missing].as_slice()] {
            let said = run(&program, arguments, place.path());
            assert!(
                is_one_sentence(
                    &said,
                    &format!("cannot read {missing}: no such file or directory, write it or name another")
                ),
                "{said:?}"
            );
        }
    }
}

#[test]
fn a_station_needs_a_name_and_a_registry_needs_nothing() {
    let place = Place::new();
    let empty = place.write("empty.toml", "").display().to_string();
    let said = run(&bins::peer(), &["check", &empty], place.path());
    assert!(is_one_sentence(&said, &format!("{empty}: name is missing: it must be 1 to 32 of ")), "{said:?}");
    let said = run(&bins::registry(), &["check", &empty], place.path());
    assert_eq!(
        (said.code, said.out),
        (0, format!("{empty} is fine: registry vox at [::]:5000, 512 users\n"))
    );
}

#[test]
fn the_file_of_a_user_comes_before_the_systems() {
    let place = Place::new();
    std::fs::create_dir_all(place.at(".config/vox")).expect("a private directory can be written");
    let file = place.write(".config/vox/peer.toml", "name = \"ann\"\nregistry.address = \"reg\"\n");
    let said = run(&bins::peer(), &["check"], place.path());
    assert_eq!(said.out, format!("{} is fine: station ann, registry reg:5000\n", file.display()));
    assert_eq!(said.code, 0);
}

#[test]
fn the_shipped_samples_are_read_and_the_bounds_are_told() {
    let place = Place::new();
    let samples = need::top().join("systemd/etc");
    let sample = samples.join("registry.toml").display().to_string();
    let said = run(&bins::registry(), &["check", &sample, "--limits"], place.path());
    assert!(said.code == 0 && said.out.contains("    512 users\n"), "{said:?}");
    let memory = format!("{:>7} bytes of memory for all tables\n", vox_registry::core::TABLES_BYTES);
    assert!(said.out.ends_with(&memory), "{said:?}");
    let sample = samples.join("peer.toml").display().to_string();
    let said = run(&bins::peer(), &["check", &sample], place.path());
    assert!(is_one_sentence(&said, &format!("{sample}: name is missing")), "{said:?}");
}

#[test]
fn what_makes_no_sense_is_usage_and_2() {
    let place = Place::new();
    for program in programs() {
        for arguments in [["dance"].as_slice(), &[], &["run", "--loud"]] {
            let said = run(&program, arguments, place.path());
            assert!(said.code == 2 && !said.err.is_empty(), "{arguments:?}: {said:?}");
        }
        for arguments in [["--help"], ["--version"]] {
            let said = run(&program, &arguments, place.path());
            assert!(said.code == 0 && !said.out.is_empty(), "{arguments:?}: {said:?}");
        }
    }
}
