//! Coming and going: who gets a name, and how it becomes free again.

use vox_common::wire::event::{Event, Farewell};
use vox_common::wire::keys::PublicKey;
use vox_common::wire::refusal::Refusal;
use vox_common::wire::reply::Reply;
use vox_common::wire::request::Registration;

use super::access::Access;
use super::connections::Stage;
use super::counters::Counter;
use super::ends::Ends;
use super::users::User;
use super::{ConnId, News, Out, Output, Registry, Tables};

impl Registry<'_> {
    pub(super) fn register(
        &mut self,
        conn: ConnId,
        ends: Ends,
        registration: Registration,
        out: Out<'_>,
    ) -> Result<(), Refusal> {
        let proved = self.check_welcome(conn, &ends, &registration)?;
        let user = User::new(conn, ends, registration, proved, self.now);
        let ghost = self.ghost_of(&user);
        self.check_free(&user, ghost)?;
        if let Some(ghost) = ghost {
            self.dismiss(ghost, Some(Farewell::Replaced), out);
        }
        self.bind(&user, out);
        self.welcome(user);
        self.introduce(conn, out);
        Ok(())
    }

    /// Which key whoever registers has proved to hold, if it is welcome.
    fn check_welcome(
        &mut self,
        conn: ConnId,
        ends: &Ends,
        registration: &Registration,
    ) -> Result<Option<PublicKey>, Refusal> {
        if self.tables.users.of(conn).is_some() {
            return Err(Refusal::AlreadyRegistered);
        }
        let bond = self.tables.connections.live(conn).ok_or(Refusal::RegistryFull)?.bond;
        self.let_in(ends, &bond, registration).map_err(Refusal::NotLetIn)
    }

    /// What a station left behind that now comes again, and whose place it takes. A key is public, so it takes a
    /// proof to end another connection: of the key, or of the secret from the same host.
    fn ghost_of(&self, user: &User) -> Option<ConnId> {
        let knows_the_secret = matches!(self.settings.access, Access::Secret(_));
        let is_ghost = |ghost: &&User| {
            ghost.is_of_the_holder(user) || knows_the_secret && ghost.is_from_the_host_of(user)
        };
        self.tables.users.by_name(&user.name).filter(is_ghost).map(|ghost| ghost.conn)
    }

    fn check_free(&self, user: &User, ghost: Option<ConnId>) -> Result<(), Refusal> {
        let others = || self.tables.users.iter().filter(|other| Some(other.conn) != ghost);
        if others().any(|other| other.name == user.name) {
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

    /// Where names belong to keys, this one does from now on.
    fn bind(&mut self, user: &User, out: Out<'_>) {
        let key = user.proved.filter(|_| self.settings.access == Access::Keys);
        if key.is_some_and(|key| self.tables.names.bind(&user.name, key)) {
            self.keep_names(out);
        }
    }

    fn welcome(&mut self, user: User) {
        if let Some(connection) = self.tables.connections.live(user.conn) {
            connection.stage = Stage::Registered;
        }
        self.counters.count(Counter::Registrations);
        self.tables.newcomers.add(user.conn, self.now);
        let added = self.tables.users.add(user);
        assert!(added, "check_free() refuses when the table is full");
    }

    /// Tells a new user that it is one. Those who watch are told a little later, of all who came meanwhile.
    fn introduce(&mut self, conn: ConnId, out: Out<'_>) {
        let Tables { users, voice, events, .. } = &mut *self.tables;
        let Some(user) = users.of(conn) else {
            return;
        };
        let address = user.address_for(&user.ends);
        let news = News::Registered { name: &user.name, address, conn, users: users.len() };
        events.add(self.now, &news);
        out(Output::News(news));
        voice.say(conn, Reply::Registered(&user.name, address), out);
    }

    /// Frees the name of a connection, if it has one; its room and its watchers are told.
    pub(super) fn leave(&mut self, conn: ConnId, out: Out<'_>) {
        if self.is_serving() && self.tables.newcomers.contains(conn) {
            // Nobody is said to leave who was not said to come.
            self.announce_newcomers(out);
        }
        self.exit(conn, out);
        if let Some(user) = self.tables.users.remove(conn) {
            let users = self.tables.users.len();
            self.tell(News::Left { name: &user.name, users }, out);
            self.tell_watchers(conn, &Event::Left(user.name), out);
        }
    }
}
