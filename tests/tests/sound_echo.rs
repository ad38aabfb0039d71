//! Echo between two stations on a virtual sound card: what one hears of itself out of the room of the other.

use std::path::PathBuf;
use std::time::Duration;

use vox_tests::bed::jack::{Card, ECHO};
use vox_tests::bed::set_up;
use vox_tests::bed::slots::Slot;
use vox_tests::bed::station::{Preparation, Station};
use vox_tests::bed::wav::{RATE, Recording};
use vox_tests::bed::{Place, may, wait};
use vox_tests::voice::speech::sentences;

/// Bob is silent for so many samples, then talks for as many, over and over.
const TURN: usize = 4 * RATE as usize;

/// Time to find out about the room, then for two turns.
const CALL: Duration = Duration::from_secs(12);

/// Mouth to ear, and then some: around the beginning of a turn nothing is measured.
const BETWEEN: usize = RATE as usize / 2;

#[test]
fn who_is_heard_in_a_room_does_not_hear_itself_but_who_talks_there() {
    let _alone = Slot::wait("sound", 1);
    let place = Place::new();
    let Some(card) = may("sound::echo", Card::start(&place, 120)) else { return };
    let [alices, bobs] = sentences().map(|sentence| sentence.spoken);
    let words = place.at("words.wav");
    Recording { rate: RATE, samples: alices }.write(&words);
    let turns = vec![0.0; TURN].into_iter().chain(bobs.into_iter().cycle().take(TURN)).collect();
    Recording { rate: RATE, samples: turns }.write(&place.at("turns.wav"));
    let room = PathBuf::from(format!("{ECHO}{}", place.at("turns.wav").display()));
    let probe = card.probe(&place, &[("alice", &words), ("bob", &room)]);
    let named = |name: &str| -> Preparation {
        let station = Station::named(name).within(&card.surroundings(name)).set("audio.input", "default");
        station.set("audio.output", "default").set("audio.period", 240_i64)
    };
    let (alice, bob) =
        (named("alice").start(&place), named("bob").set("voice.echo-cancel", true).answering().start(&place));
    let call = set_up::call(&alice, &bob.host(), &bob);
    wait::pause(CALL);
    assert_eq!(bob.status("dsp", "does").as_deref(), Some("echo-cancel"));
    assert!(bob.lines("thread").iter().any(|line| line.contains("name=dsp ")), "{:?}", bob.lines("thread"));
    assert_eq!(alice.status("dsp", "does"), None);
    let heard = probe.finish();
    drop(call);
    let (captured, ear) = (heard.microphone("bob"), heard.loudspeaker("alice"));
    let level = |sound: &Recording, talks: bool| {
        let turn = |n: usize| (n / TURN % 2 == 1) == talks && (BETWEEN..TURN - BETWEEN).contains(&(n % TURN));
        let listened = ear.samples.len().saturating_sub(2 * TURN)..ear.samples.len();
        let samples = listened.filter(|n| turn(*n)).map(|n| sound.samples[n]).collect();
        20.0 * Recording { rate: RATE, samples }.level().max(1e-6).log10()
    };
    let (echo, of_itself) = (level(&captured, false), level(&ear, false));
    let (spoken, of_bob) = (level(&captured, true), level(&ear, true));
    let slipped = card.xruns();
    println!(
        "card slipped {slipped} times; echo {echo:.1} dB, heard {of_itself:.1} dB; bob {spoken:.1} dB, heard {of_bob:.1} dB"
    );
    assert!(echo > -50.0, "there is no echo to cancel: {echo:.1} dB");
    assert!(echo - of_itself > 20.0, "alice hears herself with {of_itself:.1} dB, without {echo:.1} dB");
    assert!(
        (of_bob - spoken).abs() < 6.0,
        "alice hears bob with {of_bob:.1} dB, he speaks with {spoken:.1} dB"
    );
}
