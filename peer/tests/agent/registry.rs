//! The registry's link, as one station lives with it.

use vox_common::wire::signal::Reason;
use vox_peer::agent::consent::Rule;
use vox_peer::agent::io::Input;

use crate::bench::{BOB, Bench, CALLER, EVE, WATCHER, id, id_in};
use crate::far::Word;

#[test]
fn what_is_ended_here_is_gone_before_the_next_connection() {
    let mut alice = Bench::with(|settings| settings.registry = Some("vox.test:5000".to_owned()));
    alice.put(Input::Start);
    alice.put(Input::LinkUp);
    alice.line(&format!("220 vox-registry 0.1.0 vox {}", "0".repeat(32)));
    alice.line("409 name is taken");
    let acts = alice.until(600);
    assert!(acts.iter().any(|act| act.ends_with(" connect")), "{acts:?}");
    assert!(
        alice.put(Input::LinkDown("the registry closed the connection")).is_empty(),
        "that was the old one"
    );
    assert!(alice.answer("STATUS")[1].contains("reason=the%20registry%20refuses:%20name%20is%20taken"));
    alice.greet();
    assert!(alice.agent.is_registered());
}

#[test]
fn whoever_was_sent_away_does_not_come_back_at_once() {
    let mut alice = Bench::registered();
    alice.line("* GOODBYE kicked");
    alice.put(Input::LinkDown("closed"));
    assert!(alice.until(7000).is_empty());
    assert!(alice.until(15_000).iter().any(|act| act.ends_with(" connect")));
}

#[test]
fn an_answer_to_an_older_question_calls_nobody() {
    let mut alice = Bench::registered();
    alice.ask(CALLER, "CALL carol");
    alice.put(Input::ControlGone(CALLER));
    assert_eq!(alice.ask(CALLER, "CALL dave"), ["registry < LOOKUP dave"]);
    assert!(alice.line("211 carol 192.0.2.3:6000 idle").is_empty());
    let placed = alice.line("211 dave 192.0.2.4:6000 idle");
    id_in(&placed);
    assert_eq!(alice.agent.calls().legs()[0].path.remote.to_string(), "192.0.2.4:6000");
}

#[test]
fn a_refused_listing_empties_no_address_book() {
    let mut alice = Bench::registered();
    alice.put(Input::LinkDown("closed"));
    alice.until(600);
    alice.greet();
    alice.line("200 watching");
    alice.line("429 slow down");
    assert!(alice.answer("USERS").iter().any(|line| line.contains("bob")));
}

#[test]
fn while_the_registry_is_away_the_book_says_how_old_it_is() {
    let mut alice = Bench::registered();
    assert_eq!(alice.answer("USERS").last().unwrap(), "210 2 users");
    alice.put(Input::LinkDown("closed"));
    alice.until(100);
    alice.greet();
    alice.put(Input::LinkDown("closed"));
    assert!(alice.answer("USERS").last().unwrap().starts_with("210 2 users as of "));
    id_in(&alice.ask(CALLER, "CALL bob"));
}

#[test]
fn the_registry_is_told_that_we_are_busy_once_it_has_lasted_and_when_no_more() {
    let mut alice = Bench::registered();
    alice.invited(BOB, id(1));
    let told: Vec<_> = alice.until(2_500).into_iter().filter(|act| act.contains("registry <")).collect();
    assert_eq!(told, ["2000 registry < STATUS busy"]);
    alice.line("200 status is busy");
    assert!(alice.answer("USERS")[0].contains(" busy "));
    assert!(alice.ask(WATCHER, "REJECT").contains(&"registry < STATUS idle".to_owned()));
}

#[test]
fn a_status_is_told_to_the_registry_and_stands_in_our_own_list() {
    let mut alice = Bench::registered();
    assert_eq!(alice.ask(CALLER, "SET-STATUS away"), ["registry < STATUS away", "0 < 200 status is away"]);
    assert!(alice.line("200 status is away").is_empty());
    assert!(alice.answer("USERS")[0].starts_with("210-alice 192.0.2.1:6000 away"));
    alice.put(Input::LinkDown("closed"));
    assert!(alice.answer("SET-STATUS dnd")[0].starts_with("443 "));
    assert!(alice.invited(EVE, id(1)).iter().any(|act| act.contains("REJECT reason=dnd")));
}

#[test]
fn the_display_name_that_the_registry_lists_is_shown_before_the_callee_answers() {
    let mut alice = Bench::registered();
    alice.line("* JOINED zoe 192.0.2.9:6000 idle - display=Zoë%20Z.");
    let acts = alice.ask(CALLER, "CALL zoe");
    let told = acts.iter().find(|act| act.contains("* CALL")).expect("an event");
    assert!(told.ends_with("calling zoe direction=out display=Zoë%20Z."), "{told}");
}

#[test]
fn a_call_by_hand_makes_us_busy_at_once() {
    let mut alice = Bench::registered();
    assert!(alice.ask(CALLER, "CALL bob").contains(&"registry < STATUS busy".to_owned()));
    let mut alice = Bench::registered();
    alice.invited(BOB, id(1));
    assert!(alice.ask(WATCHER, "ANSWER").contains(&"registry < STATUS busy".to_owned()));
}

#[test]
fn whoever_rings_and_hangs_up_again_and_again_makes_us_say_nothing_to_the_registry() {
    for consent in [Rule::Ask, Rule::Allow] {
        let mut alice = Bench::registered();
        alice.agent_policy(|policy| policy.consent.voice = consent.clone());
        for n in 0..100 {
            let acts = alice.invited(BOB, id(n));
            assert!(!acts.iter().any(|act| act.contains("registry <")), "{consent:?}: {acts:?}");
            let acts = alice.hear(BOB, id(n), Word::Cancel(Reason::Cancelled));
            assert!(!acts.iter().any(|act| act.contains("registry <")), "{consent:?}: {acts:?}");
            alice.until(alice.now() + 26);
        }
    }
}
