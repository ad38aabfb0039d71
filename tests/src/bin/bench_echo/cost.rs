//! What it costs: delay, processor, memory, and bytes of the program.

use std::time::Duration;

use vox_common::sys::clock;
use vox_tests::bed::jack::Card;
use vox_tests::bed::station::{Preparation, Station};
use vox_tests::bed::{Place, listen, need, set_up, usage, wait};

const CALL: Duration = Duration::from_secs(10);
const RUNS: usize = 3;

/// What is switched on.
const SETTINGS: [&[&str]; 4] = [
    &[],
    &["echo-cancel"],
    &["echo-cancel", "noise-suppress"],
    &["echo-cancel", "noise-suppress", "gain-control"],
];

fn doing(station: Preparation, tasks: &[&str]) -> Preparation {
    tasks.iter().fold(station, |station, task| station.set(&format!("voice.{task}"), true))
}

fn named(tasks: &[&str]) -> String {
    if tasks.is_empty() { "nothing".to_owned() } else { format!("`{}`", tasks.join(",")) }
}

/// Mouth to ear on the virtual card, frames and periods of 10 ms.
pub(crate) fn delay() -> String {
    let mut table = String::from(
        "## Delay, mouth to ear on a virtual card (frames and periods of 10 ms; at most 20 ms more)\n\n",
    );
    table +=
        &crate::heading(&["done at the microphone", "least", "p50", "capture, as the station says", "more"]);
    let mut plain = None;
    for tasks in SETTINGS {
        let runs: Option<Vec<_>> = (0..RUNS).map(|_| delays(tasks)).collect();
        let Some(runs) = runs else { return "## Delay: not measured, there is no card\n".to_owned() };
        let capture = listen::quantile(&runs.iter().map(|(_, capture)| *capture).collect::<Vec<_>>(), 0.5);
        let heard: Vec<f64> = runs.into_iter().flat_map(|(delays, _)| delays).collect();
        let [least, middle] = [0.0, 0.5].map(|share| listen::quantile(&heard, share));
        let more = capture - *plain.get_or_insert(capture);
        let ms = |value: f64| format!("{value:.1} ms");
        table += &crate::line(&[&named(tasks), &ms(least), &ms(middle), &ms(capture), &ms(more)]);
    }
    table += "\nWhat is heard waits for the next period of the loudspeaker's card: mouth to ear grows in steps of it.\n";
    table
}

/// Milliseconds from mouth to ear, chirp by chirp, and of those what the speaker's station calls capture.
fn delays(tasks: &[&str]) -> Option<(Vec<f64>, f64)> {
    let place = Place::new();
    let card = Card::start(&place, 60).ok()?;
    let words = place.at("words.wav");
    listen::chirps(4).write(&words);
    let probe = card.probe(&place, &[("alice", &words), ("bob", &words)]);
    let on_card = |name: &str| {
        let station = Station::named(name).within(&card.surroundings(name)).set("audio.ptime-ms", 10_i64);
        station.set("audio.input", "default").set("audio.output", "default").set("audio.period", 480_i64)
    };
    let bob = on_card("bob").answering().start(&place);
    let alice = doing(on_card("alice"), tasks).start(&place);
    let call = set_up::call(&alice, &bob.host(), &bob);
    wait::pause(CALL);
    let capture = alice.figure("delay", "capture-ms");
    let heard = probe.finish();
    drop(call);
    Some((listen::chirp_delays(&heard.microphone("alice"), &heard.loudspeaker("bob")), capture))
}

/// Processor and memory of a peer in a call.
pub(crate) fn call() -> String {
    let mut table = format!(
        "## Cost of one peer in a call (frames of 10 ms, file devices, medians of {RUNS} calls of {} s)\n\n",
        CALL.as_secs()
    );
    table += &crate::heading(&["done", "processor", "target", "memory", "target"]);
    for tasks in SETTINGS {
        let costs: Vec<(f64, f64)> = (0..RUNS).map(|_| one_cost(tasks)).collect();
        let middle = |values: Vec<f64>| listen::quantile(&values, 0.5);
        let core = middle(costs.iter().map(|cost| cost.0).collect());
        let memory = middle(costs.iter().map(|cost| cost.1).collect());
        let target = if tasks.is_empty() { "< 3 %" } else { "< 6 %" };
        let (core, memory) = (format!("{core:.1} % of a core"), format!("{memory:.1} MB"));
        table += &crate::line(&[&named(tasks), &core, target, &memory, "< 10 MB"]);
    }
    table
}

/// Processor in percent of a core, and megabytes.
fn one_cost(tasks: &[&str]) -> (f64, f64) {
    let place = Place::new();
    let words = place.at("words.wav");
    listen::chirps_and_hum(10).write(&words);
    let file = |name: &str| format!("file:{}", place.at(name).display());
    let talking = |name: &str| {
        let station =
            Station::named(name).set("audio.input", file("words.wav")).set("audio.ptime-ms", 10_i64);
        station.set("audio.output", file(&format!("{name}.wav")))
    };
    let bob = talking("bob").answering().start(&place);
    let mut alice = doing(talking("alice"), tasks).start(&place);
    let _call = set_up::call(&alice, &bob.host(), &bob);
    let pid = alice.process().pid();
    let (before, began) = (usage::processor_time(pid), clock::now());
    wait::pause(CALL);
    let used = usage::processor_time(pid).saturating_sub(before).as_secs_f64();
    (used / (clock::now() - began).as_secs_f64() * 100.0, usage::resident_mb(pid))
}

/// Bytes of the program, with and without the Cargo feature.
pub(crate) fn size() -> String {
    let mut table = String::from("## Size of vox-peer\n\n");
    table += &crate::heading(&["Cargo feature `dsp`", "kB"]);
    for (name, file) in
        [("with (the default)", "target/release/vox-peer"), ("without", "target/without/release/vox-peer")]
    {
        let bytes = std::fs::metadata(need::top().join(file)).map_or(0, |metadata| metadata.len());
        table += &crate::line(&[name, &(bytes / 1_000).to_string()]);
    }
    table
}
