//! `make bench-voice`: the voice of vox beside that of other programs, on one rig in one run, as tables and plots. `--write`
//! puts them into docs/BENCHMARKS.md. The parts alone: `bench_voice delay`, `drift` (`minutes=10`), `speech`, `paths`; and of
//! each only programs (or, of `paths`, profiles) whose names hold a word: `bench_voice delay trx jamulus`.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it prints tables, and what it is at")]

mod delay;
mod drift;
mod paths;
mod plots;
mod programs;
mod report;
mod speech;
mod stage;
mod tables;

use std::env;

use tables::Table;
use vox_tests::bed::benchmarks;
use vox_tests::voice::judge::Judge;

const PARTS: [&str; 4] = ["delay", "drift", "speech", "paths"];

/// How long drifting clocks are followed, where nothing else is said.
const MINUTES: u64 = 10;

fn main() {
    let (options, words): (Vec<String>, Vec<String>) =
        env::args().skip(1).partition(|word| word == "--write");
    let is_written = !options.is_empty();
    let (parts, details): (Vec<String>, Vec<String>) =
        words.into_iter().partition(|word| PARTS.contains(&word.as_str()));
    let is_wanted = |part: &str| parts.is_empty() || parts.iter().any(|word| word == part);
    let (minutes, names) = minutes(details);
    let mut missed = Vec::new();
    if is_wanted("delay") {
        missed.extend(show("delay", &delay::measure(&names), is_written));
    }
    if is_wanted("drift") {
        missed.extend(show("drift", &drift::measure(&names, minutes), is_written));
    }
    if is_wanted("speech") || is_wanted("paths") {
        let Some(mut judge) = Judge::start() else {
            eprintln!("tests/scripts/setup bench-voice has not made target/quality: nothing is judged");
            return;
        };
        if is_wanted("speech") {
            missed.extend(show("speech", &speech::measure(&names, &mut judge), is_written));
        }
        if is_wanted("paths") {
            missed.extend(over_paths(&mut judge, &names, is_written));
        }
    }
    assert!(missed.is_empty(), "targets not reached: {missed:#?}");
}

/// The whole table once more, after its rows; and where it is kept. Tells which targets were missed.
fn show(part: &str, table: &Table, is_written: bool) -> Vec<String> {
    println!("\n{table}");
    if is_written {
        table.write();
        plots::draw(part);
    }
    table.missed().to_vec()
}

/// `minutes=…`, and the other words.
fn minutes(words: Vec<String>) -> (u64, Vec<String>) {
    let (said, names): (Vec<String>, Vec<String>) = words.into_iter().partition(|word| word.contains('='));
    let number = said.iter().find_map(|word| word.strip_prefix("minutes=")?.parse().ok());
    (number.unwrap_or(MINUTES), names)
}

fn over_paths(judge: &mut Judge, profiles: &[String], is_written: bool) -> Option<String> {
    let report = paths::measure(judge, profiles);
    if is_written {
        benchmarks::write(&report.to_string());
    }
    (!report.is_good()).then(|| "those of speech over bad paths on virtual time".to_owned())
}
