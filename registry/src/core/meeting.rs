//! Rooms as users meet in them: made by the first, ended by the last.

use vox_common::wire::event::Event;
use vox_common::wire::names::Name;
use vox_common::wire::refusal::Refusal;
use vox_common::wire::reply::Reply;

use super::rooms::RoomId;
use super::{ConnId, News, Out, Registry, Tables};

impl Registry<'_> {
    pub(super) fn create(
        &mut self,
        conn: ConnId,
        name: &Name,
        capacity: usize,
        out: Out<'_>,
    ) -> Result<(), Refusal> {
        let room = self.room_of(conn)?;
        if self.tables.rooms.by_name(name).is_some() {
            return Err(Refusal::RoomExists);
        }
        // Whoever is alone in a room makes place for another one by leaving it.
        let vacated = usize::from(room.is_some_and(|room| self.tables.users.members(room).count() == 1));
        if self.tables.rooms.len() - vacated >= self.settings.max_rooms {
            return Err(Refusal::NoPlaceForRoom);
        }
        self.exit(conn, out);
        let made = self.tables.rooms.make(name.clone(), capacity).ok_or(Refusal::NoPlaceForRoom)?;
        self.tables.users.put_into(conn, Some(made));
        self.tell(News::RoomMade { room: name, capacity }, out);
        self.reply(conn, &Reply::Created(name), out);
        Ok(())
    }

    pub(super) fn join(&mut self, conn: ConnId, name: &Name, out: Out<'_>) -> Result<(), Refusal> {
        let before = self.room_of(conn)?;
        let Tables { rooms, users, .. } = &*self.tables;
        let room = rooms.by_name(name).ok_or(Refusal::NoSuchRoom)?;
        let id = room.id;
        if before == Some(id) {
            return Err(Refusal::InThatRoom);
        }
        if users.members(id).count() >= room.capacity {
            return Err(Refusal::RoomFull);
        }
        self.exit(conn, out);
        self.tables.users.put_into(conn, Some(id));
        self.reply(conn, &Reply::Joined(name), out);
        self.tell_room(id, conn, Event::Entered, out);
        Ok(())
    }

    pub(super) fn leave_room(&mut self, conn: ConnId, out: Out<'_>) -> Result<(), Refusal> {
        let room = self.room_of(conn)?.ok_or(Refusal::InNoRoom)?;
        let Tables { rooms, voice, .. } = &mut *self.tables;
        let name = &rooms.by_id(room).ok_or(Refusal::InNoRoom)?.name;
        voice.say(conn, Reply::Left(name), out);
        self.exit(conn, out);
        Ok(())
    }

    /// Takes a user out of its room, if it is in one. The room ends with its last member.
    pub(super) fn exit(&mut self, conn: ConnId, out: Out<'_>) {
        let Ok(Some(room)) = self.room_of(conn) else {
            return;
        };
        self.tell_room(room, conn, Event::Exited, out);
        self.tables.users.put_into(conn, None);
        if self.tables.users.members(room).next().is_none() {
            self.end_room(room, out);
        }
    }

    fn end_room(&mut self, room: RoomId, out: Out<'_>) {
        let Tables { rooms, events, .. } = &mut *self.tables;
        if let Some(ended) = rooms.by_id(room) {
            let news = News::RoomEnded { room: &ended.name };
            events.add(self.now, &news);
            out(super::Output::News(news));
        }
        rooms.end(room);
    }

    /// Tells the others in a room of one of its members. While the registry ends, nobody is told.
    fn tell_room(
        &mut self,
        room: RoomId,
        about: ConnId,
        event: impl Fn(Name, Name) -> Event<'static>,
        out: Out<'_>,
    ) {
        let is_serving = self.is_serving();
        let Tables { users, rooms, voice, .. } = &mut *self.tables;
        let (Some(room), Some(user)) = (rooms.by_id(room).filter(|_| is_serving), users.of(about)) else {
            return;
        };
        voice.line(event(room.name.clone(), user.name.clone()));
        for other in users.members(room.id).filter(|other| other.conn != about) {
            voice.send(other.conn, out);
        }
    }

    pub(super) fn list_rooms(&mut self, conn: ConnId, out: Out<'_>) {
        let Tables { users, rooms, voice, .. } = &mut *self.tables;
        voice.text.clear();
        for room in rooms.iter() {
            voice.add(Reply::Room(&room.name, users.members(room.id).count(), room.capacity));
        }
        voice.add(Reply::Rooms(rooms.len()));
        voice.send(conn, out);
    }

    pub(super) fn list_members(
        &mut self,
        conn: ConnId,
        named: Option<&Name>,
        out: Out<'_>,
    ) -> Result<(), Refusal> {
        let own = self.room_of(conn)?;
        let Tables { users, rooms, voice, .. } = &mut *self.tables;
        let room = match named {
            Some(name) => rooms.by_name(name).ok_or(Refusal::NoSuchRoom)?.id,
            None => own.ok_or(Refusal::InNoRoom)?,
        };
        voice.text.clear();
        users.members(room).for_each(|member| voice.add(Reply::Member(&member.name)));
        voice.add(Reply::Members(users.members(room).count()));
        voice.send(conn, out);
        Ok(())
    }

    /// The room in which a user is, if it is in one.
    pub(super) fn room_of(&self, conn: ConnId) -> Result<Option<RoomId>, Refusal> {
        self.tables.users.of(conn).map(|user| user.room).ok_or(Refusal::RegisterFirst)
    }
}
