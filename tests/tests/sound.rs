//! Calls through sound cards, as production opens them: cpal on ALSA, here with JACK's dummy card (exact to the sample)
//! and PulseAudio behind it. Bounds are generous: `make bench` measures.

use std::fs;
use std::time::Duration;

use vox_tests::bed::jack::Card;
use vox_tests::bed::pulse::Pulse;
use vox_tests::bed::slots::Slot;
use vox_tests::bed::station::{Station, talk};
use vox_tests::bed::wav::{RATE, Recording};
use vox_tests::bed::{Place, listen, may, wait};

#[test]
fn what_is_spoken_into_one_card_comes_out_of_the_other() {
    let _alone = Slot::wait("sound", 1);
    let place = Place::new();
    let Some(card) = may("sound::jack", Card::start(&place, 120)) else { return };
    let words = place.at("chirps.wav");
    listen::chirps(4).write(&words);
    let probe = card.probe(&place, &[("alice", &words), ("bob", &words)]);
    let named = |name| {
        let station = Station::named(name).within(&card.surroundings(name)).set("audio.input", "default");
        station.set("audio.output", "default").set("audio.ptime-ms", 5_i64).set("audio.period", 240_i64)
    };
    let (alice, bob) = (named("alice").start(&place), named("bob").answering().start(&place));
    let _call = alice.begin(&["call", &format!("127.0.0.1:{}", bob.port())]);
    talk(&alice, &bob, Duration::from_secs(3));
    let heard = probe.finish();
    for (mouth, ear) in [("alice", "bob"), ("bob", "alice")] {
        let delays = listen::chirp_delays(&heard.microphone(mouth), &heard.loudspeaker(ear));
        assert!(delays.len() >= 3, "{ear} heard {} chirps of {mouth}: {delays:?}", delays.len());
        let middle = listen::quantile(&delays, 0.5);
        assert!((5.0..150.0).contains(&middle), "from {mouth} to {ear}: {delays:?} ms");
    }
}

#[test]
fn a_card_that_takes_multiples_of_128_alone_is_not_left_to_take_a_long_one() {
    let _alone = Slot::wait("sound", 1);
    let place = Place::new();
    let Some(card) = may("sound::jack", Card::start(&place, 128)) else { return };
    let words = place.at("chirps.wav");
    listen::chirps(1).write(&words);
    let _probe = card.probe(&place, &[("alice", &words), ("bob", &words)]);
    let [alice, bob] = ["alice", "bob"].map(|name| {
        let station = Station::named(name).within(&card.surroundings(name)).set("audio.input", "default");
        station.set("audio.output", "default").answering().start(&place)
    });
    let _call = alice.begin(&["call", &format!("127.0.0.1:{}", bob.port())]);
    talk(&alice, &bob, Duration::from_secs(1));
    for station in [&alice, &bob] {
        for opened in station.lines("audio") {
            let period = opened.rsplit("period%20").next().and_then(|frames| frames.parse::<u32>().ok());
            assert!(period.is_some_and(|frames| frames <= 512), "{opened}");
        }
    }
}

#[test]
fn an_incoming_call_is_heard_before_it_is_answered() {
    let _alone = Slot::wait("sound", 1);
    let place = Place::new();
    let Some(card) = may("sound::ring", Card::start(&place, 120)) else { return };
    let words = place.at("chirps.wav");
    listen::chirps(4).write(&words);
    let probe = card.probe(&place, &[("bob", &words)]);
    let bob = Station::named("bob").within(&card.surroundings("bob")).set("audio.output", "default");
    let bob = bob.set("audio.input", "default").start(&place);
    let alice =
        Station::named("alice").set("audio.output", format!("file:{}", place.at("alice.wav").display()));
    let alice = alice.start(&place);
    let _call = alice.begin(&["call", &format!("127.0.0.1:{}", bob.port())]);
    bob.wait_until("ringing");
    wait::pause(Duration::from_secs(3));
    assert_eq!(bob.run(&["reject"]).code, 0);
    let heard = probe.finish();
    assert!(heard.loudspeaker("bob").level() > 0.01, "nothing rings: {}", heard.loudspeaker("bob").level());
    let leaked = fs::metadata(place.at("alice.wav")).is_ok()
        && Recording::read(&place.at("alice.wav")).level() > 0.001;
    assert!(!leaked, "nothing of the microphone leaves before the call is answered");
}

