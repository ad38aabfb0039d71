//! What becomes of who talks near the microphone.

use vox_peer::dsp::tasks::Tasks;
use vox_tests::bed::Place;
use vox_tests::bed::wav::Recording;
use vox_tests::echo::cards::Cards;
use vox_tests::echo::measure::db;
use vox_tests::echo::room::Room;
use vox_tests::echo::{ECHO, GAIN, NOISE, SECOND, mixed, noise};
use vox_tests::voice::judge::Judge;
use vox_tests::voice::speech::sentences;

/// Bob talks after so many seconds.
const SILENT: usize = 6;

const NOTE: &str = "
Each sentence is judged against itself alone. Where both talk at once, AEC3 takes some of the near end away with the echo; PESQ does
not know that the echo is the listener's own voice, and counts it as little. Noise suppression brings a high-pass of its
own, which costs more of the 4.64 than the suppression does.
";

/// What the air holds beside bob's sentence.
enum Beside {
    Nothing,
    Echo(f32),
    Noise(f32),
}

/// PESQ and STOI of bob's sentence as it was captured, and as it was sent.
pub(crate) fn table() -> String {
    let Some(mut judge) = Judge::start() else {
        return "tests/scripts/setup bench-voice has not made target/quality: speech is not judged\n"
            .to_owned();
    };
    let mut table = String::from("## Speech near the microphone (PESQ-WB and STOI)\n\n");
    table += &crate::heading(&["beside it", "done", "as captured", "as sent", "level"]);
    let both = Tasks { noise_suppress: true, ..ECHO };
    for (name, beside, tasks) in [
        ("nothing", Beside::Nothing, ECHO),
        ("nothing", Beside::Nothing, NOISE),
        ("nothing", Beside::Nothing, GAIN),
        ("echo, 16 dB below what is played", Beside::Echo(0.15), ECHO),
        ("echo, 10 dB below what is played", Beside::Echo(0.3), ECHO),
        ("echo, 10 dB below what is played", Beside::Echo(0.3), both),
        ("white noise at -50 dBFS", Beside::Noise(0.003_2), NOISE),
        ("white noise at -40 dBFS", Beside::Noise(0.01), NOISE),
    ] {
        table += &row(&mut judge, name, &beside, tasks);
    }
    table + NOTE
}

fn row(judge: &mut Judge, name: &str, beside: &Beside, tasks: Tasks) -> String {
    let [alice, bob] = sentences();
    let (from, length) = (SILENT * SECOND, bob.spoken.len());
    let near = [vec![0.0; from], bob.spoken, vec![0.0; SECOND]].concat();
    let far: Vec<f32> = alice.spoken.into_iter().cycle().take(near.len()).collect();
    let silence = vec![0.0; near.len()];
    let (far, air) = match *beside {
        Beside::Nothing => (silence, near.clone()),
        Beside::Noise(level) => (silence, mixed(&near, &noise(1, level, near.len()))),
        Beside::Echo(coupling) => (far.clone(), mixed(&near, &Room { coupling, ..Room::OFFICE }.echo(&far))),
    };
    let sent = Cards::default().run(tasks, &far, &air).samples();
    let place = Place::new();
    let mut judged = |sound: &[f32]| {
        let heard = Recording { rate: 48_000, samples: sound[from..from + length].to_vec() };
        let quality = judge.compare(&bob.recorded, &heard, place.path());
        format!("{:.2}, {:.3}", quality.pesq, quality.stoi)
    };
    let level = db(&sent[from..from + length]) - db(&near[from..from + length]);
    let (captured, sent) = (judged(&air), judged(&sent));
    crate::line(&[name, &format!("`{tasks}`"), &captured, &sent, &format!("{level:+.1} dB")])
}
