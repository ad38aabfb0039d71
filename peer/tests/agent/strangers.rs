//! What strangers hold does not keep out those who are known: the place that rings, handshakes, cookies, last words, and
//! the keys that are remembered.

use vox_common::wire::keys::PublicKey;
use vox_common::wire::limits::MAX_KNOWN_KEYS;
use vox_common::wire::signal::{CallId, Hello};
use vox_peer::agent::consent::Rule;
use vox_peer::agent::known::KnownKeys;

use crate::bench::{BOB, Bench, CALLER, EVE, WATCHER, hello, id, name, orders, signals};
use crate::far::Word;

/// Alice, who knows bob's key from a call before.
fn who_knows_bob() -> Bench {
    let mut before = Bench::new();
    before.invited(BOB, id(1));
    before.ask(WATCHER, "ANSWER");
    Bench::with(|settings| settings.known = KnownKeys::parse(&before.known).0)
}

/// Somebody called so rings.
fn rings(alice: &mut Bench, from: &str, n: u32, who: &str) -> Vec<String> {
    let id = CallId(u128::from(n).to_be_bytes());
    let cookie = alice.cookie(from, id);
    let words = Hello { from: name(who), ..hello("bob") };
    alice.hear(from, id, Word::Invite(cookie, words))
}

/// So many callers are refused, each at another address, as fast as strangers are answered. How many had a cookie.
fn refused_strangers(alice: &mut Bench, calls: u32) -> usize {
    alice.agent_policy(|policy| policy.consent.voice = Rule::Refuse);
    let from = |n: u32| format!("192.0.{}.{}:6000", 3 + n / 200, 10 + n % 200);
    let refused = (0..calls).filter(|n| {
        alice.until(alice.now() + 10);
        signals(&rings(alice, &from(*n), 100 + n, "eve")).iter().any(|said| said.contains("REJECT"))
    });
    let refused = refused.count();
    alice.agent_policy(|_| {});
    refused
}

#[test]
fn a_known_caller_takes_the_place_of_a_stranger_that_rings() {
    let mut alice = who_knows_bob();
    rings(&mut alice, EVE, 1, "eve");
    let acts = rings(&mut alice, BOB, 2, "bob");
    assert_eq!(signals(&acts), [format!("{EVE} < REJECT reason=busy"), format!("{BOB} < RINGING")]);
    assert_eq!(orders(&acts), ["ring false", "ring true"]);
    assert_eq!(alice.endings(), ["in busy"]);
    assert_eq!(signals(&rings(&mut alice, EVE, 3, "eve")), [format!("{EVE} < REJECT reason=busy")]);
}

#[test]
fn a_known_caller_disturbs_neither_another_nor_a_call_nor_dnd() {
    let mut alice = who_knows_bob();
    rings(&mut alice, EVE, 1, "eve");
    alice.ask(WATCHER, "ANSWER");
    assert_eq!(signals(&rings(&mut alice, BOB, 2, "bob")), [format!("{BOB} < REJECT reason=busy")]);
    let mut alice = who_knows_bob();
    rings(&mut alice, EVE, 1, "eve");
    alice.ask(WATCHER, "SET-STATUS dnd");
    assert_eq!(signals(&rings(&mut alice, BOB, 2, "bob")), [format!("{BOB} < REJECT reason=busy")]);
    assert_eq!(alice.endings(), ["in busy"], "eve still rings");
}

#[test]
fn a_stranger_that_rings_does_not_keep_the_owner_from_calling() {
    let mut alice = who_knows_bob();
    rings(&mut alice, EVE, 1, "eve");
    let acts = alice.ask(CALLER, &format!("CALL {BOB}"));
    assert_eq!(signals(&acts)[0], format!("{EVE} < REJECT reason=busy"));
    assert!(acts.iter().any(|act| act.contains("< 200 calling ")), "{acts:?}");
    let mut alice = who_knows_bob();
    rings(&mut alice, BOB, 1, "bob");
    assert_eq!(alice.ask(CALLER, &format!("CALL {EVE}")), ["0 < 440 already in a call, hang up first"]);
}

#[test]
fn strangers_at_many_addresses_use_up_neither_the_handshakes_nor_the_cookies_of_the_known() {
    let mut alice = who_knows_bob();
    // Bob proves his key once, and is known by his address from then on.
    rings(&mut alice, BOB, 1, "bob");
    alice.ask(WATCHER, "REJECT");
    let bobs = alice.cookie(BOB, CallId(u128::from(2_u32).to_be_bytes()));
    let refused = refused_strangers(&mut alice, 600);
    assert!(refused > 500, "the cookies of two lives are spent: {refused}");
    let bobs_call = CallId(u128::from(2_u32).to_be_bytes());
    let acts = alice.hear(BOB, bobs_call, Word::Invite(bobs, hello("bob")));
    assert_eq!(signals(&acts), [format!("{BOB} < RINGING")]);
}

#[test]
fn last_words_to_strangers_give_way_to_those_for_the_known() {
    let mut alice = who_knows_bob();
    rings(&mut alice, BOB, 1, "bob");
    alice.ask(WATCHER, "REJECT");
    refused_strangers(&mut alice, 100);
    let said = alice.until(alice.now() + 1_100);
    assert!(said.iter().any(|act| act.ends_with(&format!("{BOB} < REJECT reason=declined"))), "{said:?}");
}

#[test]
fn calls_that_nobody_answered_by_hand_leave_places_for_keys_to_people() {
    let line = |n| format!("peer u{n} {} first-seen=7\n", PublicKey([1; 32]));
    let known = (0..MAX_KNOWN_KEYS - MAX_KNOWN_KEYS / 4).map(line).collect::<Vec<_>>().concat();
    let with = |rule: Rule| {
        let mut alice = Bench::with(|settings| {
            settings.known = KnownKeys::parse(&known).0;
            settings.policy.consent.voice = rule;
        });
        let acts = rings(&mut alice, EVE, 1, "eve");
        alice.ask(WATCHER, "ANSWER");
        (alice.told.iter().any(|line| line.contains("talking eve") && line.contains("trust=new")), acts)
    };
    assert!(with(Rule::Ask).0, "a person has answered");
    assert!(!with(Rule::Allow).0, "nobody has");
}

#[test]
fn the_receiver_is_told_of_known_addresses_once_a_second_however_often_they_change() {
    let mut alice = Bench::registered();
    alice.until(1_100);
    let listed = ["192.0.2.1", "192.0.2.2"].map(|ip| ip.parse().expect("an address"));
    assert_eq!(alice.known_addresses.last(), Some(&(1_000, listed.to_vec())));
    let before = alice.known_addresses.len();
    (0..100).for_each(|n| drop(alice.line(&format!("* JOINED u{n} 192.0.3.{n}:6000 idle -"))));
    assert_eq!(alice.known_addresses.len(), before);
    alice.until(9_000);
    let told = &alice.known_addresses[before..];
    assert!(told.len() == 1 && told[0].0 == 2_000 && told[0].1.len() == 102, "{told:?}");
}
