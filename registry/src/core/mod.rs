//! PURE: who is there, who may be called what, and who is told. No socket, no thread, no clock.

mod connections;
pub mod counters;
mod ends;
mod events;
mod news;
pub mod overview;
mod register;
mod serve;
mod tables;
mod users;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use vox_common::wire::event::{Event, Farewell};
use vox_common::wire::limits::{MAX_CONNECTIONS, MAX_UNREGISTERED};
use vox_common::wire::line::Line;
use vox_common::wire::names::Name;
use vox_common::wire::refusal::Refusal;
use vox_common::wire::reply::{Greeting, Nonce, Reply};
use vox_common::wire::request::Request;

pub use connections::ConnId;
use connections::{Connection, Stage};
use counters::{Counter, Counters};
use ends::Ends;
pub use news::News;
pub use tables::{Tables, users_listed_in};

/// How long requests that were on their way are still answered with `503` before connections end.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// What a connection, the operator or the time brings.
#[derive(Debug)]
pub enum Input<'a> {
    /// Somebody connected.
    Opened {
        /// The place of the connection; free until now.
        conn: ConnId,
        /// The far end.
        from: SocketAddr,
        /// Our end.
        to: SocketAddr,
        /// 128 fresh random bits.
        nonce: Nonce,
    },
    /// A connection said something.
    Line(ConnId, Line<'a>),
    /// A connection has ended; nothing more comes from it.
    Closed(ConnId),
    /// The configuration was read again.
    Settings(Settings),
    /// The operator ends the registry.
    Stop,
    /// [`Registry::deadline`] has come.
    Tick,
}

/// What is to be done.
#[derive(Debug)]
pub enum Output<'a> {
    /// Send these whole lines.
    Send(ConnId, &'a str),
    /// End the connection once what was sent has left; [`Input::Closed`] follows.
    Close(ConnId),
    /// Something for the log.
    News(News<'a>),
}

/// What an operator can choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// What the greeting calls this registry.
    pub name: Name,
    /// The TCP port on which it really listens.
    pub port: u16,
    /// Users at a time, at most [`MAX_USERS`](vox_common::wire::limits::MAX_USERS).
    pub max_users: usize,
    /// How long a connection may be silent without REGISTER. `None`: as long as it likes.
    pub idle_unregistered: Option<Duration>,
}

/// The registry: one input and the time in, what should happen out.
#[derive(Debug)]
pub struct Registry<'t> {
    tables: &'t mut Tables,
    settings: Settings,
    phase: Phase,
    counters: Counters,
    started: Instant,
    /// The time of the input that is being served.
    now: Instant,
}

/// How far the end has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Serving,
    /// Everybody was told; connections end at this time.
    Stopping(Instant),
    /// Every connection was ended.
    Stopped,
}

impl<'t> Registry<'t> {
    /// A registry without users.
    pub fn new(settings: Settings, tables: &'t mut Tables, now: Instant) -> Self {
        let counters = Counters::new();
        Self { tables, settings, phase: Phase::Serving, counters, started: now, now }
    }

