//! A registry that lies can refuse its service. It can neither listen in, nor speak for a station elsewhere.

use vox_common::seal::identity::Identity;
use vox_common::wire::request::Request;
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
