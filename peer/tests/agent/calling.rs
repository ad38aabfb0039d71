//! The caller's side.

use vox_common::wire::keys::PublicKey;
use vox_common::wire::signal::{Cookie, Reason, Say, Signal};
use vox_peer::agent::io::Input;

use crate::bench::{BOB, Bench, CALLER, EVE, hello, id, orders, signals};
use crate::far::Word;

fn cookie(word: &str) -> Cookie {
    Cookie::parse(word).expect("a cookie")
}

#[test]
fn an_invite_is_sent_again_for_six_seconds_then_nobody_is_there() {
    let mut alice = Bench::new();
    alice.calls();
    alice.until(20_000);
    assert_eq!(alice.times_of("INVITE"), [0, 100, 300, 700, 1500, 2500, 3500, 4500, 5500]);
    assert_eq!(alice.endings(), ["out unreachable"]);
    assert!(alice.is_idle());
}

#[test]
fn a_call_is_placed_rings_and_is_answered() {
    let mut alice = Bench::new();
    let call = alice.calls();
    assert_eq!(
        signals(&alice.hear(BOB, call, Word::Retry(cookie("c1")))),
        [format!("{BOB} < INVITE cookie=c1")]
    );
    let rings = alice.hear(BOB, call, Word::Ringing(hello("bob")));
    assert!(rings[0].starts_with("0 < * CALL ") && rings[0].contains(" ringing-there bob "), "{rings:?}");
    assert!(alice.until(1999).is_empty());
    assert_eq!(signals(&alice.until(2000)), [format!("2000 {BOB} < INVITE cookie=c1")]);
    alice.hear(BOB, call, Word::Ringing(hello("bob")));
    let talks = alice.hear(BOB, call, Word::Accept(hello("bob"), None));
    assert_eq!(orders(&talks), [&*format!("start with {BOB}"), "send"]);
    assert_eq!(signals(&talks), [format!("{BOB} < CONFIRM")]);
    assert_eq!(signals(&alice.ask(CALLER, "HANGUP")), [format!("{BOB} < BYE reason=hangup")]);
    assert_eq!(alice.endings(), ["out hangup"]);
}

#[test]
fn what_comes_twice_does_nothing_twice() {
    let mut alice = Bench::new();
    let call = alice.calls();
    alice.hear(BOB, call, Word::Retry(cookie("c1")));
    assert!(alice.hear(BOB, call, Word::Retry(cookie("c1"))).is_empty());
    alice.hear(BOB, call, Word::Ringing(hello("bob")));
    assert!(alice.hear(BOB, call, Word::Ringing(hello("bob"))).is_empty());
    alice.hear(BOB, call, Word::Accept(hello("bob"), None));
    let again = alice.hear(BOB, call, Word::Accept(hello("bob"), None));
    assert_eq!(again, [format!("{BOB} < CONFIRM")], "the first CONFIRM may be lost");
    assert!(alice.hear(BOB, call, Word::Ringing(hello("bob"))).is_empty());
    alice.hear(BOB, call, Word::Bye(Reason::Hangup));
    assert_eq!(alice.hear(BOB, call, Word::Bye(Reason::Hangup)), [format!("{BOB} < BYE-OK")]);
    assert_eq!(alice.endings(), ["out far-hangup"]);
}

#[test]
fn every_refusal_has_its_outcome_and_is_confirmed() {
    for (reason, outcome) in [
        (Reason::Declined, "declined"),
        (Reason::Busy, "busy"),
        (Reason::Timeout, "no-answer"),
        (Reason::Dnd, "dnd"),
        (Reason::NotAllowed, "not-allowed"),
        (Reason::Unsupported, "unsupported"),
        (Reason::NotHere, "not-here"),
    ] {
        let mut alice = Bench::new();
        let call = alice.calls_until_it_rings();
        assert_eq!(signals(&alice.hear(BOB, call, Word::Reject(reason))), [format!("{BOB} < CONFIRM")]);
        assert_eq!(signals(&alice.hear(BOB, call, Word::Reject(reason))), [format!("{BOB} < CONFIRM")]);
        assert_eq!(alice.endings(), [format!("out {outcome}")]);
    }
}

#[test]
fn a_callee_that_falls_silent_while_it_rings_is_lost() {
    let mut alice = Bench::new();
    alice.calls_until_it_rings();
    alice.until(20_000);
    assert_eq!(alice.times_of("INVITE"), [0, 0, 2000, 4000]);
    assert_eq!(alice.endings(), ["out lost"]);
}

#[test]
fn nobody_answers_within_the_callers_own_time() {
    let mut alice = Bench::with(|settings| settings.policy.ring_timeout = std::time::Duration::from_secs(5));
    let call = alice.calls_until_it_rings();
    alice.until(4_000);
    alice.hear(BOB, call, Word::Ringing(hello("bob")));
    assert_eq!(signals(&alice.until(5_000)), [format!("5000 {BOB} < CANCEL reason=timeout")]);
    alice.hear(BOB, call, Word::ByeOk);
    assert_eq!(alice.endings(), ["out no-answer"]);
    assert!(alice.is_idle());
}

