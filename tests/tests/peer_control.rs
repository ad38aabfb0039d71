//! The dialogues of `transcripts/peer` with the real program's control socket. Where one has `registry here`, client 9
//! is another user at it.

use vox_common::wire::limits::MAX_CLIENTS;
use vox_tests::bed::{Place, Registry, Station, wait};
use vox_tests::transcript::Transcript;
use vox_tests::wire::{Wire, Wires};

#[test]
fn the_program_keeps_to_every_transcript() {
    for transcript in Transcript::all("peer") {
        let place = Place::new();
        let mut station = Station::quiet("alice");
        let mut registry = None;
        for (key, value) in transcript.settings() {
            station = match key {
                "registry" => station.registry(registry.insert(Registry::start(&place))),
                key => station.set(key, value),
            };
        }
        let station = station.start(&place);
        if registry.is_some() {
            station.wait_for_registry();
        }
        transcript.hold(&mut Wires::new(|client| match &registry {
            Some(registry) if client == 9 => registry.connect(),
            _ => Wire::unix(&station.socket()),
        }));
    }
}

#[test]
fn there_is_room_for_so_many_programs_and_again_when_one_leaves() {
    let place = Place::new();
    let station = Station::named("alice").set("audio.input", "silence").start(&place);
    let connect = || Wire::unix(&station.socket());
    let mut programs: Vec<Wire> = (0..MAX_CLIENTS).map(|_| connect()).collect();
    for program in &mut programs {
        assert_eq!(program.ask("USERS").as_deref(), Some("210 0 users"));
    }
    let refused = connect().rest();
    assert_eq!(refused, ["420 too many programs on this socket, try again later"]);
    programs.pop();
    wait::until("a place to be free", 5, || {
        let answer = connect().ask("USERS")?;
        (answer == "210 0 users").then_some(())
    });
}

#[test]
fn what_is_said_last_is_answered_although_nobody_will_say_more() {
    let place = Place::new();
    let station = Station::named("alice").set("audio.input", "silence").start(&place);
    let mut wire = Wire::unix(&station.socket());
    wire.say("USERS");
    wire.say("ANSWER");
    wire.finish();
    assert_eq!(wire.rest(), ["210 0 users", "442 no such call"]);
}
