//! A registry that lies can refuse its service. It can neither listen in, nor speak for a station elsewhere.

use vox_common::seal::identity::Identity;
use vox_common::wire::keys::PublicKey;
use vox_common::wire::request::Request;
use vox_common::wire::words;
use vox_tests::bed::{Place, Registry, Station, Surroundings, wait};
use vox_tests::liar::Liar;
use vox_tests::sealed::Sealed;

/// What a victim has told the liar, of the line that begins so.
fn told(liar: &Liar, begins: &str) -> String {
    wait::until(&format!("the victim to say {begins}"), 20, || {
        liar.with(|story| story.told.iter().find(|line| line.starts_with(begins)).cloned())
    })
}

fn honest(place: &Place) -> Registry {
    Registry::with(place, &Surroundings::default(), "127.0.0.1", |settings| {
        settings.set("access.mode", "keys");
    })
}

/// Liar and victim, who is told the nonce of a connection of the liar's to the honest registry.
#[test]
fn what_a_victim_says_to_a_liar_registers_nobody_elsewhere() {
    let place = Place::new();
    let registry = honest(&place);
    for (sealed, verb) in [("off", "REGISTER"), ("preferred", "SECURE")] {
        let mut relayed = Sealed::plain(&registry.address());
        let liar = Liar::start(Identity::new([66; 32]));
        liar.with(|story| story.nonce = Some(relayed.nonce));
        let own = Place::new();
        let _bob = Station::quiet("bob")
            .set("registry.address", liar.address())
            .set("registry.sealed", sealed)
            .start(&own);
        let line = told(&liar, verb);
        let refusal = relayed.ask(&line).expect("an answer");
        let why = match Request::parse(&line) {
            Ok(Request::Register(told)) => {
                assert!(told.key.is_some() && told.key_proof.is_some());
                "403 not let in: the proof is not of that key"
            }
            _ => "403 not let in: that message is not for this registry's key and this connection",
        };
        assert_eq!(refusal, why);
        if verb == "SECURE" {
            let proofless = told(&liar, "REGISTER");
            let mut another = Sealed::plain(&registry.address());
            assert!(
                another.ask(&proofless).is_some_and(|line| line.starts_with("403 ")),
                "the seal was the proof"
            );
        }
    }
    assert!(registry.must(&["users"]).is_empty());
}

/// Whoever has the honest registry's key from its greeting still does not hold it.
#[test]
fn a_liar_that_tells_another_registrys_key_hears_nothing_but_an_offer() {
    let place = Place::new();
    let registry = honest(&place);
    let liar = Liar::start(Identity::new([66; 32]));
    liar.with(|story| story.tells = Some(Sealed::plain(&registry.address()).key));
    let bob = Station::quiet("bob").set("registry.address", liar.address()).start(&place);
    told(&liar, "SECURE");
    wait::until("the link to be down", 20, || bob.status("registry", "reason"));
    assert!(liar.with(|story| story.told.iter().all(|line| line.starts_with("SECURE "))));
    assert_eq!(bob.status("registry", "link").as_deref(), Some("down"));
}

/// What a station is known by.
fn key_of(station: &Station) -> PublicKey {
    let told = station.control().ask("KEY");
    let word = words::value(&told[0], "key").expect("said once").expect("a key");
    PublicKey::parse(word).expect("a key")
}

/// Alice calls; the exit code, and the sentence where she is refused.
fn call(alice: &Station, whom: &str) -> (i32, String) {
    let said = alice.run(&["call", whom, "--detach"]);
    alice.run(&["hangup"]);
    alice.wait_until("idle");
    (said.code, said.err)
}

/// Alice has talked to both. The registry gives another key for bob, another address, both, and each other's.
#[test]
fn a_liar_connects_nobody_who_is_known_to_a_stranger() {
    let place = Place::new();
    let liar = Liar::start(Identity::new([66; 32]));
    let (bob, eve) =
        (Station::quiet("bob").answering().start(&place), Station::quiet("eve").answering().start(&place));
    let (at_bob, at_eve, bobs, eves) = (bob.host(), eve.host(), key_of(&bob), key_of(&eve));
    let truth = [("bob", &*at_bob, bobs), ("eve", &*at_eve, eves)];
    let alice = Station::quiet("alice").set("registry.address", liar.address()).start(&place);
    liar.tell(&truth);
    alice.wait_for_registry();
    for name in ["bob", "eve"] {
        assert_eq!(call(&alice, name).0, 0, "{name} is trusted on the first use");
    }
    let seen = |station: &Station| station.run(&["history"]).out;
    bob.wait_until("idle");
    eve.wait_until("idle");
    let before = [seen(&bob), seen(&eve)];
    for (lie, users) in [
        ("another key", [("bob", &*at_bob, eves), truth[1]]),
        ("another address", [("bob", &*at_eve, bobs), truth[1]]),
        ("another address and key", [("bob", &*at_eve, eves), truth[1]]),
        ("two names", [("bob", &*at_eve, eves), ("eve", &*at_bob, bobs)]),
    ] {
        liar.tell(&users);
        alice.wait_for_registry();
        let (code, sentence) = call(&alice, "bob");
        assert!(code == 1 && sentence.contains("somebody may pretend to be bob"), "{lie}: {sentence}");
        assert_eq!([seen(&bob), seen(&eve)], before, "{lie}: nobody has heard of it");
    }
    liar.tell(&truth);
    alice.wait_for_registry();
    assert_eq!(call(&alice, "bob").0, 0);
}
