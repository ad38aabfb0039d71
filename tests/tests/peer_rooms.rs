//! Rooms between real stations: who is in, what is said there, and back after a restart of the registry.

use serde_json::{Value, json};
use vox_tests::bed::{Place, Registry, Station, wait};

/// Three stations that are registered.
fn three(place: &Place, registry: &Registry) -> [Station; 3] {
    let stations = ["alice", "bob", "carol"].map(|name| Station::quiet(name).registry(registry).start(place));
    stations.iter().for_each(Station::wait_for_registry);
    stations
}

fn done(station: &Station, typed: &str) -> String {
    let said = station.run(&typed.split(' ').collect::<Vec<_>>());
    assert_eq!((said.code, &*said.err), (0, ""), "{typed}");
    said.out
}

fn refused(station: &Station, typed: &str) -> String {
    let said = station.run(&typed.split(' ').collect::<Vec<_>>());
    assert_eq!((said.code, &*said.out), (1, ""), "{typed}");
    said.err
}

fn room(station: &Station) -> Option<String> {
    station.status("registry", "room")
}

fn wait_for_room(station: &Station, name: &str) {
    wait::until("the way back into the room", 30, || (room(station)? == name).then_some(()));
}

#[test]
fn a_room_is_made_entered_spoken_in_and_left() {
    let place = Place::new();
    let registry = Registry::start(&place);
    let [alice, bob, carol] = three(&place, &registry);
    let mut there = alice.watch();
    assert_eq!(done(&alice, "create hall 2"), "created hall\n");
    assert_eq!(done(&bob, "join hall"), "joined hall\n");
    there.wait_for(&["ENTERED", "hall", "bob"]);
    assert_eq!(refused(&carol, "join hall"), "room full\n");
    assert_eq!(refused(&carol, "join lobby"), "no such room\n");
    assert_eq!(refused(&carol, "create hall 5"), "room exists\n");
    assert_eq!(refused(&carol, "say hello"), "in no room\n");
    assert_eq!(refused(&carol, "members"), "in no room\n");
    assert_eq!(refused(&bob, "join hall"), "already in it\n");

    assert_eq!(done(&bob, "say hello there"), "said to 1\n");
    there.wait_for(&["SAY", "hall", "bob", "there"]);
    assert_eq!(
        (done(&carol, "rooms"), done(&bob, "members")),
        ("hall\t2\t2\n".into(), "alice\nbob\n".into())
    );
    let rooms: Value = serde_json::from_str(&done(&carol, "rooms --json")).expect("JSON");
    assert_eq!(rooms, json!({"rooms": [{"name": "hall", "members": 2, "capacity": 2}]}));
    assert_eq!((room(&alice).as_deref(), room(&carol)), (Some("hall"), None));

    assert_eq!(done(&bob, "leave"), "left hall\n");
    there.wait_for(&["EXITED", "hall", "bob"]);
    assert_eq!((room(&bob), refused(&bob, "leave")), (None, "in no room\n".into()));
    assert_eq!(done(&alice, "leave"), "left hall\n");
    assert_eq!(done(&carol, "rooms"), "");
}

#[test]
fn a_restart_of_the_registry_empties_no_room() {
    let place = Place::new();
    let mut registry = Registry::start(&place);
    let [alice, bob, carol] = three(&place, &registry);
    done(&alice, "create hall 7");
    done(&bob, "join hall");
    done(&carol, "join hall");
    done(&carol, "leave");
    registry.process().kill();
    for station in [&alice, &bob, &carol] {
        wait::until("the registry to be missed", 10, || {
            (station.status("registry", "link")? == "down").then_some(())
        });
    }
    assert_eq!(bob.status("registry", "returns-to").as_deref(), Some("hall"));
    registry.start_again();
    wait_for_room(&alice, "hall");
    wait_for_room(&bob, "hall");
    carol.wait_for_registry();
    assert_eq!(done(&carol, "rooms"), "hall\t2\t7\n");
    assert_eq!(done(&bob, "say still here"), "said to 1\n");
    assert_eq!(room(&carol), None);
}

#[test]
fn a_station_that_is_kicked_comes_back_into_its_room() {
    let place = Place::new();
    let registry = Registry::start(&place);
    let [alice, bob, _carol] = three(&place, &registry);
    done(&alice, "create hall 7");
    done(&bob, "join hall");
    let mut there = alice.watch();
    assert_eq!(registry.administer(&["kick", "bob"]).code, 0);
    there.wait_for(&["EXITED", "hall", "bob"]);
    wait_for_room(&bob, "hall");
    there.wait_for(&["ENTERED", "hall", "bob"]);
}
