//! A registry that says "slow down", or says no at the door, and what it asks for.

use vox_common::seal::identity::Identity;
use vox_common::wire::proof::Secret;
use vox_common::wire::reply::Nonce;
use vox_common::wire::request::Request;
use vox_peer::agent::allow::Allow;
use vox_peer::agent::consent::Consent;
use vox_peer::agent::io::{Input, Policy};

use crate::bench::{BOB, Bench, CALLER, id};

const SLOW_DOWN: &str = "429 slow down";

/// Not registered yet.
fn connecting(secret: Option<&str>) -> Bench {
    let mut alice = Bench::with(|settings| {
        settings.registry = Some("vox.test:5000".to_owned());
        settings.secret = secret.and_then(|text| Secret::new(text.as_bytes()));
    });
    alice.put(Input::Start);
    alice
}

/// Why there is no registration now.
fn reason(alice: &mut Bench) -> String {
    let link = alice.answer("STATUS").swap_remove(1);
    link.split(' ').find_map(|word| word.strip_prefix("reason=")).expect("a reason").replace("%20", " ")
}

/// What is said to the registry within so many milliseconds.
fn said_within(alice: &mut Bench, ms: u64) -> Vec<String> {
    let acts = alice.until(alice.now() + ms);
    acts.iter().filter_map(|act| act.split_once("registry < ")).map(|(_, line)| line.to_owned()).collect()
}

#[test]
fn a_status_that_was_refused_in_haste_is_told_again_once() {
    let mut alice = Bench::registered();
    assert!(alice.ask(CALLER, "CALL bob").contains(&"registry < STATUS busy".to_owned()));
    assert!(alice.line(SLOW_DOWN).is_empty());
    assert!(said_within(&mut alice, 999).is_empty());
    assert_eq!(said_within(&mut alice, 1_001), ["STATUS busy"]);
    alice.line("200 status is busy");
    assert!(said_within(&mut alice, 3_000).is_empty());
}

#[test]
fn the_status_that_is_told_again_is_the_one_of_then() {
    let mut alice = Bench::registered();
    alice.ask(CALLER, "CALL bob");
    alice.line(SLOW_DOWN);
    alice.ask(CALLER, "HANGUP");
    assert_eq!(said_within(&mut alice, 2_000), ["STATUS idle"]);
}

#[test]
fn watching_and_listing_are_asked_for_until_they_are_served_and_ever_more_slowly() {
    let mut alice = connecting(None);
    alice.greet();
    for least in [1_000, 2_000, 4_000] {
        alice.line(SLOW_DOWN);
        alice.line(SLOW_DOWN);
        assert!(said_within(&mut alice, least - 1).is_empty());
        assert_eq!(said_within(&mut alice, least + 1), ["WATCH on", "LIST"]);
    }
    alice.line("200 watching");
    alice.line("210-bob 192.0.2.2:6000 idle -");
    alice.line("210 1 users");
    assert_eq!(alice.answer("USERS").last().unwrap(), "210 1 users");
    alice.invited(BOB, id(1));
    alice.line(SLOW_DOWN);
    assert_eq!(said_within(&mut alice, 2_000), ["STATUS busy"], "patience is short again");
}

#[test]
fn a_hasty_program_hears_the_registrys_own_sentence() {
    let mut alice = Bench::registered();
    alice.ask(CALLER, "MSG bob hi");
    assert_eq!(alice.line(SLOW_DOWN), ["0 < 429 slow down"]);
    assert_eq!(
        alice.ask(CALLER, "MSG bob hi"),
        ["0 < 429 slow down"],
        "the station is not thrown out for it"
    );
    let answer = "0 < 429 slow down: the status is dnd here, and is told in a moment";
    assert_eq!(alice.ask(CALLER, "SET-STATUS dnd"), [answer]);
    assert_eq!(said_within(&mut alice, 2_000), ["STATUS dnd"]);
    assert_eq!(alice.ask(CALLER, "MSG bob hi"), ["registry < MSG bob hi"]);
}

