//! A registry's core with its clients around it, in one thread and on virtual time.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use vox_common::seal::identity::Identity;
use vox_common::seal::secure;
use vox_common::sys::clock;
use vox_common::sys::lines::read_lines;
use vox_common::wire::line::Line;
use vox_common::wire::names::Name;
use vox_common::wire::reply::Nonce;
use vox_common::wire::request::Request;
use vox_common::wire::secure::Offer;
use vox_registry::core::overview::Overview;
use vox_registry::core::{
    Access, AdminId, ConnId, Fate, Input, Kept, Limits, Output, Registry, Sealing, Settings, Shaken, Tables,
};

/// Connections that a world has places for: as many as the real shell.
const PLACES: usize = vox_common::wire::limits::MAX_CONNECTIONS;

/// Of every connection.
pub const NONCE: Nonce = Nonce([7; 16]);

/// As long as newcomers are gathered.
const A_MOMENT: Duration = Duration::from_millis(50);

/// One whose tables are never given back.
pub type World = WorldWithin<'static>;

/// The core, the time, and what every client has heard.
#[derive(Debug)]
pub struct WorldWithin<'t> {
    registry: Registry<'t>,
    settings: Settings,
    now: Instant,
    clients: Vec<Client>,
    kept: KeptTexts,
    answers: Vec<String>,
    pieces: usize,
}

/// The state files, as the core last wanted them.
#[derive(Debug, Default)]
pub struct KeptTexts {
    /// Who is kept out.
    pub bans: String,
    /// Which name belongs to which key.
    pub names: String,
}

/// One client's end of its connection.
#[derive(Debug, Default)]
struct Client {
    is_open: bool,
    /// Takes nothing any more: its buffers are full.
    is_deaf: bool,
    heard: VecDeque<String>,
}

impl World {
    /// An empty registry called `vox` on port 5000.
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    /// As [`World::new`], with settings of the test's own.
    ///
    /// Its megabyte is never given back: a test needs a handful of worlds.
    pub fn with(change: impl FnOnce(&mut Settings)) -> Self {
        Self::within(Box::leak(tables()), change)
    }
}

