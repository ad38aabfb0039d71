//! The callee's side.

use std::time::Duration;

use vox_common::wire::signal::Reason;
use vox_peer::agent::consent::Rule;

use crate::bench::{BOB, Bench, EVE, WATCHER, hello, id, name, orders, signals};
use crate::far::Word;

#[test]
fn without_a_good_cookie_there_is_a_short_answer_and_nothing_is_kept() {
    let mut alice = Bench::new();
    let knock = alice.far(BOB).say(id(1), Word::Knock);
    let acts = alice.bytes(BOB, &knock);
    assert!(acts.len() == 1 && acts[0].starts_with(&format!("{BOB} < RETRY cookie=")), "{acts:?}");
    assert!(alice.sent[0].2.to_string().len() <= knock.len());
    let bobs = alice.cookie(BOB, id(1));
    for (from, call) in [(EVE, id(1)), (BOB, id(2))] {
        let acts = alice.hear(from, call, Word::Invite(bobs.clone(), hello("bob")));
        assert!(acts.len() == 1 && acts[0].contains("RETRY"), "{acts:?}");
    }
    assert!(alice.is_idle() && alice.endings().is_empty());
}

#[test]
fn a_cookie_is_old_after_four_minutes() {
    let mut alice = Bench::new();
    let cookie = alice.cookie(BOB, id(1));
    alice.until(240_000);
    let acts = alice.hear(BOB, id(1), Word::Invite(cookie, hello("bob")));
    assert!(acts.len() == 1 && acts[0].contains("RETRY"), "{acts:?}");
}

#[test]
fn who_borrows_a_call_id_does_not_spend_the_cookie_of_its_owner() {
    let mut alice = Bench::new();
    let cookie = alice.cookie(BOB, id(1));
    alice.invited(EVE, id(1));
    alice.hear(EVE, id(1), Word::Cancel(Reason::Cancelled));
    let acts = alice.hear(BOB, id(1), Word::Invite(cookie, hello("bob")));
    assert_eq!(signals(&acts), [format!("{BOB} < RINGING")]);
}

#[test]
fn a_last_word_is_not_longer_than_the_invite_that_asks_for_it() {
    let mut alice = Bench::new();
    alice.invited(BOB, id(1));
    alice.ask(WATCHER, "REJECT");
    let short = format!("VOX1 INVITE {} cookie=a hello=AAAA", id(1));
    assert!(alice.bytes(BOB, short.as_bytes()).is_empty());
    let whole = format!("{short}{}", "A".repeat(400));
    assert_eq!(signals(&alice.bytes(BOB, whole.as_bytes())), [format!("{BOB} < REJECT reason=declined")]);
}

#[test]
fn it_rings_is_answered_and_sound_waits_for_confirm() {
    let mut alice = Bench::new();
    let rings = alice.invited(BOB, id(1));
    assert!(rings[0].contains("ringing-here bob direction=in display=Bob%20B."), "{rings:?}");
    assert_eq!(orders(&rings), ["ring true"]);
    assert_eq!(signals(&rings), [format!("{BOB} < RINGING")]);
    let answered = alice.ask(WATCHER, "ANSWER");
    assert_eq!(orders(&answered), ["ring false", &*format!("start with {BOB}")]);
    assert_eq!(signals(&answered), [format!("{BOB} < ACCEPT")]);
    alice.until(2000);
    assert_eq!(alice.times_of("ACCEPT"), [0, 100, 300, 700, 1500]);
    assert_eq!(alice.hear(BOB, id(1), Word::Confirm), ["send"]);
    assert!(alice.hear(BOB, id(1), Word::Confirm).is_empty());
    alice.until(4000);
    assert_eq!(alice.times_of("ACCEPT").len(), 5);
}

#[test]
fn valid_sound_counts_as_confirm() {
    let mut alice = Bench::new();
    alice.invited(BOB, id(1));
    alice.ask(WATCHER, "ANSWER");
    assert_eq!(alice.sound(), ["send"]);
    assert!(alice.sound().is_empty());
}

