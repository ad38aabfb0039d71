//! The world of one story: virtual time, everything that is on its way, and the consequences.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use vox_common::sys::clock;
use vox_common::wire::line::Line;
use vox_common::wire::names::Name;
use vox_common::wire::reply::Nonce;
use vox_common::wire::signal::{CallId, Say, Signal};
use vox_peer::agent::io::{ClientId, Input, Moment, Output};
use vox_peer::media::orders::MediaNews;
use vox_registry::core as registry;
use vox_registry::core::{ConnId, Registry, Tables};

use super::net::{Chance, Weather, carry};
use super::station::Station;
use super::story::{self, Deed, STORY_MS, Way};
use super::verdict::{Delivery, Ending, Pairs, agree, is_excused};

/// The program that watches a station; the one that calls has the next place.
const WATCHER: ClientId = ClientId(0);
const CALLER: ClientId = ClientId(1);

/// After the story both must be at rest within this time.
const REST: Duration = Duration::from_secs(15);

/// Packets of sound, a few for many.
const SOUND_EVERY: Duration = Duration::from_millis(200);

/// What is on its way.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Freight {
    Signal { to: usize, from: SocketAddr, bytes: Vec<u8> },
    Sound { to: usize, from: SocketAddr },
    SoundTick,
    Connected { station: usize },
    ToRegistry { link: u16, line: String },
    FromRegistry { link: u16, line: String },
    LinkEnds { link: u16 },
    RegistryClosed { link: u16 },
    Deed(usize),
}

/// What a story came to.
#[derive(Debug, Default)]
pub struct Report {
    /// How calls ended, on both sides.
    pub pairs: Pairs,
    /// What must not be: one sentence each.
    pub complaints: Vec<String>,
}

struct World<'t> {
    now: Instant,
    start: Instant,
    chance: Chance,
    weather: Weather,
    is_dead: bool,
    is_traced: bool,
    stations: Vec<Station>,
    registry: Registry<'t>,
    registry_is_up: bool,
    /// Which station a registry connection belongs to.
    links: BTreeMap<u16, usize>,
    next_link: u16,
    freight: BinaryHeap<Reverse<(Instant, u64, Freight)>>,
    sent: u64,
    deeds: Vec<(u64, Deed)>,
    /// When a datagram got through, to each station.
    delivered: [Vec<Delivery>; 2],
    begun: BTreeMap<CallId, Instant>,
    restarts: Vec<Instant>,
    /// INVITEs that yielded to the other side's: one call, with the other call-id.
    merged: BTreeSet<CallId>,
}

/// Tells the story of one seed.
pub fn tell(seed: u64) -> Report {
    let mut tables = crate::world::tables();
    let mut world = World::new(seed, &mut tables);
    world.play()
}

impl<'t> World<'t> {
    fn new(seed: u64, tables: &'t mut Tables) -> Self {
        let mut chance = Chance(ChaCha8Rng::seed_from_u64(seed));
        let now = clock::now();
        let moment = Moment { at: now, unix: 0 };
        let auto_answer = chance.permille(300);
        let deeds = story::write(&mut chance);
        let weather = Weather::of(&mut chance);
        let mut station = |name: &str, address: &str, auto| {
            let mut seed = [0; 32];
            chance.0.fill_bytes(&mut seed);
            Station::new(name, address.parse().expect("an address"), auto, seed, moment)
        };
        let stations =
            vec![station("alice", "192.0.2.1:6000", false), station("bob", "192.0.2.2:6000", auto_answer)];
        Self {
            now,
            start: now,
            weather,
            chance,
            is_dead: false,
            is_traced: std::env::var_os("TRACE").is_some(),
            stations,
            registry: Registry::new(settings(), None, tables, now),
            registry_is_up: true,
            links: BTreeMap::new(),
            next_link: 0,
            freight: BinaryHeap::new(),
            sent: 0,
            deeds,
            delivered: [Vec::new(), Vec::new()],
            begun: BTreeMap::new(),
            restarts: Vec::new(),
            merged: BTreeSet::new(),
        }
    }

    fn play(&mut self) -> Report {
        let mut report = Report::default();
        for deed in 0..self.deeds.len() {
            let at = self.start + Duration::from_millis(self.deeds[deed].0);
            self.ship_at(at, Freight::Deed(deed));
        }
        self.ship_at(self.start, Freight::SoundTick);
        for station in 0..2 {
            self.feed(station, Input::Start);
            self.feed(station, Input::Control(WATCHER, Ok("WATCH")));
        }
        let story_ends = self.start + Duration::from_millis(STORY_MS);
        self.run_until(story_ends);
        self.is_dead = false;
        for station in 0..2 {
            self.feed(station, Input::Control(WATCHER, Ok("HANGUP")));
        }
        self.run_until(story_ends + REST);
        self.judge(&mut report);
        report
    }

