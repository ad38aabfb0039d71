//! One call between two stations on virtual time, from the first datagram to the last, with one datagram spoilt on its way.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use vox_common::sys::clock;
use vox_peer::agent::io::{ClientId, Input, Moment, Output};
use vox_peer::media::orders::{MediaNews, MediaOrder};
use vox_peer::media::srtp::keys::MediaKeys;

use super::station::Station;

/// The program that watches a station, and calls.
const WATCHER: ClientId = ClientId(0);

/// Nobody waits longer than 6 s for anything; and a bit for what is said last.
const PATIENCE: Duration = Duration::from_secs(8);

/// How long it is listened to what both say once they talk, and once one has hung up.
const WHILE: Duration = Duration::from_secs(2);

/// Which datagram of all, from 0 on, and which bit of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flip {
    /// Counted as they are sent, by either.
    pub datagram: usize,
    /// From the first byte's lowest bit on.
    pub bit: usize,
}

/// How bob takes a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// At once.
    ByHimself,
    /// When it rings.
    WhenItRings,
}

/// How a call went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Went {
    /// Both talked, with the same keys, and agreed on its end.
    Well,
    /// Neither talked, and both came to rest: what the caller and the callee say of it.
    NotAtAll(String, String),
    /// What must not be.
    Wrong(String),
}

/// Alice, who calls, and bob.
pub struct SetUp {
    takes: Takes,
    now: Instant,
    /// Alice and bob.
    stations: Vec<Station>,
    /// To whom, and what.
    under_way: VecDeque<(usize, Vec<u8>)>,
    flip: Option<Flip>,
    sent: Vec<Vec<u8>>,
    keys: [Vec<Option<MediaKeys>>; 2],
}

impl SetUp {
    /// Alice calls bob; the lengths of all datagrams when nothing is spoilt.
    pub fn lengths(takes: Takes) -> Vec<usize> {
        let mut set_up = Self::new(takes, None);
        assert_eq!(set_up.play(), Went::Well);
        set_up.sent.iter().map(Vec::len).collect()
    }

    /// Alice calls bob, and that bit is flipped.
    pub fn with(takes: Takes, flip: Flip) -> Went {
        Self::new(takes, Some(flip)).play()
    }

    fn new(takes: Takes, flip: Option<Flip>) -> Self {
        let by_himself = takes == Takes::ByHimself;
        let now = clock::now();
        let station = |name: &str, address: &str, auto_answer, seed| {
            let address = address.parse().expect("an address");
            Station::new(name, address, auto_answer, [seed; 32], Moment { at: now, unix: 0 })
        };
        let stations = vec![
            station("alice", "192.0.2.1:6000", false, 1),
            station("bob", "192.0.2.2:6000", by_himself, 2),
        ];
        let (under_way, sent, keys) = (VecDeque::new(), Vec::new(), [Vec::new(), Vec::new()]);
        Self { takes, now, stations, under_way, flip, sent, keys }
    }

    fn play(&mut self) -> Went {
        (0..2).for_each(|who| self.feed(who, Input::Control(WATCHER, Ok("WATCH"))));
        let bob = self.stations[1].address;
        self.feed(0, Input::Control(WATCHER, Ok(&format!("CALL {bob} detach"))));
        if self.takes == Takes::WhenItRings && self.run(PATIENCE, Self::it_rings) {
            self.feed(1, Input::Control(WATCHER, Ok("ANSWER")));
        }
        let talked = self.run(PATIENCE, Self::both_talk);
        if talked {
            self.run(WHILE, |_| false);
        }
        let keys = self.judge_keys(talked);
        self.feed(0, Input::Control(WATCHER, Ok("HANGUP")));
        self.run(PATIENCE + PATIENCE, |set_up| set_up.stations.iter().all(Station::is_at_rest));
        self.run(WHILE, |_| false);
        keys.and_then(|()| self.judge(talked)).unwrap_or_else(Went::Wrong)
    }

    fn it_rings(&self) -> bool {
        matches!(self.stations[1].agent.calls().legs(), [leg] if leg.is_ringing_here())
    }

    fn both_talk(&self) -> bool {
        self.stations.iter().all(|station| matches!(station.agent.calls().legs(), [leg] if leg.is_talking()))
    }

