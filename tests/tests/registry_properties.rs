//! Whatever is said to a registry, it answers or passes over, and everybody who watches knows what is so.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::Duration;

use proptest::prelude::*;
use vox_common::wire::event::{Event, Heard};
use vox_common::wire::keys::PublicKey;
use vox_common::wire::line::Framer;
use vox_common::wire::users::Entry;
use vox_tests::bed::{Place, Registry};
use vox_tests::wire::Wire;
use vox_tests::world::World;

/// One of each kind of line.
fn lines() -> Vec<String> {
    let register = format!("REGISTER bob 6001 key={} proof=x display=Jo%C3%A3o", PublicKey([9; 32]));
    let plain = [
        "REGISTER carol 6002",
        "LIST",
        "LIST al",
        "LOOKUP alice",
        "LOOKUP bob",
        "STATUS busy",
        "WATCH on",
        "WATCH off",
        "MSG bob two words",
        "BROADCAST to all",
        "CREATE bridge 12",
        "JOIN bridge",
        "LEAVE",
        "ROOMS",
        "MEMBERS",
        "MEMBERS bridge",
        "SAY hello",
        "STATS",
        "PING",
        "PING now",
        "ECHO two words",
        "HELP",
        "HELP LIST",
        "QUIT",
    ];
    plain.into_iter().map(String::from).chain([register]).collect()
}

/// Feeds bytes as the shell does; how many lines they were.
fn feed(world: &mut World, client: u16, bytes: &[u8]) -> usize {
    let mut framer = Framer::new();
    let mut count = 0;
    for byte in bytes {
        framer.space()[0] = *byte;
        let _ = framer.filled(1, |line| {
            count += usize::from(world.is_open(client));
            world.send(client, line);
            ControlFlow::Continue(())
        });
    }
    count
}

/// Feeds bytes to a fresh connection beside a user who must not notice. Every line has an answer.
fn is_answered(world: &mut World, alice: u16, bytes: &[u8]) {
    let client = world.local();
    let lines = feed(world, client, bytes);
    let heard = world.hear(client);
    let answers = heard.iter().filter(|line| match Heard::parse(line) {
        Heard::Reply(reply) => !reply.more,
        Heard::Event(_) => false,
        Heard::Unknown => panic!("{line:?} is not of the protocol, after {bytes:?}"),
    });
    assert_eq!(answers.count(), lines, "one answer for each line of {:?}", String::from_utf8_lossy(bytes));
    world.close(client);
    assert_eq!(world.ask(alice, "PING"), ["200 pong"]);
}

fn with_alice() -> (World, u16) {
    let mut world = World::new();
    let alice = world.local();
    world.ask(alice, "REGISTER alice 6000");
    (world, alice)
}

#[test]
fn every_truncation_and_every_changed_byte_of_every_line_is_answered() {
    let (mut world, alice) = with_alice();
    for line in lines() {
        let line = line + "\n";
        for end in 0..line.len() {
            is_answered(&mut world, alice, &[&line.as_bytes()[..end], b"\n"].concat());
        }
        for place in 0..line.len() {
            for byte in 0..=255 {
                let mut bytes = line.clone().into_bytes();
                bytes[place] = byte;
                is_answered(&mut world, alice, &bytes);
            }
        }
    }
}

/// Every single-byte change at one place of a line, as lines.
fn changes(line: &str, place: usize) -> Vec<u8> {
    let change = |byte| {
        let mut bytes = line.as_bytes().to_vec();
        bytes[place] = byte;
        bytes.push(b'\n');
        bytes
    };
    (0..=255).flat_map(change).collect()
}

#[test]
fn the_program_serves_others_whatever_it_is_told() {
    let place = Place::new();
    let registry = Registry::without_limits(&place);
    let mut alice = Wire::tcp(&registry.address());
    alice.hear();
    alice.ask("REGISTER alice 6000");
    for line in lines() {
        let truncated = (0..line.len()).flat_map(|end| format!("{}\n", &line[..end]).into_bytes()).collect();
        let changed = (0..line.len()).map(|place| changes(&line, place));
        for bytes in changed.chain([truncated]) {
            let mut noisy = Wire::tcp(&registry.address());
            noisy.send(&bytes);
            noisy.finish();
            let unknown = noisy.rest().into_iter().find(|line| Heard::parse(line) == Heard::Unknown);
            assert_eq!(unknown, None, "after {:?}", String::from_utf8_lossy(&bytes));
            assert_eq!(alice.ask("PING").as_deref(), Some("200 pong"));
        }
    }
    assert!(registry.ask("LIST alice").contains(&"210-alice 127.0.0.1:6000 idle -".to_owned()));
}

