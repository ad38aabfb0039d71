//! `make bench`: tables of speed, delay and memory, medians of several runs, with the targets beside them. Some of them
//! alone: `bench set-up`, `bench cost`, `bench delay`, `bench delay studio`. `bench steady` and `bench steady studio` take
//! twenty minutes and come only when they are named.

#![expect(clippy::print_stdout, reason = "it prints tables")]

use std::env;
use std::fmt::Write;
use std::process::Command;
use std::time::Duration;

use vox_common::sys::clock;
use vox_tests::bed::holes::Holes;
use vox_tests::bed::jack::{Card, Heard};
use vox_tests::bed::set_up;
use vox_tests::bed::settings::Value;
use vox_tests::bed::station::pair;
use vox_tests::bed::wav::Recording;
use vox_tests::bed::{Place, Process, Registry, Station, benchmarks, listen, usage, wait};
use vox_tests::handshake::{self, Cost};

const SET_UPS: usize = 21;
const HANDSHAKES: u8 = 200;
const COST_RUNS: usize = 3;
const COST_CALL: Duration = Duration::from_secs(10);
const DELAY_RUNS: usize = 3;
const DELAY_CALL: Duration = Duration::from_secs(12);
/// How long the sound is to be steady, alone and beside so many loops that never pause.
const STEADY_CALL: Duration = Duration::from_secs(600);
const BUSY_LOOPS: usize = 3;
/// What is recorded besides a call.
const AROUND_A_CALL: Duration = Duration::from_secs(30);

/// How stations talk while delay is measured. The tick is the card's own clock; periods are multiples of it.
struct Way {
    profile: &'static str,
    ptime: &'static str,
    period: u32,
    tick: u32,
    target: &'static str,
}

const WAYS: [Way; 6] = [
    Way { profile: "studio", ptime: "1.25", period: 60, tick: 60, target: "≤ 5 ms" },
    Way { profile: "studio", ptime: "1.25", period: 64, tick: 64, target: "≤ 5 ms" },
    Way { profile: "lan", ptime: "2.5", period: 120, tick: 60, target: "≤ 10 ms" },
    Way { profile: "lan", ptime: "5", period: 120, tick: 60, target: "≤ 13 ms" },
    Way { profile: "lan", ptime: "5", period: 240, tick: 60, target: "" },
    Way { profile: "lan", ptime: "10", period: 480, tick: 60, target: "" },
];

const SET_UP_HEAD: &str = "# Call set-up

Made by `make bench WRITE=1` on a machine of 2 cores, on loopback: from the start of `vox-peer call` until both stations tell
`talking`, by name, 21 calls each. A key that is new is asked for and remembered, one that is known is expected. What the two ends
compute for the handshake (Noise IK, two messages) is measured alone, 200 times.
";

const LEGEND: &str = "  A hole is 24 samples of silence in a hum, a second after the beginning and later. It is excused where within 50 ms
  of it a witness, a thread above all others that does nothing but wake every 1.25 ms, or the beat of the virtual card
  itself was late by more than half a period: then the machine stood still, and nobody could have been on time.
  Card xruns are counted by the card: some program on it was not done within 1.25 ms.";

fn main() {
    println!(
        "vox bench: {} cores; medians of several runs\n",
        std::thread::available_parallelism().map_or(0, usize::from)
    );
    let wanted = env::args().nth(1).filter(|word| word != "--write");
    for (name, table) in [("set-up", set_up_table as fn()), ("cost", cost_table), ("delay", delay_table)] {
        if wanted.as_ref().is_none_or(|word| word == name) {
            table();
            println!();
        }
    }
    if wanted.is_some_and(|word| word == "steady") {
        steady_table(&env::args().nth(2).unwrap_or_else(|| "lan".into()));
    }
}

/// With `--write` it is kept in docs/BENCHMARKS.md, too.
fn set_up_table() {
    let place = Place::new();
    let registry = Registry::start(&place);
    let (alice, bob) = pair(&place, &registry);
    let known = set_ups(&alice, &bob, || ());
    let first_use = set_ups(&alice, &bob, || forget_each_other(&alice, &bob));
    let mut report = format!("{SET_UP_HEAD}The load average was {}.\n\n", load_average());
    report.push_str("|  | p50 | p90 | target |\n|---|---|---|---|\n");
    let mut row = |what: &str, took: &[f64], target: &str| {
        let at = |share| format!("{:.2} ms", listen::quantile(took, share));
        let _ = writeln!(report, "| {what} | {} | {} | {target} |", at(0.5), at(0.9));
    };
    row("the other's key is known", &known, "< 30 ms");
    row("the other's key is new", &first_use, "< 30 ms");
    let costs: Vec<Cost> = (0..HANDSHAKES).map(handshake::compute).collect();
    let each = |part: fn(&Cost) -> Duration| costs.iter().map(|cost| ms(part(cost))).collect::<Vec<_>>();
    row("of it the handshake, which the caller computes", &each(|cost| cost.caller), "");
    row("… and the callee", &each(|cost| cost.callee), "");
    row("… both, one after the other", &each(|cost| cost.caller + cost.callee), "< 5 ms");
    println!("{report}");
    if env::args().any(|word| word == "--write") {
        benchmarks::write(&report);
    }
}

