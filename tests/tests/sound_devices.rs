//! Sound cards of every kind, and what they do to a call: odd rates and formats, names, being pulled out, going mad.

use std::fs;
use std::path::Path;
use std::time::Duration;

use vox_common::sys::clock;
use vox_common::wire::words;
use vox_tests::bed::pulse::Pulse;
use vox_tests::bed::slots::Slot;
use vox_tests::bed::station::{Station, talk};
use vox_tests::bed::voxcard::{Mood, Offer, Voxcard};
use vox_tests::bed::wav::{RATE, Recording};
use vox_tests::bed::{Place, Process, Surroundings, listen, may, need, usage, wait};

const ORDINARY: Offer = Offer { rate: 48_000, channels: 1, format: "S16_LE" };

/// What its card hears goes to a file of bob's, who speaks a tone of 440 Hz.
fn speaks_through(name: &str, offer: Offer, place: &Place) {
    let Some(card) = may("sound_devices::odd", Voxcard::plug_in(place, name, offer)) else { return };
    let alice = Station::named(name).within(&card.surroundings());
    let alice = alice.set("audio.input", "voxcard").set("audio.output", "voxcard").start(place);
    let (bob, file) = (format!("{name}-bob"), place.at(&format!("{name}-bob.wav")));
    let bob = Station::named(&bob).answering().set("audio.output", format!("file:{}", file.display()));
    let bob = bob.start(place);
    let _call = alice.begin(&["call", &bob.host()]);
    talk(&alice, &bob, Duration::from_millis(1_500));
    let Offer { rate, channels, .. } = offer;
    for line in alice.lines("audio") {
        let opened = format!("opened%20at%20{rate}%20Hz,%20{channels}%20channel(s)");
        assert!(line.contains("state=works") && line.contains(&opened), "{offer:?}: {line}");
    }
    assert_eq!(alice.run(&["hangup"]).code, 0);
    bob.wait_until("idle");
    for (what, heard, hertz) in [
        ("bob", Recording::read(&file), 660.0),
        ("the first channel", card.heard(0), 440.0),
        ("the last of ours", card.heard(usize::from(channels.min(2)) - 1), 440.0),
    ] {
        let second = heard.piece(heard.seconds() - 1.1, 1.0);
        let (share, level) = (listen::tone_share(&second, hertz), second.level());
        assert!(share > 0.9 && (0.2..0.45).contains(&level), "{offer:?}, {what}: {share}, level {level}");
    }
    if channels > 2 {
        assert!(card.heard(usize::from(channels) - 1).level() < 1e-6, "{offer:?}: others are left alone");
    }
}

/// A station on an ordinary card called `voxcard`, in a call with bob, who speaks a tone of 440 Hz.
struct Pair {
    card: Voxcard,
    alice: Station,
    bob: Station,
    _call: Process,
    _place: Place,
}

impl Pair {
    fn talking(test: &str, around: impl FnOnce(Surroundings) -> Surroundings) -> Option<Self> {
        let place = Place::new();
        let card = may(test, Voxcard::plug_in(&place, "alice", ORDINARY))?;
        let alice = Station::named("alice").within(&around(card.surroundings()));
        let alice = alice.set("audio.input", "voxcard").set("audio.output", "voxcard").start(&place);
        let bob = Station::named("bob").answering().start(&place);
        let call = alice.begin(&["call", &bob.host()]);
        talk(&alice, &bob, Duration::from_millis(500));
        assert_eq!(works(&alice), [true, true]);
        Some(Self { card, alice, bob, _call: call, _place: place })
    }

    /// Bob goes on hearing of alice.
    fn goes_on(&self) {
        let before = self.bob.figure("media", "packets-received");
        wait::until("more packets", 10, || {
            (self.bob.figure("media", "packets-received") > before + 50.0).then_some(())
        });
    }

    /// Percent of a core that alice needs for so long.
    fn cost(&mut self, length: Duration) -> f64 {
        let pid = self.alice.process().pid();
        let (began, before) = (clock::now(), usage::processor_time(pid));
        wait::pause(length);
        let used = usage::processor_time(pid).saturating_sub(before);
        100.0 * used.as_secs_f64() / (clock::now() - began).as_secs_f64()
    }
}

fn works(station: &Station) -> Vec<bool> {
    station.lines("audio").iter().map(|line| line.contains("state=works")).collect()
}

#[test]
fn a_card_is_taken_again_within_two_seconds_of_its_return() {
    let Some(mut pair) = Pair::talking("sound_devices::unplugged", |around| around) else { return };
    for pause in [1, 6] {
        pair.card.is(Mood::Gone);
        wait::until("the loss of the card", 5, || (works(&pair.alice) == [false, false]).then_some(()));
        let cost = pair.cost(Duration::from_secs(pause));
        println!("gone: {cost:.1} % of a core");
        assert!(cost < 15.0, "{cost} % of a core while it is looked for");
        pair.goes_on();
        pair.card.is(Mood::Works);
        let back = clock::now();
        wait::until("the card to be used again", 10, || (works(&pair.alice) == [true, true]).then_some(()));
        let took = clock::now() - back;
        assert!(took < Duration::from_secs(2), "{took:?}");
        wait::pause(Duration::from_millis(1_300));
        let heard = pair.card.heard(0);
        let second = heard.piece(heard.seconds() - 1.0, 1.0);
        assert!(listen::tone_share(&second, 440.0) > 0.9, "level {}", second.level());
    }
}