#[test]
fn a_status_that_a_program_set_in_haste_is_told_all_the_same() {
    let mut alice = Bench::registered();
    assert_eq!(alice.ask(CALLER, "SET-STATUS dnd"), ["registry < STATUS dnd", "0 < 200 status is dnd"]);
    assert!(alice.line(SLOW_DOWN).is_empty());
    assert_eq!(said_within(&mut alice, 2_000), ["STATUS dnd"]);
}

#[test]
fn more_requests_than_can_be_on_their_way_are_too_many() {
    let mut alice = Bench::registered();
    assert!((0..64).all(|_| alice.ask(CALLER, "ROOMS") == ["registry < ROOMS"]));
    assert_eq!(alice.ask(CALLER, "ROOMS"), ["0 < 429 slow down"]);
}

#[test]
fn a_no_at_the_door_is_told_as_it_was_said() {
    for (line, told) in [
        ("403 not let in: banned", "the registry refuses: not let in: banned"),
        ("420 registry full", "the registry refuses: registry full"),
        (
            "429 slow down, too many connections from your address",
            "the registry refuses: slow down, too many connections from your address",
        ),
        ("503 shutting down", "the registry refuses: shutting down"),
        ("530 who are you", "what listens there is no vox-registry"),
    ] {
        let mut alice = connecting(None);
        alice.put(Input::LinkUp);
        assert!(alice.line(line).contains(&"disconnect".to_owned()));
        assert_eq!(reason(&mut alice), told);
    }
}

#[test]
fn what_is_repeated_of_a_refusal_fits_a_line_of_ours() {
    let mut alice = connecting(None);
    alice.put(Input::LinkUp);
    let told = alice.line(&format!("403 {}", "\u{1f600}".repeat(250)));
    let event = told.iter().find_map(|act| act.strip_prefix("1 < * LINK down ")).expect("an event");
    assert!(event.len() < 1_000, "{}", event.len());
}

#[test]
fn a_goodbye_instead_of_a_greeting_is_the_reason() {
    for farewell in ["shutting down", "kicked", "banned", "idle", "replaced", "too fast"] {
        let mut alice = connecting(None);
        alice.put(Input::LinkUp);
        alice.line(&format!("* GOODBYE {farewell}"));
        alice.put(Input::LinkDown("the registry closed the connection"));
        assert_eq!(reason(&mut alice), format!("the registry said goodbye: {farewell}"));
    }
}

#[test]
fn a_secret_is_proved_over_the_nonce_of_the_greeting() {
    let mut alice = connecting(Some("sesame"));
    let acts = alice.is_greeted();
    let line = acts[0].strip_prefix("registry < ").expect("a line");
    let Ok(Request::Register(registration)) = Request::parse(line) else { panic!("{line}") };
    let proof = registration.proof.expect("a proof");
    let secret = Secret::new(b"sesame").unwrap();
    assert!(secret.is_proved_by(&proof, &Nonce([0; 16]), &registration));
}

#[test]
fn another_secret_is_tried_at_once() {
    let mut alice = connecting(None);
    let registers = format!("registry < REGISTER alice 6000 key={}", Identity::new([7; 32]).public());
    assert_eq!(alice.is_greeted(), [registers.as_str()]);
    alice.line("403 not let in: proof= of the registry's secret is needed");
    assert_eq!(
        reason(&mut alice),
        "the registry refuses: not let in: proof= of the registry's secret is needed"
    );
    let policy = Policy {
        consent: Consent::default(),
        allow: Allow::Anyone,
        ring_timeout: std::time::Duration::from_secs(30),
        alarm_delay: None,
    };
    let secret = Secret::new(b"sesame");
    let acts = alice.put(Input::Reload(&policy, secret.as_ref()));
    assert_eq!(acts, ["connect"]);
    assert!(alice.is_greeted()[0].starts_with(&format!("{registers} proof=")));
}