/// Of the last minute: what others do is in every figure.
fn load_average() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().unwrap_or_default().to_owned()
}

fn set_ups(alice: &Station, bob: &Station, before: impl Fn()) -> Vec<f64> {
    let one = |_| {
        before();
        one_set_up(alice, bob)
    };
    one(0);
    (0..SET_UPS).map(one).collect()
}

fn forget_each_other(alice: &Station, bob: &Station) {
    for (who, whom) in [(alice, "bob"), (bob, "alice")] {
        let said = who.run(&["forget", whom]);
        assert_eq!(said.code, 0, "{said:?}");
    }
}

fn one_set_up(alice: &Station, bob: &Station) -> f64 {
    let call = set_up::call(alice, "bob", bob);
    wait::pause(Duration::from_millis(100));
    alice.run(&["hangup"]);
    bob.wait_until("idle");
    ms(call.took)
}

fn ms(took: Duration) -> f64 {
    took.as_secs_f64() * 1e3
}

fn cost_table() {
    println!(
        "Cost of one peer in a call, 10 ms frames, file devices ({COST_RUNS} calls of {} s)",
        COST_CALL.as_secs()
    );
    let costs: Vec<[f64; 5]> = (0..COST_RUNS).map(|_| one_cost()).collect();
    let middle = |n: usize| listen::quantile(&costs.iter().map(|cost| cost[n]).collect::<Vec<_>>(), 0.5);
    heading(&["", "processor", "target", "memory", "target"]);
    for (n, name) in ["caller", "callee"].iter().enumerate() {
        let (core, memory) = (format!("{:.1} % of a core", middle(n)), format!("{:.1} MB", middle(n + 2)));
        line(&[name, &core, "< 3 %", &memory, "< 8 MB"]);
    }
    line(&["registry", "at rest", "", &format!("{:.1} MB", middle(4)), "< 4 MB"]);
}

/// Processor in percent of a core of caller and callee, then memory in megabytes of both and of the registry.
fn one_cost() -> [f64; 5] {
    let place = Place::new();
    let mut registry = Registry::start(&place);
    let words = place.at("words.wav");
    listen::chirps_and_hum(10).write(&words);
    let file = |name: &str| format!("file:{}", place.at(name).display());
    let named = |name| Station::named(name).registry(&registry).set("audio.input", file("words.wav"));
    let mut alice = named("alice").set("audio.output", file("alice.wav")).start(&place);
    let mut bob = named("bob").set("audio.output", file("bob.wav")).answering().start(&place);
    alice.wait_for_registry();
    bob.wait_for_registry();
    let pids = [alice.process().pid(), bob.process().pid()];
    let _call = set_up::call(&alice, "bob", &bob);
    let before = pids.map(usage::processor_time);
    let began = clock::now();
    wait::pause(COST_CALL);
    let length = (clock::now() - began).as_secs_f64();
    let used =
        |n: usize| (usage::processor_time(pids[n]).saturating_sub(before[n])).as_secs_f64() / length * 100.0;
    [
        used(0),
        used(1),
        usage::resident_mb(pids[0]),
        usage::resident_mb(pids[1]),
        usage::resident_mb(registry.process().pid()),
    ]
}

fn delay_table() {
    println!(
        "Mouth to ear on a virtual sound card, both directions ({DELAY_RUNS} calls of {} s each)",
        DELAY_CALL.as_secs()
    );
    delay_heading("target p50");
    let wanted = |way: &&Way| env::args().nth(2).is_none_or(|profile| profile == way.profile);
    for way in WAYS.iter().filter(wanted) {
        let mut sum = Delays::default();
        for _ in 0..DELAY_RUNS {
            let Some(card) = new_card(way.tick) else { return };
            sum.add(&card, way, DELAY_CALL);
        }
        sum.line(way, way.target);
    }
    println!("{LEGEND}");
}

fn delay_heading(last: &str) {
    heading(&[
        "profile",
        "frame",
        "period",
        "p50",
        "p99",
        "said",
        last,
        "concealed",
        "underruns",
        "card xruns",
        "holes",
        "unexcused",
        "witness late",
        "card late",
    ]);
}

