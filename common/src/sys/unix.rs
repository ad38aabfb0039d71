//! Control sockets: where the door is, who owns it, and who is let in.

use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::ops::ControlFlow;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::{fmt, process};

use nix::unistd::{Gid, chown};

use super::clock;
use super::config::reason;
use super::net::{accept_each, send_now};
use super::rights::{Complaints, Rights, credentials, groups};

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

/// A control socket, and who may speak there.
#[derive(Debug)]
pub struct ControlListener {
    listener: UnixListener,
    rights: Rights,
}

/// Listens at `path` with mode 0660 and, if there is such a group and we may, for the people in `group`.
///
/// A socket that a killed daemon left behind is taken over, and nobody finds one with other permissions
/// meanwhile: it is made aside and moved into place.
///
/// # Errors
/// [`ControlError`]: somebody answers there, it is another kind of file, or the kernel refuses.
pub fn listen_control(path: &Path, group: Option<&'static str>) -> Result<ControlListener, ControlError> {
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

impl ControlListener {
    /// Accepts for ever, telling each connection of somebody who may speak here to `sink`, until that breaks. Others are
    /// told why not, whatever the mode of the socket has become.
    ///
    /// # Errors
    /// As [`accept_each`].
    pub fn admit_each(self, mut sink: impl FnMut(UnixStream) -> ControlFlow<()>) -> io::Result<()> {
        let mut complaints = Complaints::default();
        let accept = || self.listener.accept().map(|(stream, _)| stream);
        accept_each(accept, |stream| {
            if self.is_for(&stream, &mut complaints) { sink(stream) } else { ControlFlow::Continue(()) }
        })
    }

    /// Whether somebody may speak here; who may not has been told so, and the log too.
    fn is_for(&self, stream: &UnixStream, complaints: &mut Complaints) -> bool {
        let Ok(who) = credentials(stream) else { return false };
        if self.rights.admit(who, || groups(stream)) {
            return true;
        }
        let _ = send_now(stream, self.rights.refusal().as_bytes());
        if let Some(untold) = complaints.raise(clock::now()) {
            log::warn!("somebody who may not speak to us tried {who} untold={untold}");
        }
        false
    }
}

fn bind(path: &Path, group: Option<&'static str>) -> io::Result<ControlListener> {
    let aside = path.with_extension(process::id().to_string());
    let _ = fs::remove_file(&aside);
    let listener = UnixListener::bind(&aside)?;
    let placed = hand_over(&aside, group).and_then(|group| fs::rename(&aside, path).map(|()| group));
    if placed.is_err() {
        let _ = fs::remove_file(&aside);
    }
    placed.map(|group| ControlListener { listener, rights: Rights::of_this_process(group) })
}

/// To the group, if there is one and we may; and to nobody else. The group that has it.
fn hand_over(path: &Path, group: Option<&'static str>) -> io::Result<Option<(&'static str, Gid)>> {
    let groups = fs::read_to_string(GROUPS).unwrap_or_default();
    let gid = |name| Some((name, groups.lines().find_map(|line| gid_of(name, line))?));
    // Refused to a daemon of an ordinary user, whose socket then stays that user's own.
    let theirs = group.and_then(gid).filter(|&(_, gid)| chown(path, None, Some(gid)).is_ok());
    fs::set_permissions(path, Permissions::from_mode(MODE))?;
    Ok(theirs)
}

/// The number in a line of group(5), if it is about this group.
fn gid_of(group: &str, line: &str) -> Option<Gid> {
    let (_password, rest) = line.strip_prefix(group)?.strip_prefix(':')?.split_once(':')?;
    rest.split(':').next()?.parse().ok().map(Gid::from_raw)
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
        let _listener = listen_control(&path, Some("no-such-group")).unwrap();
        assert_eq!(mode(&path), MODE);
        fs::remove_dir_all(path.parent().unwrap()).unwrap();
    }

    #[test]
    fn a_socket_is_taken_over_only_from_the_dead() {
        let path = place("stale");
        let first = listen_control(&path, None).unwrap();
        let error = listen_control(&path, None).unwrap_err();
        assert_eq!(error.to_string(), format!("another daemon already answers on {}", path.display()));
        drop(first);
        let second = listen_control(&path, None).unwrap();
        assert!(UnixStream::connect(&path).is_ok());
        drop(second);
        fs::remove_dir_all(path.parent().unwrap()).unwrap();
    }

    #[test]
    fn a_file_that_is_no_socket_stays() {
        let path = place("file");
        fs::write(&path, "precious").unwrap();
        assert!(matches!(listen_control(&path, None), Err(ControlError::NotASocket(_))));
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
        fs::remove_dir_all(path.parent().unwrap()).unwrap();
    }

    #[test]
    fn a_directory_that_is_not_there_is_one_sentence() {
        let error = listen_control(Path::new("/no/such/place/peer.sock"), None).unwrap_err().to_string();
        assert!(
            error.starts_with("cannot open the control socket /no/such/place/peer.sock: no such file"),
            "{error}"
        );
    }
}
