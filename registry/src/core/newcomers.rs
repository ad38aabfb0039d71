//! Those who came a moment ago, and of whom watchers are told together.

use std::fmt::Write;
use std::time::{Duration, Instant};

use heapless::{String, Vec};
use vox_common::wire::event::Event;
use vox_common::wire::limits::MAX_USERS;

use super::ends::Ends;
use super::tables::LISTING_BYTES;
use super::users::{User, Users};
use super::voice::Voice;
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
        let watching = || users.iter().filter(|user| user.watching);
        for (place, first) in watching().enumerate() {
            // All who reached us at the same address hear the same, which is made once.
            let is_alike = |watcher: &&User| watcher.ends.to() == first.ends.to();
            if watching().take(place).any(|before| is_alike(&before)) {
                continue;
            }
            let lines = compose(&conns, users, &first.ends, &mut voice.text);
            for watcher in watching().skip(place).filter(is_alike) {
                tell(watcher.conn, &lines, voice, &mut newcomers.others, out);
            }
        }
    }
}

/// A newcomer's line, by where it ends.
type Lines = Vec<(ConnId, usize), MAX_USERS>;

/// Tells a watcher what is prepared, but for the line about itself.
fn tell(watcher: ConnId, lines: &Lines, voice: &mut Voice, others: &mut String<LISTING_BYTES>, out: Out<'_>) {
    match lines.iter().position(|(conn, _)| *conn == watcher) {
        None if lines.is_empty() => {}
        None => drop(voice.send(watcher, out)),
        Some(_) if lines.len() == 1 => {}
        Some(own) => {
            let begin = own.checked_sub(1).map_or(0, |before| lines[before].1);
            leave_out(&voice.text, begin, lines[own].1, others);
            voice.send_other(watcher, others, out);
        }
    }
}

/// Writes a line for each newcomer that is still there; whose line ends where.
fn compose(conns: &[ConnId], users: &Users, watcher: &Ends, text: &mut String<LISTING_BYTES>) -> Lines {
    text.clear();
    let there = conns.iter().filter_map(|conn| users.of(*conn));
    let line = |user: &User| {
        writeln!(text, "{}", Event::Joined(user.entry_for(watcher)))
            .expect("JOINED of all users fits, by the assertion on LISTING_BYTES");
        (user.conn, text.len())
    };
    there.map(line).collect()
}

fn leave_out(all: &str, begin: usize, end: usize, rest: &mut String<LISTING_BYTES>) {
    rest.clear();
    let fits = rest.push_str(&all[..begin]).and_then(|()| rest.push_str(&all[end..]));
    fits.expect("a part is shorter than the whole");
}