#[test]
fn a_cancel_that_crosses_accept_wins() {
    let mut alice = Bench::new();
    let call = alice.calls_until_it_rings();
    assert_eq!(signals(&alice.ask(CALLER, "HANGUP")), [format!("{BOB} < CANCEL reason=cancelled")]);
    assert!(alice.hear(BOB, call, Word::Accept(hello("bob"), None)).is_empty(), "nothing starts");
    assert_eq!(signals(&alice.until(100)), [format!("100 {BOB} < CANCEL reason=cancelled")]);
    alice.hear(BOB, call, Word::ByeOk);
    assert_eq!(alice.endings(), ["out cancelled"]);
}

#[test]
fn a_call_that_nobody_has_let_in_is_given_up_at_once() {
    let mut alice = Bench::new();
    for _ in 0..20 {
        alice.calls();
        alice.ask(CALLER, "HANGUP");
        assert!(alice.is_idle());
    }
}

#[test]
fn a_callee_that_nobody_listens_at_is_unreachable_at_once() {
    let mut alice = Bench::new();
    alice.calls();
    alice.put(Input::Unreachable(EVE.parse().unwrap()));
    assert!(!alice.is_idle(), "that was somebody else");
    alice.put(Input::Unreachable(BOB.parse().unwrap()));
    assert_eq!(alice.endings(), ["out unreachable"]);
}

#[test]
fn who_has_answered_with_its_key_is_not_gone_because_the_network_says_so() {
    let mut alice = Bench::new();
    alice.calls_until_it_rings();
    assert!(alice.put(Input::Unreachable(BOB.parse().unwrap())).is_empty());
    alice.until(5_999);
    assert!(!alice.is_idle());
    alice.until(6_000);
    assert_eq!(alice.endings(), ["out lost"]);
}

#[test]
fn an_answered_call_does_not_end_because_the_network_complains() {
    let mut alice = Bench::new();
    alice.calls_until_they_talk();
    assert!(alice.put(Input::Unreachable(BOB.parse().unwrap())).is_empty());
    assert!(!alice.is_idle());
}

#[test]
fn whoever_reaches_itself_is_told_so() {
    let mut alice = Bench::new();
    let own = "192.0.2.1:6000";
    let call = alice.calls_at(own);
    let cookie = alice.cookie(own, call);
    alice.hear(own, call, Word::Retry(cookie));
    let back = alice.far(own).echo(call).expect("an INVITE");
    alice.bytes(own, &back);
    assert_eq!(alice.endings(), ["out self"]);
}

#[test]
fn a_callee_that_sends_our_own_invite_back_ends_nothing() {
    let mut alice = Bench::new();
    let call = alice.calls_until_they_talk();
    let back = alice.far(BOB).echo(call).expect("an INVITE");
    assert!(alice.bytes(BOB, &back).is_empty());
    assert!(!alice.is_idle());
}

#[test]
fn cookies_without_end_are_not_followed() {
    let mut alice = Bench::new();
    let call = alice.calls();
    for n in 0..30 {
        alice.hear(BOB, call, Word::Retry(cookie(&format!("c{n}"))));
    }
    assert_eq!(alice.times_of("INVITE").len(), 1 + 8);
}

#[test]
fn signals_of_a_call_count_only_from_its_other_end() {
    let mut alice = Bench::new();
    let call = alice.calls_until_they_talk();
    for say in crate::bench::every_word() {
        alice.hear(EVE, call, say.clone());
        alice.hear(BOB, id(9), say);
    }
    assert_eq!(alice.agent.calls().legs()[0].state_word(), "talking");
    assert!(alice.endings().is_empty());
}

#[test]
fn addresses_are_tried_in_turn_and_the_first_that_answers_stays() {
    let mut alice = Bench::new();
    alice.ask(CALLER, "CALL @bob.test");
    let found = [BOB.parse().unwrap(), EVE.parse().unwrap()];
    let placed = alice.put(Input::Resolved(vox_peer::agent::io::Ticket(1), Ok(&found)));
    let call = crate::bench::id_in(&placed);
    assert_eq!(signals(&alice.until(100)), [format!("100 {EVE} < INVITE")]);
    assert_eq!(signals(&alice.until(300)), [format!("300 {BOB} < INVITE")]);
    alice.hear(EVE, call, Word::Retry(cookie("c1")));
    assert_eq!(signals(&alice.until(400)), [format!("400 {EVE} < INVITE cookie=c1")]);
    alice.put(Input::Unreachable(BOB.parse().unwrap()));
    assert!(!alice.is_idle());
}

