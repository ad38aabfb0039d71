//! Clients as bad as they can be, and hundreds of them: a bystander does not notice, and afterwards the registry is as
//! it was before. `SEED=` repeats what chance did.

use std::thread;
use std::time::Duration;

use vox_common::sys::clock;
use vox_common::wire::limits::{DISPLAY_CHARS, LINE_BYTES, NAME_BYTES, TEXT_BYTES};
use vox_common::wire::verb::Verb;
use vox_tests::bed::net::{Net, Plugged};
use vox_tests::bed::{Place, Registry, Surroundings, listen, may, usage, wait};
use vox_tests::crowd::{Crowd, Heard};
use vox_tests::torture::{self, Bystander, chance};
use vox_tests::wire::Wire;

/// How long a bystander waits for 99 of 100 answers, on a machine that runs other tests, too.
const PATIENCE_MS: f64 = 250.0;

/// What memory may have grown by. A megabyte is what its libraries keep for later.
const GROWTH_MB: f64 = 2.0;

/// A registry that is treated badly, and somebody who must not notice.
struct Ordeal {
    registry: Registry,
    bystander: Bystander,
    before: Footprint,
    _place: Place,
}

#[derive(Debug)]
struct Footprint {
    threads: u32,
    descriptors: u32,
    resident_mb: f64,
}

impl Ordeal {
    fn begin() -> Self {
        Self::on(&Surroundings::of_unit("vox-registry.service"), "127.0.0.1", |address| {
            // Whatever fills once and stays, such as a table, is full before anything is measured.
            torture::burst(&mut Crowd::of(address), 500);
            Bystander::of(address)
        })
    }

    fn on(around: &Surroundings, host: &str, begin: impl FnOnce(&str) -> Bystander) -> Self {
        let place = Place::new();
        let mut registry = Registry::with(&place, around, host, |settings| {
            // Others prove that who asks too much is slowed down. Here he is not.
            settings.set("limits.requests-per-second", 0).set("log.level", "info");
        });
        let pid = registry.process().pid();
        // The owner says that it is ready while the last of the other threads begin.
        wait::pause(Duration::from_millis(200));
        let threads = usage::threads(pid);
        let bystander = begin(&registry.address());
        wait::until("the bystander to be alone", 10, || (usage::threads(pid) == threads + 1).then_some(()));
        Self { before: Footprint::of(pid), registry, bystander, _place: place }
    }

    fn address(&self) -> String {
        self.registry.address()
    }

    /// Everybody else has gone: nothing of them is left, and the bystander was served all the time.
    fn survive(mut self) {
        let pid = self.registry.process().pid();
        let before = &self.before;
        wait::until("all threads and descriptors to be given back", 15, || {
            let now = Footprint::of(pid);
            (now.threads <= before.threads && now.descriptors <= before.descriptors).then_some(())
        });
        let took = self.bystander.finish();
        let late = listen::quantile(&took, 0.99);
        assert!(late < PATIENCE_MS, "one of 100 answers takes more than {late:.0} ms");
        assert_eq!(self.registry.process().ended(), None, "it is still the same process");
        let now = Footprint::of(pid);
        assert!(now.resident_mb < before.resident_mb + GROWTH_MB, "{before:?} became {now:?}");
    }
}

impl Footprint {
    fn of(pid: u32) -> Self {
        Self {
            threads: usage::threads(pid),
            descriptors: usage::descriptors(pid),
            resident_mb: usage::resident_mb(pid),
        }
    }
}

#[test]
fn five_hundred_clients_at_once_are_served_and_vanish_without_a_trace() {
    let ordeal = Ordeal::begin();
    let mut chance = chance();
    for _ in 0..4 {
        let mut crowd = Crowd::of(&ordeal.address());
        torture::burst(&mut crowd, 500);
        torture::scatter(crowd, &mut chance);
        torture::vanish(&mut Crowd::of(&ordeal.address()), &mut chance, 300);
    }
    ordeal.survive();
}

#[test]
fn whoever_never_reads_is_let_go_while_others_flood_and_read() {
    let ordeal = Ordeal::begin();
    let mut crowd = Crowd::of(&ordeal.address());
    let mut deaf = Wire::tcp(&ordeal.address());
    deaf.say("REGISTER deaf 7");
    deaf.say("WATCH on");
    torture::burst(&mut crowd, 9);
    let line = format!("BROADCAST {}", "x".repeat(TEXT_BYTES));
    let mut flooders = crowd.members();
    let watcher = flooders.pop().expect("there are nine");
    flooders.iter().for_each(|&who| crowd.say(who, &line));
    let until = clock::now() + Duration::from_secs(20);
    loop {
        match crowd.hear(until).expect("the deaf one is let go") {
            Heard::Line(who, line) if who == watcher && line == "* LEFT deaf" => break,
            Heard::Line(who, reply) if reply.starts_with("200 delivered") => crowd.say(who, &line),
            Heard::Line(..) => {}
            Heard::End(who) => panic!("{who:?} read all that came, and was let go"),
        }
    }
    drop((deaf, crowd));
    ordeal.survive();
}

#[test]
fn whatever_bytes_come_and_however_slowly_each_line_has_one_answer() {
    let ordeal = Ordeal::begin();
    let address = ordeal.address();
    thread::scope(|scope| {
        scope.spawn(|| torture::drip(&address));
        scope.spawn(|| torture::endless_line(&address, 10_000_000));
        scope.spawn(|| (0..3).for_each(|_| torture::flood_unread(&address)));
        torture::every_byte(&address);
        is_bounded(&address);
    });
    ordeal.survive();
}

