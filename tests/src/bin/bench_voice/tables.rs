//! Tables as people read them in a terminal and in docs/BENCHMARKS.md, and the figures behind them for the plots.

use std::fmt::{self, Display, Formatter};
use std::fs;
use std::path::PathBuf;

use vox_tests::bed::{benchmarks, need};

/// A part of docs/BENCHMARKS.md: how it was measured, one table, plots.
#[derive(Debug)]
pub(crate) struct Table {
    /// `# …`: what stands there under the same is replaced.
    heading: &'static str,
    how: String,
    names: Vec<String>,
    rows: Vec<Vec<String>>,
    notes: Vec<String>,
    /// Plots below docs/, with what they show.
    plots: Vec<(&'static str, &'static str)>,
    missed: Vec<String>,
}

impl Table {
    pub(crate) fn new(heading: &'static str, how: String, names: &[&str]) -> Self {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        Self {
            heading,
            how,
            names,
            rows: Vec::new(),
            notes: Vec::new(),
            plots: Vec::new(),
            missed: Vec::new(),
        }
    }

    /// Adds a row, and shows it at once.
    #[expect(clippy::print_stdout, reason = "it prints tables")]
    pub(crate) fn add(&mut self, cells: Vec<String>) {
        println!("| {} |", cells.join(" | "));
        self.rows.push(cells);
    }

    /// Adds a sentence below the table.
    pub(crate) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// Shows a plot below the table.
    pub(crate) fn plot(&mut self, file: &'static str, shows: &'static str) {
        self.plots.push((file, shows));
    }

    /// Remembers a target that was not reached.
    pub(crate) fn want(&mut self, is_reached: bool, target: impl FnOnce() -> String) {
        if !is_reached {
            self.missed.push(target());
        }
    }

    /// The targets that were not reached.
    pub(crate) fn missed(&self) -> &[String] {
        &self.missed
    }

    /// Replaces its part of docs/BENCHMARKS.md.
    pub(crate) fn write(&self) {
        benchmarks::write(&self.to_string());
    }
}

impl Display for Table {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        writeln!(out, "{}\n\n{}\n", self.heading, self.how)?;
        writeln!(out, "| {} |", self.names.join(" | "))?;
        writeln!(out, "|{}", "---|".repeat(self.names.len()))?;
        self.rows.iter().try_for_each(|row| writeln!(out, "| {} |", row.join(" | ")))?;
        self.notes.iter().try_for_each(|note| writeln!(out, "\n{note}"))?;
        if !self.missed.is_empty() {
            writeln!(out, "\nTargets not reached: {}.", self.missed.join("; "))?;
        }
        self.plots.iter().try_for_each(|(file, shows)| writeln!(out, "\n![{shows}](plots/{file})"))
    }
}

/// A sentence about what else the machine did just now.
pub(crate) fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    format!("The machine's load as it began: {}.", load.split(' ').next().unwrap_or_default())
}

/// Keeps figures for the plots: lines of words, with their names in the first.
pub(crate) fn keep(name: &str, names: &str, lines: &[String]) {
    let directory = figures();
    fs::create_dir_all(&directory).expect("target can be written");
    let text = format!("{names}\n{}\n", lines.join("\n"));
    fs::write(directory.join(name), text).expect("target can be written");
}

/// Where figures are kept.
pub(crate) fn figures() -> PathBuf {
    need::top().join("target/bench-voice")
}
