//! Where answers are shown: aligned and with headings on a terminal, bare in a pipe.

use std::env;
use std::io::{self, IsTerminal, StdoutLock, Write};

/// The standard output, as what it is.
#[derive(Debug)]
pub struct Screen {
    out: StdoutLock<'static>,
    /// A person looks at it.
    terminal: bool,
    colour: bool,
    /// The last line may be written over.
    live: bool,
}

impl Screen {
    /// The standard output of this program.
    pub fn stdout() -> Self {
        let terminal = io::stdout().is_terminal();
        let plain = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { out: io::stdout().lock(), terminal, colour: terminal && !plain, live: false }
    }

    /// A person looks at it.
    pub fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Writes one line, and has it seen at once.
    pub fn line(&mut self, text: &str) -> io::Result<()> {
        self.end_live()?;
        writeln!(self.out, "{text}")?;
        self.out.flush()
    }

    /// Says something about what was written: below it on a terminal, and on standard error in a pipe, whose reader takes
    /// every line for an item.
    pub fn remark(&mut self, text: &str) -> io::Result<()> {
        if self.terminal {
            return self.line(text);
        }
        self.out.flush()?;
        // Whoever reads the items can do without, also where standard error is closed.
        let _ = writeln!(io::stderr(), "{text}");
        Ok(())
    }

    /// Writes over the line that was written so before; nothing in a pipe.
    pub fn live(&mut self, text: &str) -> io::Result<()> {
        if !self.terminal {
            return Ok(());
        }
        self.live = true;
        // Cut at the edge instead of wrapped: a wrapped line cannot be written over.
        write!(self.out, "\r\x1b[K\x1b[?7l{text}\x1b[?7h")?;
        self.out.flush()
    }

    fn end_live(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.live) { write!(self.out, "\r\x1b[K") } else { Ok(()) }
    }

    /// Writes rows: in columns under headings on a terminal, separated by tabs in a pipe.
    pub fn table(&mut self, headings: &[&str], rows: &[Vec<String>]) -> io::Result<()> {
        if self.terminal {
            self.columns(headings, rows)
        } else {
            rows.iter().try_for_each(|row| writeln!(self.out, "{}", row.join("\t")))
        }
    }

    fn columns(&mut self, headings: &[&str], rows: &[Vec<String>]) -> io::Result<()> {
        let headings: Vec<String> = headings.iter().map(|heading| heading.to_uppercase()).collect();
        let widths = widths(&headings, rows);
        let top = self.bold(&aligned(&headings, &widths));
        writeln!(self.out, "{top}")?;
        rows.iter().try_for_each(|row| writeln!(self.out, "{}", aligned(row, &widths)))
    }

    /// A word that stands out, where that is wanted.
    pub fn bold(&self, text: &str) -> String {
        if self.colour { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// Leaves the terminal with a line of its own for the shell's prompt.
impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.end_live().and_then(|()| self.out.flush());
    }
}

fn widths(headings: &[String], rows: &[Vec<String>]) -> Vec<usize> {
    let width = |row: &Vec<String>, column| row.get(column).map_or(0, |cell: &String| cell.chars().count());
    let widest = |(column, heading): (usize, &String)| {
        rows.iter().map(|row| width(row, column)).max().unwrap_or(0).max(heading.chars().count())
    };
    headings.iter().enumerate().map(widest).collect()
}

fn aligned(row: &[String], widths: &[usize]) -> String {
    let cells = row.iter().zip(widths).map(|(cell, &width)| format!("{cell:width$}"));
    cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = vec![vec!["bob".into(), "10.0.0.2:6000".into()], vec!["João".into(), "x".into()]];
        let headings = ["NAME".to_owned(), "ADDRESS".to_owned()];
        let widths = widths(&headings, &rows);
        assert_eq!(widths, [4, 13]);
        assert_eq!(aligned(&rows[1], &widths), "João  x");
        assert_eq!(aligned(&headings, &widths), "NAME  ADDRESS");
    }
}
