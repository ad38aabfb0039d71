//! Connections: who is let in at the door, and how they end.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use vox_common::wire::admin::Ban;
use vox_common::wire::event::{Event, Farewell};
use vox_common::wire::limits::MAX_UNREGISTERED;
use vox_common::wire::refusal::{Bar, Refusal};
use vox_common::wire::reply::{Greeting, Nonce, Reply};

use super::connections::{Connection, Stage};
use super::counters::Counter;
use super::ends::Ends;
use super::{ConnId, News, Out, Output, Registry, Tables};

impl Registry<'_> {
    pub(super) fn open(
        &mut self,
        conn: ConnId,
        from: SocketAddr,
        to: SocketAddr,
        nonce: Nonce,
        out: Out<'_>,
    ) {
        let ends = Ends::new(from, to);
        match self.admit(conn, ends, nonce) {
            Ok(()) => self.greet(conn, nonce, out),
            Err(refusal) => self.turn_away(conn, &ends, refusal, out),
        }
    }

    fn admit(&mut self, conn: ConnId, ends: Ends, nonce: Nonce) -> Result<(), Refusal> {
        if !self.is_serving() {
            return Err(Refusal::ShuttingDown);
        }
        let Tables { connections, addresses, bans, .. } = &mut *self.tables;
        if bans.contains(&Ban::Address(ends.from())) {
            return Err(Refusal::NotLetIn(Bar::Banned));
        }
        if connections.len() >= self.settings.max_users + MAX_UNREGISTERED {
            return Err(Refusal::RegistryFull);
        }
        addresses.admit(ends.from(), &self.settings.limits, self.now)?;
        let added = connections.add(Connection::new(conn, ends, nonce, self.now));
        if added { Ok(()) } else { Err(Refusal::RegistryFull) }
    }

    fn greet(&mut self, conn: ConnId, nonce: Nonce, out: Out<'_>) {
        self.counters.count(Counter::Connections);
        let name = self.settings.name.as_str();
        let key = self.identity.as_deref().map(|identity| *identity.public());
        let greeting = Greeting { version: env!("CARGO_PKG_VERSION"), name, nonce, key };
        self.tables.voice.say(conn, Reply::Greeting(greeting), out);
    }

    fn turn_away(&mut self, conn: ConnId, ends: &Ends, refusal: Refusal, out: Out<'_>) {
        self.note_turned_away(ends.from(), refusal, out);
        self.reply(conn, &Reply::Refused(refusal), out);
        out(Output::Close(conn));
    }

    /// The shell has turned somebody away.
    pub(super) fn miss(&mut self, from: SocketAddr, out: Out<'_>) {
        self.note_turned_away(from.ip().to_canonical(), Refusal::RegistryFull, out);
    }

    fn note_turned_away(&mut self, from: IpAddr, refusal: Refusal, out: Out<'_>) {
        self.counters.count(Counter::TurnedAway);
        out(Output::News(News::TurnedAway(from, refusal)));
    }

    /// The connection has ended by itself: its name is free and watchers are told.
    pub(super) fn forget(&mut self, conn: ConnId, out: Out<'_>) {
        self.leave(conn, out);
        let Tables { connections, addresses, .. } = &mut *self.tables;
        // One that was told goodbye does not count at its address any more.
        if let Some(gone) = connections.remove(conn).filter(|gone| gone.stage != Stage::Ended) {
            addresses.leave(gone.ends.from());
        }
    }

    /// Ends a connection from our side, with a word if there is one to say.
    pub(super) fn dismiss(&mut self, conn: ConnId, farewell: Option<Farewell>, out: Out<'_>) {
        let Some(connection) = self.tables.connections.live(conn) else {
            return;
        };
        connection.stage = Stage::Ended;
        self.tables.addresses.leave(connection.ends.from());
        if let Some(farewell) = farewell {
            self.counters.count(Counter::Dismissed);
            self.tables.voice.say(conn, Event::Goodbye(farewell), out);
            let name = self.tables.users.of(conn).map(|user| user.name.clone());
            self.tell(News::Dismissed { name: name.as_ref(), why: farewell.words(), conn }, out);
        }
        out(Output::Close(conn));
        self.leave(conn, out);
    }

    /// A reader that did not take what it was sent hears nothing more, and its name is free. Telling others of it may
    /// find more of them, but each only once.
    pub(super) fn let_go_of_the_slow(&mut self, out: Out<'_>) {
        while let Some(conn) = self.tables.voice.next_lost() {
            if self.tables.connections.live(conn).is_some() {
                self.counters.count(Counter::SlowReaders);
                self.tell(News::TooSlow(conn), out);
                self.dismiss(conn, None, out);
            }
        }
    }

    pub(super) fn next_to_expire(&self) -> Option<(Instant, ConnId)> {
        self.tables.connections.next_to_expire(self.settings.limits.idle_unregistered)
    }

    pub(super) fn dismiss_the_silent(&mut self, out: Out<'_>) {
        while let Some((_, conn)) = self.next_to_expire().filter(|next| next.0 <= self.now) {
            self.dismiss(conn, Some(Farewell::Idle), out);
        }
    }
}
