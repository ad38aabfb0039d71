//! Two cards whose clocks differ: whether the delay stays what it was, and how often what is heard jumps.

use std::time::Duration;

use vox_tests::bed::holes::HOLE;
use vox_tests::bed::{Lack, Place, listen, wait};

use crate::programs::{self, Program, Vox};
use crate::stage::{Cards, End, Heard, Stage};
use crate::tables::{self, Table, keep};

const HEADING: &str = "# Voice beside other programs: clocks apart";

/// The period of both cards: all programs are on them at the same time.
const TICK: u32 = 128;

/// What is left out at the beginning, in seconds: it finds its level.
const SETTLING: f64 = 15.0;

/// Chirps whose middle delays are compared, in seconds.
const SPAN: f64 = 30.0;

/// A jump of the delay from one chirp to the next that is a slip, in milliseconds: half a second of 300 ppm is 0.15.
const SLIP: f64 = 0.5;

/// The most that medians of vox may be apart, in milliseconds.
const APART: f64 = 1.0;

const NAMES: [&str; 8] = [
    "program",
    "the listener's clock",
    "p50 of the first 30 s, ms",
    "p50 of the last 30 s, ms",
    "furthest apart, ms",
    "slips",
    "holes",
    "chirps heard",
];

/// Measures for so many minutes twice, prints and returns the table.
pub(crate) fn measure(words: &[String], minutes: u64) -> Table {
    let mut table = Table::new(HEADING, how(minutes), &NAMES);
    let mut lines = Vec::new();
    let vox: Vec<Box<dyn Program>> =
        vec![Box::new(Vox::with("lan", 10.0, TICK)), Box::new(Vox::with("lan", 2.5, TICK))];
    for (ppm, programs) in [(200.0, programs::for_drift(TICK)), (300.0, vox)] {
        let programs = programs::wanted(programs, words);
        let (there, lacking): (Vec<_>, Vec<_>) = programs.iter().partition(|program| program.there().is_ok());
        lacking.iter().for_each(|program| table.note(format!("Not measured: {}.", program.title())));
        let programs: Vec<&dyn Program> = there.iter().map(AsRef::as_ref).collect();
        eprintln!("drift: {minutes} min with cards {ppm} ppm apart");
        match follow(&programs, ppm, minutes) {
            Ok(followed) => followed.into_iter().for_each(|one| {
                table.add(one.cells());
                let is_ours = one.title.starts_with("vox");
                table.want(!is_ours || one.apart() <= APART, || {
                    format!("{}, {:+} ppm: at most {APART} ms apart", one.title, one.ppm)
                });
                lines.extend(one.lines());
            }),
            Err(lack) => table.note(format!("Not measured with {ppm} ppm: there is no {lack}.")),
        }
    }
    keep("drift.csv", "program;ppm;second;ms", &lines);
    table.plot("drift.svg", "mouth-to-ear delay over time with cards 200 ppm apart");
    table
}

fn how(minutes: u64) -> String {
    format!(
        "Made by `make bench-voice ONLY=drift MINUTES={minutes} WRITE=1`: as above, but each end has a card of its own, of periods of {TICK} samples,\n\
         and one of the two (JACK's dummy driver under libfaketime) is too fast: the listener's clock is so many parts in a million faster or\n\
         slower than the speaker's. All programs at the same time on the same two cards, {minutes} min. The clocks of the cards are known from when\n\
         each period came, so the delay is true to some 0.05 ms. Furthest apart: the medians of every 30 s after the first {SETTLING} s; a slip is\n\
         a jump of the delay of more than {SLIP} ms from one chirp to the next, half a second later; a hole is {HOLE} samples of silence in a hum.\n\
         Slips that all programs have in like number are the cards' own: JACK's dummy driver loses a period now and then. {}",
        tables::load()
    )
}

/// What was heard in one direction.
struct Followed {
    title: String,
    ppm: f64,
    /// Seconds, milliseconds.
    delays: Vec<(f64, f64)>,
    spoken: f64,
    holes: usize,
}

fn follow(programs: &[&dyn Program], ppm: f64, minutes: u64) -> Result<Vec<Followed>, Lack> {
    let stage = Stage::new(TICK, Cards::Two(ppm))?;
    let place = Place::new();
    let words = place.at("words.wav");
    listen::chirps_and_hum(4).write(&words);
    let most = Duration::from_secs(minutes * 60 + 120);
    let play = stage.play(programs, &words, most);
    for minute in 1..=minutes {
        wait::pause(Duration::from_secs(60));
        eprintln!("… {minute} min");
    }
    wait::pause(Duration::from_secs_f64(SETTLING));
    let heard = play.finish();
    let directions = programs.iter().flat_map(|program| End::BOTH.map(|mouth| (*program, mouth)));
    Ok(directions.map(|(program, mouth)| listen_to(&heard, program, mouth, ppm)).collect())
}

fn listen_to(heard: &Heard, program: &dyn Program, mouth: End, ppm: f64) -> Followed {
    let (key, end) = (program.key(), mouth.other());
    let ear = heard.ear(end, &key);
    let first = ear.samples.iter().position(|sample| sample.abs() > 0.02).unwrap_or(0);
    #[expect(clippy::cast_precision_loss, reason = "minutes of samples")]
    let from = (first as f64 / f64::from(ear.rate) + SETTLING).ceil();
    Followed {
        title: program.title(),
        ppm: if end == End::B { ppm } else { -ppm },
        delays: listen::chirp_delays_between(heard.clock(mouth), &ear, heard.clock(end), from),
        spoken: ((ear.seconds() - from) * 2.0).floor(),
        holes: listen::silences(&ear.piece(from, f64::INFINITY), HOLE).len(),
    }
}

impl Followed {
    /// Of each whole span.
    fn medians(&self) -> Vec<f64> {
        let Some((began, last)) = self.delays.first().zip(self.delays.last()) else { return Vec::new() };
        let spans = (0_u32..).map(|span| began.0 + SPAN * f64::from(span));
        let whole = spans.take_while(|from| from + SPAN <= last.0 + 1.0);
        whole.map(|from| self.median(from)).filter(|median| median.is_finite()).collect()
    }

    fn median(&self, from: f64) -> f64 {
        let span = self.delays.iter().filter(|(at, _)| (from..from + SPAN).contains(at));
        listen::quantile(&span.map(|(_, delay)| *delay).collect::<Vec<_>>(), 0.5)
    }

    /// The least and the most of the medians.
    fn apart(&self) -> f64 {
        let medians = self.medians();
        listen::quantile(&medians, 1.0) - listen::quantile(&medians, 0.0)
    }

    fn slips(&self) -> usize {
        self.delays.windows(2).filter(|two| (two[1].1 - two[0].1).abs() > SLIP).count()
    }

    fn cells(&self) -> Vec<String> {
        let medians = self.medians();
        let ms = |ms: Option<&f64>| ms.map_or(String::new(), |ms| format!("{ms:.2}"));
        vec![
            self.title.clone(),
            format!("{:+.0} ppm", self.ppm),
            ms(medians.first()),
            ms(medians.last()),
            ms(Some(&self.apart())),
            self.slips().to_string(),
            self.holes.to_string(),
            format!("{} of {:.0}", self.delays.len(), self.spoken),
        ]
    }

    fn lines(&self) -> Vec<String> {
        let Self { title, ppm, .. } = self;
        self.delays.iter().map(|(second, ms)| format!("{title};{ppm};{second};{ms:.3}")).collect()
    }
}
