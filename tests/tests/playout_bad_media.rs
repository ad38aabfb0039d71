//! Whatever a far end sends, the playout says it right again within a second, with no more memory than it had.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use vox_common::sys::clock;
use vox_peer::media::orders::{Codec, Coding};
use vox_peer::media::playout::{Counters, Patience, Playout};
use vox_peer::media::profile::Profile;
use vox_tests::bed::listen;
use vox_tests::bed::wav::{RATE, Recording};
use vox_tests::mischief::{Mischief, Sent, Speaker, TONE};

const PEACE: Duration = Duration::from_secs(1);

const SHORTEST: Coding = Coding { codec: Codec::L16, ptime_us: 1_250 };
const USUAL: Coding = Coding { codec: Codec::Opus, ptime_us: 10_000 };

/// What was heard of a script, a second at a time, and what was counted at the end of each.
struct Heard {
    sound: Vec<f32>,
    counted: Vec<Counters>,
    /// The most that ever waited, in samples.
    deepest: i64,
}

/// Plays what a far end sent to a card that asks for `period` samples at a time.
fn heard(script: &[Sent], profile: Profile, period: usize) -> Heard {
    let start = clock::now();
    let mut playout = Playout::new(start).expect("memory");
    playout.set_patience(Patience::of(&profile.numbers(), 0));
    let mut heard = Heard { sound: Vec::new(), counted: Vec::new(), deepest: 0 };
    let mut waiting = script.iter().peekable();
    let end = script.last().expect("something was sent").at;
    let mut now = Duration::ZERO;
    while now < end {
        while let Some(sent) = waiting.next_if(|sent| sent.at <= now) {
            playout.push(&sent.bytes, at(start, sent.at));
        }
        let mut out = vec![f32::NAN; period];
        playout.pull(at(start, now), &mut out);
        assert!(out.iter().all(|sample| sample.is_finite()), "every sample is filled");
        heard.deepest = heard.deepest.max(playout.depth());
        heard.sound.extend(out);
        now += Duration::from_nanos(period as u64 * 1_000_000_000 / u64::from(RATE));
        if heard.sound.len() / RATE as usize > heard.counted.len() {
            heard.counted.push(playout.counters());
        }
    }
    heard
}

fn at(start: Instant, since: Duration) -> Instant {
    start + Duration::from_millis(1) + since
}

impl Heard {
    /// Whether the last second was right: nothing made up or left out, and nothing but the tone.
    fn is_right_in_the_end(&self) -> Result<(), String> {
        let [.., before, after] = self.counted.as_slice() else { return Err("too short".into()) };
        let from = self.sound.len() / RATE as usize * RATE as usize - RATE as usize;
        let last = Recording { rate: RATE, samples: self.sound[from..from + RATE as usize].to_vec() };
        let share = listen::tone_share(&last, f64::from(TONE));
        let holes = listen::silences(&last, 24).len();
        let moved = (after.concealed - before.concealed) + (after.dropped - before.dropped);
        let right = share > 0.99 && holes == 0 && moved == 0 && last.level() > 0.15;
        let told = || format!("{share} {holes} {} {before:?} {after:?}", last.level());
        if right { Ok(()) } else { Err(told()) }
    }
}

/// A far end in peace, then at its worst, then in peace for two seconds, the first of which does not count.
fn script(coding: Coding, seed: u64, bad: &[Mischief]) -> Vec<Sent> {
    let mut speaker = Speaker::new(coding, seed);
    speaker.speak(PEACE);
    for &mischief in bad {
        speaker.misbehave(mischief);
    }
    speaker.speak(2 * PEACE + Duration::from_millis(500));
    speaker.script()
}

#[test]
fn after_each_kind_of_bad_media_sound_is_right_within_a_second() {
    for mischief in Mischief::ALL {
        for (coding, profile, period) in [(USUAL, Profile::Lan, 480), (SHORTEST, Profile::Internet, 64)] {
            let heard = heard(&script(coding, 7, &[mischief]), profile, period);
            let right = heard.is_right_in_the_end();
            assert_eq!(right, Ok(()), "{mischief} {coding} {profile} {period}");
            assert!(heard.deepest <= 128 * 960, "{mischief}: {}", heard.deepest);
        }
    }
}

fn mischiefs() -> impl Strategy<Value = Vec<Mischief>> {
    prop::collection::vec((0..Mischief::ALL.len()).prop_map(|nth| Mischief::ALL[nth]), 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn after_any_series_of_it_sound_is_right_within_a_second(
        bad in mischiefs(), seed: u64, shortest: bool, nth in 0..Profile::ALL.len(), period in 48..600_usize,
    ) {
        let coding = if shortest { SHORTEST } else { USUAL };
        let heard = heard(&script(coding, seed, &bad), Profile::ALL[nth], period);
        prop_assert_eq!(heard.is_right_in_the_end(), Ok(()));
    }
}
