//! `make bench-registry`: speed and memory of the registry, as a table with the targets beside it. Some of it alone:
//! `bench_registry memory`, `speed`, `torture`, `mumble`; `--write` puts the table into docs/BENCHMARKS.md.

#![expect(clippy::print_stdout, reason = "it prints tables")]

mod bystander;
mod memory;
mod mumble;
mod report;
mod speed;

use std::env;

use report::Report;
use vox_tests::bed::{Place, Registry, Surroundings};

/// Measures something and adds it to the report.
type Measure = fn(&mut Report);

fn main() {
    let words: Vec<String> = env::args().skip(1).collect();
    let is_wanted =
        |name: &str| words.iter().all(|word| word.starts_with("--")) || words.iter().any(|word| word == name);
    let mut report = Report::default();
    let measures: [(&str, Measure); 4] = [
        ("memory", memory::measure),
        ("speed", speed::measure),
        ("torture", bystander::measure),
        ("mumble", mumble::measure),
    ];
    for (_, measure) in measures.iter().filter(|(name, _)| is_wanted(name)) {
        measure(&mut report);
    }
    print!("{report}");
    if words.iter().any(|word| word == "--write") {
        report.write();
    }
}

/// A registry as its unit starts it, but that anybody may ask anything as often as he likes.
fn registry(place: &Place) -> Registry {
    Registry::with(place, &Surroundings::of_unit("vox-registry.service"), "127.0.0.1", |settings| {
        for limit in ["connections-per-address", "requests-per-second", "idle-unregistered-s"] {
            settings.set(&format!("limits.{limit}"), 0);
        }
        settings.set("log.level", "info").set("page.listen", "127.0.0.1:0");
    })
}
