//! Messages between real stations: during calls, to everybody, kept over restarts, in every alphabet.

use std::{fs, iter};

use serde_json::{Value, json};
use vox_common::wire::limits::{KEPT_MESSAGES, TEXT_BYTES};
use vox_tests::bed::{Place, Registry, Station, station, wait};
use vox_tests::wire::Wire;

/// A station with silence for a microphone, that is registered.
fn registered(name: &str, place: &Place, registry: &Registry) -> Station {
    let station = Station::quiet(name).registry(registry).start(place);
    station.wait_for_registry();
    station
}

/// What a command of a station prints, on one line.
fn printed(station: &Station, typed: &[&str]) -> String {
    let said = station.run(typed);
    assert_eq!((said.code, &*said.err), (0, ""), "{typed:?}");
    said.out.trim_end_matches('\n').to_owned()
}

/// What the station shows of its messages: from whom, to whom, and the text.
fn messages(station: &Station) -> Vec<(String, String, String)> {
    let shown: Value = serde_json::from_str(&printed(station, &["messages", "--json"])).expect("JSON");
    let word = |message: &Value, key: &str| message[key].as_str().unwrap_or_default().to_owned();
    let shown = shown["messages"].as_array().expect("a list").iter();
    shown.map(|message| (word(message, "from"), word(message, "kind"), word(message, "text"))).collect()
}

fn message(from: &str, kind: &str, text: &str) -> (String, String, String) {
    (from.into(), kind.into(), text.into())
}

/// How many messages are kept, and how many of them nobody has looked at.
fn counts(station: &Station) -> (f64, f64) {
    (station.figure("peer", "messages"), station.figure("peer", "unread"))
}

fn wait_for_unread(station: &Station, count: f64) {
    wait::until("the messages to come", 10, || (counts(station).1 >= count).then_some(()));
}

#[test]
fn two_who_talk_write_to_each_other() {
    let place = Place::new();
    let registry = Registry::start(&place);
    let (alice, bob) = station::pair(&place, &registry);
    let watcher = alice.begin(&["watch"]);
    let _call = alice.begin(&["call", "bob"]);
    alice.wait_until("talking");
    bob.wait_until("talking");

    assert_eq!(printed(&alice, &["msg", "bob", "the", "parcel", "is here"]), "delivered");
    assert_eq!(printed(&alice, &["msg", "bob", "--", "-5 degrees, 100%25"]), "delivered");
    wait_for_unread(&bob, 2.0);
    assert_eq!(counts(&bob), (2.0, 2.0), "although nobody watches");
    assert_eq!(printed(&bob, &["msg", "alice", "thank you"]), "delivered");
    watcher.wait_for_log("bob: thank you\n");
    let said = [message("alice", "msg", "the parcel is here"), message("alice", "msg", "-5 degrees, 100%25")];
    assert_eq!(messages(&bob), said);
    assert_eq!(counts(&bob), (2.0, 0.0));
    assert_eq!(alice.run(&["msg", "zoe", "hello"]).err, "no such user\n");
    assert_eq!(alice.status("peer", "state").as_deref(), Some("talking"));
}

#[test]
fn a_broadcast_is_heard_by_everybody_else_and_counted() {
    let place = Place::new();
    let registry = Registry::start(&place);
    let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| registered(name, &place, &registry));
    let mut there = bob.watch();
    assert_eq!(printed(&alice, &["broadcast", "fire", "drill"]), "delivered to 2");
    there.wait_for(&["BROADCAST", "alice", "drill"]);
    for station in [&bob, &carol] {
        wait_for_unread(station, 1.0);
        assert_eq!(messages(station), [message("alice", "broadcast", "fire drill")]);
    }
    assert_eq!(counts(&alice), (0.0, 0.0));
}