/// What a station says of its two devices.
fn works(station: &Station) -> Vec<bool> {
    station.lines("audio").iter().map(|line| line.contains("state=works")).collect()
}

#[test]
fn a_call_outlives_its_card_and_uses_it_again() {
    let _alone = Slot::wait("sound", 1);
    let place = Place::new();
    let Some(mut card) = may("sound::unplugged", Card::start(&place, 120)) else { return };
    let words = place.at("chirps.wav");
    listen::chirps(20).write(&words);
    let probe = card.probe(&place, &[("alice", &words)]);
    let alice = Station::named("alice").within(&card.surroundings("alice")).set("audio.input", "default");
    let alice = alice.set("audio.output", "default").start(&place);
    let bob = Station::named("bob").answering().start(&place);
    let _call = alice.begin(&["call", &format!("127.0.0.1:{}", bob.port())]);
    talk(&alice, &bob, Duration::from_secs(1));
    assert_eq!(works(&alice), [true, true]);

    card.pull_out();
    drop(probe);
    wait::until("the loss of the card", 20, || (works(&alice) == [false, false]).then_some(()));
    let before = bob.figure("media", "packets-received");
    wait::until("more packets", 20, || {
        (bob.figure("media", "packets-received") > before + 50.0).then_some(())
    });

    card.plug_in();
    let probe = card.probe(&place, &[("alice", &words)]);
    wait::until("the card to be used again", 30, || (works(&alice) == [true, true]).then_some(()));
    talk(&alice, &bob, Duration::from_secs(3));
    let heard = probe.finish();
    let ear = heard.loudspeaker("alice");
    let last = ear.piece((ear.seconds() - 1.5).max(0.0), 1.0);
    assert!(listen::tone_share(&last, 440.0) > 0.5, "level {}, {} s", last.level(), ear.seconds());
}

#[test]
fn a_card_that_hangs_as_it_is_opened_does_not_silence_the_call() {
    let _alone = Slot::wait("sound", 1);
    let place = Place::new();
    let Some(card) = may("sound::frozen", Card::start(&place, 120)) else { return };
    let alice = Station::named("alice").within(&card.surroundings("alice")).set("audio.input", "default");
    let mut alice = alice.set("audio.output", "default").start(&place);
    let bob = Station::named("bob").answering().start(&place);
    card.freeze();
    let _call = alice.begin(&["call", &format!("127.0.0.1:{}", bob.port())]);
    for (hears, what) in [(&bob, "silence from alice"), (&alice, "bob")] {
        wait::until(what, 20, || (hears.figure("media", "packets-received") > 100.0).then_some(()));
    }
    assert_eq!(works(&alice), [false, false]);
    assert!(alice.process().end().success(), "a card that hangs is not waited for at the end");
}

#[test]
fn the_ordinary_desktop_path_works() {
    let _alone = Slot::wait("sound", 1);
    let place = Place::new();
    let Some(pulse) = may("sound::pulse", Pulse::start(&place)) else { return };
    let words = place.at("tone.wav");
    let samples =
        (0..RATE * 12).map(|n| (f64::from(n) * 660.0 * std::f64::consts::TAU / f64::from(RATE)).sin() * 0.4);
    #[expect(clippy::cast_possible_truncation, reason = "a sample")]
    Recording { rate: RATE, samples: samples.map(|sample| sample as f32).collect() }.write(&words);
    let named = |name| Station::named(name).within(pulse.surroundings());
    let alice = named("alice").set("audio.input", "default").start(&place);
    let bob = named("bob").set("audio.output", "default").answering().start(&place);
    let _speaker = pulse.speak(&place, &words);
    let raw = place.at("bob.raw");
    let _call = alice.begin(&["call", &format!("127.0.0.1:{}", bob.port())]);
    let recorder = pulse.record(&place, &raw);
    talk(&alice, &bob, Duration::from_secs(4));
    drop(recorder);
    let bytes = fs::read(&raw).expect("parec wrote it");
    let samples = bytes.chunks_exact(2).map(|two| f32::from(i16::from_le_bytes([two[0], two[1]])) / 32_768.0);
    let heard = Recording { rate: RATE, samples: samples.collect() };
    let second = heard.piece((heard.seconds() - 1.5).max(0.0), 1.0);
    assert!(listen::tone_share(&second, 660.0) > 0.5, "level {}, {} s", second.level(), heard.seconds());
}
