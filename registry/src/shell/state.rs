//! What outlives a restart: read when the registry starts, and written by the thread `store`.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use log::warn;
use vox_common::seal::identity::Identity;
use vox_common::sys::config::{ConfigError, reason};
use vox_common::sys::{file, key_file};

use crate::core::{Kept, Registry};

/// The registry's own key, made at the first start. `None`: the directory cannot be written to, which is said once, before
/// anything is to be kept; whoever wants to call may all the same.
///
/// # Errors
/// There is a key file, and something is wrong with it.
pub(super) fn identity(directory: &Path) -> Result<Option<Arc<Identity>>, ConfigError> {
    if let Err(error) = file::directory(directory) {
        let (directory, why) = (directory.display(), reason(&error));
        warn!(
            "Bans do not outlive a restart, and no line is sealed: cannot write to {directory}: {why}, choose another state.directory"
        );
        return Ok(None);
    }
    key_file::load_or_make(directory).map(Arc::new).map(Some)
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
