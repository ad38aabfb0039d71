//! Where the files of a station are: `/etc`, `/run` and `/var` for the system's, below the home directory for a user's.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The paths that differ between a station of the system and one of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// The control socket where `control.socket` is not given.
    pub socket: PathBuf,
    /// The state directory where `state.directory` is not given.
    pub state: PathBuf,
}

const SYSTEM_FILE: &str = "/etc/vox/peer.toml";

/// The configuration file that is read when none is named: the user's if there is one, else the system's.
pub fn find() -> PathBuf {
    user_file().filter(|file| file.exists()).unwrap_or_else(|| SYSTEM_FILE.into())
}

fn user_file() -> Option<PathBuf> {
    directory("XDG_CONFIG_HOME", env::var_os, ".config").map(|config| config.join("vox/peer.toml"))
}

impl Places {
    /// Those that go with a configuration file: a user's station does not touch the system's.
    ///
    /// `VOX_SOCKET`, and `STATE_DIRECTORY` as systemd sets it, come before either.
    pub fn beside(file: &Path) -> Self {
        let own = user_file().is_some_and(|own| own == file);
        Self::choose(if own { Self::of_user(env::var_os) } else { None }, env::var_os)
    }

    /// Where a station may be found that nobody named: the user's own before the system's.
    pub fn sockets() -> impl Iterator<Item = PathBuf> {
        let own = env::var_os("XDG_RUNTIME_DIR").map(|run| Path::new(&run).join("vox/peer.sock"));
        own.into_iter().chain([Self::default().socket])
    }

    /// Whether this socket lies where only one user gets to: the station behind it is that user's alone.
    pub fn is_of_user(socket: &Path) -> bool {
        env::var_os("XDG_RUNTIME_DIR").is_some_and(|run| !run.is_empty() && socket.starts_with(run))
    }

    fn choose(own: Option<Self>, variable: impl Fn(&'static str) -> Option<OsString>) -> Self {
        let variable = |name| variable(name).filter(|set| !set.is_empty());
        let places = own.unwrap_or_default();
        Self {
            socket: variable("VOX_SOCKET").map_or(places.socket, PathBuf::from),
            state: variable("STATE_DIRECTORY").map_or(places.state, PathBuf::from),
        }
    }

    fn of_user(variable: impl Fn(&'static str) -> Option<OsString>) -> Option<Self> {
        let run = variable("XDG_RUNTIME_DIR")?;
        let state = directory("XDG_STATE_HOME", variable, ".local/state")?;
        Some(Self { socket: Path::new(&run).join("vox/peer.sock"), state: state.join("vox-peer") })
    }
}

impl Default for Places {
    fn default() -> Self {
        Self { socket: "/run/vox/peer.sock".into(), state: "/var/lib/vox-peer".into() }
    }
}

/// A directory of the XDG base directory specification, or where it is when its variable is not set.
fn directory(
    name: &'static str,
    variable: impl Fn(&'static str) -> Option<OsString>,
    below_home: &str,
) -> Option<PathBuf> {
    let set = variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    set.or_else(|| Some(Path::new(&variable("HOME")?).join(below_home)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(set: &[(&'static str, &str)], name: &str) -> Option<OsString> {
        set.iter().find(|(key, _)| *key == name).map(|(_, value)| value.into())
    }

    #[test]
    fn a_station_of_the_system_keeps_to_the_system() {
        assert_eq!(Places::choose(None, |_| None), Places::default());
    }

    #[test]
    fn a_station_of_a_user_stays_at_home() {
        let set = [("HOME", "/home/ann"), ("XDG_RUNTIME_DIR", "/run/user/7")];
        let own = Places::of_user(|name| variables(&set, name)).expect("a user with a runtime directory");
        assert_eq!(own.socket, Path::new("/run/user/7/vox/peer.sock"));
        assert_eq!(own.state, Path::new("/home/ann/.local/state/vox-peer"));
    }

    #[test]
    fn what_systemd_and_the_operator_set_comes_first() {
        let set = [("VOX_SOCKET", "/tmp/s"), ("STATE_DIRECTORY", "/srv/state")];
        let places = Places::choose(None, |name| variables(&set, name));
        assert_eq!(places, Places { socket: "/tmp/s".into(), state: "/srv/state".into() });
    }
}
