//! `make demo`: a registry and two stations in a private directory; alice calls bob, both speak at once, and a report
//! says how it went. With SOUND=1 alice has this machine's microphone and loudspeaker.

#![expect(clippy::print_stdout, reason = "it is made to be looked at")]

use std::fs;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use vox_common::sys::clock;
use vox_common::wire::words;
use vox_tests::bed::wav::Recording;
use vox_tests::bed::{Place, Registry, Station, listen, need, set_up, usage, wait};

/// A little longer than the longer sentence.
const CALL: Duration = Duration::from_millis(7600);
/// What a station sends in one packet, unless it is told otherwise.
const FRAME: Duration = Duration::from_millis(10);
const LOOK: Duration = Duration::from_millis(100);
/// How long a sound card may take to be opened.
const DEVICES_OPEN: Duration = Duration::from_secs(3);

fn main() -> ExitCode {
    let own_card = std::env::var("SOUND").is_ok_and(|sound| !matches!(sound.as_str(), "" | "0"));
    let place = Place::new();
    title("A registry and two stations start");
    let mut registry = Registry::start(&place);
    let mut alice = prepare(&place, "alice", &registry, own_card).start(&place);
    let mut bob = prepare(&place, "bob", &registry, false).answering().start(&place);
    alice.wait_for_registry();
    bob.wait_for_registry();
    // Those who come together are told of together, a moment later.
    let there = || Some(alice.run(&["users"]).out).filter(|users| users.contains("bob"));
    print!("{}", table(&wait::until("bob among the users", 5, there)));

    title("alice types: vox-peer call bob");
    let call = set_up::call(&alice, "bob", &bob);
    call.program.wait_for_log("talking");
    print!("{}", indented(&call.program.log()));
    if own_card && !any_card_works(&alice) {
        return ExitCode::FAILURE;
    }
    let watched = watch(
        &mut [
            ("registry", registry.process().pid()),
            ("alice", alice.process().pid()),
            ("bob", bob.process().pid()),
        ],
        &alice,
        &bob,
    );
    let figures = [Figures::of(&alice), Figures::of(&bob)];
    let threads = alice.lines("thread");
    alice.run(&["hangup"]);
    drop(call.program);
    alice.wait_until("idle");
    bob.wait_until("idle");

    title("How it went");
    row(
        "call set-up",
        &format!("{:.1} ms from the command to talking on both sides", call.took.as_secs_f64() * 1e3),
    );
    if own_card {
        row("mouth to ear", "not measured on your own sound card (make bench measures)");
    } else {
        mouth_to_ear(&place, &alice, &bob);
    }
    for (name, figures) in ["alice", "bob"].iter().zip(&figures) {
        row(&format!("{name} received"), &figures.sentence());
    }
    for costs in watched {
        row(&costs.0, &costs.1);
    }
    row("real-time threads", real_time(&threads));
    keep_recordings(&place, own_card);
    ExitCode::SUCCESS
}

/// Says what became of the machine's own microphone and loudspeaker, and whether one of them can be used.
fn any_card_works(alice: &Station) -> bool {
    let told = || {
        let cards = alice.lines("audio");
        cards.iter().all(|card| !value(card, "sentence").is_empty()).then_some(cards)
    };
    let cards = wait::within(DEVICES_OPEN, told).unwrap_or_default();
    for card in &cards {
        let which = if value(card, "direction") == "in" { "your microphone" } else { "your loudspeaker" };
        row(which, &value(card, "sentence"));
    }
    let works = cards.iter().any(|card| value(card, "state") == "works");
    if !works {
        println!("\nNo sound card can be used here. `make demo` without SOUND=1 needs none.");
    }
    works
}

/// Whether the sound of a station ran ahead of everything else on this machine.
fn real_time(threads: &[String]) -> &'static str {
    if threads.iter().any(|thread| value(thread, "policy") == "fifo") {
        "granted"
    } else {
        "not permitted to this user: a busy machine can be heard"
    }
}

/// A value in a line of STATUS.
fn value(line: &str, key: &str) -> String {
    words::decode(words::value(line, key).ok().flatten().unwrap_or("")).unwrap_or_default()
}

fn prepare(
    place: &Place,
    name: &str,
    registry: &Registry,
    own_card: bool,
) -> vox_tests::bed::station::Preparation {
    let (input, output) = if own_card {
        ("default".to_owned(), "default".to_owned())
    } else {
        (format!("file:{}", sentence(name).display()), format!("file:{}", heard(place, name).display()))
    };
    Station::named(name).registry(registry).set("audio.input", input).set("audio.output", output)
}

/// What a station says.
fn sentence(name: &str) -> PathBuf {
    need::top().join(format!("tests/speech/{name}.wav"))
}

/// What a station hears.
fn heard(place: &Place, name: &str) -> PathBuf {
    place.at(&format!("{name}-heard.wav"))
}

