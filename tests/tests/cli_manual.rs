//! The manual knows everything that may be typed, and everything that a configuration file may hold.

use std::fs;
use std::path::Path;
use std::process::Command;

use vox_registry::core::counters::Counter;
use vox_tests::bed::{Place, need};
use vox_tests::bins;

fn page(name: &str) -> String {
    fs::read_to_string(need::top().join("docs/man").join(name)).expect("a page of the manual")
}

fn said(program: &Path, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().expect("the program starts");
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

/// The commands that `--help` lists.
fn commands(program: &Path) -> Vec<String> {
    let help = said(program, &["--help"]);
    let (_, list) = help.split_once("Commands:\n").expect("a list of commands");
    let lines = list.lines().take_while(|line| !line.is_empty());
    lines.filter_map(|line| line.split_whitespace().next().map(str::to_owned)).collect()
}

/// The options in the help of a command.
fn options(program: &Path, command: &str) -> Vec<String> {
    let help = said(program, &[command, "--help"]);
    let words = help.split([' ', ',', '\n', '[', ']', '<', '>']);
    words.filter_map(|word| word.strip_prefix("--")).map(str::to_owned).collect()
}

fn has_line(page: &str, starts: &str) -> bool {
    page.lines().any(|line| line == starts || line.starts_with(&format!("{starts} ")))
}

fn every_command_and_option(program: &Path, page: &str) {
    let commands = commands(program);
    assert!(commands.len() > 1, "{commands:?}");
    for command in commands {
        assert!(has_line(page, &format!(".It Cm {command}")), "the manual lacks {command}");
        for option in options(program, &command) {
            assert!(page.contains(&format!("Fl -{option}")), "the manual lacks --{option} of {command}");
        }
    }
}

#[test]
fn vox_peer_1_has_every_command_and_option() {
    every_command_and_option(&bins::peer(), &page("vox-peer.1"));
}

#[test]
fn vox_registry_8_has_every_command_and_option() {
    every_command_and_option(&bins::registry(), &page("vox-registry.8"));
}

#[test]
fn vox_registry_8_has_every_counter() {
    let page = page("vox-registry.8");
    for counter in Counter::ALL {
        let item = format!(".It Ic {}\n{}\n", counter.word(), counter.meaning());
        assert!(page.contains(&item), "the manual lacks {}", counter.word());
    }
}

/// The keys of a section, as the refusal of another key lists them.
fn keys(program: &Path, section: &str) -> Vec<String> {
    let place = Place::new();
    let heading = if section.is_empty() { String::new() } else { format!("[{section}]\n") };
    let file = place.write("x.toml", &format!("name = \"a\"\n{heading}no-key = 1\n"));
    let refusal = said(program, &["check", &file.display().to_string()]);
    let list = refusal.split_once(" has ").or_else(|| refusal.split_once(" there are "));
    let (_, list) = list.unwrap_or_else(|| panic!("no list of keys: {refusal}"));
    list.split([',', ' ', '\n']).filter(|key| !key.is_empty() && *key != "and").map(str::to_owned).collect()
}

/// The sections, as the refusal of another section lists them.
fn sections(program: &Path) -> Vec<String> {
    let place = Place::new();
    let file = place.write("x.toml", "name = \"a\"\n[no-section]\n");
    let refusal = said(program, &["check", &file.display().to_string()]);
    let (_, list) = refusal.split_once(" there are ").unwrap_or_else(|| panic!("no list: {refusal}"));
    list.split([',', ' ', '\n'])
        .filter(|name| !name.is_empty() && *name != "and")
        .map(str::to_owned)
        .collect()
}

fn every_key(program: &Path, page: &str) {
    let sections = sections(program);
    assert!(sections.len() > 3, "{sections:?}");
    for key in keys(program, "") {
        assert!(has_line(page, &format!(".It Ic {key}")), "the manual lacks {key}");
    }
    for section in sections {
        let heading = format!(".Ss [{section}]\n");
        let (_, body) = page.split_once(&heading).unwrap_or_else(|| panic!("the manual lacks [{section}]"));
        let body = body.split("\n.S").next().unwrap_or_default();
        // The keys of [contacts] are the operator's own.
        let keys = if section == "contacts" { Vec::new() } else { keys(program, &section) };
        for key in keys {
            assert!(has_line(body, &format!(".It Ic {key}")), "the manual lacks {section}.{key}");
        }
    }
}

#[test]
fn peer_toml_5_has_every_key() {
    every_key(&bins::peer(), &page("peer.toml.5"));
}

#[test]
fn registry_toml_5_has_every_key() {
    every_key(&bins::registry(), &page("registry.toml.5"));
}