#[test]
fn a_card_that_goes_mad_costs_no_processor_and_not_the_call() {
    let Some(mut pair) = Pair::talking("sound_devices::mad", |around| around) else { return };
    let sane = pair.cost(Duration::from_secs(2));
    for mood in [Mood::Fails, Mood::RunsDry] {
        pair.card.is(mood);
        wait::until("the loss of the card", 5, || works(&pair.alice).contains(&false).then_some(()));
        let mad = pair.cost(Duration::from_secs(3));
        println!("{mood:?}: {mad:.1} % of a core, {sane:.1} % before");
        assert!(mad < sane + 10.0, "{mood:?}: {mad} % of a core, {sane} % before");
        pair.goes_on();
    }
}

#[test]
fn a_card_of_any_rate_format_and_channel_count_is_heard_and_hears() {
    let _alone = Slot::wait("sound", 1);
    let place = Place::new();
    let offers = [
        (8_000, 1, "U8"),
        (16_000, 2, "S16_LE"),
        (22_050, 1, "U16_LE"),
        (44_100, 6, "S24_LE"),
        (44_100, 1, "FLOAT64_LE"),
        (48_000, 6, "FLOAT_LE"),
        (96_000, 2, "S32_LE"),
        (192_000, 2, "S16_LE"),
    ];
    for four in offers.chunks(4) {
        std::thread::scope(|scope| {
            for &(rate, channels, format) in four {
                let (name, place) = (format!("a{rate}x{channels}"), &place);
                let offer = Offer { rate, channels, format };
                scope.spawn(move || speaks_through(&name, offer, place));
            }
        });
    }
}

#[test]
fn devices_are_shown_with_what_they_can_do_and_found_by_every_name() {
    let place = Place::new();
    let offer = Offer { rate: 44_100, channels: 2, format: "S16_LE" };
    let Some(card) = may("sound_devices::names", Voxcard::plug_in(&place, "alice", offer)) else { return };
    let named = |name: &str| Station::named("alice").within(&card.surroundings()).set("audio.input", name);
    let alice = named("vox card").set("audio.output", "Vox Card, Test").start(&place);
    let shown = alice.run(&["devices"]).out;
    for way in ["in", "out"] {
        let line = format!("{way}\tvoxcard\t\t44100\t2\t\tVox Card, Test");
        assert!(shown.lines().any(|shown| shown == line), "{shown}");
    }
    let bob = Station::named("bob").answering().start(&place);
    let call = alice.begin(&["call", &bob.host()]);
    wait::until("both devices", 10, || (works(&alice) == [true, true]).then_some(()));
    drop(call);
    card.is(Mood::Busy);
    wait::until("the card to be closed", 10, || {
        alice.run(&["devices"]).out.contains("it is in use").then_some(())
    });
    drop(alice);
    let alice = named("voxcart").start(&place);
    let _call = alice.begin(&["call", &bob.host()]);
    let sentence = "no%20such%20sound%20device:%20voxcart;%20for%20input%20there%20is%20voxcard,%20default";
    wait::until("the refusal", 10, || alice.lines("audio")[0].contains(sentence).then_some(()));
}

/// The scheduling of its threads, by their names: a priority of SCHED_FIFO, or 0 for an ordinary one.
fn priority(station: &Station, thread: &str) -> Option<String> {
    let of = |line: &String| line.contains(&format!("name={thread} ")).then(|| line.clone());
    let line = station.lines("thread").iter().find_map(of)?;
    words::value(&line, "priority").ok()?.map(str::to_owned)
}

#[test]
fn a_real_time_thread_that_spins_loses_its_priority_and_the_call_goes_on() {
    let _alone = Slot::wait("sound", 1);
    // As the unit has it (LimitRTTIME=500ms:2s): who is not stopped at the first is ended at the second.
    let limited = |around: Surroundings| around.through(["prlimit", "--rttime=500000:2000000"]);
    let Some(()) = may("sound_devices::spins", need::root()) else { return };
    let Some(mut pair) = Pair::talking("sound_devices::spins", limited) else { return };
    assert_eq!(priority(&pair.alice, "playback").as_deref(), Some("70"));
    assert_eq!(pair.alice.status("realtime", "granted").as_deref(), Some("yes"));
    pair.card.is(Mood::Spins);
    pair.alice.process().wait_for_log("a real-time thread did not pause");
    wait::until("ordinary threads", 5, || {
        (priority(&pair.alice, "playback").as_deref() == Some("0")).then_some(())
    });
    assert_eq!(pair.alice.status("realtime", "granted").as_deref(), Some("no"));
    wait::until("the loss of the card", 5, || (works(&pair.alice) == [false, false]).then_some(()));
    pair.goes_on();
    pair.card.is(Mood::Works);
    wait::until("the card to be used again", 20, || (works(&pair.alice) == [true, true]).then_some(()));
    assert!(pair.alice.process().end().success());
}