    /// Sound is sealed on both sides with the same keys, or it is not there.
    fn judge_keys(&self, talked: bool) -> Result<(), String> {
        match (talked, &self.keys[0][..], &self.keys[1][..]) {
            (true, [Some(alice)], [Some(bob)])
                if (&alice.sends, &alice.receives) == (&bob.receives, &bob.sends) =>
            {
                Ok(())
            }
            (false, [] | [Some(_)], [] | [Some(_)]) => Ok(()),
            (.., alice, bob) => {
                Err(format!("talked: {talked}, sound began {} and {} times", alice.len(), bob.len()))
            }
        }
    }

    fn judge(&self, talked: bool) -> Result<Went, String> {
        if let Some(busy) = self.stations.iter().find(|station| !station.is_at_rest()) {
            return Err(format!("{} is not at rest: {:?}", busy.address, busy.agent.calls().legs()));
        }
        let ended = |station: &Station| {
            station.endings.iter().map(|(_, ending, _)| ending.reason.clone()).collect::<Vec<_>>()
        };
        let endings: Vec<_> = self.stations.iter().map(ended).collect();
        match (talked, &endings[0][..], &endings[1][..]) {
            (true, [alice], [bob]) if alice == "hangup" && bob == "far-hangup" => Ok(Went::Well),
            (false, [alice], []) => Ok(Went::NotAtAll(alice.clone(), String::new())),
            (false, [alice], [bob]) => Ok(Went::NotAtAll(alice.clone(), bob.clone())),
            _ => Err(format!("talked: {talked}, ended {endings:?}")),
        }
    }

    /// Until it is so, or the time is up. Whether it is so.
    fn run(&mut self, length: Duration, is_so: impl Fn(&Self) -> bool) -> bool {
        let end = self.now + length;
        while !is_so(self) {
            if let Some((to, bytes)) = self.under_way.pop_front() {
                let from = self.stations[1 - to].address;
                self.feed(to, Input::Datagram { from, local: None, bytes: &bytes });
                continue;
            }
            let deadlines = self.stations.iter().filter_map(|station| station.agent.deadline());
            let next = deadlines.min().unwrap_or(end).max(self.now);
            if next >= end {
                self.now = end;
                return is_so(self);
            }
            self.now = next;
            self.hear_each_other();
            (0..2).for_each(|who| self.feed(who, Input::Tick));
        }
        true
    }

    /// The sound of each reaches the other where both have begun to send.
    fn hear_each_other(&mut self) {
        for (from, to) in [(0, 1), (1, 0)] {
            let (source, targets) = (self.stations[from].address, self.stations[from].sends_to());
            if targets.contains(&self.stations[to].address)
                && let Some(leg) = self.stations[to].hears(source, self.now)
            {
                self.feed(to, Input::Media(&MediaNews::Heard(leg)));
            }
        }
    }

    fn feed(&mut self, who: usize, input: Input<'_>) {
        let moment = Moment { at: self.now, unix: 0 };
        let (mut said, mut told, mut ordered) = (Vec::new(), Vec::new(), Vec::new());
        self.stations[who].agent.handle(moment, input, &mut |output| match output {
            Output::Signal(path, signal) => said.push((path.remote, signal.to_string().into_bytes())),
            Output::ToClient(_, lines) => told.push(lines.to_owned()),
            Output::Media(order) => ordered.push(order),
            _ => {}
        });
        told.iter().for_each(|lines| self.stations[who].told(lines, self.now));
        ordered.iter().for_each(|order| self.order(who, order));
        said.into_iter().for_each(|(to, bytes)| self.ship(to, bytes));
    }

    fn order(&mut self, who: usize, order: &MediaOrder) {
        if let MediaOrder::Start { keys, .. } = order {
            self.keys[who].push(keys.clone());
        }
        self.stations[who].order(order);
    }

    fn ship(&mut self, to: SocketAddr, mut bytes: Vec<u8>) {
        let nth = self.sent.len();
        self.sent.push(bytes.clone());
        if let Some(Flip { bit, .. }) = self.flip.filter(|flip| flip.datagram == nth) {
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        let to = usize::from(to == self.stations[1].address);
        self.under_way.push_back((to, bytes));
    }
}
