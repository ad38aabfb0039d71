//! Those who came a moment ago, and of whom watchers are told together.

use std::fmt::Write;
use std::time::{Duration, Instant};

use heapless::{String, Vec};
use vox_common::wire::event::Event;
use vox_common::wire::limits::MAX_USERS;

use super::ends::Ends;
use super::tables::LISTING_BYTES;
use super::users::{User, Users};
use super::{ConnId, Out, Registry, Tables};

/// How long newcomers are gathered: after a power cut all stations come at once, and every one of them watches.
const GATHERING: Duration = Duration::from_millis(50);

/// Users that watchers have not been told of yet.
#[derive(Debug)]
pub(super) struct Newcomers {
    conns: Vec<ConnId, MAX_USERS>,
    /// When they are told of, if there are any: no `None`, whose bytes would not be zero in empty [`Tables`].
    due: Vec<Instant, 1>,
    /// What a watcher hears who is one of them: everything but the line about itself.
    others: String<LISTING_BYTES>,
}

impl Newcomers {
    pub(super) const fn new() -> Self {
        Self { conns: Vec::new(), due: Vec::new(), others: String::new() }
    }

    pub(super) fn due(&self) -> Option<Instant> {
        self.due.first().copied()
    }

    pub(super) fn add(&mut self, conn: ConnId, now: Instant) {
        // Full: others came before, and are told of at the same time.
        let _ = self.due.push(now + GATHERING);
        self.conns
            .push(conn)
            .expect("there are as many places as users, and whoever leaves is told of first");
    }

    pub(super) fn contains(&self, conn: ConnId) -> bool {
        self.conns.contains(&conn)
    }
}

impl Registry<'_> {
    pub(super) fn announce_those_due(&mut self, out: Out<'_>) {
        if self.tables.newcomers.due().is_some_and(|due| due <= self.now) {
            self.announce_newcomers(out);
        }
    }

    /// Tells every watcher of all newcomers in one piece.
    pub(super) fn announce_newcomers(&mut self, out: Out<'_>) {
        let Tables { users, newcomers, voice, .. } = &mut *self.tables;
        let conns = std::mem::take(&mut newcomers.conns);
        newcomers.due.clear();
        let mut lines = Vec::<(ConnId, usize), MAX_USERS>::new();
        let mut told_for = None;
        for watcher in users.iter().filter(|user| user.watching) {
            // The same for everybody who reached us at the same address.
            if told_for != Some(watcher.ends.to()) {
                told_for = Some(watcher.ends.to());
                lines = compose(&conns, users, &watcher.ends, &mut voice.text);
            }
            match lines.iter().position(|(conn, _)| *conn == watcher.conn) {
                None if lines.is_empty() => {}
                None => drop(voice.send(watcher.conn, out)),
                Some(_) if lines.len() == 1 => {}
                Some(own) => {
                    let begin = own.checked_sub(1).map_or(0, |before| lines[before].1);
                    leave_out(&voice.text, begin, lines[own].1, &mut newcomers.others);
                    voice.send_other(watcher.conn, &newcomers.others, out);
                }
            }
        }
    }
}

/// Writes a line for each newcomer that is still there; whose line ends where.
fn compose(
    conns: &[ConnId],
    users: &Users,
    watcher: &Ends,
    text: &mut String<LISTING_BYTES>,
) -> Vec<(ConnId, usize), MAX_USERS> {
    text.clear();
    let there = conns.iter().filter_map(|conn| users.of(*conn));
    let line = |user: &User| {
        writeln!(text, "{}", Event::Joined(user.entry_for(watcher)))
            .expect("JOINED of all is as long as LIST of all");
        (user.conn, text.len())
    };
    there.map(line).collect()
}

fn leave_out(all: &str, begin: usize, end: usize, rest: &mut String<LISTING_BYTES>) {
    rest.clear();
    let fits = rest.push_str(&all[..begin]).and_then(|()| rest.push_str(&all[end..]));
    fits.expect("a part is shorter than the whole");
}
