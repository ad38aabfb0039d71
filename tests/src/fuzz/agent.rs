//! Two stations, the people and programs at them, and a network that does anything with what is on it: no list of
//! operations brings a station to send sound nobody answered for, to answer strangers with more than they sent, or to be
//! left with a call that is none.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use arbitrary::{Arbitrary, Unstructured};
use vox_common::sys::clock;
use vox_common::wire::limits::{LINE_BYTES, SIGNAL_BYTES};
use vox_common::wire::signal::Signal;
use vox_peer::agent::io::{ClientId, Input, Moment, Output, Ticket};
use vox_peer::media::orders::{LegId, MediaNews, MediaOrder};

use crate::sim::station::Station;

/// What is on its way at most; more is lost.
const MOST_FREIGHT: usize = 64;
const MOST_OPS: usize = 200;

/// What one input may lead to at most.
const MOST_OUTPUTS: usize = 200;

/// Alice, bob, and somebody who does not know what is sent in their name.
const ADDRESSES: [&str; 3] = ["192.0.2.1:6000", "192.0.2.2:6000", "192.0.2.3:6000"];
const VICTIM: u8 = 2;

/// What people and programs type, beside whatever they may.
const LINES: [&str; 20] = [
    "CALL 192.0.2.1:6000",
    "CALL 192.0.2.2:6000 detach",
    "CALL bob",
    "ANSWER",
    "REJECT",
    "HANGUP",
    "WATCH",
    "STATUS",
    "MUTE on",
    "VOLUME out 50",
    "HISTORY",
    "MESSAGES",
    "USERS",
    "KEY",
    "KEYS",
    "FORGET 192.0.2.2:6000",
    "VERIFY 192.0.2.1:6000",
    "SET-STATUS dnd",
    "MSG bob hello",
    "HELP",
];

/// What a registry says, beside whatever it may.
const REGISTRY: [&str; 8] = [
    "220 vox-registry 0.1.0 vox BwcHBwcHBwcHBwcHBwcHBw",
    "200 registered alice 192.0.2.1:6000",
    "211 bob 192.0.2.2:6000 idle",
    "210-bob 192.0.2.2:6000 idle -",
    "210 1 users",
    "* JOINED bob 192.0.2.2:6000 idle -",
    "* LEFT bob",
    "404 no such user",
];

/// Signals of a call that is on its way, as somebody would forge them who saw it.
const FORGED: [&str; 9] = [
    "RINGING {id} hello=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA tag=AAAAAAAAAAAAAAAAAAAAAA",
    "ACCEPT {id} hello=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA tag=AAAAAAAAAAAAAAAAAAAAAA",
    "REJECT {id} reason=declined tag=AAAAAAAAAAAAAAAAAAAAAA",
    "REJECT {id} reason=wrong-key key=BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc",
    "CONFIRM {id}",
    "CANCEL {id} reason=cancelled tag=AAAAAAAAAAAAAAAAAAAAAA",
    "BYE {id} reason=hangup tag=AAAAAAAAAAAAAAAAAAAAAA",
    "BYE-OK {id} tag=AAAAAAAAAAAAAAAAAAAAAA",
    "RETRY {id} cookie=BwcHBwcHBwcHBwcHBwcHBw key=BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc",
];

#[derive(Debug, Clone, Copy, Arbitrary)]
enum Op<'a> {
    /// One calls the other, whose station is asked to answer or not, and everything arrives.
    SetUp {
        from: bool,
        answered: bool,
    },
    /// The oldest datagram arrives.
    Deliver,
    /// The oldest of all that are on their way are delivered, and what they lead to.
    DeliverAll,
    /// One arrives, and stays on its way.
    Duplicate(u8),
    Lose(u8),
    /// One arrives with a changed byte, from where it came from.
    Mangle {
        which: u8,
        at: u16,
        by: u8,
    },
    /// One arrives from somewhere else, at one of both.
    Redirect {
        which: u8,
        from: u8,
        at: bool,
    },
    /// Somebody's datagram.
    Send {
        from: u8,
        at: bool,
        bytes: &'a [u8],
    },
    /// A signal of the call of a datagram that is on its way.
    Forge {
        which: u8,
        from: u8,
        at: bool,
        say: u8,
    },
    Type {
        at: bool,
        client: u8,
        line: u8,
    },
    TypeAny {
        at: bool,
        client: u8,
        line: &'a str,
    },
    Leave {
        at: bool,
        client: u8,
    },
    Wait {
        ms: u16,
    },
    Hear {
        at: bool,
        leg: u8,
    },
    Unreachable {
        at: bool,
        who: u8,
    },
    LinkUp(bool),
    LinkLine {
        at: bool,
        line: u8,
    },
    LinkAny {
        at: bool,
        line: &'a str,
    },
    LinkDown(bool),
    Resolve {
        at: bool,
        found: Option<u8>,
    },
}

