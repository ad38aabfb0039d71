//! What happens to a call that stands, and to two that cross.

use vox_common::wire::signal::{CallId, Cookie, Reason};
use vox_peer::agent::io::{ClientId, Input};
use vox_peer::agent::leg::Leg;

use crate::bench::{BOB, Bench, CALLER, EVE, WATCHER, hello, id, orders, signals};
use crate::far::Word;

#[test]
fn a_call_without_sound_is_lost_and_says_so() {
    let mut alice = Bench::new();
    alice.calls_until_they_talk();
    alice.until(5000);
    alice.sound();
    alice.until(11_999);
    assert!(!alice.is_idle());
    alice.until(12_000);
    assert_eq!(alice.endings(), ["out lost"]);
    assert_eq!(alice.times_of("BYE reason=lost")[0], 12_000);
}

#[test]
fn an_answer_that_nobody_confirms_is_lost() {
    let mut alice = Bench::new();
    alice.invited(BOB, id(1));
    alice.ask(WATCHER, "ANSWER");
    alice.until(20_000);
    assert_eq!(alice.endings(), ["in lost"]);
    assert!(alice.times_of("BYE").contains(&6000));
}

#[test]
fn what_somebody_has_recorded_keeps_no_call_alive() {
    let mut alice = Bench::new();
    let call = alice.calls_until_they_talk();
    for second in 1..20 {
        alice.until(second * 1_000);
        alice.hear(BOB, call, Word::Accept(hello("bob"), None));
    }
    assert_eq!(alice.endings(), ["out lost"]);

    let mut alice = Bench::new();
    let cookie = alice.cookie(BOB, id(1));
    let invite = alice.far(BOB).say(id(1), Word::Invite(cookie, hello("bob")));
    alice.bytes(BOB, &invite);
    alice.ask(WATCHER, "ANSWER");
    alice.hear(BOB, id(1), Word::Confirm);
    for second in 1..20 {
        alice.until(second * 1_000);
        alice.bytes(BOB, &invite);
        alice.hear(BOB, id(1), Word::Confirm);
    }
    assert_eq!(alice.endings(), ["in lost"]);
}

#[test]
fn a_bye_is_repeated_until_it_is_heard() {
    let mut alice = Bench::new();
    let call = alice.calls_until_they_talk();
    alice.ask(WATCHER, "HANGUP");
    alice.until(1000);
    assert_eq!(alice.times_of("BYE reason=hangup"), [0, 100, 300, 700]);
    alice.hear(BOB, call, Word::ByeOk);
    alice.until(10_000);
    assert_eq!(alice.times_of("BYE").len(), 4);
}

#[test]
fn of_two_who_call_each_other_the_lower_call_stands() {
    let mut alice = Bench::new();
    let own = alice.calls();
    alice.hear(BOB, own, Word::Retry(Cookie::parse("baked").expect("a cookie")));
    assert!(alice.invited(BOB, CallId([0xff; 16])).is_empty(), "ours is lower");
    let acts = alice.hear(BOB, own, Word::Accept(hello("bob"), Some(CallId([0xff; 16]))));
    assert_eq!(orders(&acts), [&*format!("start with {BOB}"), "send"]);
    assert_eq!(alice.agent.calls().legs().len(), 1);
}

#[test]
fn of_two_who_call_each_other_the_higher_one_answers_at_once() {
    let mut alice = Bench::new();
    let own = alice.calls();
    let acts = alice.invited(BOB, CallId([0; 16]));
    assert_eq!(signals(&acts), [format!("{BOB} < ACCEPT yields={own}")]);
    assert_eq!(orders(&acts), [format!("start with {BOB}")]);
    assert_eq!(alice.hear(BOB, CallId([0; 16]), Word::Confirm), ["send"]);
    assert_eq!(alice.agent.calls().legs()[0].id, CallId([0; 16]));
    alice.put(Input::ControlGone(CALLER));
    assert_eq!(alice.endings(), ["in hangup"], "it is still the caller's call");
}

#[test]
fn who_has_not_the_key_that_has_rung_is_not_taken_for_the_one_we_call() {
    let mut alice = Bench::new();
    alice.calls_until_it_rings();
    let cookie = alice.cookie(BOB, id(0));
    let invite = Bench::stranger().say(id(0), Word::Invite(cookie, hello("bob")));
    assert_eq!(signals(&alice.bytes(BOB, &invite)), [format!("{BOB} < REJECT reason=busy")]);
    assert_eq!(alice.agent.calls().legs()[0].state_word(), "ringing-there");
}

#[test]
fn what_an_accept_yields_is_said_once_and_is_never_our_own_call() {
    let mut alice = Bench::new();
    let call = alice.calls_until_it_rings();
    alice.hear(BOB, call, Word::Accept(hello("bob"), Some(call)));
    alice.hear(BOB, call, Word::Accept(hello("bob"), Some(call)));
    assert_eq!(alice.agent.calls().legs()[0].state_word(), "talking");
    assert!(alice.endings().is_empty());
}

#[test]
fn anybody_elses_invite_while_we_call_is_a_second_call() {
    let mut alice = Bench::new();
    alice.calls();
    assert_eq!(signals(&alice.invited(EVE, id(0))), [format!("{EVE} < REJECT reason=busy")]);
}

