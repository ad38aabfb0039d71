//! Messages: passed on, kept, counted, and looked at.

use vox_peer::agent::io::Input;

use crate::bench::{BOB, Bench, CALLER, id};

/// The counts in STATUS.
fn counts(alice: &mut Bench) -> String {
    let peer = alice.answer("STATUS").swap_remove(0);
    peer.split(' ')
        .filter(|word| word.contains("message") || word.contains("unread"))
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn what_people_say_goes_to_the_registry_and_its_word_comes_back() {
    let mut alice = Bench::registered();
    for (line, answer) in [
        ("MSG bob two  words ", "200 delivered"),
        ("MSG zoe hello", "404 no such user"),
        ("BROADCAST fire drill", "200 delivered to 3"),
        ("SAY hello", "415 in no room"),
        ("CREATE hall 12", "200 created hall"),
        ("JOIN hall", "414 already in it"),
        ("LEAVE", "200 left hall"),
        ("ROOMS", "212 0 rooms"),
        ("MEMBERS hall", "405 no such room"),
        ("ECHO hello", "200 hello"),
    ] {
        assert_eq!(alice.ask(CALLER, line), [format!("registry < {line}")]);
        assert_eq!(alice.line(answer), [format!("0 < {answer}")]);
    }
}

#[test]
fn without_a_registry_nothing_can_be_said() {
    let mut alice = Bench::new();
    for line in ["MSG bob hi", "BROADCAST hi", "SAY hi", "CREATE a 2", "JOIN a", "LEAVE", "ROOMS", "MEMBERS"]
    {
        assert_eq!(alice.answer(line), ["443 no registry now, see `vox-peer status`"], "{line}");
    }
    assert_eq!(alice.answer("MSG bob"), ["400 say something"]);
}

#[test]
fn what_others_say_is_told_at_once_and_kept_until_somebody_looks() {
    let mut alice = Bench::registered();
    let said = ["* MSG bob one", "* BROADCAST bob two  words", "* SAY hall bob text=3"];
    for line in said {
        assert_eq!(alice.line(line), [format!("1 < {line}")]);
    }
    assert_eq!(counts(&mut alice), "messages=3 unread=3");
    let expected = [
        "233-1000 bob msg text=one",
        "233-1000 bob broadcast text=two  words",
        "233-1000 bob say room=hall text=text=3",
        "233 3 messages",
    ];
    assert_eq!(alice.answer("MESSAGES"), expected);
    assert_eq!(counts(&mut alice), "messages=3 unread=0");
    assert!(alice.kept_messages.starts_with("unread 0\n1000 bob msg text=one\n"));
}

#[test]
fn a_call_and_a_registry_that_is_away_lose_no_message() {
    let mut alice = Bench::registered();
    alice.invited(BOB, id(1));
    alice.line("* MSG bob in the call");
    alice.put(Input::LinkDown("closed"));
    assert_eq!(counts(&mut alice), "messages=1 unread=1");
    let kept = alice.kept_messages.clone();
    let mut again = Bench::with(|settings| settings.messages = kept);
    assert_eq!(counts(&mut again), "messages=1 unread=1");
    assert_eq!(again.answer("MESSAGES")[0], "233-1000 bob msg text=in the call");
}

#[test]
fn the_sixty_fifth_message_pushes_the_first_out_and_is_counted() {
    let mut alice = Bench::registered();
    (1..=65).for_each(|n| _ = alice.line(&format!("* MSG bob number {n}")));
    assert_eq!(counts(&mut alice), "messages=64 unread=65");
    let shown = alice.answer("MESSAGES");
    assert_eq!((shown.len(), &*shown[0]), (65, "233-1000 bob msg text=number 2"));
}

#[test]
fn the_longest_text_fits_an_answer_whatever_it_is_written_in() {
    let mut alice = Bench::registered();
    let longest = [900 / 2, 900 / 3, 900 / 4].into_iter().zip(["\u{e3}", "\u{6f22}", "\u{1f600}"]);
    for (count, letter) in longest {
        let text = letter.repeat(count);
        alice.line(&format!("* SAY {} {} {text}", "r".repeat(32), "n".repeat(32)));
        let line = alice.answer("MESSAGES").into_iter().rev().nth(1).expect("a message");
        assert!(line.ends_with(&format!(" text={text}")) && line.len() < 1024, "{line}");
    }
}
