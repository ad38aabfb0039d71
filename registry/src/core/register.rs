//! Coming and going: who gets a name, and who is told.

use vox_common::wire::event::{Event, Farewell};
use vox_common::wire::refusal::Refusal;
use vox_common::wire::reply::Reply;
use vox_common::wire::request::Registration;
use vox_common::wire::users::Status;

use super::connections::Stage;
use super::counters::Counter;
use super::ends::Ends;
use super::users::User;
use super::{ConnId, News, Output, Registry, Tables};

impl Registry<'_> {
    pub(super) fn register(
        &mut self,
        conn: ConnId,
        ends: Ends,
        registration: Registration,
        out: &mut impl FnMut(Output<'_>),
    ) -> Result<(), Refusal> {
        let user = User::new(conn, ends, registration, self.now);
        let ghost = self.ghost_of(&user);
        self.check(&user, ghost)?;
        if let Some(ghost) = ghost {
            self.dismiss(ghost, Some(Farewell::Replaced), out);
        }
        self.welcome(user);
        self.counters.count(Counter::Registrations);
        self.announce(conn, out);
        Ok(())
    }

    /// What a station left behind that now comes again, and whose place it takes.
    fn ghost_of(&self, user: &User) -> Option<ConnId> {
        let ghost = self.tables.users.by_name(&user.name).filter(|ghost| ghost.is_ghost_of(user));
        ghost.map(|ghost| ghost.conn)
    }

    fn check(&self, user: &User, ghost: Option<ConnId>) -> Result<(), Refusal> {
        let users = &self.tables.users;
        let others = || users.iter().filter(|other| Some(other.conn) != ghost);
        if users.of(user.conn).is_some() {
            Err(Refusal::AlreadyRegistered)
        } else if others().any(|other| other.name == user.name) {
            Err(Refusal::NameTaken)
        } else if user.ends.is_local() && user.port.get() == self.settings.port {
            Err(Refusal::OwnPort)
        } else if others().any(|other| other.is_in_the_way_of(user)) {
            Err(Refusal::AddressTaken)
        } else if others().count() >= self.settings.max_users {
            Err(Refusal::RegistryFull)
        } else {
            Ok(())
        }
    }

    fn welcome(&mut self, user: User) {
        if let Some(connection) = self.tables.connections.live(user.conn) {
            connection.stage = Stage::Registered;
        }
        let added = self.tables.users.add(user);
        assert!(added, "check() refuses when the table is full");
    }

    /// Tells a new user that it is one, and then those who watch.
    fn announce(&mut self, conn: ConnId, out: &mut impl FnMut(Output<'_>)) {
        let Tables { users, text, events, .. } = &mut *self.tables;
        let Some(user) = users.of(conn) else {
            return;
        };
        let address = user.address_for(&user.ends);
        let news = News::Registered { name: &user.name, address, conn, users: users.len() };
        events.add(self.now, &news);
        out(Output::News(news));
        out(Output::Send(conn, text.line(Reply::Registered(&user.name, address))));
        for watcher in users.iter().filter(|other| other.watching && other.conn != conn) {
            let joined = Event::Joined(user.entry_for(&watcher.ends));
            out(Output::Send(watcher.conn, text.line(joined)));
        }
    }

    /// Frees the name of a connection, if it has one.
    pub(super) fn leave(&mut self, conn: ConnId, out: &mut impl FnMut(Output<'_>)) {
        if let Some(user) = self.tables.users.remove(conn) {
            let users = self.tables.users.len();
            self.tell(News::Left { name: &user.name, users }, out);
            self.tell_watchers(conn, &Event::Left(user.name), out);
        }
    }

    pub(super) fn set_status(
        &mut self,
        conn: ConnId,
        status: Status,
        out: &mut impl FnMut(Output<'_>),
    ) -> Result<(), Refusal> {
        let user = self.tables.users.of_mut(conn).ok_or(Refusal::RegisterFirst)?;
        let before = std::mem::replace(&mut user.status, status);
        let name = user.name.clone();
        self.reply(conn, &Reply::Status(status), out);
        if before != status {
            self.tell_watchers(conn, &Event::Status(name, status), out);
        }
        Ok(())
    }

    /// Tells everybody who watches but the one whom it is about. While the registry ends, nobody is told.
    fn tell_watchers(&mut self, about: ConnId, event: &Event, out: &mut impl FnMut(Output<'_>)) {
        if !self.is_serving() {
            return;
        }
        let Tables { users, text, .. } = &mut *self.tables;
        let line = text.line(event);
        for watcher in users.iter().filter(|user| user.watching && user.conn != about) {
            out(Output::Send(watcher.conn, line));
        }
    }
}
