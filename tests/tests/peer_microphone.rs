//! When a station's microphone is opened: after the answer, on both sides, however the call is answered, and never where
//! it is not. Both have cards that keep a log of it.

use std::thread;

use vox_tests::bed::relay::Passed;
use vox_tests::bed::station::Preparation;
use vox_tests::bed::voxcard::{Offer, Voxcard};
use vox_tests::bed::{Attacker, Control, Place, Station, may, wait};

const ORDINARY: Offer = Offer { rate: 48_000, channels: 1, format: "S16_LE" };

/// A station with a card of its own, and somebody who hears what it tells.
struct Side {
    card: Voxcard,
    station: Station,
    events: Control,
}

impl Side {
    fn start(name: &str, place: &Place, prepare: impl FnOnce(Preparation) -> Preparation) -> Option<Self> {
        let card = may("peer_microphone::card", Voxcard::plug_in(place, name, ORDINARY))?;
        let station = prepare(Station::named(name).within(&card.surroundings()));
        let station = station.set("audio.input", "voxcard").set("audio.output", "voxcard").start(place);
        let events = station.watch();
        Some(Self { card, station, events })
    }

    fn hears(&self) -> bool {
        self.card.microphone_was_opened()
    }

    fn opens_its_microphone(&self, name: &str) {
        wait::until(&format!("{name}'s microphone"), 10, || self.hears().then_some(()));
    }

    fn does(&mut self, line: &str) {
        assert!(self.events.ask(line)[0].starts_with("200 "), "{line}");
    }
}

/// Alice can call bob, past somebody who holds up what he likes.
struct Two {
    alice: Side,
    bob: Side,
    path: Attacker,
    _place: Place,
}

impl Two {
    fn start(both: impl Fn(Preparation) -> Preparation, answers_by_himself: bool) -> Option<Self> {
        let place = Place::new();
        let bob = |station| both(station).set("call.auto-answer", answers_by_himself);
        let (alice, bob) = (Side::start("alice", &place, &both)?, Side::start("bob", &place, bob)?);
        let path = Attacker::before(&bob.station);
        Some(Self { alice, bob, path, _place: place })
    }

    fn call(&mut self) {
        self.alice.does(&format!("CALL {}", self.path.address()));
    }

    fn call_until_it_rings(&mut self) {
        self.call();
        self.alice.events.wait_for(&["CALL", "ringing-there"]);
        self.bob.events.wait_for(&["CALL", "ringing-here"]);
    }

    fn bob_declines(&mut self) {
        self.call_until_it_rings();
        self.bob.does("REJECT");
    }

    fn alice_gives_up(&mut self) {
        self.call_until_it_rings();
        self.alice.does("HANGUP");
    }

    fn bob_is_not_to_be_disturbed(&mut self) {
        self.bob.does("SET-STATUS dnd");
        self.call();
    }

    fn nobody_hears(&self, when: &str) {
        assert_eq!([self.alice.hears(), self.bob.hears()], [false, false], "{when}");
    }

    /// Bob's microphone with his answer, and alice's with its arrival.
    fn opens_with_the_answer(&mut self, answer: impl FnOnce(&mut Self)) {
        self.path.keeps(|passed| passed.says("ACCEPT") || passed.is_media());
        answer(self);
        self.bob.opens_its_microphone("bob");
        self.was_seen(3, |passed| passed.says("ACCEPT"));
        assert!(!self.alice.hears(), "alice has not heard of the answer");
        self.path.lets_pass();
        self.alice.opens_its_microphone("alice");
    }

    /// Waits until this was sent so often. Each is sent again until it is answered.
    fn was_seen(&self, times: usize, meant: impl Fn(&Passed) -> bool) {
        let count = || self.path.seen().iter().filter(|passed| meant(passed)).count();
        wait::until("what is held up to be sent again", 10, || (count() >= times).then_some(()));
    }
}

fn is_invite_with_cookie(passed: &Passed) -> bool {
    passed.says("INVITE") && String::from_utf8_lossy(&passed.bytes).contains(" cookie=")
}

/// From the first INVITE to sound on both sides, with every step held up until nobody can be waiting for it.
fn open_in_turn(echo_cancel: bool) {
    let Some(mut two) = Two::start(|station| station.set("voice.echo-cancel", echo_cancel), false) else {
        return;
    };
    two.call_until_it_rings();
    two.was_seen(2, |passed| passed.says("RINGING"));
    two.nobody_hears("while it rings");
    two.opens_with_the_answer(|two| two.bob.does("ANSWER"));
}

/// The same where nobody has to answer.
fn open_in_turn_by_itself(echo_cancel: bool) {
    let Some(mut two) = Two::start(|station| station.set("voice.echo-cancel", echo_cancel), true) else {
        return;
    };
    two.path.keeps(is_invite_with_cookie);
    two.call();
    two.was_seen(3, is_invite_with_cookie);
    two.nobody_hears("while the call has not come");
    two.opens_with_the_answer(|_| ());
}

#[test]
fn microphones_are_opened_after_the_answer_and_the_callers_once_it_has_heard_of_it() {
    thread::scope(|scope| {
        for echo_cancel in [false, true] {
            scope.spawn(move || open_in_turn(echo_cancel));
            scope.spawn(move || open_in_turn_by_itself(echo_cancel));
        }
    });
}

#[test]
fn a_call_that_is_not_answered_opens_no_microphone() {
    let Some(mut two) = Two::start(|station| station, false) else { return };
    for (ends, reason) in [
        (Two::bob_declines as fn(&mut Two), "reason=declined"),
        (Two::alice_gives_up, "reason=cancelled"),
        (Two::bob_is_not_to_be_disturbed, "reason=dnd"),
    ] {
        ends(&mut two);
        two.alice.events.wait_for(&["CALL", "ended", reason]);
        two.bob.station.wait_until("idle");
        two.nobody_hears(reason);
    }
    two.bob.does("SET-STATUS idle");
    two.call_until_it_rings();
    two.bob.does("ANSWER");
    two.alice.opens_its_microphone("alice");
    two.bob.opens_its_microphone("bob");
}
