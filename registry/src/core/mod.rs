//! PURE: who is there, who may be called what, who is in which room, and who is told. No socket, no thread, no clock.

mod access;
mod addresses;
mod admin;
mod admission;
mod bans;
mod connections;
pub mod counters;
mod ending;
mod ends;
mod events;
mod io;
mod meeting;
mod names;
mod newcomers;
mod news;
pub mod overview;
mod pace;
mod presence;
mod recall;
mod register;
mod rooms;
mod secure;
mod serve;
mod tables;
mod talk;
mod users;
mod voice;

use std::sync::Arc;
use std::time::Instant;

use vox_common::seal::identity::Identity;
use vox_common::wire::disk::Disk;
use vox_common::wire::line::Line;
use vox_common::wire::refusal::Refusal;
use vox_common::wire::reply::Reply;
use vox_common::wire::request::Request;

pub use access::{Access, Sealing};
pub use connections::ConnId;
use counters::{Counter, Counters};
use ending::Phase;
pub use io::{AdminId, Fate, Input, Kept, Out, Output, Settings, Shaken};
pub use news::News;
pub use pace::{Limits, Pace};
pub use recall::Recalled;
pub use tables::{TABLES_BYTES, Tables, users_listed_in};

/// The registry: one input and the time in, what should happen out.
#[derive(Debug)]
pub struct Registry<'t> {
    tables: &'t mut Tables,
    settings: Settings,
    /// What it proves itself by. `None`: it has no place to keep a key, and everything is plain.
    identity: Option<Arc<Identity>>,
    phase: Phase,
    counters: Counters,
    started: Instant,
    /// The time of the input that is being served.
    now: Instant,
    /// What the offer brought that is being served.
    shaken: Option<Shaken>,
    /// The disk, as the shell has told of it last.
    disk: Disk,
}

impl<'t> Registry<'t> {
    /// A registry without users.
    pub fn new(
        settings: Settings,
        identity: Option<Arc<Identity>>,
        tables: &'t mut Tables,
        now: Instant,
    ) -> Self {
        Self {
            tables,
            settings,
            identity,
            phase: Phase::Serving,
            counters: Counters::new(),
            started: now,
            now,
            shaken: None,
            disk: Disk::default(),
        }
    }

    /// Takes one input and performs its consequences through `out`.
    #[expect(clippy::needless_pass_by_value, reason = "an input is taken once")]
    pub fn handle(&mut self, now: Instant, input: Input<'_>, out: Out<'_>) {
        self.now = now;
        match input {
            Input::Opened { conn, from, to, nonce } => self.open(conn, from, to, nonce, out),
            Input::Unseated(from) => self.miss(from, out),
            Input::Line(conn, line) => self.hear(conn, line, out),
            Input::Offered { conn, offer, taken } => {
                self.shaken = taken;
                self.ask(conn, Ok(Request::Secure(offer)), out);
                self.shaken = None;
            }
            Input::Closed(conn) => self.forget(conn, out),
            Input::Admin(admin, line) => self.administer(admin, line, out),
            Input::Disk(disk) => disk.clone_into(&mut self.disk),
            Input::Settings(settings) => self.adopt(settings),
            Input::Stop => self.stop(out),
            Input::Tick => self.expire(out),
        }
        self.let_go_of_the_slow(out);
    }

    /// When [`Input::Tick`] is wanted, whatever else happens before.
    pub fn deadline(&self) -> Option<Instant> {
        match self.phase {
            Phase::Serving => {
                let idle = self.next_to_expire().map(|next| next.0);
                [idle, self.tables.newcomers.due()].into_iter().flatten().min()
            }
            Phase::Stopping(ends) => Some(ends),
            Phase::Stopped => None,
        }
    }

    /// How many users are there.
    pub fn users(&self) -> usize {
        self.tables.users.len()
    }

    /// Another number whenever users, rooms or the last events may have changed. Counters alone do not count.
    ///
    /// Rooms change only as users come and go.
    pub fn changes(&self) -> u64 {
        self.tables.users.changes() + self.tables.events.added()
    }

    fn adopt(&mut self, settings: &Settings) {
        settings.clone_into(&mut self.settings);
        self.change_pace();
    }

    fn expire(&mut self, out: Out<'_>) {
        match self.phase {
            Phase::Serving => {
                self.announce_those_due(out);
                self.dismiss_the_silent(out);
            }
            Phase::Stopping(ends) if ends <= self.now => self.end(out),
            Phase::Stopping(_) | Phase::Stopped => {}
        }
    }

    fn hear(&mut self, conn: ConnId, line: Line<'_>, out: Out<'_>) {
        let request = match line {
            Line::Text(line) => Request::parse(line),
            Line::TooLong => Err(Refusal::LineTooLong),
            Line::NotText => Err(Refusal::NotText),
        };
        self.ask(conn, request, out);
    }

    fn ask(&mut self, conn: ConnId, request: Result<Request<'_>, Refusal>, out: Out<'_>) {
        let Some(connection) = self.tables.connections.heard(conn, self.now) else {
            return;
        };
        let ends = connection.ends;
        self.counters.count(Counter::Requests);
        let served = match self.is_slow_enough(conn, request.as_ref().ok()) {
            _ if !self.is_serving() => Err(Refusal::ShuttingDown),
            true => request.and_then(|request| self.serve(conn, ends, request, out)),
            false => Err(Refusal::SlowDown),
        };
        match served {
            Err(Refusal::SlowDown) => self.slow_down(conn, out),
            Err(refusal) => self.refuse(conn, refusal, out),
            Ok(()) => {}
        }
    }

    fn refuse(&mut self, conn: ConnId, refusal: Refusal, out: Out<'_>) {
        self.counters.count(Counter::Refusals);
        out(Output::News(News::Refused(conn, refusal)));
        self.reply(conn, &Reply::Refused(refusal), out);
    }

    fn reply(&mut self, conn: ConnId, reply: &Reply<'_>, out: Out<'_>) {
        self.tables.voice.say(conn, reply, out);
    }

    /// Something for the log and for the list of what happened last.
    fn tell(&mut self, news: News<'_>, out: Out<'_>) {
        self.tables.events.add(self.now, &news);
        out(Output::News(news));
    }
}
