//! State files: a power cut leaves the old one or the new one, never half.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use nix::unistd::{AccessFlags, access};

/// A state file longer than this is not ours.
const MAX_BYTES: u64 = 1024 * 1024;

/// Whom one called and what one was told is nobody else's business.
const MODE: u32 = 0o600;

/// Nor is it which files there are.
const DIRECTORY_MODE: u32 = 0o700;

/// Makes sure of a directory that state files can be written to; one that is made is its owner's alone.
///
/// # Errors
/// It cannot be made, or this user may not write there.
pub fn directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(DIRECTORY_MODE).create(path)?;
    access(path, AccessFlags::W_OK | AccessFlags::X_OK).map_err(io::Error::from)
}

/// Writes `text` beside `path`, for its owner's eyes only, brings it to the disk, and moves it into place (rename(2)).
///
/// # Errors
/// Those of the file system; the old file is then as it was.
pub fn replace(path: &Path, text: &str) -> io::Result<()> {
    let aside = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(MODE).open(&aside)?;
    // One that a power cut left behind may be wider.
    file.set_permissions(Permissions::from_mode(MODE))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&aside, path)?;
    path.parent().map_or(Ok(()), |directory| File::open(directory)?.sync_all())
}

/// Reads a state file; one that is not there is empty.
///
/// # Errors
/// Those of the file system, or it is no file that [`replace`] made: longer, or a pipe, for whose writer one would wait.
pub fn read(path: &Path) -> io::Result<String> {
    match fs::metadata(path) {
        Ok(file) if !file.is_file() => Err(io::Error::other("it is not an ordinary file")),
        Ok(file) if file.len() > MAX_BYTES => Err(io::Error::from(ErrorKind::FileTooLarge)),
        Ok(_) => fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_one_that_is_missing_is_empty() {
        let directory = std::env::temp_dir().join(format!("vox-file-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let path = directory.join("history");
        assert_eq!(read(&path).unwrap(), "");
        fs::write(path.with_extension("new"), "half of").unwrap();
        replace(&path, "one\n").unwrap();
        replace(&path, "two\n").unwrap();
        assert_eq!(read(&path).unwrap(), "two\n");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, MODE);
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 1);
        fs::remove_dir_all(&directory).unwrap();
    }

    #[test]
    fn a_directory_that_is_made_is_for_its_owner_alone_and_one_that_is_there_stays_as_it_is() {
        let place = std::env::temp_dir().join(format!("vox-directory-{}", std::process::id()));
        let state = place.join("state");
        let mode = || fs::metadata(&state).unwrap().permissions().mode() & 0o777;
        directory(&state).unwrap();
        assert_eq!(mode(), 0o700);
        fs::set_permissions(&state, Permissions::from_mode(0o750)).unwrap();
        directory(&state).unwrap();
        assert_eq!(mode(), 0o750);
        fs::remove_dir_all(&place).unwrap();
    }

    #[test]
    fn what_is_no_file_is_not_waited_for() {
        for path in ["/dev/zero", "/dev/tty", "/proc"] {
            assert!(read(Path::new(path)).is_err(), "{path}");
        }
    }

    #[test]
    fn a_directory_that_is_not_there_is_an_error_and_changes_nothing() {
        assert!(replace(Path::new("/nonexistent/vox/history"), "x").is_err());
        assert!(directory(Path::new("/dev/null/vox")).is_err());
    }
}
