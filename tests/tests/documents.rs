//! The documents tell the truth: what they name exists, what they quote is what the tests run.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Everything between backticks.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

fn sources(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() && !entry.ends_with("target") {
            sources(&entry, found);
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            found.push(fs::read_to_string(&entry).expect("a source"));
        }
    }
}

#[test]
fn every_promise_that_is_kept_names_a_test_that_is_there() {
    let readme = read("README.md");
    let (_, table) = readme.split_once("## What is done").expect("the table");
    let rows: Vec<_> =
        table.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| #")).collect();
    assert!(rows.len() > 15, "the table has rows");
    let programs = programs();
    for row in rows {
        let proof = row.split('|').nth(3).expect("three columns");
        assert!(!quoted(proof).is_empty(), "no test: {row}");
        for name in quoted(proof) {
            let beside = Path::new("tests/transcripts/registry").join(name);
            let is_file = root().join(name).exists() || root().join(beside).exists();
            assert!(is_file || is_test(name, &programs), "{name} is neither a file nor a test");
        }
    }
}

fn programs() -> Vec<String> {
    let mut programs = Vec::new();
    ["tests", "peer", "registry", "common"]
        .iter()
        .for_each(|folder| sources(&root().join(folder), &mut programs));
    programs
}

fn is_test(name: &str, programs: &[String]) -> bool {
    programs.iter().any(|program| program.contains(&format!("fn {name}(")))
}

#[test]
fn what_is_said_to_stop_an_attack_is_shown_by_a_test_and_stands_where_it_is_said_to() {
    let security = read("docs/SECURITY.md");
    let (attacks, rest) = security.split_once("### A thief").expect("the tables of attacks");
    let programs = programs();
    let is_heading = |line: &str| line.starts_with("| tries to") || line.starts_with("| what happens");
    let is_row = |line: &&str| line.starts_with("| ") && !is_heading(line);
    let rows: Vec<&str> = attacks.lines().filter(is_row).collect();
    assert!(rows.len() > 25, "the tables have rows");
    for row in rows {
        let cells: Vec<&str> = row.split(" |").map(str::trim).collect();
        let &[_, stops, proof, remains, ""] = cells.as_slice() else { panic!("not four columns: {row}") };
        let is_open = stops.is_empty() || stops == "nothing";
        assert!(is_open || !quoted(proof).is_empty(), "no test: {row}");
        assert!(!is_open || !remains.is_empty(), "neither stopped nor said to remain: {row}");
        quoted(proof).into_iter().for_each(|name| assert!(is_test(name, &programs), "no test {name}"));
    }
    let (_, table) = rest.split_once("## Cryptography").expect("a table of cryptography");
    for path in quoted(table).into_iter().filter(|quoted| quoted.contains("/src/")) {
        assert!(root().join(path).exists(), "{path} is not there");
    }
}

#[test]
fn the_links_of_the_documents_lead_somewhere() {
    for document in [
        "README.md",
        "SECURITY.md",
        "docs/SECURITY.md",
        "docs/PROTOCOL.md",
        "docs/ARCHITECTURE.md",
        "docs/DEPENDENCIES.md",
    ] {
        let folder = Path::new(document).parent().expect("a folder");
        for link in read(document).split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let leads = link.starts_with("http") || root().join(folder).join(link).exists();
            assert!(leads, "{document} links to {link}");
        }
    }
}

#[test]
fn what_the_protocol_quotes_is_what_is_run() {
    let protocol = read("docs/PROTOCOL.md");
    let quotes: Vec<_> = protocol.split("```transcript ").skip(1).collect();
    assert!(!quotes.is_empty());
    for quote in quotes {
        let (name, rest) = quote.split_once('\n').expect("a name");
        let lines = rest.split("```").next().expect("an end");
        assert!(
            read(&format!("tests/transcripts/{name}.txt")).contains(lines),
            "{name} runs another dialogue"
        );
    }
}

/// 411 needs the port of a real registry and 503 the moment of its end, which no dialogue in a file can have:
/// `nobody_takes_calls_at_the_registrys_own_port`, `a_request_that_waits_when_the_registry_ends_is_told_so`.
const WITHOUT_TRANSCRIPT: [&str; 2] = ["411", "503"];

/// The codes in a text of refusals: `404 no such user · 412 that is yourself`.
fn codes(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split('·').filter_map(|refusal| refusal.split_whitespace().next());
    words.filter(|word| word.len() == 3 && word.starts_with(['4', '5']))
}

#[test]
fn every_refusal_of_the_registry_stands_in_a_transcript() {
    let protocol = read("docs/PROTOCOL.md");
    let (_, registry) = protocol.split_once("## Registry (TCP").expect("the section");
    let (table, rest) = registry.split_once("\nEverywhere: ").expect("what holds everywhere");
    let everywhere = rest.split("A connection").next().expect("its refusals");
    let rows = table.lines().filter_map(|row| row.rsplit('|').nth(1));
    let told: Vec<&str> = rows.flat_map(codes).chain(codes(everywhere)).collect();
    assert!(told.contains(&"409") && told.contains(&"501"), "{told:?}");
    let folder = root().join("tests/transcripts/registry");
    let files = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let dialogues: String = files.map(|file| fs::read_to_string(file).expect("a transcript")).collect();
    for code in told.into_iter().filter(|code| !WITHOUT_TRANSCRIPT.contains(code)) {
        assert!(dialogues.contains(&format!(": {code} ")), "no transcript is refused with {code}");
    }
}

#[test]
fn the_folders_of_the_architecture_are_there() {
    for name in quoted(&read("docs/ARCHITECTURE.md")) {
        let is_path = name.contains('/') && !name.contains([' ', '…']);
        assert!(!is_path || root().join(name).exists(), "{name} is not there");
    }
}

#[test]
fn the_makefile_does_what_the_readme_says() {
    let makefile = read("Makefile");
    for command in quoted(&read("README.md")).iter().filter_map(|code| code.trim().strip_prefix("make ")) {
        let goal = command.split_whitespace().next().expect("a goal");
        assert!(makefile.contains(&format!("\n{goal}:")), "make {goal}");
    }
}
