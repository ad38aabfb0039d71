//! The agent alone, in a call, and every way to spoil a signal: nothing of it touches the call, and nobody who has not
//! shown that it receives gets back more than it sent.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use vox_common::seal::identity::Identity;
use vox_common::sys::clock;
use vox_common::wire::coding::{Codec, Coding};
use vox_common::wire::names::Name;
use vox_common::wire::signal::{CallId, Cookie, Endings, Hello, Kind, MediaSealing, Say, Signal};
use vox_peer::agent::allow::Allow;
use vox_peer::agent::calls::Me;
use vox_peer::agent::choices::Choices;
use vox_peer::agent::consent::{Consent, Rule};
use vox_peer::agent::io::{ClientId, Input, Moment, Output, Policy};
use vox_peer::agent::known::KnownKeys;
use vox_peer::agent::link::Sealing;
use vox_peer::agent::{Agent, Settings};
use vox_peer::dsp::tasks::Tasks;
use vox_tests::far::{Far, Word};
use vox_tests::garbage;

const FAR: &str = "192.0.2.7:6000";
const STRANGER: &str = "192.0.2.66:6000";

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

fn hello(from: &str) -> Hello {
    let sends = Coding { codec: Codec::Opus, ptime_us: 10_000 };
    Hello {
        from: Name::parse(from).expect("a name"),
        kind: Kind::Voice,
        to: None,
        display: None,
        sends: Some(sends),
        takes_red: true,
        media: MediaSealing::Required,
        after: Endings::new(),
    }
}

struct Bench {
    agent: Agent,
    far: Far,
    start: Instant,
    call: CallId,
}

impl Bench {
    fn new() -> Self {
        let me = Me {
            name: Name::parse("bob").expect("a name"),
            display: None,
            sends: Coding { codec: Codec::Opus, ptime_us: 10_000 },
            media: MediaSealing::Required,
        };
        let settings = Settings {
            me,
            identity: Identity::new([3; 32]),
            port: 6000.try_into().expect("not 0"),
            registry: None,
            sealing: Sealing::default(),
            contacts: Vec::new(),
            tasks: Tasks::NONE,
            policy: Policy {
                consent: Consent { voice: Rule::Allow, ..Consent::default() },
                allow: Allow::Anyone,
                ring_timeout: Duration::from_secs(30),
                alarm_delay: None,
            },
            history: String::new(),
            messages: String::new(),
            choices: Choices::default(),
            known: KnownKeys::default(),
            key_file: None,
            secret: None,
            seed: [3_u8; 32].into(),
        };
        let start = clock::now();
        let agent = Agent::new(settings, Moment { at: start, unix: 0 });
        let far = Far::new([5; 32], *Identity::new([3; 32]).public());
        Self { agent, far, start, call: CallId([9; 16]) }
    }

    /// Bob, in a call with alice, who called.
    fn called() -> Self {
        let mut bench = Self::new();
        let retry = bench.says(Word::Knock);
        let [Signal { say: Say::Retry(cookie, _), .. }] = retry.as_slice() else { panic!("{retry:?}") };
        bench.says(Word::Invite(cookie.clone(), hello("alice")));
        bench.says(Word::Confirm);
        assert!(bench.is_talking());
        bench
    }

    /// Bob, in a call with alice, whom he called.
    fn calling() -> Self {
        let mut bench = Self::new();
        let line = format!("CALL {FAR}");
        let placed = bench.take(Input::Control(ClientId(0), Ok(&line)), FAR);
        bench.call = placed.first().expect("an INVITE").id;
        bench.says(Word::Retry(Cookie::new(&[7; 16]).expect("16 bytes fit")));
        bench.says(Word::Accept(hello("alice"), None));
        assert!(bench.is_talking());
        bench
    }

    /// The far end says something of the call.
    fn says(&mut self, word: Word) -> Vec<Signal> {
        let datagram = self.far.say(self.call, word);
        self.hear(FAR, &datagram)
    }

    fn hear(&mut self, from: &str, bytes: &[u8]) -> Vec<Signal> {
        self.take(Input::Datagram { from: address(from), local: None, bytes }, from)
    }

    /// The signals that an input provokes; they may go there and nowhere else.
    fn take(&mut self, input: Input<'_>, there: &str) -> Vec<Signal> {
        let now = Moment { at: self.start, unix: 0 };
        let mut said = Vec::new();
        let Self { agent, far, .. } = self;
        agent.handle(now, input, &mut |output| match output {
            Output::Signal(path, datagram) | Output::SignalWhenIdle(path, datagram) => {
                assert_eq!(path.remote, address(there), "only the sender is answered");
                far.hear(datagram.as_bytes());
                said.push(Signal::parse(datagram.as_bytes()).expect("a signal"));
            }
            Output::Media(_)
            | Output::Seal(..)
            | Output::Keep(..)
            | Output::KeepAndAnswer(..)
            | Output::Log(..)
            | Output::KnownAddresses(_)
            | Output::ToClient(..) => {}
            other => panic!("{other:?}"),
        });
        said
    }

    fn is_talking(&self) -> bool {
        let legs = self.agent.calls().legs();
        matches!(legs, [leg] if leg.id == self.call && leg.is_talking() && leg.path.remote == address(FAR))
    }
}

/// Every kind of signal, of a call that nobody knows.
fn signals() -> Vec<String> {
    let all = garbage::signals(&mut garbage::dice()).into_iter();
    all.map(|signal| String::from_utf8(signal).expect("text")).collect()
}

fn is_borne(bench: &mut Bench, bytes: &[u8]) {
    for from in [FAR, STRANGER] {
        let said = bench.hear(from, bytes);
        let answered: usize = said.iter().map(|signal| signal.to_string().len()).sum();
        let thing = String::from_utf8_lossy(bytes);
        assert!(answered <= bytes.len(), "{answered} bytes for {thing:?}: {said:?}");
        assert!(bench.is_talking(), "{thing:?} from {from}");
    }
}

#[test]
fn every_truncation_and_every_byte_of_every_signal_changed_to_every_other() {
    let mut bench = Bench::called();
    for signal in signals() {
        let whole = signal.as_bytes();
        (0..=whole.len()).for_each(|length| is_borne(&mut bench, &whole[..length]));
        for at in 0..whole.len() {
            let mut changed = whole.to_vec();
            for byte in 0..=u8::MAX {
                changed[at] = byte;
                is_borne(&mut bench, &changed);
            }
        }
    }
}

#[test]
fn the_words_of_the_running_call_from_somebody_else_are_nothing() {
    for bench in [Bench::called, Bench::calling] {
        let mut bench = bench();
        for signal in signals() {
            let mut mine = Signal::parse(signal.as_bytes()).expect("a signal");
            mine.id = bench.call;
            let said = bench.hear(STRANGER, mine.to_string().as_bytes());
            let [Signal { say: Say::Retry(cookie, _), .. }] = said.as_slice() else { continue };
            // It has shown that it receives, and still has no part in the call.
            let mut stranger = Far::new([6; 32], *Identity::new([3; 32]).public());
            let invite = stranger.say(bench.call, Word::Invite(cookie.clone(), hello("a")));
            bench.hear(STRANGER, &invite);
        }
        assert!(bench.is_talking());
    }
}
