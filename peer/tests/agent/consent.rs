//! The kind of an INVITE and the operator's consent to it: nothing rings that is not a call.

use vox_common::wire::signal::{Cookie, Hello, Kind};
use vox_peer::agent::consent::Rule;
use vox_peer::agent::known::KnownKeys;

use crate::bench::{BOB, Bench, EVE, WATCHER, hello, id, name, orders, signals};
use crate::far::Word;

/// Somebody asks for that; what follows.
fn invited_as(alice: &mut Bench, from: &str, n: u8, hello: Hello) -> Vec<String> {
    let cookie = alice.cookie(from, id(n));
    alice.hear(from, id(n), Word::Invite(cookie, hello))
}

fn of_kind(kind: Kind) -> Hello {
    Hello { kind, ..hello("bob") }
}

#[test]
fn a_kind_that_is_not_served_is_unsupported_and_never_rings() {
    for kind in ["announce", "listen", "preview", "page", "room", "order", "hologram"] {
        let mut alice = Bench::with(|settings| settings.policy.consent.voice = Rule::Allow);
        let acts = invited_as(&mut alice, BOB, 1, of_kind(Kind::parse(kind)));
        assert_eq!(signals(&acts), [format!("{BOB} < REJECT reason=unsupported")], "{kind}");
        assert!(orders(&acts).is_empty(), "{kind}: {acts:?}");
        assert_eq!(alice.endings(), ["in unsupported"], "{kind}");
    }
}

#[test]
fn what_is_not_served_ends_no_call_with_the_same_station() {
    for kind in [Kind::Room, Kind::Order, Kind::Test, Kind::Unknown] {
        let mut alice = Bench::new();
        alice.invited(BOB, id(1));
        alice.ask(WATCHER, "ANSWER");
        alice.hear(BOB, id(1), Word::Confirm);
        invited_as(&mut alice, BOB, 2, of_kind(kind));
        assert_eq!(alice.agent_call(), id(1), "{kind}");
    }
}

#[test]
fn a_call_in_a_codec_of_a_later_version_is_unsupported_at_both_ends() {
    let later = || Hello { sends: None, ..hello("bob") };
    let mut alice = Bench::new();
    let acts = invited_as(&mut alice, BOB, 1, later());
    assert_eq!(signals(&acts), [format!("{BOB} < REJECT reason=unsupported")]);
    let call = alice.calls();
    alice.hear(BOB, call, Word::Retry(Cookie::parse("baked").expect("a cookie")));
    let acts = alice.hear(BOB, call, Word::Ringing(later()));
    assert_eq!(signals(&acts), [format!("{BOB} < CANCEL reason=cancelled")]);
}

#[test]
fn calls_are_refused_where_the_operator_wants_none() {
    let mut alice = Bench::with(|settings| settings.policy.consent.voice = Rule::Refuse);
    let acts = alice.invited(BOB, id(1));
    assert_eq!(signals(&acts), [format!("{BOB} < REJECT reason=not-allowed")]);
}

#[test]
fn only_a_remembered_key_is_answered_at_once_by_name() {
    let mut alice = Bench::with(|settings| settings.policy.consent.voice = Rule::Names([name("bob")].into()));
    assert_eq!(orders(&alice.invited(BOB, id(1))), ["ring true"], "a key that is new");
    alice.ask(WATCHER, "ANSWER");
    let (known, _) = KnownKeys::parse(&alice.known);
    let mut alice = Bench::with(|settings| {
        settings.policy.consent.voice = Rule::Names([name("bob")].into());
        settings.known = known;
    });
    assert_eq!(signals(&alice.invited(BOB, id(1))), [format!("{BOB} < ACCEPT")]);
    alice.ask(WATCHER, "HANGUP");
    assert_eq!(orders(&alice.invited(EVE, id(2))), [""; 0], "eve says that she is bob");
}

#[test]
fn nobody_measures_unless_the_operator_says_so() {
    for (rule, reason) in
        [(Rule::Refuse, "not-allowed"), (Rule::Ask, "not-allowed"), (Rule::Allow, "unsupported")]
    {
        let mut alice = Bench::with(|settings| settings.policy.consent.test = rule.clone());
        let acts = invited_as(&mut alice, BOB, 1, of_kind(Kind::Test));
        assert_eq!(signals(&acts), [format!("{BOB} < REJECT reason={reason}")], "{rule:?}");
    }
}
