//! The judges of quality: a program in Python that is asked line by line.

use std::fmt::{self, Display, Formatter};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::bed::need;
use crate::bed::wav::Recording;

/// PESQ and STOI of one sentence.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quality {
    /// PESQ, wide band (ITU-T P.862.2): 1 to 4.64.
    pub pesq: f64,
    /// Short-time objective intelligibility (Taal 2011): 0 to 1.
    pub stoi: f64,
}

impl Display for Quality {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        write!(out, "{:.2} / {:.3}", self.pesq, self.stoi)
    }
}

/// The program, as it runs. Dropped: ended.
pub struct Judge {
    child: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Judge {
    /// Starts it; `None`: its environment was not made.
    pub fn start() -> Option<Self> {
        let python = need::top().join("target/quality/bin/python");
        let mut child = Command::new(python)
            .arg(need::top().join("tests/scripts/quality"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .ok()?;
        let (questions, answers) = (child.stdin.take()?, BufReader::new(child.stdout.take()?));
        Some(Self { child, questions, answers })
    }

    /// Compares a sentence with what was heard of it, through files in a directory.
    ///
    /// # Panics
    /// The program has ended, or the directory cannot be written.
    pub fn compare(&mut self, spoken: &Recording, heard: &Recording, place: &Path) -> Quality {
        let (one, other) = (place.join("spoken.wav"), place.join("heard.wav"));
        spoken.write(&one);
        heard.write(&other);
        writeln!(self.questions, "{} {}", one.display(), other.display()).expect("the judge listens");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("the judge answers");
        let mut numbers = line.split_whitespace().map(|word| word.parse().expect("a number"));
        Quality { pesq: numbers.next().expect("PESQ"), stoi: numbers.next().expect("STOI") }
    }
}

impl Drop for Judge {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
