//! The tables of what was measured, as people read them in a terminal and in docs/BENCHMARKS.md.

use std::fmt::{self, Display, Formatter};
use std::thread;

use vox_tests::bed::benchmarks;

const HEAD: [&str; 3] = ["", "measured", "target"];

/// All figures of a run.
#[derive(Debug, Default)]
pub(crate) struct Report(Vec<Table>);

/// Figures of one kind, and how they came about.
#[derive(Debug)]
pub(crate) struct Table {
    title: &'static str,
    rows: Vec<[String; 3]>,
    notes: Vec<String>,
}

impl Report {
    /// Begins a table.
    pub(crate) fn table(&mut self, title: &'static str) -> &mut Table {
        self.0.push(Table { title, rows: Vec::new(), notes: Vec::new() });
        self.0.last_mut().expect("it was put there just now")
    }

    /// Replaces its part of docs/BENCHMARKS.md.
    pub(crate) fn write(&self) {
        benchmarks::write(&self.to_string());
    }
}

impl Table {
    /// Adds a figure, and what it should be.
    pub(crate) fn add(&mut self, what: &str, measured: impl Display, target: &str) {
        self.rows.push([what.into(), measured.to_string(), target.into()]);
    }

    /// Adds a paragraph below the table.
    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    fn width(&self, column: usize) -> usize {
        let cells = self.rows.iter().map(|row| row[column].as_str()).chain([HEAD[column]]);
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    }
}

impl Display for Report {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let cores = thread::available_parallelism().map_or(0, usize::from);
        writeln!(out, "# Speed and memory of the registry\n")?;
        writeln!(
            out,
            "Made by `make bench-registry WRITE=1` on a machine of {cores} cores, which the clients share; they are"
        )?;
        writeln!(
            out,
            "one thread together. The registry runs as its unit starts it, but with `[limits]` off. kB are 1,000 bytes."
        )?;
        self.0.iter().try_for_each(|table| write!(out, "{table}"))
    }
}

impl Display for Table {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let widths = [0, 1, 2].map(|column| self.width(column));
        writeln!(out, "\n## {}\n", self.title)?;
        write_row(out, HEAD, widths)?;
        let rules = widths.map(|width| "-".repeat(width));
        write_row(out, rules.each_ref().map(String::as_str), widths)?;
        for row in &self.rows {
            write_row(out, row.each_ref().map(String::as_str), widths)?;
        }
        self.notes.iter().try_for_each(|note| writeln!(out, "\n{note}"))
    }
}

fn write_row(out: &mut Formatter<'_>, cells: [&str; 3], widths: [usize; 3]) -> fmt::Result {
    let ([what, measured, target], [first, second, third]) = (cells, widths);
    writeln!(out, "| {what:first$} | {measured:second$} | {target:third$} |")
}

/// The middle one.
pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}
