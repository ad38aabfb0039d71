//! Somebody sits between alice and bob with stations of his own: to her he is bob, to him alice. Where they know each
//! other's keys he gets nowhere; where they do not yet, the four words that each of them reads are not the same.

use vox_tests::bed::{Attacker, Place, Station, wait};

/// All four: real ones.
struct Middle {
    alice: Station,
    bob: Station,
    /// To alice he is bob, to bob alice.
    false_bob: Station,
    false_alice: Station,
    path: Attacker,
    _places: [Place; 2],
}

impl Middle {
    fn sit() -> Self {
        let (theirs, his) = (Place::new(), Place::new());
        let bob = Station::named("bob").answering().start(&theirs);
        let path = Attacker::before(&bob);
        let alice = Station::named("alice").set("contacts.bob", path.address().to_string()).start(&theirs);
        let false_bob = Station::named("bob").answering().start(&his);
        let false_alice = Station::named("alice").set("contacts.bob", bob.host()).start(&his);
        Self { alice, bob, false_bob, false_alice, path, _places: [theirs, his] }
    }
}

fn is_called(caller: &Station, callee: &Station) {
    let called = caller.control().ask("CALL bob detach");
    assert!(called[0].starts_with("200 calling "), "{called:?}");
    caller.wait_until("talking");
    callee.wait_until("talking");
}

/// What a station shows of the call that it is in.
fn words(station: &Station) -> String {
    wait::until("four words", 5, || station.status("call", "words"))
}

fn past(station: &Station) -> Vec<String> {
    let mut history = station.control().ask("HISTORY");
    history.pop();
    history
}

#[test]
fn who_sits_between_two_who_know_each_other_gets_nowhere() {
    let middle = Middle::sit();
    let Middle { alice, bob, false_bob, false_alice, path, .. } = &middle;
    is_called(alice, bob);
    assert_eq!(words(alice), words(bob));
    assert_eq!(alice.run(&["hangup"]).code, 0);
    bob.wait_until("idle");

    path.leads_to(false_bob);
    let said = alice.run(&["call", "bob"]);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains("vox-peer forget bob"), "{said:?}");
    assert_eq!(past(false_bob), [""; 0], "he has not even been told who called");

    let said = false_alice.run(&["call", "bob"]);
    assert_eq!(said.code, 1, "{said:?}");
    let last = past(bob).pop().expect("bob sees that somebody tried");
    assert!(last.contains(" in alice ") && last.contains(" wrong-key "), "{last}");
    assert!(past(bob).len() == 2 && bob.lines("call").is_empty());
}

#[test]
fn who_sits_between_two_who_do_not_know_each_other_yet_cannot_make_their_words_the_same() {
    let middle = Middle::sit();
    let Middle { alice, bob, false_bob, false_alice, path, .. } = &middle;
    path.leads_to(false_bob);
    is_called(alice, false_bob);
    is_called(false_alice, bob);
    assert_eq!(words(alice), words(false_bob));
    assert_eq!(words(bob), words(false_alice));
    assert_ne!(words(alice), words(bob));
}