struct Freight {
    from: SocketAddr,
    to: SocketAddr,
    bytes: Vec<u8>,
}

struct Scene {
    stations: Vec<Station>,
    /// What the sound of each was told.
    sounds: [BTreeMap<u8, bool>; 2],
    freight: VecDeque<Freight>,
    now: Instant,
    start: Instant,
    ticket: [Ticket; 2],
    /// Bytes that the victim seems to have sent to each, less those that it was sent back; `None`: it was called.
    credit: [Option<i64>; 2],
}

/// A list of operations, behind who answers by himself.
pub fn holds(bytes: &[u8]) {
    let mut dice = Unstructured::new(bytes);
    let Ok(answers) = dice.arbitrary::<[bool; 2]>() else { return };
    let Ok(ops) = dice.arbitrary::<Vec<Op<'_>>>() else { return };
    let mut scene = Scene::new(answers);
    for at in [false, true] {
        scene.feed(at, Input::Start);
    }
    ops.into_iter().take(MOST_OPS).for_each(|op| scene.perform(op));
    scene.end();
}

fn address(which: u8) -> SocketAddr {
    ADDRESSES[usize::from(which) % ADDRESSES.len()].parse().expect("an address")
}

impl Scene {
    fn new(answers: [bool; 2]) -> Self {
        let now = clock::now();
        let station = |at: usize, name| {
            let seed = [u8::try_from(at).expect("two"); 32];
            let here = ADDRESSES[at].parse().expect("an address");
            Station::new(name, here, answers[at], seed, Moment { at: now, unix: 0 })
        };
        Self {
            stations: vec![station(0, "alice"), station(1, "bob")],
            sounds: Default::default(),
            freight: VecDeque::new(),
            now,
            start: now,
            ticket: [Ticket(0); 2],
            credit: [Some(0); 2],
        }
    }

    fn perform(&mut self, op: Op<'_>) {
        match op {
            Op::SetUp { from, answered } => self.set_up(from, answered),
            Op::Deliver => self.deliver(),
            Op::DeliverAll => self.deliver_all(),
            Op::Duplicate(which) => self.arrive_as(which, |_| ()),
            Op::Lose(which) => drop(self.freight.remove(which.into())),
            Op::Mangle { which, at, by } => self.arrive_as(which, |freight| {
                let at = usize::from(at) % freight.bytes.len();
                freight.bytes[at] ^= by;
            }),
            Op::Redirect { which, from, at } => self.arrive_as(which, |freight| {
                (freight.from, freight.to) = (address(from), address(at.into()));
            }),
            Op::Send { from, at, bytes } => self.arrive(address(from), at, bytes),
            Op::Forge { which, from, at, say } => self.forge(which, address(from), at, say),
            Op::Type { at, client, line } => {
                self.type_line(at, client, LINES[usize::from(line) % LINES.len()]);
            }
            Op::TypeAny { at, client, line } if is_line(line) => self.type_line(at, client, line),
            Op::Leave { at, client } => self.feed(at, Input::ControlGone(ClientId(client % 8))),
            Op::Wait { ms } => self.pass(Duration::from_millis(ms.into())),
            Op::Hear { at, leg } if self.sounds[usize::from(at)].contains_key(&leg) => {
                self.feed(at, Input::Media(&MediaNews::Heard(LegId(leg))));
            }
            Op::Unreachable { at, who } => self.feed(at, Input::Unreachable(address(who))),
            Op::LinkUp(at) => self.feed(at, Input::LinkUp),
            Op::LinkLine { at, line } => {
                self.feed(at, Input::LinkLine(REGISTRY[usize::from(line) % REGISTRY.len()]));
            }
            Op::LinkAny { at, line } if is_line(line) => self.feed(at, Input::LinkLine(line)),
            Op::LinkDown(at) => self.feed(at, Input::LinkDown("gone")),
            Op::Resolve { at, found } => self.resolve(at, found),
            Op::TypeAny { .. } | Op::Hear { .. } | Op::LinkAny { .. } => {}
        }
    }

