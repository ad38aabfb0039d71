//! What stations say of the delay from mouth to ear: part by part, both directions, true against what is measured.

use std::time::Duration;

use vox_tests::bed::forwarder::{Forwarder, Weather};
use vox_tests::bed::jack::Card;
use vox_tests::bed::slots::Slot;
use vox_tests::bed::station::{Station, talk};
use vox_tests::bed::{Place, listen, may, wait};

const PARTS: [&str; 5] = ["capture-ms", "encode-ms", "network-ms", "jitter-buffer-ms", "playback-ms"];

/// The delay that a station tells of one direction in milliseconds, once everything is known of it: all together, and
/// each of [`PARTS`].
fn told(station: &Station, direction: &str) -> Option<(f64, [f64; 5])> {
    let lines = station.lines("delay");
    let line = lines.iter().find(|line| line.contains(&format!(" direction={direction} ")))?;
    let number = |key: &str| {
        let word = line.split(' ').find_map(|word| word.strip_prefix(key)?.strip_prefix('='));
        word?.parse::<f64>().ok()
    };
    let parts: Vec<f64> = PARTS.iter().filter_map(|key| number(key)).collect();
    Some((number("total-ms")?, parts.try_into().ok()?))
}

fn wait_for_told(station: &Station, direction: &str) -> (f64, [f64; 5]) {
    wait::until("the delay to be known", 20, || told(station, direction))
}

/// Both sides tell the same of the same direction, from the other end; each sum is that of its parts. A delay that moves
/// is told to the far end a second later: they agree when it rests.
fn both_tell_the_same(alice: &Station, bob: &Station, within_ms: f64) {
    for (way, back) in [("there", "here"), ("here", "there")] {
        wait::until(&format!("alice's {way} to be bob's {back}"), 20, || {
            let ((total, parts), (other, _)) = (told(alice, way)?, told(bob, back)?);
            assert!((total - parts.iter().sum::<f64>()).abs() < 0.1, "{total} is not the sum of {parts:?}");
            ((total - other).abs() < within_ms).then_some(())
        });
    }
}

#[test]
fn two_stations_on_loopback_know_every_part_and_agree() {
    let place = Place::new();
    let alice = Station::named("alice").set("audio.ptime-ms", 5_i64).start(&place);
    let bob = Station::named("bob").answering().start(&place);
    let mut watcher = alice.watch();
    let watching = alice.begin(&["watch", "--json"]);
    let _call = alice.begin(&["call", &bob.host()]);
    both_tell_the_same(&alice, &bob, 5.0);
    let told = watcher.wait_for(&["AUDIO", "there", "delay", "name=bob"]);
    assert!(PARTS.iter().all(|part| told.contains(part)), "{told}");
    let (_, [_, encode, network, ..]) = wait_for_told(&alice, "there");
    assert!((2.0..6.0).contains(&encode), "what the codec looks ahead is in it: {encode}");
    assert!(network < 5.0, "{network}");
    for direction in ["there", "here"] {
        watching.wait_for_log(&format!("\"direction\":\"{direction}\""));
    }
    let status = alice.run(&["status", "--json"]);
    let status: serde_json::Value = serde_json::from_str(&status.out).expect("JSON");
    assert!(status["delay"][1]["total-ms"].is_f64(), "{status:#}");
    let sends = &status["media"][0];
    assert_eq!(
        (&sends["ptime-ms"], &sends["bitrate"], &sends["copies"]),
        (&5.into(), &64_000.into(), &0.into())
    );
    assert_eq!(bob.status("media", "ptime-ms").as_deref(), Some("10"), "each its own");
}

#[test]
fn a_slow_network_is_told_as_such_and_raises_the_alarm_on_both_sides() {
    const EACH_WAY: Duration = Duration::from_millis(50);
    let place = Place::new();
    let named = |name: &str| Station::named(name).set("voice.alarm-delay-ms", 40_i64);
    let (alice, bob) = (named("alice").start(&place), named("bob").answering().start(&place));
    let weather = Weather { delay: EACH_WAY, ..Weather::default() };
    let slow = Forwarder::start(([127, 0, 0, 1], bob.port()).into(), weather);
    let mut watchers = [alice.watch(), bob.watch()];
    let call = alice.begin(&["call", &slow.address().to_string()]);
    for watcher in &mut watchers {
        for direction in ["there", "here"] {
            let told = watcher.wait_for(&["AUDIO", direction, "late", "alarm-ms=40"]);
            assert!(PARTS.iter().all(|part| told.contains(part)), "{told}");
        }
    }
    both_tell_the_same(&alice, &bob, 5.0);
    for station in [&alice, &bob] {
        let (_, [.., network, _, _]) = wait_for_told(station, "there");
        assert!((50.0..55.0).contains(&network), "{network} ms");
        assert!(station.lines("delay").iter().all(|line| line.contains("late=yes")));
    }
    call.wait_for_log("takes too long");
    let said = alice.run(&["status"]);
    assert!(said.out.contains("too late"), "{said:?}");
}

/// The frame of each station in milliseconds, and the period of its card: one whose frame is a period, and one that
/// completes four frames at once.
const STATIONS: [(&str, f64, i64); 2] = [("alice", 5.0, 240), ("bob", 2.5, 480)];

#[test]
fn what_is_said_of_the_delay_is_true_on_a_card() {
    const WITHIN_MS: f64 = 5.0;
    /// Chirps, two a second.
    const LATEST: usize = 5;
    let _alone = Slot::wait("sound", 1);
    let place = Place::new();
    let Some(card) = may("sound::delay", Card::start(&place, 60)) else { return };
    let words = place.at("chirps.wav");
    listen::chirps(4).write(&words);
    let probe = card.probe(&place, &[("alice", &words), ("bob", &words)]);
    let [alice, bob] = STATIONS.map(|(name, ptime, period)| {
        let station = Station::named(name).within(&card.surroundings(name)).set("audio.input", "default");
        let station = station.set("audio.output", "default").set("audio.ptime-ms", ptime);
        station.set("audio.period", period).answering().start(&place)
    });
    let _call = alice.begin(&["call", &bob.host()]);
    talk(&alice, &bob, Duration::from_secs(5));
    both_tell_the_same(&alice, &bob, WITHIN_MS);
    let said = [wait_for_told(&alice, "there"), wait_for_told(&alice, "here")];
    let heard = probe.finish();
    for ((mouth, ear), (total, parts)) in [("alice", "bob"), ("bob", "alice")].into_iter().zip(said) {
        let delays = listen::chirp_delays(&heard.microphone(mouth), &heard.loudspeaker(ear));
        let latest = &delays[delays.len().saturating_sub(LATEST)..];
        println!("from {mouth} to {ear}: {total:.2} ms of {parts:.2?} are said; {latest:.2?} are measured");
        // On a busy machine the delay moves: what is said is what it is at the end.
        assert!(latest.iter().any(|measured| (total - measured).abs() < WITHIN_MS), "{delays:.2?}");
    }
}
