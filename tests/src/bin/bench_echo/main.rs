//! `make bench-echo`: what echo cancellation, noise suppression and gain control do and what they cost, as tables with the
//! targets beside them; `--write` puts them into docs/BENCHMARKS.md.

#![expect(clippy::print_stdout, reason = "it prints tables")]

mod cost;
mod near;
mod rooms;

use vox_tests::bed::benchmarks;

const INTRODUCTION: &str = "# Echo, noise and loudness

Made by `make bench-echo WRITE=1`: the real chain of `[voice] echo-cancel`, `noise-suppress` and `gain-control` on injected
time, in simulated rooms (a feedback delay network with the RT60 of the table, a loudspeaker that compresses), with the
sentences of tests/speech (16 kHz, public domain) and callbacks that are up to 0.2 ms late.
";

fn main() {
    let mut report = String::from(INTRODUCTION);
    for table in [rooms::table as fn() -> String, near::table, cost::delay, cost::call, cost::size] {
        let table = table();
        println!("{table}");
        report.push('\n');
        report.push_str(&table);
    }
    if std::env::args().any(|word| word == "--write") {
        benchmarks::write(&report);
    }
}

/// A line of a table.
fn line(cells: &[&str]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

/// The first two lines of a table.
fn heading(cells: &[&str]) -> String {
    line(cells) + &line(&vec!["---"; cells.len()])
}