#[test]
fn sound_of_a_leg_that_has_ended_confirms_no_other() {
    let mut alice = Bench::new();
    alice.invited(BOB, id(1));
    let place = alice.agent.calls().legs()[0].place;
    alice.hear(BOB, id(1), Word::Cancel(Reason::Cancelled));
    alice.invited(EVE, id(2));
    alice.ask(WATCHER, "ANSWER");
    let late = vox_peer::media::orders::MediaNews::Heard(place);
    assert!(alice.put(vox_peer::agent::io::Input::Media(&late)).is_empty());
}

#[test]
fn ringing_is_said_every_two_seconds_and_a_silent_caller_is_lost() {
    let mut alice = Bench::new();
    alice.invited(BOB, id(1));
    alice.until(20_000);
    assert_eq!(alice.times_of("RINGING"), [0, 2000, 4000]);
    assert_eq!(alice.endings(), ["in lost"]);
    assert_eq!(alice.times_of("BYE reason=lost")[0], 6000);
}

#[test]
fn ringing_ends_when_its_time_is_up() {
    let mut alice = Bench::with(|settings| settings.policy.ring_timeout = Duration::from_secs(5));
    alice.invited(BOB, id(1));
    let acts = alice.until(5_000);
    assert_eq!(signals(&acts).last(), Some(&&*format!("5000 {BOB} < REJECT reason=timeout")));
    assert_eq!(alice.endings(), ["in no-answer"]);
    assert!(alice.answer("STATUS")[0].contains(" missed=1 "));
}

#[test]
fn a_refusal_is_repeated_until_it_is_confirmed() {
    let mut alice = Bench::new();
    alice.invited(BOB, id(1));
    alice.ask(WATCHER, "REJECT");
    alice.until(1000);
    assert_eq!(alice.times_of("REJECT reason=declined"), [0, 100, 300, 700]);
    assert!(alice.hear(BOB, id(1), Word::Confirm).is_empty());
    alice.until(10_000);
    assert_eq!(alice.times_of("REJECT").len(), 4);
}

#[test]
fn a_call_that_was_given_up_does_not_ring_again() {
    let mut alice = Bench::new();
    let cookie = alice.cookie(BOB, id(1));
    alice.invited(BOB, id(1));
    let ended = alice.hear(BOB, id(1), Word::Cancel(Reason::Cancelled));
    assert_eq!(signals(&ended), [format!("{BOB} < BYE-OK")]);
    assert_eq!(orders(&ended), ["ring false"]);
    assert_eq!(alice.hear(BOB, id(1), Word::Cancel(Reason::Cancelled)), [format!("{BOB} < BYE-OK")]);
    alice.until(59_000);
    assert!(alice.hear(BOB, id(1), Word::Invite(cookie.clone(), hello("bob"))).is_empty());
    assert_eq!(alice.endings(), ["in cancelled"]);
    for seconds in [61, 119, 239] {
        alice.until(seconds * 1_000);
        assert!(alice.hear(BOB, id(1), Word::Invite(cookie.clone(), hello("bob"))).is_empty());
    }
    assert_eq!(alice.endings().len(), 1);
}

#[test]
fn a_cancel_ends_what_was_just_answered() {
    let mut alice = Bench::new();
    alice.invited(BOB, id(1));
    alice.ask(WATCHER, "ANSWER");
    let acts = alice.hear(BOB, id(1), Word::Cancel(Reason::Cancelled));
    assert_eq!(orders(&acts), ["stop"]);
    assert_eq!(alice.endings(), ["in cancelled"]);
}

