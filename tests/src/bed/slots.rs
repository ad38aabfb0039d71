//! Things of which the machine can run only so many at once, over all test processes.

use std::fs::{self, File};
use std::path::Path;

use nix::fcntl::{Flock, FlockArg};

use super::wait;

/// One of a few places, held until this is dropped.
#[derive(Debug)]
pub struct Slot {
    number: u32,
    _held: Flock<File>,
}

impl Slot {
    /// Waits for one of `count` places of this kind.
    pub fn wait(kind: &str, count: u32) -> Self {
        wait::until(&format!("one of {count} places for {kind}"), 120, || {
            (0..count).find_map(|number| Self::take(kind, number))
        })
    }

    /// Which of them it is; nobody else has the same at the same time.
    pub fn number(&self) -> u32 {
        self.number
    }

    fn take(kind: &str, number: u32) -> Option<Self> {
        let directory = Path::new("/tmp").join(format!("vox-slots-{}", nix::unistd::getuid()));
        fs::create_dir_all(&directory).ok()?;
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(directory.join(format!("{kind}-{number}")))
            .ok()?;
        Flock::lock(file, FlockArg::LockExclusiveNonblock).ok().map(|held| Self { number, _held: held })
    }
}
