//! State files: a power cut leaves the old one or the new one, never half.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

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
    takes_files(path)
}

/// Looks whether this user may write to a directory, as far as the kernel says so beforehand.
///
/// # Errors
/// The file system is read-only, the directory is not there, or it is somebody else's.
pub fn takes_files(path: &Path) -> io::Result<()> {
    access(path, AccessFlags::W_OK | AccessFlags::X_OK).map_err(io::Error::from)
}

/// Writes `text` beside `path`, for its owner's eyes only, brings it to the disk, and moves it into place (rename(2)).
///
/// # Errors
/// Those of the file system; the old file is then as it was, and nothing is left beside it.
pub fn replace(path: &Path, text: impl AsRef<[u8]>) -> io::Result<()> {
    let aside = path.with_extension("new");
    let file = OpenOptions::new().write(true).create(true).truncate(true).mode(MODE).open(&aside)?;
    let placed = fill(file, text.as_ref()).and_then(|()| fs::rename(&aside, path));
    if placed.is_err() {
        // A disk that is full needs the room.
        let _ = fs::remove_file(&aside);
    }
    placed?;
    path.parent().map_or(Ok(()), |directory| File::open(directory)?.sync_all())
}

fn fill(mut file: File, text: &[u8]) -> io::Result<()> {
    // One that a power cut left behind may be wider.
    file.set_permissions(Permissions::from_mode(MODE))?;
    file.write_all(text)?;
    file.sync_all()
}

/// Reads a state file; one that is not there is empty.
///
/// # Errors
/// Those of the file system, or it is no file that [`replace`] made: longer, or a pipe, for whose writer one would wait.
pub fn read_bytes(path: &Path) -> io::Result<Vec<u8>> {
    match fs::metadata(path) {
        Ok(file) if !file.is_file() => Err(io::Error::other("it is not an ordinary file")),
        Ok(file) if file.len() > MAX_BYTES => Err(io::Error::from(ErrorKind::FileTooLarge)),
        Ok(_) => fs::read(path),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// The same as text; bytes that are none are [replaced](String::from_utf8_lossy).
///
/// # Errors
/// As [`read_bytes`].
pub fn read(path: &Path) -> io::Result<String> {
    read_bytes(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// So many files of one name are put aside. The first ones are kept: what is damaged once is not whole later.
const ASIDE: usize = 10;

/// Moves a file out of the way of what is kept under its name: to `bans.unread`, or `bans.unread-1` where there is one.
///
/// # Errors
/// Those of the file system, or there are too many already; the file is then where it was.
pub fn move_aside(path: &Path, word: &str) -> io::Result<PathBuf> {
    let aside = free_beside(path, word)?;
    fs::rename(path, &aside).map(|()| aside)
}

/// The same, but the file itself stays where it is.
///
/// # Errors
/// As [`move_aside`].
pub fn copy_aside(path: &Path, word: &str) -> io::Result<PathBuf> {
    let aside = free_beside(path, word)?;
    fs::copy(path, &aside).map(|_| aside)
}

/// A name beside a file that no other one has.
fn free_beside(path: &Path, word: &str) -> io::Result<PathBuf> {
    let names = (0..ASIDE).map(|n| if n == 0 { word.to_owned() } else { format!("{word}-{n}") });
    let mut places = names.map(|name| path.with_extension(name));
    let is_free = |place: &PathBuf| fs::symlink_metadata(place).is_err();
    places.find(is_free).ok_or_else(|| io::Error::from(ErrorKind::AlreadyExists))
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
    fn what_is_put_aside_takes_the_place_of_nothing() {
        let directory = std::env::temp_dir().join(format!("vox-aside-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let path = directory.join("bans");
        let text = |name: &str| fs::read_to_string(directory.join(name)).unwrap();
        for n in 0..ASIDE {
            fs::write(&path, n.to_string()).unwrap();
            let aside = if n % 2 == 0 { move_aside } else { copy_aside };
            aside(&path, "unread").unwrap();
        }
        assert!(move_aside(&path, "unread").is_err() && path.exists());
        assert_eq!((text("bans.unread"), text("bans.unread-9")), ("0".into(), "9".into()));
        fs::remove_dir_all(&directory).unwrap();
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
