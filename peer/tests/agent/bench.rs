//! One agent on a bench: inputs with their times go in, and come out as lines that a person can read.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use vox_common::seal::identity::Identity;
use vox_common::sys::clock;
use vox_common::wire::coding::{Codec, Coding};
use vox_common::wire::names::{DisplayName, Name};
use vox_common::wire::signal::{CallId, Cookie, Endings, Hello, Kind, MediaSealing, Reason, Say, Signal};
use vox_peer::agent::allow::Allow;
use vox_peer::agent::calls::Me;
use vox_peer::agent::choices::Choices;
use vox_peer::agent::consent::Consent;
use vox_peer::agent::io::{ClientId, Input, Kept, Moment, Output, Policy};
use vox_peer::agent::known::KnownKeys;
use vox_peer::agent::link::Sealing;
use vox_peer::agent::{Agent, Settings};
use vox_peer::dsp::tasks::Tasks;
use vox_peer::media::orders::{LegId, MediaNews, MediaOrder};

use crate::far::{Far, Word};

/// Another station.
pub(crate) const BOB: &str = "192.0.2.2:6000";

/// Alice herself.
const ALICES: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

/// Somebody else.
pub(crate) const EVE: &str = "192.0.2.3:6000";

/// The program that calls.
pub(crate) const CALLER: ClientId = ClientId(0);

/// A program that watches.
pub(crate) const WATCHER: ClientId = ClientId(1);

/// A station called alice, and everything it did.
pub(crate) struct Bench {
    pub(crate) agent: Agent,
    /// Everybody who talks to alice, by their addresses.
    fars: HashMap<SocketAddr, Far>,
    start: Instant,
    now: u64,
    /// Every signal with its time, for scripts that count.
    pub(crate) sent: Vec<(u64, SocketAddr, Signal)>,
    /// The history file as it was kept last.
    pub(crate) kept: String,
    /// The messages file as it was kept last.
    pub(crate) kept_messages: String,
    /// The settings file as it was kept last.
    pub(crate) kept_choices: String,
    /// The known-peers file as it was kept last.
    pub(crate) known: String,
    /// Every set of known addresses that was told, with its time.
    pub(crate) known_addresses: Vec<(u64, Vec<IpAddr>)>,
    /// Every line that a program was told, whole.
    pub(crate) told: Vec<String>,
    /// Every line of the log, with its level before it.
    pub(crate) logged: Vec<String>,
}

