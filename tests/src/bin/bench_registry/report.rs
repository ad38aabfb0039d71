//! The table of what was measured, as people read it in a terminal and in docs/BENCHMARKS.md.

use std::fmt::{self, Display, Formatter};
use std::fs;

use vox_tests::bed::need;

/// One figure.
#[derive(Debug)]
pub(crate) struct Row {
    what: String,
    measured: String,
    target: String,
}

/// All figures of a run.
#[derive(Debug, Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
    notes: Vec<String>,
}

impl Report {
    /// Adds a figure, and what it should be.
    pub(crate) fn add(&mut self, what: &str, measured: impl Display, target: &str) {
        let row = Row { what: what.into(), measured: measured.to_string(), target: target.into() };
        self.rows.push(row);
    }

    /// Adds a sentence below the table.
    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    /// Replaces docs/BENCHMARKS.md.
    pub(crate) fn write(&self) {
        fs::write(need::top().join("docs/BENCHMARKS.md"), self.to_string())
            .expect("the source tree can be written");
    }
}

impl Display for Report {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        writeln!(out, "# Speed and memory of the registry\n")?;
        writeln!(
            out,
            "Made by `make bench-registry WRITE=1` on a machine of {cores} cores, which the clients share. `[limits]` are off.\n\
             Medians of five runs; kB are 1,000 bytes, MiB 1,048,576.\n"
        )?;
        let width =
            |cell: fn(&Row) -> &str| self.rows.iter().map(|row| cell(row).chars().count()).max().unwrap_or(0);
        let widths = [width(|row| &row.what), width(|row| &row.measured), width(|row| &row.target).max(6)];
        write_line(out, ["", "measured", "target"], widths)?;
        let rules = widths.map(|width| "-".repeat(width));
        write_line(out, [&rules[0], &rules[1], &rules[2]], widths)?;
        for row in &self.rows {
            write_line(out, [&row.what, &row.measured, &row.target], widths)?;
        }
        self.notes.iter().try_for_each(|note| writeln!(out, "\n{note}"))
    }
}

fn write_line(out: &mut Formatter<'_>, cells: [&str; 3], [first, second, third]: [usize; 3]) -> fmt::Result {
    let [what, measured, target] = cells;
    writeln!(out, "| {what:first$} | {measured:second$} | {target:third$} |")
}

/// The middle one.
pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}