    fn set_up(&mut self, from: bool, answered: bool) {
        self.type_line(from, 0, LINES[usize::from(!from)]);
        self.deliver_all();
        if answered {
            self.type_line(!from, 0, "ANSWER");
            self.deliver_all();
        }
    }

    fn deliver_all(&mut self) {
        (0..MOST_FREIGHT).for_each(|_| self.deliver());
    }

    fn deliver(&mut self) {
        if let Some(freight) = self.freight.pop_front() {
            self.arrives(&freight);
        }
    }

    fn arrive_as(&mut self, which: u8, change: impl FnOnce(&mut Freight)) {
        let Some(Freight { from, to, bytes }) = self.freight.get(usize::from(which)) else { return };
        let mut changed = Freight { from: *from, to: *to, bytes: bytes.clone() };
        change(&mut changed);
        self.arrives(&changed);
    }

    /// What is sent to nobody of ours is gone.
    fn arrives(&mut self, freight: &Freight) {
        if let Some(at) = [false, true].into_iter().find(|&at| address(at.into()) == freight.to) {
            self.arrive(freight.from, at, &freight.bytes);
        }
    }

    fn arrive(&mut self, from: SocketAddr, at: bool, bytes: &[u8]) {
        if from == address(VICTIM) {
            let credit = &mut self.credit[usize::from(at)];
            *credit = credit.map(|credit| credit + i64::try_from(bytes.len()).expect("short"));
        }
        self.feed(at, Input::Datagram { from, local: None, bytes });
    }

    fn forge(&mut self, which: u8, from: SocketAddr, at: bool, say: u8) {
        let Some(freight) = self.freight.get(usize::from(which)) else { return };
        let text = String::from_utf8_lossy(&freight.bytes).into_owned();
        let id = text.split(' ').nth(2).unwrap_or_default();
        let said = FORGED[usize::from(say) % FORGED.len()].replace("{id}", id);
        self.arrive(from, at, format!("VOX1 {said}").as_bytes());
    }

    fn type_line(&mut self, at: bool, client: u8, line: &str) {
        self.feed(at, Input::Control(ClientId(client % 8), Ok(line)));
    }

    fn resolve(&mut self, at: bool, found: Option<u8>) {
        let ticket = self.ticket[usize::from(at)];
        let there = found.map(|who| [address(who)]);
        let found = there.as_ref().map_or(Err("no such host"), |there| Ok(&there[..]));
        self.feed(at, Input::Resolved(ticket, found));
    }

    /// Time passes, and what is due is done on time, once.
    fn pass(&mut self, length: Duration) {
        let end = self.now + length;
        while let Some((at, due)) = self.next_due().filter(|&(_, due)| due <= end) {
            self.now = self.now.max(due);
            self.feed(at, Input::Tick);
            let still = self.stations[usize::from(at)].agent.deadline();
            assert!(still.is_none_or(|still| still > self.now), "a tick does what was due");
        }
        self.now = end;
    }

    fn next_due(&self) -> Option<(bool, Instant)> {
        let due = |at: bool| Some((at, self.stations[usize::from(at)].agent.deadline()?));
        [false, true].into_iter().filter_map(due).min_by_key(|&(_, due)| due)
    }

    /// Everybody hangs up, and a minute later nothing is left of any call.
    fn end(&mut self) {
        for at in [false, true] {
            self.type_line(at, 0, "HANGUP");
            self.feed(at, Input::Stop);
        }
        self.pass(Duration::from_secs(60));
        for (station, sounds) in self.stations.iter().zip(&self.sounds) {
            assert!(station.agent.calls().legs().is_empty(), "a call is left");
            assert!(sounds.is_empty(), "sound is left: {sounds:?}");
        }
    }