#[derive(Debug, Clone)]
enum Step {
    Connect,
    Say(usize, String),
    Vanish(usize),
    Pass(u64),
}

fn said() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => (0..12_u8, 6000..6012_u16, 0..3_u8).prop_map(|(name, port, key)| match key {
            0 => format!("REGISTER n{name} {port}"),
            key => format!("REGISTER n{name} {port} key={} display=N%20{name}", PublicKey([key; 32])),
        }),
        2 => prop::sample::select(&["idle", "busy", "away", "dnd"][..]).prop_map(|status| format!("STATUS {status}")),
        1 => prop::sample::select(lines()),
        1 => Just("QUIT".to_owned()),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => Just(Step::Connect),
        8 => (0..16_usize, said()).prop_map(|(client, line)| Step::Say(client, line)),
        1 => (0..16_usize).prop_map(Step::Vanish),
        1 => (0..100_u64).prop_map(Step::Pass),
    ];
    prop::collection::vec(step, 0..80)
}

/// What a watcher believes after the events that it heard.
#[derive(Default)]
struct Belief(BTreeMap<String, Entry>);

impl Belief {
    fn learn(&mut self, line: &str) {
        match Event::parse(line) {
            Some(Event::Joined(entry)) => {
                let before = self.0.insert(entry.name.to_string(), entry);
                assert!(before.is_none(), "joined twice: {line}");
            }
            Some(Event::Left(name)) => {
                assert!(self.0.remove(name.as_str()).is_some(), "left without being there: {line}");
            }
            Some(Event::Status(name, status)) => {
                self.0.get_mut(name.as_str()).expect("the status of somebody who is there").status = status;
            }
            Some(Event::Msg(..) | Event::Broadcast(..)) => {}
            other => panic!("a watcher in no room hears {other:?}"),
        }
    }
}

fn listed(world: &mut World, asker: u16) -> BTreeMap<String, Entry> {
    let listing = world.ask(asker, "LIST");
    let entries = listing.iter().filter_map(|line| Entry::parse(line.strip_prefix("210-")?));
    entries.map(|entry| (entry.name.to_string(), entry)).filter(|(name, _)| name != "watcher").collect()
}

fn live(steps: Vec<Step>) {
    let mut world = World::new();
    let watcher = world.local();
    world.ask(watcher, "REGISTER watcher 7000");
    world.ask(watcher, "WATCH on");
    let mut clients = Vec::new();
    let mut belief = Belief::default();
    for step in steps {
        match step {
            Step::Connect if clients.len() < 16 => clients.push(world.local()),
            Step::Say(which, line) if which < clients.len() => world.say(clients[which], &line),
            Step::Vanish(which) if which < clients.len() => world.close(clients[which]),
            Step::Connect | Step::Say(..) | Step::Vanish(_) => {}
            Step::Pass(seconds) => world.pass(Duration::from_secs(seconds)),
        }
        clients.retain(|&client| world.is_open(client));
        world.hear(watcher).iter().for_each(|line| belief.learn(line));
        assert_eq!(belief.0, listed(&mut world, watcher));
        let ports: Vec<u16> = belief.0.values().map(|entry| entry.address.port()).collect();
        let unique: std::collections::BTreeSet<u16> = ports.iter().copied().collect();
        assert_eq!(unique.len(), ports.len(), "one address, one user");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn random_bytes_are_answered_or_passed_over(
        bytes in prop::collection::vec(prop_oneof![3 => any::<u8>(), 1 => Just(b'\n'), 2 => b' '..b'~'], 0..3000)
    ) {
        let (mut world, alice) = with_alice();
        is_answered(&mut world, alice, &bytes);
    }

    #[test]
    fn watchers_know_what_is_so(steps in steps()) {
        live(steps);
    }
}
