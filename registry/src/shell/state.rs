//! What outlives a restart: read when the registry starts, and written by the thread `store`.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use log::warn;
use vox_common::seal::identity::Identity;
use vox_common::sys::config::{ConfigError, reason};
use vox_common::sys::file;
use vox_common::sys::key_file::{self, KeyError};
use vox_common::sys::state::StateDirectory;
use vox_common::sys::store::Store;

use crate::core::{Kept, Registry};

/// What a file is called that could not be read, and is kept for whoever can mend it.
const UNREAD: &str = "unread";

/// The registry's own key, made at the first start. `None`: there is none and none can be made, which is said once, before
/// anything is to be kept; whoever wants to call may all the same.
///
/// # Errors
/// There is a key file, and something is wrong with it.
pub(super) fn identity(directory: &StateDirectory) -> Result<Option<Arc<Identity>>, ConfigError> {
    let path = directory.path().display();
    let (identity, why) = match key_of(directory) {
        Ok(identity) => (Some(Arc::new(identity)), directory.refusal().map(str::to_owned)),
        Err(KeyError::NotMade(error)) => (None, Some(reason(&error))),
        Err(KeyError::Wrong(error)) => return Err(error),
    };
    match why {
        Some(why) if identity.is_none() => warn!(
            "Bans do not outlive a restart, and no line is sealed: cannot write to {path}: {why}, choose another state.directory"
        ),
        Some(why) => warn!(
            "Bans and names that are new do not outlive a restart: cannot write to {path}: {why}; what is there is used"
        ),
        None if directory.is_in_memory() => warn!(
            "The key of this registry, bans and names do not outlive a restart of the machine: {path} is in memory, choose another state.directory"
        ),
        None => {}
    }
    Ok(identity)
}

fn key_of(directory: &StateDirectory) -> Result<Identity, KeyError> {
    match directory.refusal().filter(|_| directory.is_missing()) {
        Some(why) => Err(KeyError::NotMade(io::Error::other(why.to_owned()))),
        None => key_file::load_or_make(directory.path()),
    }
}

/// The lines of state files that cannot be read: they go on standing there, behind what is kept.
#[derive(Debug, Default)]
pub(super) struct Rests {
    bans: Vec<u8>,
    names: Vec<u8>,
}

impl Rests {
    fn of(&mut self, kept: Kept) -> &mut Vec<u8> {
        match kept {
            Kept::Bans => &mut self.bans,
            Kept::Names => &mut self.names,
        }
    }

    /// A whole state file.
    pub(super) fn behind(&mut self, kept: Kept, text: &str) -> Vec<u8> {
        [text.as_bytes(), self.of(kept)].concat()
    }
}

/// Gives the registry what was kept. What is damaged is said, stays in its file or beside it, and counts as taken where
/// names are concerned.
pub(super) fn recall(registry: &mut Registry<'_>, store: &Store, directory: &Path) -> Rests {
    let mut rests = Rests::default();
    for kept in [Kept::Bans, Kept::Names] {
        let path = directory.join(kept.file());
        match file::read_bytes(&path) {
            Ok(bytes) => *rests.of(kept) = take_in(registry, kept, &path, &bytes),
            Err(error) => put_aside(store, kept, &path, &reason(&error)),
        }
        if path.with_extension(UNREAD).symlink_metadata().is_ok() || store.is_withheld(kept.file()) {
            registry.cannot_recall(kept);
        }
        if let Some(damaged) = registry.damage(kept) {
            warn!("{}: {}", path.display(), damaged.sentence);
        }
    }
    rests
}

/// Takes in a file, and returns the lines of it that cannot be read. Where not all is read, a copy of it as it was is made.
fn take_in(registry: &mut Registry<'_>, kept: Kept, path: &Path, bytes: &[u8]) -> Vec<u8> {
    let recalled = registry.recall(kept, bytes);
    let (damaged, is_hopeless) = (recalled.damaged + recalled.unread, recalled.is_hopeless());
    let next = [registry.text(kept).as_bytes(), &recalled.rest].concat();
    if damaged > 0 && (next != bytes || is_hopeless) {
        let word = if is_hopeless { UNREAD } else { "damaged" };
        warn!("{damaged} lines of {} cannot be read; {}", path.display(), told(file::copy_aside(path, word)));
    }
    if is_hopeless { Vec::new() } else { recalled.rest }
}

fn told(copied: io::Result<PathBuf>) -> String {
    match copied {
        Ok(aside) => format!("the file as it was is {}", aside.display()),
        Err(error) => format!("no copy of it can be made: {}", reason(&error)),
    }
}

/// The next text to be kept would take the place of a file that somebody might still mend.
fn put_aside(store: &Store, kept: Kept, path: &Path, why: &str) {
    let shown = path.display();
    if let Ok(aside) = file::move_aside(path, UNREAD) {
        return warn!("Cannot read {shown}: {why}, it is {} from now on", aside.display());
    }
    warn!("Cannot read {shown}: {why}");
    store.withhold(kept.file(), &format!("it cannot be read ({why}): mend it or move it away"));
}
