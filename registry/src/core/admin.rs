//! What administrators ask, over a socket of their own.

use std::fmt;

use heapless::Vec;
use vox_common::wire::admin::{Ban, Request, USAGES};
use vox_common::wire::event::Farewell;
use vox_common::wire::keys::Fingerprint;
use vox_common::wire::limits::MAX_CONNECTIONS;
use vox_common::wire::line::Line;
use vox_common::wire::names::Name;

use super::bans::BanRefused;
use super::users::User;
use super::{AdminId, ConnId, Kept, News, Out, Output, Registry, Tables};

const NO_PLACE: &str = "420 no place for another ban, unban somebody first";

impl Registry<'_> {
    pub(super) fn administer(&mut self, admin: AdminId, line: Line<'_>, out: Out<'_>) {
        let request = match line {
            Line::Text(line) => Request::parse(line),
            Line::TooLong => Err("416 line too long, it may have 1024 bytes"),
            Line::NotText => Err("417 not UTF-8, or a control character"),
        };
        match request {
            Ok(request) => self.obey(request, out),
            Err(refusal) => self.tables.voice.line(refusal),
        }
        out(Output::Answer(admin, &self.tables.voice.text));
    }

    /// Does what is asked, and prepares the answer.
    fn obey(&mut self, request: Request, out: Out<'_>) {
        match request {
            Request::Status => self.describe_itself(),
            Request::Users => self.describe_users(),
            Request::Kick(name) => self.kick(&name, out),
            Request::Ban(whom) => self.ban(&whom, out),
            Request::Unban(whom) => self.unban(&whom, out),
            Request::Bans => self.describe_bans(),
            Request::Forget(name) => self.forget_key(&name, out),
            Request::Stop => {
                self.stop(out);
                self.tables.voice.line("200 stopping");
            }
            Request::Help => self.explain(),
        }
    }

    fn describe_itself(&mut self) {
        let up = self.now.saturating_duration_since(self.started).as_secs();
        let Tables { users, connections, rooms, bans, names, voice, .. } = &mut *self.tables;
        let settings = &self.settings;
        voice.line(format_args!(
            "230-registry name={} version={} uptime-s={up} access={} sealed={} fingerprint={}",
            settings.name,
            env!("CARGO_PKG_VERSION"),
            settings.access.word(),
            settings.sealing.word(),
            OrNone(self.identity.as_deref().map(|identity| identity.public().fingerprint()))
        ));
        voice.add(format_args!(
            "230-tables users={} max-users={} rooms={} max-rooms={} connections={} sealed={} bans={} names={}",
            users.len(),
            settings.max_users,
            rooms.len(),
            settings.max_rooms,
            connections.len(),
            connections.sealed(),
            bans.len(),
            names.len()
        ));
        voice.add(format_args!("230-counters {}", self.counters));
        self.disk.lines(self.now).for_each(|line| voice.add(format_args!("230-{line}")));
        let damaged = [bans.damage(), names.damage()];
        damaged.into_iter().flatten().for_each(|damaged| voice.add(format_args!("230-{damaged}")));
        voice.add("230 end");
    }

    fn describe_users(&mut self) {
        let Tables { users, rooms, voice, .. } = &mut *self.tables;
        voice.text.clear();
        for user in users.iter() {
            let room = user.room.and_then(|room| rooms.by_id(room)).map(|room| &room.name);
            let since = self.now.saturating_duration_since(user.came).as_secs();
            voice.add(AdminView { user, since, room });
        }
        voice.add(format_args!("210 {} users", users.len()));
    }

    fn kick(&mut self, name: &Name, out: Out<'_>) {
        match self.tables.users.by_name(name).map(|user| user.conn) {
            Some(conn) => {
                self.dismiss(conn, Some(Farewell::Kicked), out);
                self.tables.voice.line(format_args!("200 kicked {name}"));
            }
            None => self.tables.voice.line("404 no such user"),
        }
    }

    fn ban(&mut self, whom: &Ban, out: Out<'_>) {
        match self.tables.bans.add(whom.clone()) {
            Ok(()) => self.carry_out(whom, out),
            Err(BanRefused::Already) => self.tables.voice.line("409 banned already"),
            Err(BanRefused::Full) => self.tables.voice.line(NO_PLACE),
        }
    }

    fn carry_out(&mut self, whom: &Ban, out: Out<'_>) {
        self.tell(News::Banned(whom), out);
        let ended = self.expel(whom, out);
        self.keep_bans(out);
        let connections = if ended == 1 { "connection" } else { "connections" };
        self.tables.voice.line(format_args!("200 banned {whom}, {ended} {connections} ended"));
    }

    /// Ends the connections of somebody who is kept out from now on; how many they were.
    fn expel(&mut self, whom: &Ban, out: Out<'_>) -> usize {
        let Tables { users, connections, .. } = &*self.tables;
        let is_meant = |conn: ConnId, from| match whom {
            Ban::Address(address) => *address == from,
            Ban::Name(name) => users.of(conn).is_some_and(|user| user.name == *name),
        };
        let meant = connections.iter().filter(|conn| is_meant(conn.id, conn.ends.from())).map(|conn| conn.id);
        let meant: Vec<ConnId, MAX_CONNECTIONS> = meant.collect();
        for &conn in &meant {
            self.dismiss(conn, Some(Farewell::Banned), out);
        }
        meant.len()
    }

    fn unban(&mut self, whom: &Ban, out: Out<'_>) {
        if !self.tables.bans.lift(whom) {
            return self.tables.voice.line("404 no such ban");
        }
        self.tell(News::Unbanned(whom), out);
        self.keep_bans(out);
        self.tables.voice.line(format_args!("200 unbanned {whom}"));
    }

    fn describe_bans(&mut self) {
        let Tables { bans, voice, .. } = &mut *self.tables;
        voice.text.clear();
        bans.iter().for_each(|whom| voice.add(format_args!("216-{whom}")));
        voice.add(format_args!("216 {} bans", bans.len()));
    }

    fn forget_key(&mut self, name: &Name, out: Out<'_>) {
        if !self.tables.names.forget(name) {
            return self.tables.voice.line("404 that name belongs to no key");
        }
        self.tell(News::Forgotten(name), out);
        self.keep_names(out);
        self.tables.voice.line(format_args!("200 forgot the key of {name}"));
    }

    fn explain(&mut self) {
        let voice = &mut self.tables.voice;
        voice.text.clear();
        USAGES.iter().for_each(|usage| voice.add(format_args!("214-{usage}")));
        voice.add("214 end");
    }

    fn keep_bans(&mut self, out: Out<'_>) {
        out(Output::Keep(Kept::Bans, self.text(Kept::Bans)));
    }

    pub(super) fn keep_names(&mut self, out: Out<'_>) {
        out(Output::Keep(Kept::Names, self.text(Kept::Names)));
    }
}

/// `-` where there is none.
struct OrNone(Option<Fingerprint>);

impl fmt::Display for OrNone {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(fingerprint) => write!(out, "{fingerprint}"),
            None => out.write_str("-"),
        }
    }
}

/// A user as administrators see it: as listed, and since when, and where.
struct AdminView<'a> {
    user: &'a User,
    since: u64,
    room: Option<&'a Name>,
}

impl fmt::Display for AdminView<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "210-{} since-s={}", self.user.entry_for(&self.user.ends), self.since)?;
        self.room.map_or(Ok(()), |room| write!(out, " room={room}"))
    }
}
