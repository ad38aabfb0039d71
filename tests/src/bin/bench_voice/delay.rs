//! From mouth to ear on one card, to the sample, and what a call costs: every program in turn, again and again, so that
//! whatever else the machine does befalls all of them.

use std::time::Duration;

use vox_common::sys::clock;
use vox_tests::bed::holes::HOLE;
use vox_tests::bed::{Place, listen, usage, wait};

use crate::programs::{self, Program};
use crate::stage::{Cards, End, Play, Stage};
use crate::tables::{self, Table, keep};

const HEADING: &str = "# Voice beside other programs: delay and cost";

/// Calls of each program.
const ROUNDS: usize = 3;

/// What is measured of a call, after it has settled.
const SETTLING: Duration = Duration::from_secs(4);
const TALK: Duration = Duration::from_secs(12);

/// The median that should not be passed, in milliseconds.
const WANTED: [(&str, f64); 3] =
    [("vox lan, 2.5 ms frames", 10.0), ("vox lan, 5 ms frames", 13.0), ("vox studio", 5.0)];

/// Longer than any call.
const MOST: Duration = Duration::from_secs(60);

/// What came of the calls of one program.
#[derive(Debug, Default)]
struct Outcome {
    milliseconds: Vec<f64>,
    holes: usize,
    /// Percent of a core: of an end, of the server.
    processor: Vec<f64>,
    server: Vec<f64>,
    kilobits: Vec<f64>,
    packets: Vec<f64>,
}

/// Measures, prints and returns the table.
pub(crate) fn measure(words: &[String]) -> Table {
    let programs = programs::wanted(programs::for_delay(), words);
    let mut outcomes: Vec<Outcome> = programs.iter().map(|_| Outcome::default()).collect();
    let mut table = Table::new(HEADING, how(), &NAMES);
    for round in 1..=ROUNDS {
        for (program, outcome) in programs.iter().zip(&mut outcomes) {
            eprintln!("delay: call {round} of {ROUNDS}: {}", program.title());
            if let Err(lack) = program.there().and_then(|()| outcome.call(program.as_ref())) {
                eprintln!("… not measured: there is no {lack}");
            }
        }
    }
    let mut lines = Vec::new();
    for (program, outcome) in programs.iter().zip(&outcomes) {
        if outcome.milliseconds.is_empty() {
            table.note(format!("Not measured: {}.", program.title()));
            continue;
        }
        table.add(outcome.cells(program.as_ref()));
        let at = |share| listen::quantile(&outcome.milliseconds, share);
        if let Some(most) = wanted(&program.title()) {
            table.want(at(0.5) <= most, || format!("{}: {most} ms at the median", program.title()));
        }
        lines.push(format!("{};{};{}", program.title(), at(0.5), at(0.99)));
    }
    keep("delay.csv", "program;p50;p99", &lines);
    table.plot("delay.svg", "mouth-to-ear delay of each program");
    table
}

const NAMES: [&str; 9] = [
    "program",
    "period",
    "p50, ms",
    "p99, ms",
    "chirps",
    "holes",
    "processor of an end",
    "… of the server",
    "on the wire, kbit/s (packets/s)",
];

fn how() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!(
        "Made by `make bench-voice ONLY=delay WRITE=1` on a machine of {cores} cores, which everything shares. Two hosts on a cable that\n\
         loses nothing, one virtual sound card for both (JACK's dummy driver, exact to the sample; a wire between mouth and ear reads\n\
         0): a chirp every half second over a hum, found again in what the other end's loudspeaker played, both directions. Every\n\
         program in turn, {ROUNDS} calls of {} s each after {} s, so that whatever else the machine does befalls them all. Period: of the\n\
         card, in samples of 48 kHz; vox and trx open it through ALSA's jack plugin, as they would a real card, in periods of their\n\
         own choice; baresip and Jamulus are clients of JACK. A hole is {HOLE} samples of silence in the hum. On the wire: one direction,\n\
         with IPv4 and UDP headers. Jamulus talks through a server, here on B's own host, which mixes: two hops, one of them over the\n\
         cable, and its rate is that to the server. Default is what a program does where nothing is said but names, addresses and devices. {}",
        TALK.as_secs(),
        SETTLING.as_secs(),
        tables::load()
    )
}

fn wanted(title: &str) -> Option<f64> {
    WANTED.iter().find(|(name, _)| *name == title).map(|(_, most)| *most)
}

impl Outcome {
    fn call(&mut self, program: &dyn Program) -> Result<(), vox_tests::bed::Lack> {
        let stage = Stage::new(program.tick(), Cards::One)?;
        let place = Place::new();
        let words = place.at("words.wav");
        listen::chirps_and_hum(4).write(&words);
        let play = stage.play(&[program], &words, MOST);
        wait::pause(SETTLING);
        let began = clock::monotonic();
        self.cost(&stage, &play);
        let heard = play.finish();
        for mouth in End::BOTH {
            let ear = heard.ear(mouth.other(), &program.key());
            let from = heard.clock(mouth).second_at(began.as_secs_f64()).ceil();
            let (mouth, clock) = (heard.clock(mouth), heard.clock(mouth.other()));
            let delays = listen::chirp_delays_between(mouth, &ear, clock, from);
            self.milliseconds.extend(delays.into_iter().map(|(_, delay)| delay));
            self.holes += listen::silences(&ear.piece(from, TALK.as_secs_f64()), HOLE).len();
        }
        Ok(())
    }

    /// Lets them talk, and counts what that takes.
    fn cost(&mut self, stage: &Stage, play: &Play<'_>) {
        let running = &play.running[0];
        let time = |pids: Vec<u32>| pids.into_iter().map(usage::processor_time).sum::<Duration>();
        let figures = || (time(running.pids()), time(running.server_pids()), stage.sent(End::A));
        let (ends, servers, sent) = figures();
        wait::pause(TALK);
        let after = figures();
        let share = |used: Duration| used.as_secs_f64() / TALK.as_secs_f64() * 100.0;
        self.processor.push(share(after.0.saturating_sub(ends)) / 2.0);
        self.server.push(share(after.1.saturating_sub(servers)));
        self.kilobits.push((after.2.bits - sent.bits) / TALK.as_secs_f64() / 1e3);
        self.packets.push((after.2.packets - sent.packets) / TALK.as_secs_f64());
    }

    fn cells(&self, program: &dyn Program) -> Vec<String> {
        let at = |share| format!("{:.2}", listen::quantile(&self.milliseconds, share));
        let middle = |figures: &[f64]| listen::quantile(figures, 0.5);
        let server = middle(&self.server);
        vec![
            program.title(),
            program.tick().to_string(),
            at(0.5) + &wanted(&program.title()).map_or(String::new(), |most| format!(" (≤ {most})")),
            at(0.99),
            self.milliseconds.len().to_string(),
            self.holes.to_string(),
            format!("{:.1} %", middle(&self.processor)),
            if server > 0.2 { format!("{server:.1} %") } else { String::new() },
            format!("{:.0} ({:.0})", middle(&self.kilobits), middle(&self.packets)),
        ]
    }
}
