//! Control sockets: who may knock, and who owns the door.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::{fmt, process};

use nix::sys::socket::{getsockopt, sockopt};
use nix::unistd::{Gid, chown};

use super::config::reason;

/// Owner and group may speak, nobody else.
const MODE: u32 = 0o660;

/// Where sysusers puts our groups. The name service (nss) knows others, too, and to ask it would bring its modules and
/// what they stand on into a daemon for as long as it runs: most of a megabyte.
const GROUPS: &str = "/etc/group";

/// Why a control socket cannot be opened: one sentence for the operator.
#[derive(Debug)]
pub enum ControlError {
    /// A program answers on it.
    Taken(PathBuf),
    /// There is a file of that name, and it is no socket.
    NotASocket(PathBuf),
    /// The machine refuses.
    Refused(PathBuf, io::Error),
}

impl fmt::Display for ControlError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Taken(path) => write!(out, "another daemon already answers on {}", path.display()),
            Self::NotASocket(path) => write!(out, "{} is in the way and is not a socket", path.display()),
            Self::Refused(path, error) => {
                write!(out, "cannot open the control socket {}: {}", path.display(), reason(error))
            }
        }
    }
}

impl std::error::Error for ControlError {}

/// Listens at `path` with mode 0660 and, if there is such a group and we may, for the people in `group`.
///
/// A socket that a killed daemon left behind is taken over, and nobody finds one with other permissions
/// meanwhile: it is made aside and moved into place.
///
/// # Errors
/// [`ControlError`]: somebody answers there, it is another kind of file, or the kernel refuses.
pub fn listen_control(path: &Path, group: &str) -> Result<UnixListener, ControlError> {
    let refused = |error| ControlError::Refused(path.into(), error);
    match UnixStream::connect(path) {
        Ok(_) => return Err(ControlError::Taken(path.into())),
        // Nobody listens, or there is nothing at all. Somebody we may not speak to is somebody, too.
        Err(error) if matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::NotFound) => {}
        Err(error) => return Err(refused(error)),
    }
    if fs::symlink_metadata(path).is_ok_and(|file| !file.file_type().is_socket()) {
        return Err(ControlError::NotASocket(path.into()));
    }
    bind(path, group).map_err(refused)
}

fn bind(path: &Path, group: &str) -> io::Result<UnixListener> {
    let aside = path.with_extension(process::id().to_string());
    let _ = fs::remove_file(&aside);
    let listener = UnixListener::bind(&aside)?;
    let placed = admit(&aside, group).and_then(|()| fs::rename(&aside, path));
    if placed.is_err() {
        let _ = fs::remove_file(&aside);
    }
    placed.map(|()| listener)
}

fn admit(path: &Path, group: &str) -> io::Result<()> {
    let groups = fs::read_to_string(GROUPS).unwrap_or_default();
    if let Some(gid) = groups.lines().find_map(|line| gid_of(group, line)) {
        // Refused to a daemon of an ordinary user, whose socket then stays that user's own.
        let _ = chown(path, None, Some(gid));
    }
    fs::set_permissions(path, Permissions::from_mode(MODE))
}

/// The number in a line of group(5), if it is about this group.
fn gid_of(group: &str, line: &str) -> Option<Gid> {
    let (_password, rest) = line.strip_prefix(group)?.strip_prefix(':')?.split_once(':')?;
    rest.split(':').next()?.parse().ok().map(Gid::from_raw)
}

/// The process at the other end of a control connection, as the kernel knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Credentials {
    /// Its process.
    pub pid: i32,
    /// Its user.
    pub uid: u32,
    /// Its first group.
    pub gid: u32,
}

/// For the log.
impl fmt::Display for Credentials {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "uid={} pid={}", self.uid, self.pid)
    }
}

/// Who connected (`SO_PEERCRED`), for the log and for rules.
///
/// # Errors
/// None on a socket that is open.
pub(super) fn credentials(stream: &UnixStream) -> io::Result<Credentials> {
    let peer = getsockopt(stream, sockopt::PeerCredentials)?;
    Ok(Credentials { pid: peer.pid(), uid: peer.uid(), gid: peer.gid() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str) -> PathBuf {
        let directory = std::env::temp_dir().join(format!("vox-unix-{name}-{}", process::id()));
        fs::create_dir_all(&directory).unwrap();
        directory.join("peer.sock")
    }

    #[test]
    fn a_group_has_the_number_that_its_line_says() {
        for (line, gid) in [
            ("vox:x:990:alice,bob", Some(990)),
            ("vox::7", Some(7)),
            ("vox-admin:x:991:", None),
            ("vox:x:many:", None),
            ("vox", None),
        ] {
            assert_eq!(gid_of("vox", line).map(Gid::as_raw), gid, "{line}");
        }
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn the_socket_is_for_owner_and_group_only() {
        let path = place("mode");
        let listener = listen_control(&path, "no-such-group").unwrap();
        assert_eq!(mode(&path), MODE);
        let client = UnixStream::connect(&path).unwrap();
        let (server, _) = listener.accept().unwrap();
        let ours =
            (process::id().cast_signed(), nix::unistd::getuid().as_raw(), nix::unistd::getgid().as_raw());
        for stream in [&client, &server] {
            let Credentials { pid, uid, gid } = credentials(stream).unwrap();
            assert_eq!((pid, uid, gid), ours);
        }
        fs::remove_dir_all(path.parent().unwrap()).unwrap();
    }

    #[test]
    fn a_socket_is_taken_over_only_from_the_dead() {
        let path = place("stale");
        let first = listen_control(&path, "vox").unwrap();
        let error = listen_control(&path, "vox").unwrap_err();
        assert_eq!(error.to_string(), format!("another daemon already answers on {}", path.display()));
        drop(first);
        let second = listen_control(&path, "vox").unwrap();
        assert!(UnixStream::connect(&path).is_ok());
        drop(second);
        fs::remove_dir_all(path.parent().unwrap()).unwrap();
    }

    #[test]
    fn a_file_that_is_no_socket_stays() {
        let path = place("file");
        fs::write(&path, "precious").unwrap();
        assert!(matches!(listen_control(&path, "vox"), Err(ControlError::NotASocket(_))));
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
        fs::remove_dir_all(path.parent().unwrap()).unwrap();
    }

    #[test]
    fn a_directory_that_is_not_there_is_one_sentence() {
        let error = listen_control(Path::new("/no/such/place/peer.sock"), "vox").unwrap_err().to_string();
        assert!(
            error.starts_with("cannot open the control socket /no/such/place/peer.sock: no such file"),
            "{error}"
        );
    }
}
