//! Who may speak to a daemon at its control socket, as the kernel knows them: root, the daemon's own user, and one group.

use std::fmt;
use std::io;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::socket::{getsockopt, sockopt};
use nix::unistd::{Gid, geteuid};
use nix::{getsockopt_impl, libc, sockopt_impl};

/// How often the log hears of those who are turned away.
const COMPLAINTS: Duration = Duration::from_secs(10);

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

impl Credentials {
    /// Returns true for a process of root.
    pub fn is_root(self) -> bool {
        self.uid == 0
    }
}

/// For the log.
impl fmt::Display for Credentials {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "uid={} pid={}", self.uid, self.pid)
    }
}

/// Who connected (`SO_PEERCRED`), as they were at that moment.
///
/// # Errors
/// None on a socket that is open.
pub(super) fn credentials(stream: &UnixStream) -> io::Result<Credentials> {
    let peer = getsockopt(stream, sockopt::PeerCredentials)?;
    Ok(Credentials { pid: peer.pid(), uid: peer.uid(), gid: peer.gid() })
}

/// The supplementary groups of who connected (`SO_PEERGROUPS`), as they were at that moment. None of somebody who has
/// more than 64, whom their first group can still let in (`sg vox -c 'vox-peer status'`).
///
/// The kernel answers with a list of any length or says that it does not fit, and nix asks for values of one size only:
/// so each length is asked for in its turn. What `/proc` tells of a process is hidden from our units, and the database of
/// groups (nss) knows what somebody could have, not what this process has.
pub(super) fn groups(stream: &UnixStream) -> Vec<Gid> {
    let answer = OF_LENGTH.iter().map(|ask| ask(stream)).find(|answer| *answer != Err(Errno::ERANGE));
    answer.and_then(Result::ok).unwrap_or_default()
}

type Ask = fn(&UnixStream) -> nix::Result<Vec<Gid>>;

macro_rules! of_length {
    ($($length:literal)*) => {
        [$({
            sockopt_impl!(Groups, GetOnly, libc::SOL_SOCKET, libc::SO_PEERGROUPS, [libc::gid_t; $length]);
            |stream| getsockopt(stream, Groups).map(|groups| groups.map(Gid::from_raw).to_vec())
        }),*]
    };
}

const OF_LENGTH: [Ask; 65] = of_length!(
    0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32
    33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63 64
);

/// Who is let in.
#[derive(Debug)]
pub(super) struct Rights {
    /// The daemon's own user.
    own: u32,
    /// The group that the socket was given to, by its name too.
    group: Option<(&'static str, Gid)>,
}

impl Rights {
    /// Those of this daemon, whose socket belongs to that group.
    pub(super) fn of_this_process(group: Option<(&'static str, Gid)>) -> Self {
        Self { own: geteuid().as_raw(), group }
    }

    /// Whether somebody is let in, who is also in these `groups`; only who is nobody else is asked for them.
    pub(super) fn admit(&self, who: Credentials, groups: impl FnOnce() -> Vec<Gid>) -> bool {
        let is_member = |(_, gid): (_, Gid)| who.gid == gid.as_raw() || groups().contains(&gid);
        who.is_root() || who.uid == self.own || self.group.is_some_and(is_member)
    }

    /// What the others are told, as a line of the control protocol.
    pub(super) fn refusal(&self) -> String {
        match self.group {
            Some((name, _)) => format!("403 not let in: you are neither root nor in the group {name}\n"),
            None => "403 not let in: this daemon serves its own user alone\n".to_owned(),
        }
    }
}

/// Keeps those who are turned away from filling the log.
#[derive(Debug, Default)]
pub(super) struct Complaints {
    last: Option<Instant>,
    untold: u32,
}

impl Complaints {
    /// Somebody was turned away. Whether the log is to hear of it, and then of how many it did not hear before.
    pub(super) fn raise(&mut self, now: Instant) -> Option<u32> {
        if self.last.is_some_and(|last| now < last + COMPLAINTS) {
            self.untold = self.untold.saturating_add(1);
            return None;
        }
        self.last = Some(now);
        Some(std::mem::take(&mut self.untold))
    }
}

#[cfg(test)]
mod tests {
    use std::process;

    use nix::unistd::{getgid, getgroups, getuid};

    use super::*;
    use crate::sys::clock;

    #[test]
    fn the_kernel_knows_who_is_at_the_other_end() {
        let (near, far) = UnixStream::pair().unwrap();
        let ours = (process::id().cast_signed(), getuid().as_raw(), getgid().as_raw());
        for stream in [&near, &far] {
            let Credentials { pid, uid, gid } = credentials(stream).unwrap();
            assert_eq!((pid, uid, gid), ours);
            assert_eq!(groups(stream), getgroups().unwrap());
        }
    }

    #[test]
    fn root_the_daemons_user_and_the_group_are_let_in_and_nobody_else() {
        let vox = Some(("vox", Gid::from_raw(990)));
        for (group, uid, gid, also, admitted) in [
            (vox, 0, 0, vec![], true),
            (vox, 7, 7, vec![], true),
            (vox, 8, 990, vec![], true),
            (vox, 8, 8, vec![100, 990], true),
            (vox, 8, 8, vec![100, 991], false),
            (vox, 990, 8, vec![], false),
            (None, 0, 0, vec![], true),
            (None, 7, 7, vec![], true),
            (None, 8, 990, vec![990], false),
        ] {
            let who = Credentials { pid: 1, uid, gid };
            let also: Vec<Gid> = also.into_iter().map(Gid::from_raw).collect();
            let rights = Rights { own: 7, group };
            assert_eq!(rights.admit(who, || also.clone()), admitted, "{group:?} {who} {gid} {also:?}");
        }
    }

    #[test]
    fn the_log_hears_of_the_first_and_then_of_how_many() {
        let start = clock::now();
        let mut complaints = Complaints::default();
        let told: Vec<_> = [0, 1, 9, 10, 11].map(|s| complaints.raise(start + Duration::from_secs(s))).into();
        assert_eq!(told, [Some(0), None, None, Some(2), None]);
    }
}