#[test]
fn who_is_not_granted_real_time_is_told_so_once_and_what_to_do() {
    let without = |around: Surroundings| around.through(["setpriv", "--bounding-set", "-sys_nice", "--"]);
    let Some(()) = may("sound_devices::ordinary", need::root()) else { return };
    let Some(mut pair) = Pair::talking("sound_devices::ordinary", without) else { return };
    assert_eq!(priority(&pair.alice, "playback").as_deref(), Some("0"));
    let advice = pair.alice.status("realtime", "advice").expect("advice");
    assert!(advice.contains("systemd unit") && advice.contains("rtprio"), "{advice}");
    let shown = pair.alice.run(&["status"]).out;
    assert!(shown.contains("not granted, ") && shown.contains("but wanted fifo 70"), "{shown}");
    let warned = pair.alice.process().log().matches("its threads are ordinary ones").count();
    assert_eq!(warned, 1);
    pair.goes_on();
}

/// What `parec` wrote.
fn recorded(file: &Path) -> Recording {
    let bytes = fs::read(file).expect("parec wrote it");
    let samples = bytes.chunks_exact(2).map(|two| f32::from(i16::from_le_bytes([two[0], two[1]])) / 32_768.0);
    Recording { rate: RATE, samples: samples.collect() }
}

#[test]
fn another_default_on_the_desktop_is_followed_within_the_call() {
    let _alone = Slot::wait("sound", 1);
    let place = Place::new();
    let Some(pulse) = may("sound_devices::pulse", Pulse::start(&place)) else { return };
    pulse.choose("spk");
    let alice = Station::quiet("alice").within(&pulse.desktop(&place)).set("audio.output", "default");
    let alice = alice.start(&place);
    let bob = Station::named("bob").answering().start(&place);
    let _call = alice.begin(&["call", &bob.host()]);
    talk(&alice, &bob, Duration::from_millis(500));
    for (at, sink) in ["spk", "other", "spk"].into_iter().enumerate() {
        pulse.choose(sink);
        let file = place.at(&format!("{at}.raw"));
        let _recorder = pulse.record_sink(sink, &place, &file);
        wait::until(&format!("bob's tone from {sink}"), 20, || {
            let heard = recorded(&file);
            let last = heard.piece((heard.seconds() - 0.5).max(0.0), 0.5);
            (last.seconds() > 0.4 && listen::tone_share(&last, 440.0) > 0.5).then_some(())
        });
    }
}

#[test]
fn another_default_without_a_sound_server_is_used_from_the_next_call_on() {
    let place = Place::new();
    let Some(mut card) = may("sound_devices::default", Voxcard::plug_in(&place, "alice", ORDINARY)) else {
        return;
    };
    let alice = Station::quiet("alice").within(&card.surroundings()).set("audio.output", "default");
    let alice = alice.start(&place);
    let bob = Station::named("bob").answering().start(&place);
    for rate in [48_000, 44_100] {
        card.becomes(Offer { rate, ..ORDINARY });
        let _call = alice.begin(&["call", &bob.host()]);
        let opened = format!("default%20opened%20at%20{rate}%20Hz");
        wait::until(&opened, 10, || alice.lines("audio")[1].contains(&opened).then_some(()));
        assert_eq!(alice.run(&["hangup"]).code, 0);
        alice.wait_until("idle");
    }
}

#[test]
fn a_card_without_a_clock_is_held_to_the_time() {
    let place = Place::new();
    let card = "pcm.unclocked { type null hint { show on description \"none\" } }\n";
    let configuration = place.write("asound.conf", card).display().to_string();
    let around = Surroundings::default().with("ALSA_CONFIG_PATH", configuration);
    let alice = Station::named("alice").within(&around).set("audio.input", "unclocked");
    let mut alice = alice.set("audio.output", "unclocked").start(&place);
    let bob = Station::named("bob").answering().start(&place);
    let _call = alice.begin(&["call", &bob.host()]);
    talk(&alice, &bob, Duration::from_millis(500));
    assert_eq!(works(&alice), [true, true]);
    let (began, before) = (clock::now(), usage::processor_time(alice.process().pid()));
    let packets = alice.figure("media", "packets-sent");
    wait::pause(Duration::from_secs(3));
    let seconds = (clock::now() - began).as_secs_f64();
    let rate = (alice.figure("media", "packets-sent") - packets) / seconds;
    let used = usage::processor_time(alice.process().pid()).saturating_sub(before);
    let cost = 100.0 * used.as_secs_f64() / seconds;
    // A frame is 10 ms long, or 20 where the path is taken for a full one.
    assert!((30.0..130.0).contains(&rate) && cost < 35.0, "{rate} packets/s, {cost} % of a core");
}
