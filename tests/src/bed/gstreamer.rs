//! Pipelines of GStreamer, by `gst-launch-1.0`.

use std::process::Command;

use super::need::{self, Lack};
use super::{Place, Process};

/// Whether all these elements are there, each with the package that brings it.
///
/// # Errors
/// The package that is missing.
pub fn there(elements: &[(&str, &'static str)]) -> Result<(), Lack> {
    need::program("gst-launch-1.0", "gstreamer1.0-tools")?;
    for (element, package) in elements {
        let there = Command::new("gst-inspect-1.0").args(["--exists", element]).status();
        if !there.is_ok_and(|status| status.success()) {
            return Err(Lack::Package(package));
        }
    }
    Ok(())
}

/// A running pipeline; what it says goes to `gst.log`.
pub fn launch(place: &Place, pipeline: &str) -> Process {
    let mut command = Command::new("gst-launch-1.0");
    command.args(["-q", "-e"]).args(pipeline.split_whitespace());
    Process::start("gst-launch-1.0", &command, &place.at("gst.log"))
}
