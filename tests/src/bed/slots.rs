//! Things of which the machine can run only so many at once, over all test processes.

use std::env;
use std::fs::{self, File};

use nix::fcntl::{Flock, FlockArg};

use super::wait;

/// One of a few places, held until this is dropped.
#[derive(Debug)]
pub struct Slot(#[expect(dead_code, reason = "held, not read")] Flock<File>);

impl Slot {
    /// Waits for one of `count` places of this kind.
    pub fn wait(kind: &str, count: u32) -> Self {
        wait::until(&format!("one of {count} places for {kind}"), 120, || {
            (0..count).find_map(|n| Self::take(&format!("{kind}-{n}")))
        })
    }

    fn take(name: &str) -> Option<Self> {
        let directory = env::temp_dir().join(format!("vox-slots-{}", nix::unistd::getuid()));
        fs::create_dir_all(&directory).ok()?;
        let file =
            File::options().create(true).truncate(false).write(true).open(directory.join(name)).ok()?;
        Flock::lock(file, FlockArg::LockExclusiveNonblock).ok().map(Self)
    }
}
