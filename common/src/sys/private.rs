//! Files that nobody but their owner may read: secrets and keys.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use nix::fcntl::OFlag;
use zeroize::Zeroizing;

use super::config::{ConfigError, reason};

/// The permissions of those who are not the owner.
const OTHERS: u32 = 0o077;

/// Reads a private file of at most so many bytes; of a longer one, one byte more. `None`: there is none. `what` is what the
/// operator calls it.
///
/// # Errors
/// It cannot be read, is no file, or others than its owner may read or write it.
pub fn read(path: &Path, what: &str, most: usize) -> Result<Option<Zeroizing<Vec<u8>>>, ConfigError> {
    let refused = |why: &str| ConfigError::new(format!("the {what} file {} {why}", path.display()));
    let unreadable = |error: &io::Error| refused(&format!("cannot be read: {}", reason(error)));
    let file = match open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(|error| unreadable(&error))?,
    };
    let about = file.metadata().map_err(|error| unreadable(&error))?;
    if !about.is_file() {
        return Err(refused("must be a regular file"));
    }
    if about.mode() & OTHERS != 0 {
        let mode = about.mode() & 0o777;
        return Err(refused(&format!("has mode {mode:04o}, but must have mode 0600: try chmod 600")));
    }
    slurp(file, most).map(Some).map_err(|error| unreadable(&error))
}

/// What is checked afterwards is the file that was opened, whatever becomes of its name; a pipe is not waited for.
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(path)
}

/// All room is made at the start: what grows leaves copies behind.
fn slurp(file: File, most: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(most + 1));
    file.take(most as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