fn steady_table(profile: &str) {
    println!("The same for {} s at a time; no hole may be unexcused", STEADY_CALL.as_secs());
    delay_heading("beside");
    let Some(way) = WAYS.iter().find(|way| way.profile == profile) else { return };
    for (beside, loops) in [("nobody", 0), ("busy loops", BUSY_LOOPS)] {
        let Some(card) = new_card(way.tick) else { return };
        let mut busy = Command::new("sh");
        busy.args(["-c", "while :; do :; done"]);
        let log = card.place.at("busy.log");
        let _loops: Vec<Process> = (0..loops).map(|_| Process::start("a busy loop", &busy, &log)).collect();
        let mut sum = Delays::default();
        sum.add(&card, way, STEADY_CALL);
        sum.line(way, beside);
    }
    println!("{LEGEND}");
}

struct Plugged {
    card: Card,
    place: Place,
}

fn new_card(tick: u32) -> Option<Plugged> {
    let place = Place::new();
    match Card::start(&place, tick) {
        Ok(card) => Some(Plugged { card, place }),
        Err(lack) => {
            println!("not measured: there is no {lack}");
            None
        }
    }
}

#[derive(Default)]
struct Delays {
    milliseconds: Vec<f64>,
    /// What stations say of it in `status`.
    said: Vec<f64>,
    concealed: Vec<f64>,
    underruns: f64,
    xruns: usize,
    holes: usize,
    unexcused: usize,
    witnessed: usize,
    stalled: usize,
}

impl Delays {
    fn add(&mut self, plugged: &Plugged, way: &Way, length: Duration) {
        let (card, place) = (&plugged.card, &plugged.place);
        let words = place.at("words.wav");
        listen::chirps_and_hum(4).write(&words);
        let microphones = [("alice", &*words), ("bob", &*words)];
        let probe = card.probe_with_cables(place.path(), &microphones, &[], length + AROUND_A_CALL);
        let ptime: f64 = way.ptime.parse().expect("a number in the table");
        let named = |name: &str| {
            let station = Station::named(name).within(&card.surroundings(name)).set("audio.ptime-ms", ptime);
            let station = station.set("audio.input", "default").set("audio.output", "default");
            station.set("voice.profile", way.profile).set("audio.period", Value::from(i64::from(way.period)))
        };
        let (alice, bob) = (named("alice").start(place), named("bob").answering().start(place));
        let call = set_up::call(&alice, &format!("127.0.0.1:{}", bob.port()), &bob);
        wait::pause(length);
        self.concealed.extend([&alice, &bob].map(|station| station.figure("media", "concealed-percent")));
        self.said.extend([&alice, &bob].map(|station| station.figure("delay", "total-ms")));
        self.underruns += alice.figure("media", "underruns") + bob.figure("media", "underruns");
        self.xruns += card.xruns();
        let heard = probe.finish();
        drop(call);
        for (mouth, ear) in [("alice", "bob"), ("bob", "alice")] {
            self.listen(&heard.microphone(mouth), &heard.loudspeaker(ear), &heard, way);
        }
    }

    fn line(&self, way: &Way, last: &str) {
        let Way { profile, ptime, period, .. } = way;
        let at = |share| format!("{:.2} ms", listen::quantile(&self.milliseconds, share));
        line(&[
            profile,
            &format!("{ptime} ms"),
            &period.to_string(),
            &at(0.5),
            &at(0.99),
            &format!("{:.2} ms", listen::quantile(&self.said, 0.5)),
            last,
            &format!("{:.3} %", listen::quantile(&self.concealed, 0.5)),
            &self.underruns.to_string(),
            &self.xruns.to_string(),
            &self.holes.to_string(),
            &self.unexcused.to_string(),
            &self.witnessed.to_string(),
            &self.stalled.to_string(),
        ]);
    }

    fn listen(&mut self, spoken: &Recording, ear: &Recording, heard: &Heard, way: &Way) {
        self.milliseconds.extend(listen::chirp_delays(spoken, ear));
        let Holes { all, unexcused, witnessed, stalled } = Holes::find(ear, heard, way.tick, way.period);
        self.holes += all;
        self.unexcused += unexcused;
        self.witnessed += witnessed;
        self.stalled += stalled;
    }
}

fn heading(names: &[&str]) {
    line(names);
    line(&names.iter().map(|_| "---").collect::<Vec<_>>());
}

fn line(cells: &[&str]) {
    let cells: Vec<String> = cells.iter().map(|cell| format!("{cell:<14}")).collect();
    println!("  {}", cells.join(" "));
}