impl<'t> WorldWithin<'t> {
    /// The same over empty tables of the test's own.
    pub fn within(tables: &'t mut Tables, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings {
            name: Name::parse("vox").expect("three letters are a name"),
            port: 5000,
            max_users: 512,
            max_rooms: 64,
            access: Access::Open,
            sealing: Sealing::Offered,
            limits: Limits {
                connections_per_address: None,
                pace: None,
                idle_unregistered: Some(Duration::from_secs(120)),
            },
        };
        change(&mut settings);
        let now = clock::now();
        let identity = Some(Arc::new(identity()));
        let registry = Registry::new(settings.clone(), identity, tables, now);
        let clients = (0..PLACES).map(|_| Client::default()).collect();
        Self { registry, settings, now, clients, kept: KeptTexts::default(), answers: Vec::new(), pieces: 0 }
    }

    /// Connects from one address to another of the registry's; the client's number.
    ///
    /// # Panics
    /// All places are taken.
    pub fn connect(&mut self, from: &str, to: &str) -> u16 {
        let place = (0..).zip(&self.clients).find(|(_, client)| !client.is_open).expect("a free place").0;
        let at = |ip: &str, port| SocketAddr::new(ip.parse().expect("an address"), port);
        self.clients[usize::from(place)] = Client { is_open: true, ..Client::default() };
        let (from, to) = (at(from, 40_000), at(to, 5000));
        self.put(Input::Opened { conn: ConnId(place), from, to, nonce: NONCE });
        place
    }

    /// Connects from the registry's own machine and hears the greeting out.
    pub fn local(&mut self) -> u16 {
        let client = self.connect("127.0.0.1", "127.0.0.1");
        self.hear(client);
        client
    }

    /// Sends a line, which is read as the real registry reads it.
    ///
    /// # Panics
    /// Never: bytes in memory can be read.
    pub fn say(&mut self, client: u16, line: &str) {
        let sent = |line: Line<'_>| {
            self.send(client, line);
            ControlFlow::Continue(())
        };
        read_lines(format!("{line}\n").as_bytes(), sent).expect("bytes in memory can be read");
    }

    /// Sends a line of whatever kind.
    pub fn send(&mut self, client: u16, line: Line<'_>) {
        if !self.is_open(client) {
            return;
        }
        match offered(line) {
            Some(offer) => self.offer(client, offer),
            None => self.put(Input::Line(ConnId(client), line)),
        }
    }

    /// Takes an offer as the real shell does, but that lines travel in plain here whatever the core says.
    fn offer(&mut self, client: u16, offer: Offer) {
        let taken = secure::take(&identity(), &NONCE, &offer, &[client.to_be_bytes()[1]; 32]);
        let taken = taken.map(|taken| Shaken { key: taken.key, answer: taken.answer });
        self.put(Input::Offered { conn: ConnId(client), offer, taken });
    }

    /// Everything that the client has heard since it last listened, and hears in the moment in which newcomers are
    /// gathered.
    pub fn hear(&mut self, client: u16) -> Vec<String> {
        self.wait_a_moment();
        self.heard(client)
    }

    /// Everything that the client has heard by now, without a moment passing.
    pub fn heard(&mut self, client: u16) -> Vec<String> {
        self.clients[usize::from(client)].heard.drain(..).collect()
    }

    /// What there is to see of the registry.
    pub fn overview(&self) -> Overview {
        self.registry.overview(self.now)
    }

    /// What time it is.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// The next line that the client has heard.
    pub fn hear_one(&mut self, client: u16) -> Option<String> {
        if self.clients[usize::from(client)].heard.is_empty() {
            self.wait_a_moment();
        }
        self.clients[usize::from(client)].heard.pop_front()
    }

    /// Lets the time pass after which newcomers are told of, if there are any.
    fn wait_a_moment(&mut self) {
        let until = self.registry.deadline().filter(|&deadline| deadline <= self.now + A_MOMENT);
        if let Some(length) = until.map(|until| until.saturating_duration_since(self.now)) {
            self.pass(length);
        }
    }

    /// Says a line and hears everything.
    pub fn ask(&mut self, client: u16, line: &str) -> Vec<String> {
        self.say(client, line);
        self.hear(client)
    }

    /// An administrator says a line and hears the whole answer.
    pub fn administer(&mut self, line: &str) -> Vec<String> {
        self.put(Input::Admin(AdminId(0), Line::Text(line)));
        self.answers.drain(..).collect()
    }

    /// The state files.
    pub fn kept(&self) -> &KeptTexts {
        &self.kept
    }

    /// Takes in what was kept; how many lines of it are none.
    pub fn recall(&mut self, kept: Kept, text: &str) -> usize {
        let recalled = self.registry.recall(kept, text.as_bytes());
        recalled.damaged + recalled.unread
    }

    /// In how many pieces clients have heard what they heard so far.
    pub fn pieces(&self) -> usize {
        self.pieces
    }

    /// The client does not read any more, and its buffers are full.
    pub fn deafen(&mut self, client: u16) {
        self.clients[usize::from(client)].is_deaf = true;
    }

    /// The client vanishes.
    pub fn close(&mut self, client: u16) {
        if std::mem::take(&mut self.clients[usize::from(client)].is_open) {
            self.put(Input::Closed(ConnId(client)));
        }
    }

    /// Whether the registry has not ended the connection.
    pub fn is_open(&self, client: u16) -> bool {
        self.clients[usize::from(client)].is_open
    }

    /// The operator ends the registry.
    pub fn stop(&mut self) {
        self.put(Input::Stop);
    }

    /// Time passes, and what is due is done on time.
    pub fn pass(&mut self, length: Duration) {
        let end = self.now + length;
        while let Some(deadline) = self.registry.deadline().filter(|&deadline| deadline <= end) {
            self.now = self.now.max(deadline);
            self.put(Input::Tick);
            assert_ne!(self.registry.deadline(), Some(deadline), "a tick does what was due");
        }
        self.now = end;
    }

    /// The configuration is read again, changed.
    pub fn settings(&mut self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.settings);
        let settings = self.settings.clone();
        self.put(Input::Settings(&settings));
    }

    /// The core itself.
    pub fn registry(&self) -> &Registry<'t> {
        &self.registry
    }

    /// One input; connections that the core ends are closed as the shell would, after it.
    fn put(&mut self, input: Input<'_>) {
        let clients = &mut self.clients;
        let mut ended = Vec::new();
        let Self { kept, answers, pieces, .. } = self;
        self.registry.handle(self.now, input, &mut |output| {
            match output {
                Output::Send(ConnId(place), lines) => {
                    assert!(lines.ends_with('\n'), "whole lines: {lines:?}");
                    let client = &mut clients[usize::from(place)];
                    if client.is_deaf {
                        return Fate::Lost;
                    }
                    *pieces += 1;
                    client.heard.extend(lines.lines().map(String::from));
                }
                Output::Close(ConnId(place)) => ended.push(place),
                Output::Answer(_, lines) => answers.extend(lines.lines().map(String::from)),
                Output::Keep(Kept::Bans, text) => text.clone_into(&mut kept.bans),
                Output::Keep(Kept::Names, text) => text.clone_into(&mut kept.names),
                Output::News(news) => assert!(!news.to_string().contains('\n')),
                Output::Seal(_) | Output::Ending => {}
            }
            Fate::Sent
        });
        for place in ended {
            self.close(place);
        }
    }
}

/// What the registry of every world proves itself by.
pub fn identity() -> Identity {
    Identity::new([0x76; 32])
}

fn offered(line: Line<'_>) -> Option<Offer> {
    match line {
        Line::Text(text) => match Request::parse(text) {
            Ok(Request::Secure(offer)) => Some(offer),
            _ => None,
        },
        _ => None,
    }
}

/// Empty tables. On their way to the heap they stand on the stack, more than once in an unoptimised build.
///
/// # Panics
/// There is no memory for the stack of a thread.
pub fn tables() -> Box<Tables> {
    let roomy = thread::Builder::new().stack_size(16 * 1024 * 1024);
    let made = roomy.spawn(|| Box::new(Tables::new())).expect("a thread");
    made.join().expect("nothing in there panics")
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}