#[test]
fn an_address_where_nobody_listens_gives_way_to_the_next() {
    let mut alice = Bench::new();
    alice.ask(CALLER, "CALL @bob.test");
    let found = [BOB.parse().unwrap(), EVE.parse().unwrap()];
    alice.put(Input::Resolved(vox_peer::agent::io::Ticket(1), Ok(&found)));
    assert_eq!(signals(&alice.put(Input::Unreachable(BOB.parse().unwrap()))), [format!("{EVE} < INVITE")]);
    alice.put(Input::Unreachable(EVE.parse().unwrap()));
    assert_eq!(alice.endings(), ["out unreachable"]);
}

#[test]
fn a_call_given_up_tells_the_next_one_to_the_same_station() {
    let mut alice = Bench::new();
    let first = alice.calls_until_it_rings();
    alice.ask(CALLER, "HANGUP");
    let second = alice.calls();
    alice.hear(BOB, second, Word::Retry(cookie("c1")));
    let hello = alice.far(BOB).invited_with(second).expect("an INVITE");
    assert_eq!(hello.after, [(first, Reason::Cancelled)]);
}

#[test]
fn a_cancel_that_comes_back_to_its_sender_is_nothing() {
    let mut alice = Bench::new();
    let call = alice.calls_until_it_rings();
    alice.ask(CALLER, "HANGUP");
    let (.., cancel) = alice.sent.last().expect("a CANCEL").clone();
    assert!(alice.bytes(BOB, cancel.to_string().as_bytes()).is_empty());
    alice.hear(BOB, call, Word::ByeOk);
    assert_eq!(alice.endings(), ["out cancelled"]);
}

#[test]
fn a_callee_with_another_key_is_told_of_unless_the_right_one_answers() {
    let mut alice = Bench::new();
    let call = alice.calls();
    alice.hear(BOB, call, Word::Retry(cookie("c1")));
    let other = PublicKey([9; 32]);
    assert!(alice.hear(BOB, call, Word::WrongKey(other)).is_empty());
    alice.until(999);
    assert!(alice.endings().is_empty());
    alice.hear(BOB, call, Word::Ringing(hello("bob")));
    alice.until(1_500);
    assert!(!alice.is_idle(), "somebody else had said so");
    alice.ask(CALLER, "HANGUP");
    alice.hear(BOB, call, Word::ByeOk);

    let call = alice.calls();
    alice.hear(BOB, call, Word::Retry(cookie("c1")));
    alice.hear(BOB, call, Word::WrongKey(other));
    alice.until(10_000);
    assert_eq!(alice.endings(), ["out cancelled", "out wrong-key"]);
}

#[test]
fn a_callee_that_names_a_key_with_which_nothing_is_secret_is_not_followed() {
    let mut alice = Bench::new();
    let call = alice.calls();
    // RFC 7748 section 6.1: what is agreed with such a point is all zeros, whoever agrees.
    let one = {
        let mut one = [0; 32];
        one[0] = 1;
        one
    };
    for weak in [[0; 32], one].map(PublicKey) {
        let retry = Signal::untagged(call, Say::Retry(cookie("c1"), weak)).to_string();
        assert!(alice.bytes(BOB, retry.as_bytes()).is_empty());
    }
    alice.hear(BOB, call, Word::Retry(cookie("c1")));
    alice.hear(BOB, call, Word::Ringing(hello("bob")));
    assert_eq!(alice.agent.calls().legs()[0].state_word(), "ringing-there");
}

#[test]
fn whichever_of_the_cookies_is_answered_is_read() {
    let mut alice = Bench::new();
    let call = alice.calls();
    alice.hear(BOB, call, Word::Retry(cookie("c1")));
    let first = alice.far(BOB).echo(call).expect("an INVITE");
    alice.hear(BOB, call, Word::Retry(cookie("forged")));
    // What was sent first has come, and is answered.
    alice.far(BOB).hear(&first);
    alice.hear(BOB, call, Word::Ringing(hello("bob")));
    assert_eq!(alice.agent.calls().legs()[0].state_word(), "ringing-there");
    assert_eq!(signals(&alice.until(2_000)), [format!("2000 {BOB} < INVITE cookie=c1")]);
}

#[test]
fn an_answer_without_its_tag_or_with_another_verb_is_nothing() {
    let mut alice = Bench::new();
    let call = alice.calls();
    alice.hear(BOB, call, Word::Retry(cookie("c1")));
    let rings = String::from_utf8(alice.far(BOB).say(call, Word::Ringing(hello("bob")))).expect("text");
    let (untagged, _) = rings.split_once(" tag=").expect("a tag");
    for forged in [untagged, &rings.replace("RINGING", "ACCEPT"), &rings.replace("RINGING", "REJECT")] {
        assert!(alice.bytes(BOB, forged.as_bytes()).is_empty(), "{forged}");
    }
    assert_eq!(alice.agent.calls().legs()[0].state_word(), "calling");
    alice.bytes(BOB, rings.as_bytes());
    assert_eq!(alice.agent.calls().legs()[0].state_word(), "ringing-there");
}
