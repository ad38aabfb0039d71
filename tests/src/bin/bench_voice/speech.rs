//! Real speech over bad paths through the real programs, all of them at the same time and under the same conditions.

use std::time::Duration;

use vox_tests::bed::emulator::{Conditions, Emulator};
use vox_tests::bed::wav::Recording;
use vox_tests::bed::{Lack, Place, wait};
use vox_tests::voice::judge::{Judge, Quality};
use vox_tests::voice::speech::{Sentence, sentences};
use vox_tests::voice::trace::Loss;

use crate::programs::{self, Program};
use crate::stage::{Cards, End, Heard, Stage};
use crate::tables::{self, Table, keep};

const HEADING: &str = "# Voice beside other programs: speech over bad paths";

/// The period of the card: it is not the delay that is measured.
const TICK: u32 = 128;

/// How often the sentences are spoken before they are listened to, and then.
const REHEARSALS: u32 = 1;
const TIMES: u32 = 2;

/// Which packets are lost, and how late the others may be, in milliseconds.
const PATHS: [(Loss, u64); 12] = [
    (Loss::Random(0.0), 0),
    (Loss::Random(0.01), 0),
    (Loss::Random(0.05), 0),
    (Loss::Random(0.10), 0),
    (Loss::Random(0.20), 0),
    (Loss::Random(0.30), 0),
    (Loss::Threes(0.05), 0),
    (Loss::Threes(0.10), 0),
    (Loss::Threes(0.20), 0),
    (Loss::Threes(0.30), 0),
    (Loss::Random(0.0), 20),
    (Loss::Random(0.0), 60),
];

/// What PESQ and STOI should be at least under `wifi` and `internet`.
fn wanted(loss: Loss) -> (f64, f64) {
    match loss {
        Loss::Random(0.10) => (3.4, 0.0),
        Loss::Random(0.20) => (3.2, 0.0),
        Loss::Random(0.30) => (2.8, 0.97),
        Loss::Threes(0.10) => (2.6, 0.0),
        Loss::Threes(0.30) => (0.0, 0.90),
        _ => (0.0, 0.0),
    }
}

/// Measures, prints and returns the table.
pub(crate) fn measure(words: &[String], judge: &mut Judge) -> Table {
    let (there, lacking): (Vec<_>, Vec<_>) = programs::wanted(programs::for_speech(TICK), words)
        .into_iter()
        .partition(|program| program.there().is_ok());
    let titles: Vec<String> = there.iter().map(|program| program.title()).collect();
    let names: Vec<&str> = ["path"].into_iter().chain(titles.iter().map(String::as_str)).collect();
    let mut table = Table::new(HEADING, how(), &names);
    lacking.iter().for_each(|program| table.note(format!("Not measured: {}.", program.title())));
    let programs: Vec<&dyn Program> = there.iter().map(AsRef::as_ref).collect();
    let mut lines = Vec::new();
    for (loss, jitter_ms) in PATHS {
        let path = name(loss, jitter_ms);
        eprintln!("speech: {path}");
        match speak(&programs, loss, jitter_ms, judge) {
            Ok(heard) => {
                lines.extend(
                    titles.iter().zip(&heard).map(|(title, quality)| line(title, loss, jitter_ms, *quality)),
                );
                for (title, heard) in titles.iter().zip(&heard) {
                    let (pesq, stoi) = wanted(loss);
                    let is_bound = ["vox wifi", "vox internet"].contains(&title.as_str());
                    let is_reached = heard.pesq >= pesq && heard.stoi >= stoi;
                    table.want(!is_bound || is_reached, || format!("{title}, {loss}: {pesq} / {stoi}"));
                }
                table.add([path].into_iter().chain(heard.iter().map(ToString::to_string)).collect());
            }
            Err(lack) => table.note(format!("Not measured, {path}: there is no {lack}.")),
        }
    }
    keep("speech.csv", "program;kind;percent;jitter;pesq;stoi", &lines);
    table.plot("speech.svg", "PESQ over loss of each program");
    table
}

