//! Alice and bob with somebody on the path between them, and whether anything that he does changes anything.

use std::collections::BTreeMap;
use std::fs;

use vox_common::wire::words;

use super::station::Preparation;
use super::{Attacker, Control, Place, Station, wait};

/// The three of them, and a program at each of the two that hears what it tells.
pub struct Ambush {
    /// Who calls.
    pub alice: Station,
    /// Who is called.
    pub bob: Station,
    /// Who is between them.
    pub path: Attacker,
    told: [Control; 2],
    place: Place,
}

/// What must stay as it is: of each of the two its calls, those that were, and the keys that it knows.
#[derive(Debug, PartialEq, Eq)]
pub struct Standing([[String; 4]; 2]);

impl Ambush {
    /// Bob answers by himself.
    pub fn lie() -> Self {
        Self::with(|station| station, Preparation::answering)
    }

    /// With stations of the test's own.
    pub fn with(
        alice: impl FnOnce(Preparation) -> Preparation,
        bob: impl FnOnce(Preparation) -> Preparation,
    ) -> Self {
        let place = Place::new();
        let bob = bob(Station::named("bob")).start(&place);
        let alice = alice(Station::named("alice")).start(&place);
        let path = Attacker::before(&bob);
        let told = [&alice, &bob].map(Station::watch);
        Self { alice, bob, path, told, place }
    }

    /// A file of the test's own.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Alice calls bob.
    pub fn call(&mut self) {
        let called = self.told[0].ask(&format!("CALL {} detach", self.path.address()));
        assert!(called[0].starts_with("200 calling "), "{called:?}");
    }

    /// Alice calls bob, and both hear each other.
    pub fn talk(&mut self) {
        self.call();
        self.both_are_told(&["CALL", "talking"]);
        self.goes_on();
    }

    /// Waits until both tell an event with these words.
    pub fn both_are_told(&mut self, words: &[&str]) {
        self.told.iter_mut().for_each(|control| _ = control.wait_for(words));
    }

    /// Waits until one of them tells an event with these words: 0 is alice.
    pub fn is_told(&mut self, who: usize, words: &[&str]) {
        self.told[who].wait_for(words);
    }

    /// The next event of a call that one of them tells which has one of these words: 0 is alice.
    pub fn next_of_call(&mut self, who: usize, words: &[&str]) -> String {
        self.told[who].wait_for_one_of(words)
    }

    /// One of them does what a program may ask for: 0 is alice.
    pub fn does(&mut self, who: usize, line: &str) {
        let answer = self.told[who].ask(line);
        assert!(answer[0].starts_with("200 "), "{line}: {answer:?}");
    }

    /// Alice hangs up.
    pub fn hang_up(&mut self) {
        self.does(0, "HANGUP");
        self.both_are_told(&["CALL", "ended"]);
    }

    /// Events about calls that nobody has waited for.
    pub fn told_meanwhile(&mut self) -> Vec<String> {
        let news = self.told.iter_mut().flat_map(Control::told);
        news.filter(|event| event.starts_with("* CALL ")).collect()
    }

    /// Bob is killed and started again.
    pub fn bob_starts_again(&mut self) {
        self.bob.process().kill();
        self.bob.start_again();
        self.told[1] = self.bob.watch();
    }

    /// How things stand.
    pub fn standing(&self) -> Standing {
        let sides = [("alice", &self.alice), ("bob", &self.bob)];
        Standing(sides.map(|(name, station)| {
            let call = station.lines("call").iter().map(|line| call_of(line)).collect();
            let state = station.status("peer", "state").unwrap_or_default();
            [state, call, station.control().ask("HISTORY").join("\n"), self.keys_of(name)]
        }))
    }

    /// The keys that one of them remembers.
    pub fn keys_of(&self, name: &str) -> String {
        fs::read_to_string(self.place.at(&format!("{name}-state/known-peers"))).unwrap_or_default()
    }

    /// Both go on hearing each other.
    pub fn goes_on(&self) {
        let heard = || [&self.alice, &self.bob].map(|station| station.figure("media", "packets-received"));
        let before = heard();
        let more = || heard().iter().zip(before).all(|(now, before)| *now > before + 20.0);
        wait::until("both to hear each other", 10, || more().then_some(()));
    }

    /// No more was taken for sound than the other one has sent.
    ///
    /// # Panics
    /// Something else was.
    pub fn hears_only_what_was_sent(&self) {
        for (station, forth) in [(&self.alice, false), (&self.bob, true)] {
            let taken = station.figure("media", "packets-received");
            let seen = self.path.seen();
            let sent = seen.iter().filter(|passed| passed.forth == forth && passed.is_sound()).count();
            assert!(
                taken <= f64::from(u32::try_from(sent).expect("some hundreds")),
                "{taken} packets of {sent}"
            );
        }
    }

    /// What a station has counted so far, by name: signals, and datagrams of every kind.
    pub fn counted(station: &Station) -> BTreeMap<String, u64> {
        let lines = [station.lines("counters"), station.lines("datagrams")].concat();
        let words = lines.iter().flat_map(|line| line.split(' '));
        words.filter_map(|word| word.split_once('=')).filter_map(number).collect()
    }
}

fn number((key, value): (&str, &str)) -> Option<(String, u64)> {
    Some((key.to_owned(), value.parse().ok()?))
}

/// What does not change while a call goes on.
fn call_of(line: &str) -> String {
    let of = |key| words::value(line, key).ok().flatten().unwrap_or_default();
    ["call", "name", "address", "display", "direction", "state", "codec"].map(of).join(" ")
}