    fn judge(&self, report: &mut Report) {
        for station in &self.stations {
            if !station.is_at_rest() {
                let legs = station.agent.calls().legs();
                report.complaints.push(format!("{} is not at rest: {legs:?}", station.address));
            }
        }
        for (id, begun) in self.begun.iter().filter(|(id, _)| !self.merged.contains(id)) {
            let (caller, callee) = (self.ending(*id, true), self.ending(*id, false));
            report.pairs.count((caller.to_owned(), callee.to_owned()));
            if !agree(caller, callee) && !self.excused(*id, *begun) {
                report.complaints.push(format!("call {id}: caller says {caller:?}, callee says {callee:?}"));
            }
        }
    }

    fn endings_of(&self, id: CallId) -> impl Iterator<Item = &(CallId, Ending, Instant)> {
        self.stations.iter().flat_map(|station| &station.endings).filter(move |(of, ..)| *of == id)
    }

    fn ending(&self, id: CallId, outgoing: bool) -> &str {
        let ending = self.endings_of(id).find(|(_, ending, _)| ending.outgoing == outgoing);
        ending.map_or("", |(_, ending, _)| ending.reason.as_str())
    }

    /// Sides may disagree where one of them was killed, or heard nothing for six seconds.
    fn excused(&self, id: CallId, begun: Instant) -> bool {
        let ended = self.endings_of(id).map(|(.., at)| *at).max().unwrap_or(begun);
        // Who was killed during the call never tells how it ended.
        let silent = self.endings_of(id).count() < 2;
        let killed = |at: &Instant| *at >= begun && (silent || *at <= ended);
        self.restarts.iter().any(killed)
            || self.delivered.iter().any(|delivered| is_excused(id, delivered, begun, ended))
    }

    fn run_until(&mut self, end: Instant) {
        loop {
            let due = self.freight.peek().map(|Reverse((at, ..))| *at);
            let deadlines = self.stations.iter().map(|station| station.agent.deadline());
            let timer = deadlines.chain([self.registry.deadline()]).flatten().min();
            let next = [due, timer].into_iter().flatten().min().unwrap_or(end).max(self.now);
            if next >= end {
                self.now = end;
                return;
            }
            self.now = next;
            if self.freight.peek().is_some_and(|Reverse((at, ..))| *at <= next) {
                self.arrive_next();
            } else {
                self.tick();
            }
        }
    }

    fn arrive_next(&mut self) {
        if let Some(Reverse((_, _, freight))) = self.freight.pop() {
            self.arrive(freight);
        }
    }

    fn tick(&mut self) {
        for station in 0..2 {
            self.feed(station, Input::Tick);
        }
        self.feed_registry(registry::Input::Tick);
    }

    fn ship_at(&mut self, at: Instant, freight: Freight) {
        self.sent += 1;
        self.freight.push(Reverse((at, self.sent, freight)));
    }

    /// A stream keeps its order and loses nothing.
    fn ship_by_stream(&mut self, freight: Freight) {
        self.ship_at(self.now + Duration::from_millis(self.weather.delay_ms), freight);
    }

    fn ship_datagram(&mut self, freight: impl Fn() -> Freight) {
        if self.is_dead {
            return;
        }
        for delay in carry(self.weather, &mut self.chance) {
            self.ship_at(self.now + delay, freight());
        }
    }

    fn arrive(&mut self, freight: Freight) {
        match freight {
            Freight::Signal { to, from, bytes } => {
                // RETRY may come from anybody, and is no reason to hope.
                if let Some(signal) =
                    Signal::parse(&bytes).ok().filter(|signal| !matches!(signal.say, Say::Retry(..)))
                {
                    self.delivered[to].push((self.now, Some(signal.id)));
                }
                self.feed(to, Input::Datagram { from, local: None, bytes: &bytes });
            }
            Freight::Sound { to, from } => {
                self.delivered[to].push((self.now, None));
                if let Some(leg) = self.stations[to].hears(from, self.now) {
                    self.feed(to, Input::Media(&MediaNews::Heard(leg)));
                }
            }
            Freight::SoundTick => self.sound(),
            Freight::Connected { station } => self.connected(station),
            Freight::ToRegistry { link, line } => {
                if self.registry_is_up && self.links.contains_key(&link) {
                    self.feed_registry(registry::Input::Line(ConnId(link), Line::Text(&line)));
                }
            }
            Freight::FromRegistry { link, line } => {
                if let Some(station) = self.linked(link) {
                    self.feed(station, Input::LinkLine(&line));
                }
            }
            Freight::LinkEnds { link } => {
                if let Some(station) = self.linked(link) {
                    self.stations[station].link = None;
                    self.feed(station, Input::LinkDown("the registry closed the connection"));
                }
            }
            Freight::RegistryClosed { link } => {
                if self.links.remove(&link).is_some() && self.registry_is_up {
                    self.feed_registry(registry::Input::Closed(ConnId(link)));
                }
            }
            Freight::Deed(deed) => self.deed(self.deeds[deed].1),
        }
    }