#[test]
fn a_station_that_was_restarted_is_served_and_its_old_call_is_lost() {
    let mut alice = Bench::new();
    alice.calls_until_they_talk();
    let acts = alice.invited(BOB, id(5));
    assert_eq!(signals(&acts), [format!("{BOB} < BYE reason=lost"), format!("{BOB} < RINGING")]);
    assert_eq!(alice.endings(), ["out lost"]);
    assert_eq!(alice.agent.calls().current().unwrap().id, id(5));
}

#[test]
fn whoever_calls_from_the_same_address_with_another_key_finds_the_call_busy_and_does_not_end_it() {
    let mut alice = Bench::new();
    let call = alice.calls_until_they_talk();
    let cookie = alice.cookie(BOB, id(5));
    let mut stranger = Bench::stranger();
    let invite = stranger.say(id(5), Word::Invite(cookie, hello("mallory")));
    assert_eq!(signals(&alice.bytes(BOB, &invite)), [format!("{BOB} < REJECT reason=busy")]);
    assert_eq!(alice.agent.calls().current().expect("the call goes on").id, call);
}

#[test]
fn what_is_said_again_is_said_in_the_same_bytes() {
    let mut alice = Bench::new();
    alice.invited(BOB, id(1));
    alice.until(4_000);
    let rings: Vec<_> = alice.sent.iter().filter(|(.., said)| said.say.answer().is_some()).collect();
    assert!(rings.len() == 3 && rings.iter().all(|(.., said)| *said == rings[0].2));

    let mut alice = Bench::new();
    let call = alice.calls();
    alice.hear(BOB, call, Word::Retry(Cookie::parse("baked").expect("a cookie")));
    let first = alice.far(BOB).echo(call);
    alice.until(700);
    assert_eq!(alice.far(BOB).echo(call), first);
    assert!(alice.times_of("INVITE cookie=").len() > 2);
}

#[test]
fn a_new_invite_tells_how_the_last_call_ended() {
    let mut alice = Bench::new();
    alice.invited(BOB, id(1));
    let cookie = alice.cookie(BOB, id(2));
    let after = [(id(1), Reason::Cancelled)].into_iter().collect();
    let hello = vox_common::wire::signal::Hello { after, ..hello("bob") };
    alice.hear(BOB, id(2), Word::Invite(cookie, hello));
    assert_eq!(alice.endings(), ["in cancelled"]);
    assert_eq!(alice.agent.calls().current().unwrap().id, id(2));
}

#[test]
fn a_call_ends_with_the_program_that_made_it() {
    let mut alice = Bench::new();
    alice.calls_until_they_talk();
    assert!(alice.put(Input::ControlGone(ClientId(5))).is_empty());
    assert_eq!(signals(&alice.put(Input::ControlGone(CALLER))), [format!("{BOB} < BYE reason=hangup")]);
}

#[test]
fn a_detached_call_outlives_its_program() {
    let mut alice = Bench::new();
    alice.ask(CALLER, &format!("CALL {BOB} detach"));
    assert!(alice.put(Input::ControlGone(CALLER)).is_empty());
    assert!(!alice.is_idle());
}

#[test]
fn the_next_program_in_a_place_hears_nothing_of_the_last_ones_call() {
    let mut alice = Bench::new();
    let call = alice.calls_until_it_rings();
    alice.ask(CALLER, "HANGUP");
    alice.put(Input::ControlGone(CALLER));
    let acts = alice.hear(BOB, call, Word::ByeOk);
    assert!(!acts.iter().any(|act| act.starts_with("0 < ")), "{acts:?}");
}

#[test]
fn muting_ends_with_the_call_even_if_nobody_answered_it() {
    let mut alice = Bench::new();
    alice.invited(BOB, id(1));
    assert_eq!(orders(&alice.ask(WATCHER, "MUTE on")), ["mute true"]);
    let acts = alice.hear(BOB, id(1), Word::Cancel(Reason::Cancelled));
    assert_eq!(orders(&acts), ["ring false", "mute false"]);
}

#[test]
fn whoever_is_turned_away_does_not_open_the_microphone() {
    let mut alice = Bench::new();
    alice.calls_until_they_talk();
    alice.ask(WATCHER, "MUTE on");
    assert!(orders(&alice.invited(EVE, id(1))).is_empty());
}

#[test]
fn a_daemon_that_ends_says_goodbye_to_everybody() {
    let mut alice = Bench::new();
    alice.calls_until_they_talk();
    let acts = alice.put(Input::Stop);
    assert_eq!(signals(&acts), [format!("{BOB} < BYE reason=hangup")]);
    assert_eq!(alice.endings(), ["out hangup"]);
}

#[test]
fn a_confirm_of_accept_is_no_answer_to_bye() {
    let mut alice = Bench::new();
    alice.invited(BOB, id(1));
    alice.ask(WATCHER, "ANSWER");
    alice.ask(WATCHER, "HANGUP");
    alice.hear(BOB, id(1), Word::Confirm);
    alice.until(1000);
    assert_eq!(alice.times_of("BYE reason=hangup"), [0, 100, 300, 700]);
}

#[test]
fn nobody_else_has_a_call_under_the_id_of_one_that_runs() {
    let mut alice = Bench::new();
    alice.invited(BOB, id(1));
    alice.ask(WATCHER, "ANSWER");
    alice.hear(BOB, id(1), Word::Confirm);
    alice.told.clear();
    let cookie = alice.cookie(EVE, id(1));
    alice.hear(EVE, id(1), Word::Invite(cookie, hello("mallory")));
    assert!(!alice.told.iter().any(|line| line.contains("* CALL")), "{:?}", alice.told);
    assert!(alice.agent.calls().current().is_some_and(Leg::is_talking));
}