#[test]
fn messages_outlive_a_restart_and_a_daemon_that_is_killed() {
    let place = Place::new();
    let registry = Registry::start(&place);
    let alice = registered("alice", &place, &registry);
    let mut bob = registered("bob", &place, &registry);
    let file = place.at("bob-state/messages");
    let kept = |text: &str| {
        let held = || fs::read_to_string(&file).is_ok_and(|kept| kept.contains(text)).then_some(());
        wait::until("the message to be on the disk", 5, held);
    };

    printed(&alice, &["msg", "bob", "before the restart"]);
    wait_for_unread(&bob, 1.0);
    bob.start_again();
    bob.wait_for_registry();
    assert_eq!(counts(&bob), (1.0, 1.0));

    printed(&alice, &["msg", "bob", "before the power cut"]);
    kept("before the power cut");
    bob.process().kill();
    bob.start_again();
    bob.wait_for_registry();
    assert_eq!(counts(&bob), (2.0, 2.0));
    let said =
        [message("alice", "msg", "before the restart"), message("alice", "msg", "before the power cut")];
    assert_eq!(messages(&bob), said);
    kept("unread 0");
    bob.process().kill();
    bob.start_again();
    assert_eq!(counts(&bob), (2.0, 0.0));
}

#[test]
fn what_people_write_is_nobody_elses_business() {
    use std::os::unix::fs::PermissionsExt;
    let place = Place::new();
    let registry = Registry::start(&place);
    let [alice, bob] = ["alice", "bob"].map(|name| registered(name, &place, &registry));
    printed(&alice, &["msg", "bob", "a", "secret"]);
    let about = wait::until("the file", 5, || fs::metadata(place.at("bob-state/messages")).ok());
    assert_eq!(about.permissions().mode() & 0o777, 0o600);
    for mut station in [alice, bob] {
        assert!(!station.process().log().contains("a secret"));
    }
}

#[test]
fn the_sixty_fifth_message_pushes_the_first_one_out() {
    let place = Place::new();
    let registry = Registry::without_limits(&place);
    let [alice, bob] = ["alice", "bob"].map(|name| registered(name, &place, &registry));
    let mut control = alice.control();
    for n in 1..=KEPT_MESSAGES + 1 {
        assert_eq!(control.ask(&format!("MSG bob number {n}")), ["200 delivered"]);
    }
    wait_for_unread(&bob, 65.0);
    let shown = messages(&bob);
    assert_eq!(shown.len(), KEPT_MESSAGES);
    assert_eq!(shown.first(), Some(&message("alice", "msg", "number 2")));
    assert_eq!(shown.last(), Some(&message("alice", "msg", "number 65")));
}

/// Texts of at most 900 bytes that hold every character of the basic plane which can be printed, and some beyond.
fn every_text() -> Vec<String> {
    let beyond = ['\u{1f600}', '\u{1d11e}', '\u{20000}', '\u{10ffff}'];
    let mut texts = vec![String::from("|")];
    for letter in ('\u{20}'..='\u{ffff}').filter(|letter| !letter.is_control()).chain(beyond) {
        let text = texts.last_mut().expect("there is one");
        text.push(letter);
        if text.len() > TEXT_BYTES - 5 {
            text.push('|');
            texts.push(String::from("|"));
        }
    }
    texts
}

#[test]
fn whatever_can_be_printed_arrives_as_it_was_written() {
    let place = Place::new();
    let registry = Registry::without_limits(&place);
    let [alice, bob] = ["alice", "bob"].map(|name| registered(name, &place, &registry));
    let (mut mouth, mut ear) = (Wire::unix(&alice.socket()), Wire::unix(&bob.socket()));
    assert_eq!(ear.ask("WATCH").as_deref(), Some("200 watching"));
    let longest = ["\u{e3}".repeat(450), "\u{6f22}".repeat(300), "\u{1f600}".repeat(225), "x".repeat(900)];
    let texts = [every_text(), longest.to_vec()].concat();
    for text in &texts {
        assert_eq!(mouth.ask(&format!("MSG bob {text}")).as_deref(), Some("200 delivered"), "{text}");
        let heard = iter::from_fn(|| ear.hear()).find(|line| !line.starts_with("* JOINED "));
        assert_eq!(heard, Some(format!("* MSG alice {text}")));
    }
    let shown = messages(&bob);
    let last = texts[texts.len() - KEPT_MESSAGES..].iter().map(|text| message("alice", "msg", text));
    assert_eq!(shown, last.collect::<Vec<_>>());
    assert_eq!(
        mouth.ask(&format!("MSG bob {}", "x".repeat(901))).as_deref(),
        Some("400 a text is at most 900 bytes")
    );
}