#[test]
fn an_invite_that_comes_twice_rings_once() {
    let mut alice = Bench::new();
    alice.invited(BOB, id(1));
    assert_eq!(alice.invited(BOB, id(1)), [format!("{BOB} < RINGING")]);
    alice.ask(WATCHER, "ANSWER");
    assert_eq!(alice.invited(BOB, id(1)), [format!("{BOB} < ACCEPT")]);
    alice.hear(BOB, id(1), Word::Confirm);
    assert!(alice.invited(BOB, id(1)).is_empty());
}

#[test]
fn whoever_is_turned_away_is_told_why_until_it_is_heard() {
    let busy: fn(&mut Bench) = |alice| drop(alice.invited(EVE, id(9)));
    let dnd: fn(&mut Bench) = |alice| drop(alice.ask(WATCHER, "SET-STATUS dnd"));
    for (prepare, reason) in [(busy, "busy"), (dnd, "dnd")] {
        let mut alice = Bench::new();
        prepare(&mut alice);
        let acts = alice.invited(BOB, id(1));
        assert_eq!(signals(&acts), [format!("{BOB} < REJECT reason={reason}")]);
        assert!(orders(&acts).is_empty());
        assert_eq!(signals(&alice.until(100)), [format!("100 {BOB} < REJECT reason={reason}")]);
        assert_eq!(alice.endings(), [format!("in {reason}")], "told once");
        alice.invited(BOB, id(1));
        assert_eq!(alice.endings().len(), 1);
    }
}

#[test]
fn whoever_called_another_name_is_told_that_it_is_not_here() {
    let mut alice = Bench::new();
    let cookie = alice.cookie(BOB, id(1));
    let to_carol = vox_common::wire::signal::Hello { to: Some(name("carol")), ..hello("bob") };
    let acts = alice.hear(BOB, id(1), Word::Invite(cookie, to_carol));
    assert_eq!(signals(&acts), [format!("{BOB} < REJECT reason=not-here")]);
}

#[test]
fn calls_are_taken_without_asking_where_the_file_says_so() {
    let mut alice = Bench::with(|settings| settings.policy.consent.voice = Rule::Allow);
    let acts = alice.invited(BOB, id(1));
    assert_eq!(signals(&acts), [format!("{BOB} < ACCEPT")]);
    assert!(!acts.contains(&"ring true".to_owned()));
}

#[test]
fn strangers_come_to_rest_and_get_no_more_than_they_sent() {
    for (say, answer) in [
        (Word::Cancel(Reason::Cancelled), Some("BYE-OK")),
        (Word::Bye(Reason::Hangup), Some("BYE-OK")),
        (Word::Ringing(hello("bob")), None),
        (Word::Accept(hello("bob"), None), None),
        (Word::Reject(Reason::Declined), None),
        (Word::Confirm, None),
        (Word::ByeOk, None),
    ] {
        let mut alice = Bench::new();
        let expected: Vec<_> = answer.iter().map(|answer| format!("{BOB} < {answer}")).collect();
        assert_eq!(alice.hear(BOB, id(1), say.clone()), expected, "{say:?}");
    }
}

#[test]
fn a_cancel_that_overtakes_its_invite_is_believed_if_the_caller_has_sent_it() {
    let mut alice = Bench::new();
    let cookie = alice.cookie(BOB, id(1));
    let invite = alice.far(BOB).say(id(1), Word::Invite(cookie, hello("bob")));
    assert_eq!(alice.hear(BOB, id(1), Word::Cancel(Reason::Cancelled)), [format!("{BOB} < BYE-OK")]);
    assert_eq!(alice.bytes(BOB, &invite), [format!("{BOB} < BYE-OK")]);
    assert!(alice.is_idle() && alice.endings().is_empty());
}

#[test]
fn a_cancel_that_somebody_else_has_sent_ahead_is_nothing() {
    let mut alice = Bench::new();
    alice.hear(BOB, id(1), Word::Cancel(Reason::Cancelled));
    assert_eq!(orders(&alice.invited(BOB, id(1))), ["ring true"]);
}