impl Bench {
    /// Without a registry; a watcher looks on.
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    /// With settings of the test's own.
    pub(crate) fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings {
            me: Me { name: name("alice"), display: None, sends: coding(), media: MediaSealing::Required },
            identity: Identity::new(ALICE),
            port: 6000.try_into().expect("a port"),
            registry: None,
            sealing: Sealing::default(),
            contacts: Vec::new(),
            tasks: Tasks::NONE,
            policy: policy(),
            history: String::new(),
            messages: String::new(),
            choices: Choices::default(),
            known: KnownKeys::default(),
            key_file: Some("key".to_owned()),
            secret: None,
            seed: [7_u8; 32].into(),
        };
        change(&mut settings);
        let start = clock::now();
        let agent = Agent::new(settings, Moment { at: start, unix: 1000 });
        let mut bench = Self {
            agent,
            fars: HashMap::new(),
            start,
            now: 0,
            sent: Vec::new(),
            kept: String::new(),
            kept_messages: String::new(),
            kept_choices: String::new(),
            known: String::new(),
            known_addresses: Vec::new(),
            told: Vec::new(),
            logged: Vec::new(),
        };
        bench.put(Input::Control(WATCHER, Ok("WATCH")));
        bench
    }

    /// With a registry, and registered there at 0.
    pub(crate) fn registered() -> Self {
        let mut bench = Self::with(|settings| settings.registry = Some("vox.test:5000".to_owned()));
        bench.put(Input::Start);
        bench.greet();
        bench.line("200 watching");
        bench.line("210-alice 192.0.2.1:6000 idle -");
        bench.line("210-bob 192.0.2.2:6000 idle -");
        bench.line("210 2 users");
        bench
    }

    /// The registry's connection stands and takes us in; what follows at once.
    pub(crate) fn greet(&mut self) -> Vec<String> {
        self.is_greeted();
        self.line("200 registered alice 192.0.2.1:6000")
    }

    /// The registry's connection stands and says hello; what follows.
    pub(crate) fn is_greeted(&mut self) -> Vec<String> {
        self.put(Input::LinkUp);
        self.line(&format!("220 vox-registry 0.1.0 vox {}", "0".repeat(32)))
    }

    /// The registry is restarted: its connection ends, and it takes us in again; what follows at once.
    pub(crate) fn registry_restarts(&mut self) -> Vec<String> {
        self.put(Input::LinkDown("the registry closed the connection"));
        self.until(self.now + 15_000);
        let acts = self.greet();
        self.line("200 watching");
        self.line("210 0 users");
        acts
    }

    /// The operator decides otherwise from now on.
    pub(crate) fn agent_policy(&mut self, change: impl FnOnce(&mut Policy)) {
        let mut policy = policy();
        change(&mut policy);
        self.put(Input::Reload(&policy, None));
    }

    /// The call of now.
    pub(crate) fn agent_call(&self) -> CallId {
        self.agent.calls().current().expect("a call").id
    }

    /// What time it is.
    pub(crate) fn now(&self) -> u64 {
        self.now
    }

    /// The same, as the agent knows it.
    pub(crate) fn moment(&self) -> Instant {
        self.at(self.now)
    }

    /// The registry says a line.
    pub(crate) fn line(&mut self, line: &str) -> Vec<String> {
        self.put(Input::LinkLine(line))
    }

    /// One input, now.
    pub(crate) fn put(&mut self, input: Input<'_>) -> Vec<String> {
        let moment = Moment { at: self.at(self.now), unix: 1000 + self.now / 1000 };
        let Self {
            agent,
            fars,
            now,
            sent,
            kept,
            kept_messages,
            kept_choices,
            known,
            known_addresses,
            told,
            logged,
            ..
        } = self;
        let mut acts = Vec::new();
        agent.handle(moment, input, &mut |output| match output {
            Output::Connect => acts.push("connect".to_owned()),
            Output::Disconnect => acts.push("disconnect".to_owned()),
            Output::ToRegistry(line) => acts.push(format!("registry < {line}")),
            Output::Seal(..) => acts.push("seal".to_owned()),
            Output::Signal(path, datagram) | Output::SignalWhenIdle(path, datagram) => {
                far(fars, path.remote).hear(datagram.as_bytes());
                let signal = Signal::parse(datagram.as_bytes()).expect("a signal");
                acts.push(format!("{} < {}", path.remote, readable(&signal)));
                sent.push((*now, path.remote, signal));
            }
            Output::ToClient(client, lines) => {
                assert!(lines.ends_with('\n'), "whole lines: {lines:?}");
                told.extend(lines.lines().map(str::to_owned));
                acts.extend(lines.lines().map(|line| format!("{} < {}", client.0, without_trust(line))));
            }
            Output::Resolve(ticket, host) => acts.push(format!("resolve {} {host}", ticket.0)),
            Output::ListDevices(client) => acts.push(format!("list devices for {}", client.0)),
            Output::Media(order) => acts.push(ordered(&order)),
            Output::KnownAddresses(addresses) => known_addresses.push((*now, addresses.to_vec())),
            Output::Keep(Kept::History, text) => text.clone_into(kept),
            Output::Keep(Kept::Messages, text) => text.clone_into(kept_messages),
            Output::Keep(Kept::KnownKeys, text) => text.clone_into(known),
            Output::Keep(Kept::Settings, text) => text.clone_into(kept_choices),
            Output::KeepAndAnswer(file, text, client, answer) => {
                text.clone_into(if file == Kept::Settings { kept_choices } else { known });
                acts.push(format!("{} < {answer}", client.0));
            }
            Output::Log(level, line) => {
                assert!(!line.contains('\n'), "{line:?}");
                logged.push(format!("{level} {line}"));
            }
        });
        acts
    }

    fn at(&self, ms: u64) -> Instant {
        self.start + Duration::from_millis(ms)
    }

    /// Time passes; what is done on the way, each with its time before it.
    pub(crate) fn until(&mut self, ms: u64) -> Vec<String> {
        let mut acts = Vec::new();
        while let Some(due) = self.due().filter(|due| *due <= ms) {
            self.now = self.now.max(due);
            let done = self.put(Input::Tick);
            assert!(self.due().is_none_or(|next| next > self.now), "nothing is due twice at {}", self.now);
            acts.extend(done.into_iter().map(|act| format!("{} {act}", self.now)));
        }
        self.now = ms;
        acts
    }

    /// The next deadline, rounded up to milliseconds.
    fn due(&self) -> Option<u64> {
        let due = self.agent.deadline()?.saturating_duration_since(self.start);
        Some(u64::try_from(due.as_nanos().div_ceil(1_000_000)).expect("a short test"))
    }

    /// A control client says a line.
    pub(crate) fn ask(&mut self, client: ClientId, line: &str) -> Vec<String> {
        self.put(Input::Control(client, Ok(line)))
    }

    /// The answer to a control client only.
    pub(crate) fn answer(&mut self, line: &str) -> Vec<String> {
        let acts = self.ask(ClientId(9), line);
        acts.iter().filter_map(|act| act.strip_prefix("9 < ").map(str::to_owned)).collect()
    }

    /// A signal comes.
    pub(crate) fn hear(&mut self, from: &str, id: CallId, word: Word) -> Vec<String> {
        let bytes = self.far(from).say(id, word);
        self.bytes(from, &bytes)
    }

    /// A datagram comes.
    pub(crate) fn bytes(&mut self, from: &str, bytes: &[u8]) -> Vec<String> {
        self.put(Input::Datagram { from: address(from), local: None, bytes })
    }

    /// Somebody with a key of his own, who can send from wherever he likes.
    pub(crate) fn stranger() -> Far {
        Far::new([9; 32], *Identity::new(ALICE).public())
    }

    /// Whoever lives there.
    pub(crate) fn far(&mut self, from: &str) -> &mut Far {
        far(&mut self.fars, address(from))
    }

    /// Whoever lives there is set up anew, and has another key.
    pub(crate) fn is_set_up_anew(&mut self, at: &str) {
        let (station, mut secret) = (*Identity::new(ALICE).public(), secret_of(address(at)));
        secret[31] ^= 0xff;
        self.fars.insert(address(at), Far::new(secret, station));
    }

    /// A call comes, with the cookie that it is asked for; what follows on the good INVITE.
    pub(crate) fn invited(&mut self, from: &str, id: CallId) -> Vec<String> {
        let cookie = self.cookie(from, id);
        self.hear(from, id, Word::Invite(cookie, hello("bob")))
    }

    /// The cookie for a call.
    pub(crate) fn cookie(&mut self, from: &str, id: CallId) -> Cookie {
        self.hear(from, id, Word::Knock);
        match self.sent.pop() {
            Some((.., Signal { say: Say::Retry(cookie, _), .. })) => cookie,
            other => panic!("a RETRY, not {other:?}"),
        }
    }

    /// Alice calls bob by address, and has sent her first INVITE.
    pub(crate) fn calls(&mut self) -> CallId {
        self.calls_at(BOB)
    }

    /// Alice calls an address, and has sent her first INVITE.
    pub(crate) fn calls_at(&mut self, address: &str) -> CallId {
        let acts = self.ask(CALLER, &format!("CALL {address}"));
        id_in(&acts)
    }

    /// It rings at bob's.
    pub(crate) fn calls_until_it_rings(&mut self) -> CallId {
        let id = self.calls();
        self.hear(BOB, id, Word::Retry(Cookie::parse("baked").expect("a cookie")));
        self.hear(BOB, id, Word::Ringing(hello("bob")));
        id
    }

    /// Alice and bob talk; alice has called.
    pub(crate) fn calls_until_they_talk(&mut self) -> CallId {
        let id = self.calls_until_it_rings();
        self.hear(BOB, id, Word::Accept(hello("bob"), None));
        id
    }

    /// The sound hears the only leg.
    pub(crate) fn sound(&mut self) -> Vec<String> {
        let place = self.agent.calls().legs().first().map_or(LegId(0), |leg| leg.place);
        self.put(Input::Media(&MediaNews::Heard(place)))
    }

    /// How calls have ended, oldest first: `in|out <outcome>`.
    pub(crate) fn endings(&self) -> Vec<String> {
        let past = self.kept.lines().skip(1).map(|line| line.split(' ').collect::<Vec<_>>());
        past.map(|words| format!("{} {}", words[1], words[4])).collect()
    }

    /// Whether no call is left.
    pub(crate) fn is_idle(&self) -> bool {
        self.agent.calls().legs().is_empty()
    }

    /// When each signal of a kind was sent.
    pub(crate) fn times_of(&self, verb: &str) -> Vec<u64> {
        let of_kind = |(.., signal): &&(u64, SocketAddr, Signal)| readable(signal).starts_with(verb);
        self.sent.iter().filter(of_kind).map(|(at, ..)| *at).collect()
    }
}