    /// Takes one input and performs its consequences through `out`.
    pub fn handle(&mut self, now: Instant, input: Input<'_>, out: &mut impl FnMut(Output<'_>)) {
        self.now = now;
        match input {
            Input::Opened { conn, from, to, nonce } => self.open(conn, Ends::new(from, to), nonce, out),
            Input::Line(conn, line) => self.hear(conn, line, out),
            Input::Closed(conn) => self.forget(conn, out),
            Input::Settings(settings) => self.settings = settings,
            Input::Stop => self.stop(out),
            Input::Tick => self.expire(out),
        }
    }

    /// When [`Input::Tick`] is wanted, whatever else happens before.
    pub fn deadline(&self) -> Option<Instant> {
        match self.phase {
            Phase::Serving => self.next_to_expire().map(|next| next.0),
            Phase::Stopping(ends) => Some(ends),
            Phase::Stopped => None,
        }
    }

    /// How many users are there.
    pub fn users(&self) -> usize {
        self.tables.users.len()
    }

    /// Whether it was stopped and the last connection has ended.
    pub fn is_finished(&self) -> bool {
        self.phase == Phase::Stopped && self.tables.connections.len() == 0
    }

    fn is_serving(&self) -> bool {
        self.phase == Phase::Serving
    }

    fn open(&mut self, conn: ConnId, ends: Ends, nonce: Nonce, out: &mut impl FnMut(Output<'_>)) {
        match self.admit(conn, ends) {
            Ok(()) => {
                self.counters.count(Counter::Connections);
                let name = self.settings.name.as_str();
                let greeting = Greeting { version: env!("CARGO_PKG_VERSION"), name, nonce };
                out(Output::Send(conn, self.tables.text.line(Reply::Greeting(greeting))));
            }
            Err(refusal) => {
                self.counters.count(Counter::TurnedAway);
                self.refuse(conn, refusal, out);
                out(Output::Close(conn));
            }
        }
    }

    fn admit(&mut self, conn: ConnId, ends: Ends) -> Result<(), Refusal> {
        if !self.is_serving() {
            return Err(Refusal::ShuttingDown);
        }
        let connections = &mut self.tables.connections;
        let is_place = connections.len() < self.settings.max_users + MAX_UNREGISTERED;
        let added = is_place && connections.add(Connection::new(conn, ends, self.now));
        if added { Ok(()) } else { Err(Refusal::RegistryFull) }
    }

    fn hear(&mut self, conn: ConnId, line: Line<'_>, out: &mut impl FnMut(Output<'_>)) {
        let Some(connection) = self.tables.connections.heard(conn, self.now) else {
            return;
        };
        let ends = connection.ends;
        self.counters.count(Counter::Requests);
        let served = match line {
            _ if !self.is_serving() => Err(Refusal::ShuttingDown),
            Line::Text(line) => Request::parse(line).and_then(|request| self.serve(conn, ends, request, out)),
            Line::TooLong => Err(Refusal::LineTooLong),
            Line::NotText => Err(Refusal::NotText),
        };
        if let Err(refusal) = served {
            self.refuse(conn, refusal, out);
        }
    }

    fn refuse(&mut self, conn: ConnId, refusal: Refusal, out: &mut impl FnMut(Output<'_>)) {
        self.counters.count(Counter::Refusals);
        out(Output::News(News::Refused(conn, refusal)));
        self.reply(conn, &Reply::Refused(refusal), out);
    }

    fn reply(&mut self, conn: ConnId, reply: &Reply<'_>, out: &mut impl FnMut(Output<'_>)) {
        out(Output::Send(conn, self.tables.text.line(reply)));
    }

    /// The connection has ended by itself: its name is free and watchers are told.
    fn forget(&mut self, conn: ConnId, out: &mut impl FnMut(Output<'_>)) {
        self.leave(conn, out);
        self.tables.connections.remove(conn);
    }

    /// Ends a connection from our side, with a word if there is one to say.
    fn dismiss(&mut self, conn: ConnId, farewell: Option<Farewell>, out: &mut impl FnMut(Output<'_>)) {
        let Some(connection) = self.tables.connections.live(conn) else {
            return;
        };
        connection.stage = Stage::Ended;
        if let Some(farewell) = farewell {
            self.counters.count(Counter::Dismissed);
            out(Output::Send(conn, self.tables.text.line(Event::Goodbye(farewell))));
        }
        out(Output::Close(conn));
        self.leave(conn, out);
    }

    /// Something for the log and for the list of what happened last.
    fn tell(&mut self, news: News<'_>, out: &mut impl FnMut(Output<'_>)) {
        self.tables.events.add(self.now, &news);
        out(Output::News(news));
    }

    fn next_to_expire(&self) -> Option<(Instant, ConnId)> {
        self.tables.connections.next_to_expire(self.settings.idle_unregistered)
    }

    fn expire(&mut self, out: &mut impl FnMut(Output<'_>)) {
        match self.phase {
            Phase::Serving => self.dismiss_the_silent(out),
            Phase::Stopping(ends) if ends <= self.now => self.end(out),
            Phase::Stopping(_) | Phase::Stopped => {}
        }
    }

    fn dismiss_the_silent(&mut self, out: &mut impl FnMut(Output<'_>)) {
        while let Some((_, conn)) = self.next_to_expire().filter(|next| next.0 <= self.now) {
            self.dismiss(conn, Some(Farewell::Idle), out);
        }
    }

    /// Everybody hears it at once, and nobody hears of the others leaving.
    fn stop(&mut self, out: &mut impl FnMut(Output<'_>)) {
        let Tables { connections, text, .. } = &mut *self.tables;
        let goodbye = text.line(Event::Goodbye(Farewell::ShuttingDown));
        connections.all_live().for_each(|conn| out(Output::Send(conn, goodbye)));
        self.phase = Phase::Stopping(self.now + LAST_WORDS);
    }

    fn end(&mut self, out: &mut impl FnMut(Output<'_>)) {
        self.phase = Phase::Stopped;
        let live: heapless::Vec<ConnId, MAX_CONNECTIONS> = self.tables.connections.all_live().collect();
        for conn in live {
            self.dismiss(conn, None, out);
        }
    }
}
