//! Requests are read as they were written, and every mistake has a refusal of its own.

use std::num::NonZeroU16;

use super::registration::REGISTER_BYTES;
use super::*;
use crate::wire::keys::PublicKey;
use crate::wire::names::DisplayName;
use crate::wire::proof::Proof;
use crate::wire::users::tests::{displays, keys, names, statuses};
use proptest::prelude::*;

#[test]
fn every_request_is_read() {
    for (line, emitted) in [
        ("register Bob 6000", "REGISTER bob 6000"),
        ("REGISTER  bob  6000  colour=red display=Bob%20B", "REGISTER bob 6000 display=Bob%20B"),
        ("LIST", "LIST"),
        ("list do", "LIST do"),
        ("LOOKUP BOB ", "LOOKUP bob"),
        ("STATUS Away", "STATUS away"),
        ("watch ON", "WATCH on"),
        ("WATCH off", "WATCH off"),
        ("msg BOB  two  words ", "MSG bob two  words "),
        ("broadcast  fire drill", "BROADCAST fire drill"),
        ("create Hall 12", "CREATE hall 12"),
        ("join hall ", "JOIN hall"),
        ("leave", "LEAVE"),
        ("rooms", "ROOMS"),
        ("members", "MEMBERS"),
        ("members Hall", "MEMBERS hall"),
        ("say hello", "SAY hello"),
        ("stats", "STATS"),
        ("PING", "PING"),
        ("ECHO  two  words ", "ECHO two  words "),
        ("help", "HELP"),
        ("HELP quit", "HELP QUIT"),
        (" quit", "QUIT"),
    ] {
        assert_eq!(Request::parse(line).expect(line).to_string(), emitted, "{line}");
    }
}

#[test]
fn every_mistake_has_its_own_refusal() {
    let long = format!("ECHO {}", "x".repeat(TEXT_BYTES + 1));
    for (line, refusal) in [
        ("", Refusal::UnknownVerb),
        ("DANCE", Refusal::UnknownVerb),
        ("REGISTER", Refusal::Usage(Verb::Register)),
        ("REGISTER bob", Refusal::Usage(Verb::Register)),
        ("REGISTER bob 6000 now", Refusal::Usage(Verb::Register)),
        ("REGISTER 2bob 6000", Refusal::BadName),
        ("REGISTER bob 0", Refusal::BadPort),
        ("REGISTER bob 65536", Refusal::BadPort),
        ("REGISTER bob six", Refusal::BadPort),
        ("REGISTER bob -6000", Refusal::BadPort),
        ("REGISTER bob 6000 key=abc", Refusal::BadKey),
        ("REGISTER bob 6000 proof=abc", Refusal::BadProof),
        ("REGISTER bob 6000 key-proof=abc", Refusal::BadKeyProof),
        ("SECURE", Refusal::Usage(Verb::Secure)),
        ("SECURE abc", Refusal::BadOffer),
        ("SECURE abc def", Refusal::Usage(Verb::Secure)),
        ("REGISTER bob 6000 display=", Refusal::BadDisplay),
        ("REGISTER bob 6000 display=a%0Ab", Refusal::BadDisplay),
        ("REGISTER bob 6000 display=a display=b", Refusal::RepeatedKey),
        ("LIST a b", Refusal::Usage(Verb::List)),
        ("LOOKUP", Refusal::Usage(Verb::Lookup)),
        ("LOOKUP -", Refusal::NoSuchUser),
        ("STATUS asleep", Refusal::Usage(Verb::Status)),
        ("WATCH", Refusal::Usage(Verb::Watch)),
        ("WATCH maybe", Refusal::Usage(Verb::Watch)),
        ("MSG", Refusal::Usage(Verb::Msg)),
        ("MSG bob", Refusal::NoText),
        ("MSG 2bob hello", Refusal::NoSuchUser),
        ("BROADCAST", Refusal::NoText),
        ("SAY ", Refusal::NoText),
        ("CREATE", Refusal::Usage(Verb::Create)),
        ("CREATE hall", Refusal::Usage(Verb::Create)),
        ("CREATE hall 3 4", Refusal::Usage(Verb::Create)),
        ("CREATE 2hall 3", Refusal::BadName),
        ("CREATE hall 0", Refusal::BadCapacity),
        ("CREATE hall 513", Refusal::BadCapacity),
        ("CREATE hall many", Refusal::BadCapacity),
        ("JOIN", Refusal::Usage(Verb::Join)),
        ("JOIN 2hall", Refusal::NoSuchRoom),
        ("LEAVE hall", Refusal::Usage(Verb::Leave)),
        ("ROOMS all", Refusal::Usage(Verb::Rooms)),
        ("MEMBERS a b", Refusal::Usage(Verb::Members)),
        ("MEMBERS 2hall", Refusal::NoSuchRoom),
        ("STATS now", Refusal::Usage(Verb::Stats)),
        (&long, Refusal::TextTooLong),
        ("HELP DANCE", Refusal::UnknownVerb),
        ("QUIT now", Refusal::Usage(Verb::Quit)),
    ] {
        assert_eq!(Request::parse(line), Err(refusal), "{line}");
    }
}

