//! Ports that no other test takes.

use std::fs::{self, File, Permissions};
use std::net::{TcpListener, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use nix::fcntl::{Flock, FlockArg};

/// Below the range that the kernel gives out by itself (`ip_local_port_range`), so that no client takes one by chance.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// A port number, TCP and UDP, that is ours until this is dropped; other test processes leave it alone.
#[derive(Debug)]
pub struct Port {
    number: u16,
    _claim: Flock<File>,
}

impl Port {
    /// Claims a free port.
    pub fn claim() -> Self {
        let start = u16::try_from(std::process::id() % u32::from(COUNT)).expect("below COUNT");
        (0..COUNT)
            .map(|n| FIRST + (start + n) % COUNT)
            .find_map(Self::claim_this)
            .expect("thousands of ports, and all taken")
    }

    /// The number.
    pub fn number(&self) -> u16 {
        self.number
    }

    fn claim_this(number: u16) -> Option<Self> {
        let file = File::options().create(true).truncate(false).write(true).open(claim_path(number)).ok()?;
        let claim = Flock::lock(file, FlockArg::LockExclusiveNonblock).ok()?;
        is_free(number).then_some(Self { number, _claim: claim })
    }
}

/// Where claims stand: files that every user of the machine can lock.
fn claim_path(number: u16) -> PathBuf {
    let directory = PathBuf::from("/tmp/vox-ports");
    if fs::create_dir_all(&directory).is_ok() {
        let _ = fs::set_permissions(&directory, Permissions::from_mode(0o777));
    }
    directory.join(format!("{number}-{}", nix::unistd::getuid()))
}

fn is_free(number: u16) -> bool {
    ["[::]", "0.0.0.0"].iter().any(|any| {
        let address = format!("{any}:{number}");
        TcpListener::bind(&address).is_ok() && UdpSocket::bind(&address).is_ok()
    })
}
