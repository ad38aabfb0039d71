//! The file `known-peers`, read when the station starts.

use std::path::Path;

use vox_common::sys::config::reason;
use vox_common::sys::file;
use vox_common::wire::disk::Damaged;

use crate::agent::io::Kept;
use crate::agent::known::KnownKeys;

/// The keys that are remembered, and what was damaged of them. That is said, and a copy of the file is kept beside it as
/// `known-peers.damaged`: the next text to be kept takes its place.
///
/// # Errors
/// The file cannot be read: to go on without it would make every changed key a first use.
pub(super) fn recall(directory: &Path) -> Result<(KnownKeys, Option<Damaged>), String> {
    let path = directory.join(Kept::KnownKeys.file());
    let text = file::read(&path).map_err(|error| {
        let (path, why) = (path.display(), reason(&error));
        format!("cannot read {path}: {why}, mend it, or move it away and every key is trusted on its first use again")
    })?;
    let (known, damaged) = KnownKeys::parse(&text);
    if damaged == 0 {
        return Ok((known, None));
    }
    log::warn!("{damaged} lines of {} are damaged: {REFUSED}", path.display());
    if known.to_string() != text {
        put_aside(&path);
    }
    let file = Kept::KnownKeys.file();
    Ok((known, Some(Damaged { file, lines: Some(damaged), sentence: REFUSED.to_owned() })))
}

const REFUSED: &str = "whoever stands on one is refused until `vox-peer forget`, and who cannot be read any more is new again: \
    compare the words";

/// A copy is made once: the text that is kept next has the same marks.
fn put_aside(path: &Path) {
    match file::copy_aside(path, "damaged") {
        Ok(aside) => log::warn!("{} as it was is {}", path.display(), aside.display()),
        Err(error) => log::warn!("no copy of {} can be made: {}", path.display(), reason(&error)),
    }
}