fn how() -> String {
    format!(
        "Made by `make bench-voice ONLY=speech WRITE=1`: PESQ wide band / STOI of the sentences of tests/speech, through the real programs on\n\
         the virtual card (periods of {TICK} samples), from A to B, all programs at the same time; means of {TIMES} times two sentences, which were\n\
         spoken before for the ends to find out about the path. Between the hosts stands netfilter's queue, with seeded dice of its own for each\n\
         stream and direction, and loses and delays what comes as UDP, as netem would. Jamulus' server is on B's host: only one of its two hops is\n\
         bad. Programs differ in what they send, and so in what a loss takes: 2.7 ms of sound from Jamulus, 20 from baresip and trx, 10 or 20 from\n\
         vox. What vox sends and waits over bad paths stands under “Speech over bad paths”. STOI is compared at one delay for each sentence and\n\
         marks down whoever changes it within one. {}",
        tables::load()
    )
}

fn name(loss: Loss, jitter_ms: u64) -> String {
    if jitter_ms > 0 { format!("0 to {jitter_ms} ms late") } else { loss.to_string() }
}

fn line(title: &str, loss: Loss, jitter_ms: u64, quality: Quality) -> String {
    let (kind, share) = match loss {
        Loss::Random(share) => ("random", share),
        Loss::Threes(share) | Loss::Bursts(share, _) => ("bursts", share),
    };
    format!("{title};{kind};{};{jitter_ms};{:.3};{:.4}", share * 100.0, quality.pesq, quality.stoi)
}

/// What was heard of each program.
fn speak(
    programs: &[&dyn Program],
    loss: Loss,
    jitter_ms: u64,
    judge: &mut Judge,
) -> Result<Vec<Quality>, Lack> {
    let (stage, place, sentences) = (Stage::new(TICK, Cards::One)?, Place::new(), sentences());
    let into_a = Emulator::before(&stage.net.a(), 1, || stage.net.on_a(Emulator::open))?;
    let into_b = Emulator::before(&stage.net.b(), 2, || stage.net.on_b(Emulator::open))?;
    let samples: Vec<f32> = sentences.iter().flat_map(|sentence| sentence.spoken.clone()).collect();
    let all = Recording { rate: 48_000, samples };
    let words = place.at("words.wav");
    all.write(&words);
    let once = Duration::from_secs_f64(all.seconds());
    let play = stage.play(programs, &words, once * (REHEARSALS + TIMES + 4));
    let conditions = Conditions { loss, jitter: Duration::from_millis(jitter_ms) };
    [&into_a, &into_b].iter().for_each(|way| way.set(conditions));
    // As it is spoken over and over, so much of it has been begun and ended whenever it began.
    wait::pause(once * (REHEARSALS + TIMES + 1));
    let heard = play.finish();
    Ok(programs.iter().map(|program| listen(&heard, &program.key(), &sentences, judge, &place)).collect())
}

/// The mean of the last times that the sentences were spoken as a whole.
fn listen(heard: &Heard, key: &str, sentences: &[Sentence], judge: &mut Judge, place: &Place) -> Quality {
    let ear = heard.ear(End::B, key);
    let once: usize = sentences.iter().map(|sentence| sentence.spoken.len()).sum();
    let whole = (ear.samples.len() - ear.rate as usize) / once;
    let (mut sum, mut count) = (Quality::default(), 0.0);
    for time in whole - TIMES as usize..whole {
        let mut from = time * once;
        for sentence in sentences {
            let samples = ear.samples[from..from + sentence.spoken.len()].to_vec();
            from += sentence.spoken.len();
            let quality =
                judge.compare(&sentence.recorded, &Recording { rate: ear.rate, samples }, place.path());
            (sum.pesq, sum.stoi, count) = (sum.pesq + quality.pesq, sum.stoi + quality.stoi, count + 1.0);
        }
    }
    Quality { pesq: sum.pesq / count, stoi: sum.stoi / count }
}