/// Shows the call while it runs, and returns what each process cost meanwhile.
fn watch(processes: &mut [(&str, u32)], alice: &Station, bob: &Station) -> Vec<(String, String)> {
    let before: Vec<Duration> = processes.iter().map(|(_, pid)| usage::processor_time(*pid)).collect();
    show(alice, bob);
    let cost = |((name, pid), before): (&(&str, u32), &Duration)| {
        let used = usage::processor_time(*pid).saturating_sub(*before).as_secs_f64() / CALL.as_secs_f64();
        let megabytes = usage::resident_mb(*pid);
        (format!("{name} costs"), format!("{:.1} % of a core, {megabytes:.1} MB of memory", used * 100.0))
    };
    processes.iter().zip(&before).map(cost).collect()
}

/// On a terminal one line that changes, elsewhere a line each second.
fn show(alice: &Station, bob: &Station) {
    let (began, terminal) = (clock::now(), std::io::stdout().is_terminal());
    let (look, before, after) = if terminal { (LOOK, "\r", "\x1b[K") } else { (LOOK * 10, "", "\n") };
    while clock::now() - began < CALL {
        print!("{before}{}{after}", live(clock::now() - began, alice, bob));
        let _ = std::io::stdout().flush();
        wait::pause(look);
    }
    if terminal {
        println!();
    }
}

fn live(since: Duration, alice: &Station, bob: &Station) -> String {
    let level = |station: &Station, key| {
        let told = station.status("media", key).and_then(|text| text.parse().ok());
        meter(told.unwrap_or(f64::NEG_INFINITY))
    };
    let side =
        |station| format!("says {} hears {}", level(station, "level-in-db"), level(station, "level-out-db"));
    format!("  {:3.1} s  alice {}  bob {}", since.as_secs_f64(), side(alice), side(bob))
}

/// A level as a bar of eight, so that a line fits a terminal: -48 dB and less is empty, -6 dB and more full.
fn meter(decibels: f64) -> String {
    let full = (0..8).filter(|step| decibels > -48.0 + 6.0 * f64::from(*step)).count();
    format!("{}{}", "█".repeat(full), "·".repeat(8 - full))
}

struct Figures {
    received: f64,
    lost: f64,
    late: f64,
    concealed: f64,
    jitter: f64,
}

impl Figures {
    fn of(station: &Station) -> Self {
        let figure = |key| station.figure("media", key);
        Self {
            received: figure("packets-received"),
            lost: figure("packets-lost"),
            late: figure("packets-late"),
            concealed: figure("concealed-percent"),
            jitter: figure("jitter-ms"),
        }
    }

    fn sentence(&self) -> String {
        format!(
            "{} packets, {} lost, {} late, {:.2} % of the sound concealed, jitter {:.1} ms",
            self.received, self.lost, self.late, self.concealed, self.jitter
        )
    }
}

/// Finds what one said in what the other heard.
fn mouth_to_ear(place: &Place, alice: &Station, bob: &Station) {
    for (mouth, mouth_station, ear, ear_station) in
        [("alice", alice, "bob", bob), ("bob", bob, "alice", alice)]
    {
        let delay = || {
            let spoken = Recording::read(&sentence(mouth)).at_48_khz();
            let heard = Recording::read(&heard(place, ear));
            // A file gives a frame when a microphone would begin to hear it; a microphone gives it when it is full.
            let spoken_from = mouth_station.sound_began("capture")?.checked_sub(FRAME)?;
            listen::delay_of(&spoken, spoken_from, &heard, ear_station.sound_began("playback")?)
        };
        let found = delay().map_or("not found".to_owned(), |(delay, likeness)| {
            format!("{delay:.1} ms (what came out is {:.0} % like what went in)", likeness * 100.0)
        });
        row(&format!("{mouth}'s mouth to {ear}'s ear"), &found);
    }
}

/// Keeps what was heard where it does not go away.
fn keep_recordings(place: &Place, own_card: bool) {
    let kept = need::top().join("target/demo");
    let names: &[&str] = if own_card { &["bob"] } else { &["alice", "bob"] };
    let _ = fs::create_dir_all(&kept);
    for name in names {
        let to = kept.join(format!("{name}-heard.wav"));
        match fs::copy(heard(place, name), &to) {
            Ok(_) => row(&format!("what {name} heard"), &shown(&to)),
            Err(error) => row(&format!("what {name} heard"), &format!("cannot be kept: {error}")),
        }
    }
    println!("\nTo hear it: aplay {}", shown(&kept.join("bob-heard.wav")));
}

fn shown(path: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(&here).unwrap_or(path).display().to_string()
}

fn title(text: &str) {
    let (bold, plain) = if std::io::stdout().is_terminal() { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
    println!("\n{bold}{text}{plain}");
}

fn row(name: &str, text: &str) {
    println!("  {name:<26} {text}");
}

/// What a listing prints for programs, in columns.
fn table(text: &str) -> String {
    let columns =
        |line: &str| line.split('\t').map(|word| format!("{word:<18}")).collect::<Vec<_>>().concat();
    text.lines().map(|line| format!("  {}\n", columns(line).trim_end())).collect::<Vec<_>>().concat()
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect::<Vec<_>>().concat()
}
