//! What people hear of the mouth-to-ear delay: in STATUS, as events, in the log.

use std::time::Duration;

use vox_peer::agent::allow::Allow;
use vox_peer::agent::consent::Consent;
use vox_peer::agent::io::Input;
use vox_peer::media::mouth_to_ear::StationDelay;
use vox_peer::media::orders::{LegReport, MediaNews, Sends};

use crate::bench::{Bench, CALLER, WATCHER};

fn ms(ms: f64) -> Duration {
    Duration::from_secs_f64(ms / 1e3)
}

/// A station that adds so many milliseconds.
fn station([capture, encode, jitter_buffer, playback]: [f64; 4]) -> StationDelay {
    StationDelay {
        capture: Some(ms(capture)),
        encode: Some(ms(encode)),
        jitter_buffer: Some(ms(jitter_buffer)),
        playback: Some(ms(playback)),
    }
}

/// Ten milliseconds there and fourteen back, and what the network takes.
fn report(network_ms: f64) -> LegReport {
    LegReport {
        network: Some(ms(network_ms)),
        own: station([2.0, 3.0, 4.0, 5.0]),
        far: station([2.0, 3.0, 3.0, 2.0]),
        sends: Sends { ptime_us: 2_500, bitrate: 64_000, copies: 1 },
        drift_ppm: -12.34,
        ..LegReport::default()
    }
}

/// Reports every 200 ms until then; the events that came of it.
fn reported(alice: &mut Bench, report: &LegReport, until: u64) -> Vec<String> {
    let place = alice.agent.calls().legs()[0].place;
    let mut heard = Vec::new();
    for now in (alice.now()..until).step_by(200) {
        alice.until(now);
        alice.sound();
        heard.extend(alice.put(Input::Media(&MediaNews::Report(place, *report))));
    }
    heard.retain(|line| line.contains("* AUDIO"));
    heard
}

/// How many events of a kind there are.
fn events(heard: &[String], kind: &str) -> usize {
    heard.iter().filter(|line| line.contains(&format!(" < * AUDIO {kind} call="))).count()
}

/// What the log was told of delays.
fn logged(alice: &Bench) -> Vec<&str> {
    alice.logged.iter().map(String::as_str).filter(|line| line.contains("the delay of sound")).collect()
}

fn alarmed_at(alarm_ms: u64) -> Bench {
    Bench::with(|settings| settings.policy.alarm_delay = Some(Duration::from_millis(alarm_ms)))
}

#[test]
fn status_shows_both_directions_with_their_parts_and_how_sound_is_sent() {
    let mut alice = alarmed_at(150);
    let call = alice.calls_until_they_talk();
    reported(&mut alice, &report(50.0), 200);
    let status = alice.ask(WATCHER, "STATUS").join("\n");
    for wanted in [
        format!(
            "230-delay call={call} direction=there late=no total-ms=60.00 capture-ms=2.00 encode-ms=3.00 network-ms=50.00 jitter-buffer-ms=3.00 playback-ms=2.00"
        ),
        format!(
            "230-delay call={call} direction=here late=no total-ms=64.00 capture-ms=2.00 encode-ms=3.00 network-ms=50.00 jitter-buffer-ms=4.00 playback-ms=5.00"
        ),
        "drift-ppm=-12.3 ptime-ms=2.5 bitrate=64000 copies=1".to_owned(),
    ] {
        assert!(status.contains(&wanted), "{wanted}\n{status}");
    }
}

#[test]
fn what_is_not_known_is_not_told_as_a_number() {
    let mut alice = alarmed_at(10);
    alice.calls_until_they_talk();
    let unknown = LegReport { far: StationDelay::default(), ..report(50.0) };
    assert_eq!(reported(&mut alice, &unknown, 5_000), Vec::<String>::new());
    let status = alice.ask(WATCHER, "STATUS").join("\n");
    assert!(status.contains("direction=there late=no total-ms=- capture-ms=2.00"), "{status}");
    assert!(status.contains("network-ms=50.00 jitter-buffer-ms=- playback-ms=-"), "{status}");
}

#[test]
fn each_direction_that_takes_too_long_is_told_of_once_to_watchers_the_caller_and_the_log() {
    let mut alice = alarmed_at(150);
    let call = alice.calls_until_they_talk();
    let known = reported(&mut alice, &report(50.0), 2_000);
    assert_eq!(known.len(), 2, "each direction once, to the watcher alone: {known:#?}");
    assert!(known[0].contains(&format!("* AUDIO there delay call={call} name=")), "{known:#?}");

    // 152 ms here, 148 there.
    let here = reported(&mut alice, &report(138.0), 10_000);
    assert_eq!(events(&here, "here late"), 2, "{here:#?}");
    assert_eq!(events(&here, "there late"), 0, "{here:#?}");
    let log = logged(&alice);
    assert_eq!(log.len(), 1, "{log:#?}");
    assert!(log[0].starts_with("WARN the delay of sound is longer than it may be direction=here"), "{log:?}");
    assert!(log[0].ends_with("playback-ms=5.00 alarm-ms=150"), "{log:?}");

    let well = reported(&mut alice, &report(50.0), 20_000);
    assert_eq!(events(&well, "here timely"), 2, "{well:#?}");
    let log = logged(&alice);
    assert!(log.len() == 2 && log[1].starts_with("INFO the delay of sound is well again"), "{log:#?}");
}

#[test]
fn the_next_call_begins_without_the_alarm_of_the_last() {
    let mut alice = alarmed_at(150);
    for calls in 1..=9 {
        alice.calls_until_they_talk();
        let from = alice.now();
        reported(&mut alice, &report(500.0), from + 3_000);
        assert_eq!(logged(&alice).len(), 2 * calls, "{:#?}", logged(&alice));
        alice.ask(CALLER, "HANGUP");
        alice.until(from + 20_000);
    }
}

#[test]
fn another_configuration_silences_the_alarm() {
    let mut alice = alarmed_at(150);
    alice.calls_until_they_talk();
    reported(&mut alice, &report(500.0), 3_000);
    assert!(alice.ask(WATCHER, "STATUS").join("\n").contains("late=yes"));
    let never = vox_peer::agent::io::Policy {
        consent: Consent::default(),
        allow: Allow::Anyone,
        ring_timeout: Duration::from_secs(30),
        alarm_delay: None,
    };
    alice.put(Input::Reload(&never, None));
    assert_eq!(reported(&mut alice, &report(500.0), 6_000), Vec::<String>::new());
    assert!(!alice.ask(WATCHER, "STATUS").join("\n").contains("late=yes"));
}