pub(crate) fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

/// Alice's secret.
const ALICE: [u8; 32] = [7; 32];

/// Whoever lives there, with a key of its own and a memory.
fn far(fars: &mut HashMap<SocketAddr, Far>, address: SocketAddr) -> &mut Far {
    let station = *Identity::new(ALICE).public();
    let secret = if address.ip() == ALICES { ALICE } else { secret_of(address) };
    fars.entry(address).or_insert_with(|| Far::new(secret, station))
}

fn secret_of(address: SocketAddr) -> [u8; 32] {
    let mut secret = [1; 32];
    secret.iter_mut().zip(address.to_string().bytes()).for_each(|(secret, byte)| *secret = byte);
    secret
}

/// The call-id in the answer to CALL.
pub(crate) fn id_in(acts: &[String]) -> CallId {
    let answer =
        acts.iter().find(|act| act.contains(" < 200 calling ")).unwrap_or_else(|| panic!("{acts:?}"));
    answer.split(' ').nth(5).and_then(CallId::parse).expect("a call-id")
}

/// What a call-id is for tests.
pub(crate) fn id(n: u8) -> CallId {
    CallId([n; 16])
}

pub(crate) fn name(word: &str) -> Name {
    Name::parse(word).expect("a name")
}

/// What an operator decides who decides nothing.
pub(crate) fn policy() -> Policy {
    Policy {
        consent: Consent::default(),
        allow: Allow::Anyone,
        ring_timeout: Duration::from_secs(30),
        alarm_delay: None,
    }
}

