//! The file `known-peers`, read when the station starts.

use std::fs;
use std::path::Path;

use vox_common::sys::config::reason;
use vox_common::sys::file;

use crate::agent::io::Kept;
use crate::agent::known::KnownKeys;

/// The keys that are remembered. What is damaged is said, and a copy of the file is kept beside it as
/// `known-peers.damaged`: the next text to be kept takes its place.
///
/// # Errors
/// The file cannot be read: to go on without it would make every changed key a first use.
pub fn recall(directory: &Path) -> Result<KnownKeys, String> {
    let path = directory.join(Kept::KnownKeys.file());
    let text = file::read(&path).map_err(|error| {
        let (path, why) = (path.display(), reason(&error));
        format!("cannot read {path}: {why}, mend it, or move it away and every key is trusted on its first use again")
    })?;
    let (known, damaged) = KnownKeys::parse(&text);
    if damaged > 0 {
        put_aside(&path, damaged);
    }
    Ok(known)
}

fn put_aside(path: &Path, damaged: usize) {
    let (file, aside) = (path.display(), path.with_extension("damaged"));
    let copied = match fs::copy(path, &aside) {
        Ok(_) => format!("the file as it was is {}", aside.display()),
        Err(error) => format!("no copy of it can be made: {}", reason(&error)),
    };
    let refused = "whoever stands on one is refused until `vox-peer forget`";
    log::warn!("{damaged} lines of {file} are damaged, {refused}; {copied}");
}