    fn feed(&mut self, at: bool, input: Input<'_>) {
        let now = Moment { at: self.now, unix: (self.now - self.start).as_secs() };
        let mut outputs = 0;
        let (mut sent, mut orders, mut asked) = (Vec::new(), Vec::new(), None);
        self.stations[usize::from(at)].agent.handle(now, input, &mut |output| {
            outputs += 1;
            match output {
                Output::Signal(path, signal) | Output::SignalWhenIdle(path, signal) => {
                    sent.push((path.remote, checked(signal)));
                }
                Output::Media(order) => orders.push(order),
                Output::ToClient(_, lines) => are_lines(lines),
                Output::ToRegistry(line) => assert!(is_line(line), "{line:?}"),
                Output::Resolve(ticket, _) => asked = Some(ticket),
                Output::Log(_, line) => assert!(!line.contains('\n'), "{line:?}"),
                _ => {}
            }
        });
        assert!(outputs <= MOST_OUTPUTS, "{outputs} outputs for one input");
        self.ticket[usize::from(at)] = asked.unwrap_or(self.ticket[usize::from(at)]);
        sent.into_iter().for_each(|(to, bytes)| self.ship(at, to, bytes));
        orders.iter().for_each(|order| self.order(at, order));
        self.sounds_right(at);
    }

    fn ship(&mut self, at: bool, to: SocketAddr, bytes: Vec<u8>) {
        if to == address(VICTIM) {
            self.spend(at, bytes.len());
        }
        if self.freight.len() < MOST_FREIGHT {
            self.freight.push_back(Freight { from: address(at.into()), to, bytes });
        }
    }

    /// Who never showed that it hears us is never sent more than it seems to have sent, unless we call it.
    fn spend(&mut self, at: bool, bytes: usize) {
        let victim = address(VICTIM);
        let legs = self.stations[usize::from(at)].agent.calls().legs();
        let credit = &mut self.credit[usize::from(at)];
        if legs.iter().any(|leg| leg.outgoing && leg.is_with(victim)) {
            *credit = None;
        }
        *credit = credit.map(|credit| credit - i64::try_from(bytes).expect("short"));
        assert!(credit.is_none_or(|credit| credit >= 0), "a stranger is sent more than it sent");
    }

    fn order(&mut self, at: bool, order: &MediaOrder) {
        let sounds = &mut self.sounds[usize::from(at)];
        match order {
            MediaOrder::Start { leg, .. } => assert_eq!(sounds.insert(leg.0, false), None, "started twice"),
            MediaOrder::Send(leg) => {
                let before = sounds.insert(leg.0, true);
                assert!(before.is_some(), "sound is sent before the call is answered");
            }
            MediaOrder::Stop(leg) => assert!(sounds.remove(&leg.0).is_some(), "stopped, and never started"),
            MediaOrder::Ring(_) | MediaOrder::Mute(_) | MediaOrder::Volume(..) => {}
        }
    }

    /// There is sound for the calls that were answered and for no others.
    fn sounds_right(&self, at: bool) {
        let legs = self.stations[usize::from(at)].agent.calls().legs();
        for leg in self.sounds[usize::from(at)].keys() {
            let talking = legs.iter().any(|of| of.place.0 == *leg && of.is_talking());
            assert!(talking, "the microphone is open for a call that nobody answered: {legs:?}");
        }
    }
}

/// The bytes of a signal, which is none too long and can be read.
fn checked(text: &str) -> Vec<u8> {
    assert!(text.len() <= SIGNAL_BYTES, "{text}");
    assert!(Signal::parse(text.as_bytes()).is_ok(), "{text}");
    text.as_bytes().to_vec()
}

fn are_lines(lines: &str) {
    assert!(lines.ends_with('\n'), "{lines:?}");
    assert!(lines.lines().all(is_line), "{lines:?}");
}

fn is_line(line: &str) -> bool {
    line.len() < LINE_BYTES && !line.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_operation_is_a_whole_call_with_sound_on_both_sides() {
        for from in [false, true] {
            let mut scene = Scene::new([false; 2]);
            scene.perform(Op::SetUp { from, answered: true });
            assert!(scene.sounds.iter().all(|sounds| sounds.values().eq([&true])), "{:?}", scene.sounds);
            scene.end();
        }
    }
}
