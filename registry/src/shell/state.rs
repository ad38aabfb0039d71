//! What outlives a restart: read when the registry starts, and written by the thread `store`.

use std::path::Path;
use std::{fs, io};

use log::warn;
use vox_common::sys::config::reason;
use vox_common::sys::file;
use vox_common::sys::store::Store;

use crate::core::{Kept, Registry};

/// Starts the thread that writes. A directory that it may not write to is said once, before anything is to be kept.
pub(super) fn store(directory: &Path) -> io::Result<Store> {
    if let Err(error) = file::directory(directory) {
        let (directory, why) = (directory.display(), reason(&error));
        warn!(
            "Bans do not outlive a restart: cannot write to {directory}: {why}, choose another state.directory"
        );
    }
    Store::start(directory)
}

/// Gives the registry what was kept; a file that is damaged loses the lines that are.
pub(super) fn recall(registry: &mut Registry<'_>, directory: &Path) {
    for kept in [Kept::Bans, Kept::Names] {
        let path = directory.join(kept.file());
        match file::read(&path) {
            Ok(text) => match registry.recall(kept, &text) {
                0 => {}
                strange => warn!("Passed over {strange} lines of {} that are none of ours", path.display()),
            },
            Err(error) => put_aside(&path, &reason(&error)),
        }
    }
}

/// The next text to be kept would take the place of a file that somebody might still mend.
fn put_aside(path: &Path, why: &str) {
    let aside = path.with_extension("unread");
    match fs::rename(path, &aside) {
        Ok(()) => warn!("Cannot read {}: {why}, it is {} from now on", path.display(), aside.display()),
        Err(_) => warn!("Cannot read {}: {why}", path.display()),
    }
}
