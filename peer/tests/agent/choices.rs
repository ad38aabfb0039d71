//! What people set by hand: kept with every order, and there again after a restart.

use vox_common::wire::disk::{Disk, Unkept};
use vox_peer::agent::choices::Choices;
use vox_peer::agent::io::Input;

use crate::bench::{BOB, Bench, CALLER, id};

/// A station that finds this text when it starts, with a registry that takes it in.
fn restarted(text: &str) -> Bench {
    let (choices, damaged) = Choices::parse(text);
    assert_eq!(damaged, 0, "{text}");
    Bench::with(|settings| {
        settings.registry = Some("vox.test:5000".to_owned());
        settings.choices = choices;
    })
}

fn choices(alice: &mut Bench) -> String {
    let status = alice.answer("STATUS");
    status.into_iter().find(|line| line.starts_with("230-choices ")).expect("a section of its own")
}

#[test]
fn every_order_is_kept_before_it_is_answered() {
    let mut alice = Bench::new();
    for (order, answer, kept) in [
        ("SET-STATUS dnd", "200 status is dnd", "status dnd\n"),
        ("VOLUME out 20", "200 volume is 20 %", "status dnd\nvolume-out 20\n"),
        ("VOLUME in 200", "200 volume is 200 %", "status dnd\nvolume-in 200\nvolume-out 20\n"),
        ("SET-STATUS idle", "200 status is idle", "volume-in 200\nvolume-out 20\n"),
        ("VOLUME in 100", "200 volume is 100 %", "volume-out 20\n"),
        ("VOLUME out 100", "200 volume is 100 %", ""),
    ] {
        assert_eq!(alice.answer(order), [answer]);
        assert_eq!(alice.kept_choices, kept, "{order}");
    }
}

#[test]
fn what_was_set_holds_again_after_a_restart_and_is_shown_as_such() {
    let mut alice = restarted("status dnd\nvolume-out 20\nroom hall 12\n");
    assert_eq!(alice.put(Input::Start)[0], "volume Out 20");
    assert!(
        alice.logged.iter().any(|line| line.contains("status dnd, volume-out 20, room hall 12")),
        "{:?}",
        alice.logged
    );
    let restored = "230-choices status=dnd volume-in=100 volume-out=20 room=hall restored=yes";
    assert_eq!(choices(&mut alice), restored);
    assert!(alice.invited(BOB, id(1)).iter().any(|act| act.contains("REJECT reason=dnd")));
    let greeted = alice.greet();
    for line in ["registry < STATUS dnd", "registry < JOIN hall"] {
        assert!(greeted.iter().any(|act| act == line), "{greeted:?}");
    }
    alice.answer("VOLUME out 30");
    assert!(choices(&mut alice).ends_with(" volume-out=30 room=hall restored=no"));
}

#[test]
fn a_room_is_kept_when_it_was_entered_and_forgotten_when_it_was_left() {
    let mut alice = Bench::registered();
    assert_eq!(alice.ask(CALLER, "JOIN hall"), ["registry < JOIN hall"]);
    assert_eq!(alice.kept_choices, "");
    assert_eq!(alice.line("200 joined hall"), ["0 < 200 joined hall"]);
    assert_eq!(alice.kept_choices, "room hall\n");
    alice.ask(CALLER, "CREATE yard 3");
    alice.line("200 created yard");
    assert_eq!(alice.kept_choices, "room yard 3\n");
    alice.ask(CALLER, "LEAVE");
    alice.line("200 left yard");
    assert_eq!(alice.kept_choices, "");
}

#[test]
fn a_room_that_was_made_is_made_again_after_a_restart_and_one_that_is_full_is_forgotten() {
    let mut alice = restarted("room hall 12\n");
    alice.put(Input::Start);
    alice.greet();
    alice.line("200 watching");
    alice.line("210 0 users");
    assert_eq!(alice.line("405 no such room"), ["registry < CREATE hall 12"]);
    alice.line("200 created hall");
    assert!(choices(&mut alice).contains(" room=hall "));
    let mut alice = restarted("room hall\n");
    alice.put(Input::Start);
    alice.greet();
    alice.line("200 watching");
    alice.line("210 0 users");
    alice.line("422 room full");
    assert!(!choices(&mut alice).contains("hall"));
}

#[test]
fn muting_belongs_to_one_call_and_is_not_kept() {
    let mut alice = Bench::new();
    alice.invited(BOB, id(1));
    alice.answer("ANSWER");
    assert_eq!(alice.answer("MUTE on"), ["200 muted"]);
    assert_eq!(alice.kept_choices, "");
}

#[test]
fn whoever_looks_is_told_what_is_not_on_the_disk() {
    let mut alice = Bench::new();
    let since = alice.moment();
    let unkept = |file| Unkept { file, since, why: "no space left on device".into() };
    let disk = Disk { unkept: ["history", "messages", "known-peers"].map(unkept).into(), ..Disk::default() };
    alice.until(12_000);
    alice.put(Input::Disk(&disk));
    for (line, last) in [("HISTORY", "231 0 calls"), ("MESSAGES", "233 0 messages"), ("KEYS", "234 0 keys")] {
        let told = format!("{last}, not on the disk since 12 s: no space left on device");
        assert_eq!(alice.answer(line), [told]);
    }
    let status = alice.answer("STATUS");
    assert!(
        status
            .contains(&"230-unkept file=history since-s=12 sentence=no%20space%20left%20on%20device".into())
    );
    alice.put(Input::Disk(&Disk::default()));
    assert_eq!(alice.answer("HISTORY"), ["231 0 calls"]);
}