/// Everything that has a longest form, one byte longer.
fn is_bounded(address: &str) {
    let mut wire = Wire::tcp(address);
    wire.hear();
    let name = "n".repeat(NAME_BYTES + 1);
    let text = "x".repeat(TEXT_BYTES + 1);
    let display = "d".repeat(DISPLAY_CHARS + 1);
    for (line, code) in [
        (format!("REGISTER {name} 5"), "430"),
        (format!("REGISTER short 5 display={display}"), "400"),
        (format!("REGISTER {} 5", &name[1..]), "200"),
        (format!("LOOKUP {name}"), "404"),
        (format!("MSG {name} hello"), "404"),
        (format!("CREATE {name} 2"), "430"),
        (format!("JOIN {name}"), "405"),
        (format!("MEMBERS {name}"), "405"),
        (format!("ECHO {text}"), "400"),
        (format!("BROADCAST {text}"), "400"),
        ("x".repeat(LINE_BYTES), "416"),
        ("QUIT".into(), "221"),
    ] {
        let answer = wire.ask(&line).expect("an answer");
        assert!(answer.starts_with(code), "{line}: {answer}");
    }
}

#[test]
fn every_command_is_answered_before_and_after_register() {
    let ordeal = Ordeal::begin();
    let commands = [
        ("LIST", "210", "210"),
        ("LOOKUP nobody", "404", "404"),
        ("STATUS busy", "401", "200"),
        ("WATCH on", "401", "200"),
        ("MSG bystander hello", "401", "200"),
        ("BROADCAST hello", "401", "200"),
        ("SAY hello", "401", "415"),
        ("LEAVE", "401", "415"),
        ("CREATE hall 3", "401", "200"),
        ("JOIN hall", "401", "414"),
        ("MEMBERS", "401", "213"),
        ("ROOMS", "212", "212"),
        ("PING", "200", "200"),
        ("ECHO hello", "200", "200"),
        ("STATS", "215", "215"),
        ("HELP", "214", "214"),
        ("SECURE hello", "400", "400"),
        ("REGISTER bob 6000", "200", "402"),
        ("QUIT", "221", "221"),
    ];
    let words = commands.map(|(line, ..)| Verb::parse(line.split(' ').next().expect("a word")));
    assert!(Verb::ALL.iter().all(|verb| words.contains(&Some(*verb))), "every command is here");
    for (line, before, _) in commands {
        let mut stranger = Wire::tcp(&ordeal.address());
        stranger.hear();
        is_answered(&mut stranger, (line, before));
    }
    let mut bob = Wire::tcp(&ordeal.address());
    bob.hear();
    is_answered(&mut bob, ("REGISTER bob 6000", "200"));
    for (line, _, after) in commands {
        is_answered(&mut bob, (line, after));
    }
    ordeal.survive();
}

fn is_answered(wire: &mut Wire, (line, code): (&str, &str)) {
    wire.say(line);
    let last = std::iter::from_fn(|| wire.hear()).find(|heard| heard.as_bytes().get(3) == Some(&b' '));
    assert!(last.as_ref().is_some_and(|last| last.starts_with(code)), "{line}: {last:?} instead of {code}");
}

#[test]
fn of_two_who_want_a_name_in_the_same_instant_exactly_one_has_it() {
    let ordeal = Ordeal::begin();
    let mut crowd = Crowd::of(&ordeal.address());
    for round in 0..300 {
        let rivals = [crowd.connect(), crowd.connect()];
        crowd.wait_for(2, |line| line.starts_with("220 "));
        // The same place, too, in every second round.
        let ports = [6000, 6000 + round % 2];
        rivals.iter().zip(ports).for_each(|(&who, port)| crowd.say(who, &format!("REGISTER bob {port}")));
        let mut heard = rivals.map(|_| next_line(&mut crowd));
        heard.sort();
        let [winner, loser] = &heard;
        assert!(winner.starts_with("200 registered bob ") && loser.starts_with("409 "), "{heard:?}");
        rivals.iter().for_each(|&who| crowd.say(who, "QUIT"));
        crowd.wait_for(2, |line| line.starts_with("221 goodbye"));
    }
    drop(crowd);
    ordeal.survive();
}

fn next_line(crowd: &mut Crowd) -> String {
    let until = clock::now() + Duration::from_secs(5);
    loop {
        match crowd.hear(until).expect("an answer") {
            Heard::Line(_, line) => return line,
            Heard::End(_) => {}
        }
    }
}

#[test]
fn a_link_that_falls_silent_takes_its_own_clients_and_nobody_else() {
    let Some(net) = may("registry::cable", Net::new()) else { return };
    let ordeal = Ordeal::on(&net.a(), Net::A, |address| net.on_a(|| Bystander::of(address)));
    let mut near = net.on_a(|| Crowd::of(&ordeal.address()));
    let mut far = net.on_b(|| Crowd::of(&ordeal.address()));
    let watcher = net.on_a(|| near.connect());
    for (line, reply) in [("REGISTER near 7", "200 registered near"), ("WATCH on", "200 watching")] {
        near.say(watcher, line);
        near.wait_for(1, |line| line.starts_with(reply));
    }
    net.on_b(|| torture::burst(&mut far, 50));
    near.wait_for(50, |line| line.starts_with("* JOINED "));
    let pulled = clock::now();
    net.cable(Plugged::Out);
    // One is gone before the others, because something is on its way to it. All of them watch: word of that is on its
    // way to the others then, and they are waited for anew.
    near.say(watcher, "MSG user1 hello");
    near.wait_for(50, |line| line.starts_with("* LEFT "));
    assert!(clock::now() - pulled < Duration::from_secs(15));
    drop((near, far));
    ordeal.survive();
}
