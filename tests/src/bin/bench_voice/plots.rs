//! Plots of the kept figures, drawn by matplotlib in the environment of the judges.

use std::process::Command;

use vox_tests::bed::need;

use crate::tables;

/// Draws the kept figures of one part into docs/plots.
pub(crate) fn draw(part: &str) {
    let top = need::top();
    let mut command = Command::new(top.join("target/quality/bin/python"));
    command.arg(top.join("tests/scripts/plots")).arg(tables::figures()).arg(top.join("docs/plots")).arg(part);
    let drawn = command.status();
    if !drawn.is_ok_and(|status| status.success()) {
        eprintln!("the plots were not drawn: tests/scripts/setup bench-voice makes their environment");
    }
}
