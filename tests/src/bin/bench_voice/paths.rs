//! What is understood of real speech over bad paths, on virtual time, with the targets beside it.

use std::time::Duration;

use vox_peer::media::profile::Profile;
use vox_tests::bed::Place;
use vox_tests::bed::wav::Recording;
use vox_tests::voice::judge::{Judge, Quality};
use vox_tests::voice::speech::{Sentence, sentences};
use vox_tests::voice::trace::{Loss, Path};
use vox_tests::voice::{Outcome, RATE, Setting, carry};

use crate::report::{Report, Row};

/// Calls over each path, each with other dice.
const SEEDS: u64 = 4;

/// The sentences are spoken so often before they are listened to: the ends find out about the path.
const REHEARSALS: usize = 2;

/// A path, and what PESQ and STOI should be on it.
const PATHS: [(Loss, u64, Option<f64>, Option<f64>); 11] = [
    (Loss::Random(0.0), 0, None, None),
    (Loss::Random(0.01), 0, None, None),
    (Loss::Random(0.05), 0, None, None),
    (Loss::Random(0.10), 0, Some(3.4), None),
    (Loss::Random(0.20), 0, Some(3.2), None),
    (Loss::Random(0.30), 0, Some(2.8), Some(0.97)),
    (Loss::Threes(0.10), 0, Some(2.6), None),
    (Loss::Threes(0.30), 0, None, Some(0.90)),
    (Loss::Bursts(0.10, 4.0), 0, None, None),
    (Loss::Random(0.0), 20, None, None),
    (Loss::Random(0.0), 60, None, None),
];

/// Measures and prints, of all profiles or of those that are asked for.
#[expect(clippy::print_stdout, reason = "it prints tables")]
pub(crate) fn measure(judge: &mut Judge, words: &[String]) -> Report {
    let (place, sentences) = (Place::new(), sentences());
    let mut report = Report::default();
    let settings = [
        (Profile::Wifi, true),
        (Profile::Internet, true),
        (Profile::Lan, true),
        (Profile::Lan, false),
        (Profile::Studio, true),
        (Profile::Studio, false),
    ];
    let is_wanted = |profile: &Profile| words.is_empty() || words.contains(&profile.to_string());
    for (profile, takes_copies) in settings.into_iter().filter(|(profile, _)| is_wanted(profile)) {
        let setting = Setting { profile, takes_copies };
        for (loss, jitter_ms, pesq, stoi) in PATHS {
            let bound = matches!(profile, Profile::Wifi | Profile::Internet);
            let mut row = Row::new(setting, loss, jitter_ms, [pesq, stoi].map(|most| most.filter(|_| bound)));
            for seed in 1..=SEEDS {
                let mut path = Path::new(loss, Duration::from_millis(jitter_ms));
                let (outcome, spans) = spoken(&sentences, setting, &mut path, seed);
                let heard =
                    spans.iter().map(|(sentence, from)| listen(judge, sentence, &outcome, *from, &place));
                let heard: Vec<Quality> = heard.collect();
                row.add(&outcome, &heard);
            }
            println!("{row}");
            report.add(row);
        }
    }
    report
}

/// One call: the sentences again and again, and where those that are listened to begin.
fn spoken<'s>(
    sentences: &'s [Sentence],
    setting: Setting,
    path: &mut Path,
    seed: u64,
) -> (Outcome, Vec<(&'s Sentence, usize)>) {
    let (mut speech, mut spans) = (Vec::new(), Vec::new());
    for _ in 0..=REHEARSALS {
        spans.clear();
        for sentence in sentences {
            spans.push((sentence, speech.len()));
            speech.extend_from_slice(&sentence.spoken);
        }
    }
    speech.resize(speech.len() + RATE, 0.0);
    (carry(&speech, setting, path, seed, spans[0].1), spans)
}

/// What the judge thinks of a sentence that began there.
fn listen(judge: &mut Judge, sentence: &Sentence, outcome: &Outcome, from: usize, place: &Place) -> Quality {
    let heard = outcome.heard[from..from + sentence.spoken.len()].to_vec();
    judge.compare(&sentence.recorded, &Recording { rate: 48_000, samples: heard }, place.path())
}