#[test]
fn the_longest_registration_fits_a_line() {
    let registration = Registration {
        name: Name::parse(&"a".repeat(NAME_BYTES)).unwrap(),
        port: NonZeroU16::MAX,
        key: Some(PublicKey([0xff; 32])),
        proof: Some(Proof([0xff; 32])),
        key_proof: Some(Proof([0xff; 32])),
        display: DisplayName::new(&" ".repeat(64)),
    };
    assert_eq!(Request::Register(registration).to_string().len() + 1, REGISTER_BYTES);
}

fn requests(text: &'static str, word: &'static str) -> impl Strategy<Value = Request<'static>> {
    let proof = prop::option::of(any::<[u8; 32]>().prop_map(Proof));
    let proofs = (proof.clone(), proof);
    let registration = (names(), any::<NonZeroU16>(), keys(), proofs, displays()).prop_map(
        |(name, port, key, (proof, key_proof), display)| Registration {
            name,
            port,
            key,
            proof,
            key_proof,
            display,
        },
    );
    let offer = any::<[u8; 32]>().prop_map(|bytes| Offer(std::array::from_fn(|n| bytes[n % 32])));
    let said = prop::sample::select(vec![if text.is_empty() { "hello" } else { text }]);
    prop_oneof![
        offer.prop_map(Request::Secure),
        registration.prop_map(Request::Register),
        Just(Request::List(word)),
        names().prop_map(Request::Lookup),
        statuses().prop_map(Request::Status),
        any::<bool>().prop_map(Request::Watch),
        (names(), said.clone()).prop_map(|(name, text)| Request::Msg(name, text)),
        said.clone().prop_map(Request::Broadcast),
        (names(), 1..=MAX_USERS).prop_map(|(name, capacity)| Request::Create(name, capacity)),
        names().prop_map(Request::Join),
        prop::option::of(names()).prop_map(Request::Members),
        prop::sample::select(vec![Request::Leave, Request::Rooms, Request::Stats]),
        said.prop_map(Request::Say),
        Just(Request::Ping(text)),
        Just(Request::Echo(text)),
        prop::option::of(prop::sample::select(Verb::ALL.as_slice())).prop_map(Request::Help),
        Just(Request::Quit),
    ]
}

/// Text that outlives the strategies made of it, a few dozen of each in a whole run.
fn some_requests() -> impl Strategy<Value = Request<'static>> {
    ("([!-~à-ü][ -~à-ü]{0,60})?", "[!-~]{0,10}")
        .prop_flat_map(|(text, word)| requests(text.leak(), word.leak()))
}

proptest! {
    #[test]
    fn a_request_is_read_as_it_was_written(request in some_requests()) {
        let line = request.to_string();
        prop_assert_eq!(split_first(&line).0, request.verb().word());
        prop_assert_eq!(Request::parse(&line), Ok(request));
    }

    #[test]
    fn no_line_is_too_strange_to_answer(line in "\\PC{0,80}") {
        let _ = Request::parse(&line);
    }
}