#[test]
fn control_characters_are_refused_and_reach_nobody() {
    let place = Place::new();
    let registry = Registry::start(&place);
    let [alice, bob] = ["alice", "bob"].map(|name| registered(name, &place, &registry));
    let mut mouth = Wire::unix(&alice.socket());
    for bytes in [
        &b"MSG bob a\tb\n"[..],
        b"SAY a\x1b[2Jb\n",
        b"BROADCAST a\0b\n",
        b"MSG bob \xc2\x85\n",
        b"MSG bob \xff\n",
    ] {
        mouth.send(bytes);
        assert_eq!(mouth.hear().as_deref(), Some("417 not UTF-8 or a control character"), "{bytes:?}");
    }
    for typed in [["msg", "bob", "two\nlines"], ["msg", "bob", "a\u{7f}b"]] {
        assert_eq!(alice.run(&typed).code, 2, "{typed:?}");
    }
    assert_eq!(printed(&alice, &["msg", "bob", "plain"]), "delivered");
    wait_for_unread(&bob, 1.0);
    assert_eq!(messages(&bob), [message("alice", "msg", "plain")]);
}

#[test]
fn a_program_in_a_hurry_does_not_cost_the_station_its_name() {
    let place = Place::new();
    let registry = Registry::start(&place);
    let [alice, bob] = ["alice", "bob"].map(|name| registered(name, &place, &registry));
    let mut there = bob.watch();
    let mut hurry = Wire::unix(&alice.socket());
    hurry.send("MSG bob make way\nROOMS\n".repeat(1_000).as_bytes());
    hurry.finish();
    let answers = hurry.rest();
    let count = |answer: &str| answers.iter().filter(|line| *line == answer).count();
    let rooms = answers.iter().filter(|line| line.starts_with("212 ")).count();
    assert_eq!(count("200 delivered") + rooms + count("429 slow down"), 2_000, "each has its answer");
    assert!(count("200 delivered") > 10 && count("429 slow down") > 1_000, "{}", count("200 delivered"));
    wait_for_unread(&bob, 10.0);
    let delivered: f64 = u32::try_from(count("200 delivered")).expect("a few").into();
    wait_for_unread(&bob, delivered);
    assert_eq!(alice.status("registry", "link").as_deref(), Some("up"));
    wait::until("the station to be heard again", 10, || {
        (alice.run(&["msg", "bob", "sorry"]).code == 0).then_some(())
    });
    there.wait_for(&["MSG", "alice", "sorry"]);
    assert!(!bob.run(&["users"]).out.is_empty());
}

#[test]
fn a_watching_program_hears_every_kind_of_message_as_an_object() {
    let place = Place::new();
    let registry = Registry::start(&place);
    let [alice, bob] = ["alice", "bob"].map(|name| registered(name, &place, &registry));
    let watcher = bob.begin(&["watch", "--json"]);
    wait::until("the watcher to hear", 10, || {
        printed(&alice, &["msg", "bob", "ping"]);
        (!watcher.log().is_empty()).then_some(())
    });
    printed(&bob, &["create", "hall", "2"]);
    printed(&alice, &["join", "hall"]);
    printed(&alice, &["say", "hello there"]);
    printed(&alice, &["broadcast", "all of you"]);
    printed(&alice, &["leave"]);
    watcher.wait_for_log("exited");
    let log = watcher.log();
    let told = log.lines().filter_map(|line| {
        let mut event: Value = serde_json::from_str(line).expect("one object a line");
        event.as_object_mut().expect("an object").remove("time");
        ["say", "broadcast", "entered", "exited"].contains(&event["event"].as_str()?).then_some(event)
    });
    let expected = [
        json!({"event": "entered", "room": "hall", "name": "alice"}),
        json!({"event": "say", "room": "hall", "from": "alice", "text": "hello there"}),
        json!({"event": "broadcast", "from": "alice", "text": "all of you"}),
        json!({"event": "exited", "room": "hall", "name": "alice"}),
    ];
    assert_eq!(told.collect::<Vec<_>>(), expected);
}
