//! The state directory, as a daemon finds it at its start: whether it takes files, and whether they last.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::sys::stat::{major, minor};

use super::config::reason;
use super::file;

/// Where the kernel tells of every mounted file system (proc(5)).
const MOUNTS: &str = "/proc/self/mountinfo";

/// Overlays that lie on overlays are looked through so often.
const LAYERS: usize = 4;

/// A state directory, as it was found. What is in it can be read, even where nothing can be written.
#[derive(Debug, Clone)]
pub struct StateDirectory {
    pub(super) path: PathBuf,
    /// It is not there, and cannot be made.
    is_missing: bool,
    /// It is in memory, and gone after a restart of the machine.
    pub(super) is_in_memory: bool,
    /// Why nothing can be written there.
    pub(super) refusal: Option<String>,
}

impl StateDirectory {
    /// Looks at a directory, and makes it where it is missing.
    pub fn open(path: &Path) -> Self {
        let refusal = file::directory(path).err().map(|error| reason(&error));
        let is_missing = refusal.is_some() && !path.is_dir();
        Self { path: path.to_owned(), is_missing, is_in_memory: is_in_memory(path), refusal }
    }

    /// Returns true if it is not there, and cannot be made.
    pub fn is_missing(&self) -> bool {
        self.is_missing
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Why nothing can be written there. `None`: it can, as far as is known.
    pub fn refusal(&self) -> Option<&str> {
        self.refusal.as_deref()
    }

    /// Returns true if nothing in it outlives a restart of the machine.
    pub fn is_in_memory(&self) -> bool {
        self.is_in_memory
    }
}

/// Returns true if this path is on a file system in memory: tmpfs, ramfs, or an overlay that keeps what is written on one.
fn is_in_memory(path: &Path) -> bool {
    let mounts = fs::read_to_string(MOUNTS).unwrap_or_default();
    let mut path = path.to_owned();
    for _ in 0..LAYERS {
        let Some(device) = device(&path) else { return false };
        match mounts.lines().find_map(|line| FileSystem::read(line, &device)) {
            Some(FileSystem { kind: "tmpfs" | "ramfs", .. }) => return true,
            Some(FileSystem { kind: "overlay", upper: Some(upper) }) => path = upper.into(),
            _ => return false,
        }
    }
    false
}

/// The device of a file, as it stands in [`MOUNTS`].
fn device(path: &Path) -> Option<String> {
    let device = fs::metadata(path).ok()?.dev();
    Some(format!("{}:{}", major(device), minor(device)))
}

/// What a line of [`MOUNTS`] says of a file system.
#[derive(Debug, PartialEq, Eq)]
struct FileSystem<'a> {
    kind: &'a str,
    /// Where an overlay keeps what is written.
    upper: Option<&'a str>,
}

impl<'a> FileSystem<'a> {
    /// Reads a line, if it is of this device:
    /// `36 35 0:45 / /media rw,noatime shared:1 - overlay overlay rw,lowerdir=/a,upperdir=/b,workdir=/c`.
    fn read(line: &'a str, device: &str) -> Option<Self> {
        let (place, system) = line.split_once(" - ")?;
        place.split(' ').nth(2).filter(|number| *number == device)?;
        let mut words = system.split(' ');
        let (kind, options) = (words.next()?, words.nth(1)?);
        let upper = options.split(',').find_map(|option| option.strip_prefix("upperdir="));
        Some(Self { kind, upper })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_mounted_is_read_by_its_device() {
        let overlay =
            "36 35 0:45 / /media rw,noatime shared:1 - overlay over rw,lowerdir=/a,upperdir=/b,workdir=/c";
        let read = FileSystem::read(overlay, "0:45");
        assert_eq!(read, Some(FileSystem { kind: "overlay", upper: Some("/b") }));
        assert_eq!(FileSystem::read(overlay, "0:4"), None);
        let memory = "25 1 0:23 / /run rw,nosuid - tmpfs tmpfs rw,size=1g";
        assert_eq!(FileSystem::read(memory, "0:23"), Some(FileSystem { kind: "tmpfs", upper: None }));
        for line in ["", "25 1 0:23 / /run rw", "25 1 0:23 / /run rw - tmpfs", " - "] {
            assert_eq!(FileSystem::read(line, "0:23"), None, "{line}");
        }
    }

    #[test]
    fn memory_is_known_where_there_is_some() {
        let kind = |path: &str| {
            let mounts = fs::read_to_string(MOUNTS).unwrap();
            let device = device(Path::new(path)).unwrap();
            mounts.lines().find_map(|line| FileSystem::read(line, &device).map(|it| it.kind.to_owned()))
        };
        let shared = kind("/dev/shm").is_some_and(|kind| kind == "tmpfs");
        assert_eq!(is_in_memory(Path::new("/dev/shm")), shared);
        assert!(!is_in_memory(Path::new("/proc")) && !is_in_memory(Path::new("/nonexistent")));
    }

    #[test]
    fn a_directory_that_cannot_be_made_is_missing_and_one_that_cannot_be_written_is_there() {
        let missing = StateDirectory::open(Path::new("/dev/null/vox"));
        assert!(missing.is_missing() && missing.refusal() == Some("not a directory"));
        let kernels = StateDirectory::open(Path::new("/proc"));
        assert!(!kernels.is_missing() && !kernels.is_in_memory());
    }
}
