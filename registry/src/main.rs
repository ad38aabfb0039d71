//! `vox-registry`: knows who is there.

use std::process::ExitCode;

fn main() -> ExitCode {
    vox_registry::cli::main(vox_registry::shell::run)
}
