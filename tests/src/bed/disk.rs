//! Disks that a daemon finds, each mounted for that daemon alone: read-only, full, in memory.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::Surroundings;
use super::need::{self, Lack};

/// The directory with what is in it, but nothing can be written there.
const READ_ONLY: &str = "mount --bind \"$1\" \"$1\" && mount -o remount,bind,ro \"$1\"";

/// A copy of the directory in 256 KiB of memory.
const IN_MEMORY: &str = "mkdir -p \"$1.disk\" && mount --bind \"$1\" \"$1.disk\" && mount -t tmpfs -o size=256k none \"$1\" && \
    cp -a \"$1.disk/.\" \"$1\" && chmod 700 \"$1\"";

/// The same, and a file that leaves no room.
const FULL: &str = "dd if=/dev/zero of=\"$1/filler\" bs=4k 2>/dev/null; true";

/// What a daemon finds whose state directory is on a disk that cannot be written.
pub fn read_only(directory: &Path) -> Result<Surroundings, Lack> {
    mounted(READ_ONLY, directory)
}

/// What a daemon finds whose state directory is in memory: a small disk.
pub fn in_memory(directory: &Path) -> Result<Surroundings, Lack> {
    mounted(IN_MEMORY, directory)
}

/// What a daemon finds whose disk is full.
pub fn full(directory: &Path) -> Result<Surroundings, Lack> {
    mounted(&format!("{IN_MEMORY} && {FULL}"), directory)
}

/// Makes room on a full disk.
///
/// # Panics
/// This process has no such disk.
pub fn make_room(pid: u32, directory: &Path) {
    let filler = inside(pid, directory).join("filler");
    std::fs::remove_file(&filler).unwrap_or_else(|error| panic!("{}: {error}", filler.display()));
}

/// Lets a disk that is read-only be written again.
///
/// # Panics
/// This process has no such disk.
pub fn make_writable(pid: u32, directory: &Path) {
    let mut command = Command::new("nsenter");
    command.args(["-t", &pid.to_string(), "-m", "mount", "-o", "remount,bind,rw"]).arg(directory);
    assert!(command.status().expect("nsenter starts").success());
}

/// A directory as this process sees it.
pub fn inside(pid: u32, directory: &Path) -> PathBuf {
    let relative = directory.strip_prefix("/").expect("an absolute path");
    Path::new("/proc").join(pid.to_string()).join("root").join(relative)
}

fn mounted(script: &str, directory: &Path) -> Result<Surroundings, Lack> {
    need::root()?;
    need::program("unshare", "util-linux")?;
    let script = format!("{script} && shift && exec \"$@\"");
    let words = ["unshare", "--mount", "sh", "-c", &script, "sh", &directory.display().to_string()];
    Ok(Surroundings::default().through(words))
}
