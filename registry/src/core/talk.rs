//! Words from user to user: to one, to all, to those in a room. Nobody is told of a word that did not leave.

use vox_common::wire::event::Event;
use vox_common::wire::names::Name;
use vox_common::wire::refusal::Refusal;
use vox_common::wire::reply::Reply;

use super::counters::Counter;
use super::{ConnId, Fate, Out, Registry, Tables};

impl Registry<'_> {
    pub(super) fn message(
        &mut self,
        conn: ConnId,
        to: &Name,
        text: &str,
        out: Out<'_>,
    ) -> Result<(), Refusal> {
        let Tables { users, voice, .. } = &mut *self.tables;
        let from = users.of(conn).ok_or(Refusal::RegisterFirst)?;
        let to = users.by_name(to).ok_or(Refusal::NoSuchUser)?;
        if voice.say(to.conn, Event::Msg(from.name.clone(), text), out) == Fate::Lost {
            return Err(Refusal::NoSuchUser);
        }
        self.counters.count(Counter::Messages);
        self.reply(conn, &Reply::Delivered, out);
        Ok(())
    }

    pub(super) fn broadcast(&mut self, conn: ConnId, text: &str, out: Out<'_>) -> Result<(), Refusal> {
        let Tables { users, voice, .. } = &mut *self.tables;
        let from = users.of(conn).ok_or(Refusal::RegisterFirst)?;
        voice.line(Event::Broadcast(from.name.clone(), text));
        let others = users.iter().filter(|user| user.conn != conn);
        let reached = others.filter(|user| voice.send(user.conn, out) == Fate::Sent).count();
        self.counters.count(Counter::Broadcasts);
        self.reply(conn, &Reply::DeliveredTo(reached), out);
        Ok(())
    }

    pub(super) fn say(&mut self, conn: ConnId, text: &str, out: Out<'_>) -> Result<(), Refusal> {
        let room = self.room_of(conn)?.ok_or(Refusal::InNoRoom)?;
        let Tables { users, rooms, voice, .. } = &mut *self.tables;
        let from = users.of(conn).ok_or(Refusal::RegisterFirst)?;
        let name = rooms.by_id(room).ok_or(Refusal::InNoRoom)?.name.clone();
        voice.line(Event::Say { room: name, from: from.name.clone(), text });
        let others = users.members(room).filter(|user| user.conn != conn);
        let reached = others.filter(|user| voice.send(user.conn, out) == Fate::Sent).count();
        self.counters.count(Counter::Sayings);
        self.reply(conn, &Reply::SaidTo(reached), out);
        Ok(())
    }
}