    fn linked(&self, link: u16) -> Option<usize> {
        self.stations.iter().position(|station| station.link == Some(link))
    }

    fn sound(&mut self) {
        for station in 0..2 {
            let from = self.stations[station].address;
            for remote in self.stations[station].sends_to() {
                if let Some(to) = self.lives_at(remote) {
                    self.ship_datagram(|| Freight::Sound { to, from });
                }
            }
        }
        self.ship_at(self.now + SOUND_EVERY, Freight::SoundTick);
    }

    fn lives_at(&self, address: SocketAddr) -> Option<usize> {
        self.stations.iter().position(|station| station.address == address)
    }

    fn deed(&mut self, deed: Deed) {
        self.note(format_args!("{deed:?}"));
        match deed {
            Deed::Call { by, how } => self.call(by, how),
            Deed::Answer(who) => self.feed(who, Input::Control(WATCHER, Ok("ANSWER"))),
            Deed::Reject(who) => self.feed(who, Input::Control(WATCHER, Ok("REJECT"))),
            Deed::Hangup(who) => self.feed(who, Input::Control(WATCHER, Ok("HANGUP"))),
            Deed::Dnd(who, on) => {
                let line = if on { "SET-STATUS dnd" } else { "SET-STATUS idle" };
                self.feed(who, Input::Control(WATCHER, Ok(line)));
            }
            Deed::DropCaller(who) => self.feed(who, Input::ControlGone(CALLER)),
            Deed::Restart(who) => self.restart(who),
            Deed::RegistryDies => self.registry_dies(),
            Deed::RegistryReturns => self.registry_is_up = true,
            Deed::Dead(dead) => self.is_dead = dead,
        }
    }

    fn call(&mut self, by: usize, how: Way) {
        let other = ["bob", "alice"][by];
        let line = match how {
            Way::Name => format!("CALL {other}"),
            Way::Address => format!("CALL {}", self.stations[1 - by].address),
            Way::Myself => format!("CALL {}", self.stations[by].address),
        };
        self.feed(by, Input::Control(CALLER, Ok(&line)));
    }

    fn restart(&mut self, who: usize) {
        self.restarts.push(self.now);
        if let Some(link) = self.stations[who].link.take() {
            self.ship_by_stream(Freight::RegistryClosed { link });
        }
        let mut seed = [0; 32];
        self.chance.0.fill_bytes(&mut seed);
        let old = &mut self.stations[who];
        let name = ["alice", "bob"][who];
        let endings = std::mem::take(&mut old.endings);
        *old = Station::new(name, old.address, false, seed, Moment { at: self.now, unix: 0 });
        old.endings = endings;
        self.feed(who, Input::Start);
        self.feed(who, Input::Control(WATCHER, Ok("WATCH")));
    }

    /// Every connection ends; the registry that returns knows nobody.
    fn registry_dies(&mut self) {
        let links: Vec<_> = self.links.keys().copied().collect();
        for link in links {
            self.feed_registry(registry::Input::Closed(ConnId(link)));
            self.links.remove(&link);
            self.ship_by_stream(Freight::LinkEnds { link });
        }
        self.registry_is_up = false;
    }

    fn connected(&mut self, station: usize) {
        if !self.registry_is_up || self.is_dead {
            return self.feed(station, Input::LinkDown("connection refused"));
        }
        let link = self.next_link % 600;
        self.next_link += 1;
        self.links.insert(link, station);
        self.stations[station].link = Some(link);
        self.feed(station, Input::LinkUp);
        let from = self.stations[station].address;
        let to = "192.0.2.9:5000".parse().expect("an address");
        let nonce = Nonce([0; 16]);
        self.feed_registry(registry::Input::Opened { conn: ConnId(link), from, to, nonce });
    }

