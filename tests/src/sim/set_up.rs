//! One call between two stations on virtual time, from the first datagram to the last, with one datagram spoilt on its way,
//! once or each time that it is sent.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use vox_common::sys::clock;
use vox_peer::agent::io::{ClientId, Input, Moment, Output};
use vox_peer::media::orders::{MediaNews, MediaOrder};
use vox_peer::media::srtp::keys::MediaKeys;

use super::course::{Copies, Course, Flip, Went};
use super::station::{RING_TIMEOUT, Station};

/// The program that watches a station, and calls.
const WATCHER: ClientId = ClientId(0);

/// Nobody waits longer than 6 s for anything; and a bit for what is said last.
const PATIENCE: Duration = Duration::from_secs(8);

/// How long it is listened to what both say once they talk, and once one has hung up.
const WHILE: Duration = Duration::from_secs(2);

/// Alice, who calls, and bob.
pub struct SetUp {
    course: Course,
    now: Instant,
    /// Alice and bob.
    stations: Vec<Station>,
    /// To whom, and what.
    under_way: VecDeque<(usize, Vec<u8>)>,
    flip: Option<Flip>,
    /// What came to be flipped.
    flipped: Option<Vec<u8>>,
    sent: Vec<Vec<u8>>,
    keys: [Vec<Option<MediaKeys>>; 2],
    /// Since when the call rings at bob's.
    rings: Option<Instant>,
}

impl SetUp {
    /// Alice calls bob; all datagrams when nothing is spoilt.
    pub fn datagrams(course: Course) -> Vec<Vec<u8>> {
        let mut set_up = Self::new(course, None);
        assert_eq!(set_up.play(), Went::Well);
        set_up.sent
    }

    /// Alice calls bob, and that bit is flipped.
    pub fn with(course: Course, flip: Flip) -> Went {
        Self::new(course, Some(flip)).play()
    }

    fn new(course: Course, flip: Option<Flip>) -> Self {
        let by_himself = course == Course::TakenAtOnce;
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
        Self { course, now, stations, under_way, flip, flipped: None, sent, keys, rings: None }
    }

    fn play(&mut self) -> Went {
        (0..2).for_each(|who| self.feed(who, Input::Control(WATCHER, Ok("WATCH"))));
        let bob = self.stations[1].address;
        self.feed(0, Input::Control(WATCHER, Ok(&format!("CALL {bob} detach"))));
        self.decide();
        let talked = self.course.is_taken() && self.run(PATIENCE, Self::both_talk);
        if talked {
            self.run(WHILE, |_| false);
        }
        let keys = self.judge_keys(talked);
        if self.course.is_taken() {
            self.feed(0, Input::Control(WATCHER, Ok("HANGUP")));
        }
        self.run(PATIENCE + PATIENCE, |set_up| set_up.stations.iter().all(Station::is_at_rest));
        self.run(WHILE, |_| false);
        keys.and_then(|()| self.judge_ringing()).and_then(|()| self.judge(talked)).unwrap_or_else(Went::Wrong)
    }

    /// What somebody does once it rings.
    fn decide(&mut self) {
        let (who, line, heard): (_, _, fn(&Self) -> bool) = match self.course {
            Course::TakenAtOnce => return,
            Course::TakenWhenItRings => (1, "ANSWER", Self::it_rings),
            Course::Refused => (1, "REJECT", Self::it_rings),
            Course::Withdrawn => (0, "HANGUP", Self::ringing_is_heard),
        };
        if self.run(PATIENCE, Self::it_rings) {
            self.rings = Some(self.now);
        }
        if self.run(PATIENCE, heard) {
            self.feed(who, Input::Control(WATCHER, Ok(line)));
        }
    }

    fn it_rings(&self) -> bool {
        matches!(self.stations[1].agent.calls().legs(), [leg] if leg.is_ringing_here())
    }

    fn ringing_is_heard(&self) -> bool {
        matches!(self.stations[0].agent.calls().legs(), [leg] if leg.state_word() == "ringing-there")
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

    /// Bob's phone is silent by the time that it would be without alice.
    fn judge_ringing(&self) -> Result<(), String> {
        let ended = self.stations[1].endings.iter().map(|(.., at)| *at).next_back();
        match (self.rings, ended) {
            (Some(rings), Some(ended)) if !self.course.is_taken() && ended > rings + RING_TIMEOUT => {
                Err(format!("it rang for {:?}", ended - rings))
            }
            _ => Ok(()),
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
            (talked, [alice], [bob])
                if talked == self.course.is_taken() && (&**alice, &**bob) == self.course.endings() =>
            {
                Ok(Went::Well)
            }
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
            Output::Signal(path, signal) | Output::SignalWhenIdle(path, signal) => {
                said.push((path.remote, signal.to_string().into_bytes()));
            }
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
        if let Some(Flip { bit, .. }) = self.flip.filter(|flip| self.is_meant(*flip, nth)) {
            self.flipped = Some(bytes.clone());
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        let to = usize::from(to == self.stations[1].address);
        self.under_way.push_back((to, bytes));
    }

    /// Whether the one that was sent last is to be flipped.
    fn is_meant(&self, flip: Flip, nth: usize) -> bool {
        let is_copy =
            flip.copies == Copies::All && self.flipped.is_some() && self.flipped.as_ref() == self.sent.last();
        flip.datagram == nth || is_copy
    }
}
