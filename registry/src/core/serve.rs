//! Answers requests, each in a few lines.

use vox_common::wire::names::Name;
use vox_common::wire::refusal::Refusal;
use vox_common::wire::reply::Reply;
use vox_common::wire::request::Request;
use vox_common::wire::verb::Verb;

use super::counters::Counter;
use super::ends::Ends;
use super::{ConnId, Out, Registry, Tables};

impl Registry<'_> {
    pub(super) fn serve(
        &mut self,
        conn: ConnId,
        ends: Ends,
        request: Request<'_>,
        out: Out<'_>,
    ) -> Result<(), Refusal> {
        self.may_ask(conn, &request)?;
        match request {
            Request::Secure(_) => self.secure(conn, out)?,
            Request::Register(registration) => self.register(conn, ends, registration, out)?,
            Request::List(prefix) => self.list(conn, &ends, prefix, out),
            Request::Lookup(name) => self.look_up(conn, &ends, &name, out)?,
            Request::Status(status) => self.set_status(conn, status, out)?,
            Request::Watch(on) => self.watch(conn, on, out)?,
            Request::Msg(to, text) => self.message(conn, &to, text, out)?,
            Request::Broadcast(text) => self.broadcast(conn, text, out)?,
            Request::Create(room, capacity) => self.create(conn, &room, capacity, out)?,
            Request::Join(room) => self.join(conn, &room, out)?,
            Request::Leave => self.leave_room(conn, out)?,
            Request::Rooms => self.list_rooms(conn, out),
            Request::Members(room) => self.list_members(conn, room.as_ref(), out)?,
            Request::Say(text) => self.say(conn, text, out)?,
            Request::Ping(text) => self.reply(conn, &Reply::Pong(text), out),
            Request::Echo(text) => self.reply(conn, &Reply::Echo(text), out),
            Request::Stats => self.tell_counters(conn, out),
            Request::Help(Some(verb)) => self.help(conn, &[verb], out),
            Request::Help(None) => self.help(conn, &Verb::ALL, out),
            Request::Quit => self.quit(conn, out),
        }
        Ok(())
    }

    fn list(&mut self, conn: ConnId, asker: &Ends, prefix: &str, out: Out<'_>) {
        let Tables { users, voice, .. } = &mut *self.tables;
        let prefix = prefix.to_ascii_lowercase();
        let mut count = 0;
        voice.text.clear();
        for user in users.iter().filter(|user| user.name.as_str().starts_with(&prefix)) {
            voice.add(Reply::User(&user.entry_for(asker)));
            count += 1;
        }
        voice.add(Reply::Users(count));
        voice.send(conn, out);
    }

    fn look_up(&mut self, conn: ConnId, asker: &Ends, name: &Name, out: Out<'_>) -> Result<(), Refusal> {
        let user = self.tables.users.by_name(name).ok_or(Refusal::NoSuchUser)?;
        if user.conn == conn {
            return Err(Refusal::Yourself);
        }
        let found = user.found_for(asker);
        self.reply(conn, &Reply::Found(&found), out);
        Ok(())
    }

    fn tell_counters(&mut self, conn: ConnId, out: Out<'_>) {
        let Tables { users, rooms, connections, voice, .. } = &mut *self.tables;
        let up = self.now.saturating_duration_since(self.started).as_secs();
        voice.text.clear();
        for (word, now) in [("users", users.len()), ("rooms", rooms.len()), ("connected", connections.len())]
        {
            voice.add(Reply::Counter(word, now as u64));
        }
        voice.add(Reply::Counter("uptime-s", up));
        for counter in Counter::ALL {
            voice.add(Reply::Counter(counter.word(), self.counters.of(counter)));
        }
        voice.add(Reply::StatsEnd);
        voice.send(conn, out);
    }

    fn help(&mut self, conn: ConnId, verbs: &[Verb], out: Out<'_>) {
        let voice = &mut self.tables.voice;
        voice.text.clear();
        verbs.iter().for_each(|&verb| voice.add(Reply::Help(verb)));
        voice.add(Reply::HelpEnd);
        voice.send(conn, out);
    }

    fn quit(&mut self, conn: ConnId, out: Out<'_>) {
        let Tables { users, voice, .. } = &mut *self.tables;
        let name = users.of(conn).map(|user| &user.name);
        voice.say(conn, Reply::Goodbye(name), out);
        self.dismiss(conn, None, out);
    }
}