    fn feed_registry(&mut self, input: registry::Input<'_>) {
        let mut out = Vec::new();
        self.registry.handle(self.now, input, &mut |output| {
            match output {
                registry::Output::Send(ConnId(link), lines) => {
                    let line = |line: &str| Freight::FromRegistry { link, line: line.to_owned() };
                    out.extend(lines.lines().map(line));
                }
                registry::Output::Close(ConnId(link)) => {
                    out.push(Freight::LinkEnds { link });
                    out.push(Freight::RegistryClosed { link });
                }
                _ => {}
            }
            registry::Fate::Sent
        });
        out.into_iter().for_each(|freight| self.ship_by_stream(freight));
    }

    fn feed(&mut self, station: usize, input: Input<'_>) {
        let moment = Moment { at: self.now, unix: 0 };
        let mut acts = Vec::new();
        self.stations[station].agent.handle(moment, input, &mut |output| acts.push(Act::of(output)));
        acts.into_iter().for_each(|act| self.act(station, act));
    }

    fn act(&mut self, station: usize, act: Act) {
        let from = self.stations[station].address;
        match act {
            Act::Connect => self.ship_by_stream(Freight::Connected { station }),
            Act::Disconnect => {
                if let Some(link) = self.stations[station].link {
                    self.ship_by_stream(Freight::RegistryClosed { link });
                    self.ship_by_stream(Freight::LinkEnds { link });
                }
            }
            Act::ToRegistry(line) => {
                if let Some(link) = self.stations[station].link {
                    self.ship_by_stream(Freight::ToRegistry { link, line });
                }
            }
            Act::Signal(remote, datagram) => {
                let signal = Signal::parse(datagram.as_bytes()).map(|signal| signal.say);
                if let Ok(Say::Accept(_, Some(yielded))) = &signal {
                    self.merged.insert(*yielded);
                }
                let to = self.lives_at(remote).expect("the two only call each other");
                let told = datagram.split(" hello").next().unwrap_or_default();
                self.note(format_args!("{station} says {told}"));
                let bytes = datagram.into_bytes();
                self.ship_datagram(|| Freight::Signal { to, from, bytes: bytes.clone() });
            }
            Act::ToClient(WATCHER, lines) => {
                self.note_begun(&lines);
                self.note(format_args!("{station} is told {}", lines.trim_end()));
                self.stations[station].told(&lines, self.now);
            }
            Act::ToClient(..) => {}
            Act::Order(order) => self.stations[station].order(&order),
        }
    }

    /// What happens, for `TRACE=1 SEED=n SEEDS=1`.
    #[expect(clippy::print_stdout, reason = "for whoever asked to see the story")]
    fn note(&self, what: fmt::Arguments<'_>) {
        if self.is_traced {
            println!("{:6} {what}", (self.now - self.start).as_millis());
        }
    }

    fn note_begun(&mut self, lines: &str) {
        for line in lines.lines().filter_map(|line| line.strip_prefix("* CALL ")) {
            let (id, rest) = line.split_once(' ').expect("an event has a state");
            if rest.starts_with("calling ") {
                self.begun.insert(CallId::parse(id).expect("an event has a call-id"), self.now);
            }
        }
    }
}

/// An output of an agent, in owned form.
enum Act {
    Connect,
    Disconnect,
    ToRegistry(String),
    Signal(SocketAddr, String),
    ToClient(ClientId, String),
    Order(vox_peer::media::orders::MediaOrder),
}

impl Act {
    fn of(output: Output<'_>) -> Self {
        match output {
            Output::Connect => Self::Connect,
            Output::Disconnect => Self::Disconnect,
            Output::ToRegistry(line) => Self::ToRegistry(line.to_owned()),
            Output::Signal(path, datagram) | Output::SignalWhenIdle(path, datagram) => {
                Self::Signal(path.remote, datagram.to_owned())
            }
            Output::ToClient(client, lines) => Self::ToClient(client, lines.to_owned()),
            Output::Media(order) => Self::Order(order),
            Output::Seal(..)
            | Output::Resolve(..)
            | Output::ListDevices(_)
            | Output::KnownAddresses(_)
            | Output::Keep(..)
            | Output::KeepAndAnswer(..)
            | Output::Log(..) => Self::ToClient(CALLER, String::new()),
        }
    }
}

fn settings() -> registry::Settings {
    registry::Settings {
        name: Name::parse("vox").expect("a name"),
        port: 5000,
        max_users: 512,
        max_rooms: 64,
        access: registry::Access::Open,
        sealing: registry::Sealing::Offered,
        limits: registry::Limits {
            connections_per_address: Some(64),
            pace: Some(registry::Pace { per_second: 20, burst: 100 }),
            idle_unregistered: Some(Duration::from_secs(120)),
        },
    }
}
