//! `vox-peer`: carries calls from peer to peer.

use std::process::ExitCode;

fn main() -> ExitCode {
    vox_peer::cli::main(vox_peer::shell::daemon::run)
}