fn coding() -> Coding {
    Coding { codec: Codec::Opus, ptime_us: 10_000 }
}

/// Somebody introduces himself.
pub(crate) fn hello(from: &str) -> Hello {
    let display = DisplayName::new("Bob B.");
    Hello {
        from: name(from),
        kind: Kind::Voice,
        to: None,
        display,
        sends: Some(coding()),
        takes_red: true,
        media: MediaSealing::Required,
        after: Endings::new(),
    }
}

/// Only those acts that go to another station.
pub(crate) fn signals(acts: &[String]) -> Vec<&str> {
    acts.iter().filter(|act| act.contains(":6000 < ")).map(String::as_str).collect()
}

/// Only those acts that the sound is asked for.
pub(crate) fn orders(acts: &[String]) -> Vec<&str> {
    acts.iter().filter(|act| !act.contains(" < ")).map(String::as_str).collect()
}

/// A line about a call without what is thought of the key and of the words: that is for `trust.rs`.
fn without_trust(line: &str) -> String {
    let is_trust =
        |word: &&str| ["fingerprint=", "trust=", "sealed=", "words="].iter().any(|key| word.starts_with(key));
    let is_call = ["* CALL ", "230-call ", "231-"].iter().any(|start| line.starts_with(start));
    line.split(' ').filter(|word| !(is_call && is_trust(word))).collect::<Vec<_>>().join(" ")
}

/// Verb, and reason or cookie: the rest is for machines.
fn readable(signal: &Signal) -> String {
    let text = signal.to_string();
    let words = text.split(' ').skip(1).enumerate();
    let told = words.filter(|(nth, word)| *nth != 1 && !is_for_machines(word));
    told.map(|(_, word)| word).collect::<Vec<_>>().join(" ")
}

fn is_for_machines(word: &str) -> bool {
    ["hello=", "tag=", "key=", "pad="].iter().any(|key| word.starts_with(key))
}

fn ordered(order: &MediaOrder) -> String {
    match order {
        MediaOrder::Start { path, .. } => format!("start with {}", path.remote),
        MediaOrder::Send(_) => "send".to_owned(),
        MediaOrder::Stop(_) => "stop".to_owned(),
        MediaOrder::Ring(on) => format!("ring {on}"),
        MediaOrder::Mute(on) => format!("mute {on}"),
        MediaOrder::Volume(direction, percent) => format!("volume {direction:?} {percent}"),
    }
}

/// Nothing that a signal can say is left out.
pub(crate) fn every_word() -> Vec<Word> {
    let cookie = Cookie::parse("baked").expect("a cookie");
    vec![
        Word::Knock,
        Word::Invite(cookie.clone(), hello("bob")),
        Word::Retry(cookie),
        Word::Ringing(hello("bob")),
        Word::Accept(hello("bob"), None),
        Word::Accept(hello("bob"), Some(id(3))),
        Word::Reject(Reason::Declined),
        Word::Confirm,
        Word::Cancel(Reason::Cancelled),
        Word::Bye(Reason::Hangup),
        Word::ByeOk,
    ]
}
