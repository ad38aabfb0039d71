//! What the rig of `make bench-voice` measures, short and with generous bounds: whoever makes a call half as slow again, or
//! lets it break up, is told here.

use std::time::Duration;

use vox_tests::bed::holes::Holes;
use vox_tests::bed::jack::Card;
use vox_tests::bed::slots::Slot;
use vox_tests::bed::station::{Station, talk};
use vox_tests::bed::{Place, listen, may};

/// The clock of the card, in samples: finer than every period.
const TICK: u32 = 60;

/// Profiles, frames and periods, and the median of the delay that must not be passed, in milliseconds: half as much again
/// as was measured when this was written (3.75, 7.5 and 17.5).
const BOUNDS: [(&str, f64, i64, f64); 3] =
    [("studio", 1.25, 60, 6.0), ("lan", 2.5, 60, 11.5), ("lan", 10.0, 120, 26.0)];

/// A busy machine may spoil a call, but not so many.
const TRIES: usize = 3;

/// Holes that are nobody's fault but were not witnessed.
const UNSEEN: usize = 3;

#[test]
fn the_delay_from_mouth_to_ear_is_not_half_as_much_again_and_nothing_breaks_up() {
    let _alone = Slot::wait("sound", 1);
    for (profile, ptime_ms, period, bound) in BOUNDS {
        let mut calls = Vec::new();
        while calls.len() < TRIES && !calls.iter().any(|call| is_good(call, bound)) {
            let place = Place::new();
            let Some(card) = may("sound::jack", Card::start(&place, TICK)) else { return };
            calls.push(call(&card, &place, profile, ptime_ms, period));
        }
        assert!(
            calls.iter().any(|call| is_good(call, bound)),
            "{profile}, not under {bound} ms: {calls:.2?}"
        );
    }
}

/// Delays in milliseconds, both directions, and what broke up.
type Call = (Vec<f64>, Holes);

fn is_good((delays, holes): &Call, bound: f64) -> bool {
    delays.len() >= 10 && listen::quantile(delays, 0.5) < bound && holes.unexcused <= UNSEEN
}

fn call(card: &Card, place: &Place, profile: &str, ptime_ms: f64, period: i64) -> Call {
    let words = place.at("words.wav");
    listen::chirps_and_hum(4).write(&words);
    let probe = card.probe(place, &[("alice", &words), ("bob", &words)]);
    let named = |name| {
        let station = Station::named(name).within(&card.surroundings(name)).set("audio.input", "default");
        let station = station.set("audio.output", "default").set("voice.profile", profile);
        station.set("audio.ptime-ms", ptime_ms).set("audio.period", period)
    };
    let (alice, bob) = (named("alice").start(place), named("bob").answering().start(place));
    let _call = alice.begin(&["call", &bob.host()]);
    talk(&alice, &bob, Duration::from_secs(4));
    let heard = probe.finish();
    let both = [("alice", "bob"), ("bob", "alice")];
    let delays =
        both.map(|(mouth, ear)| listen::chirp_delays(&heard.microphone(mouth), &heard.loudspeaker(ear)));
    (
        delays.concat(),
        Holes::find(&heard.loudspeaker("bob"), &heard, TICK, u32::try_from(period).expect("a period")),
    )
}
