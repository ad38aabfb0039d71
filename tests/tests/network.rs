//! Two stations on two hosts with a cable between them: IPv4, IPv6, and a host with two addresses.

use std::time::Duration;

use vox_tests::bed::net::{Net, Plugged};
use vox_tests::bed::station::{Station, talk};
use vox_tests::bed::{Place, Registry, may, wait};

/// Alice on host A, and bob, who answers by himself, on host B.
fn stations(net: &Net, place: &Place, registry: Option<&Registry>) -> (Station, Station) {
    let mut alice = Station::named("alice").within(&net.a()).on_every_address();
    let mut bob = Station::named("bob").within(&net.b()).on_every_address().answering();
    if let Some(registry) = registry {
        alice = alice.registry(registry);
        bob = bob.registry(registry);
    }
    (alice.start(place), bob.start(place))
}

fn host_and_port(address: &str, port: u16) -> String {
    if address.contains(':') { format!("[{address}]:{port}") } else { format!("{address}:{port}") }
}

/// Both hear each other, and nothing was lost on a cable without loss.
fn both_hear(one: &Station, other: &Station) {
    talk(one, other, Duration::from_millis(2500));
    for station in [one, other] {
        assert!(station.figure("media", "packets-received") > 50.0, "{:?}", station.control().ask("STATUS"));
        assert!(station.figure("media", "packets-lost") < 5.0, "{:?}", station.control().ask("STATUS"));
    }
}

#[test]
fn a_station_is_called_at_each_of_its_addresses_and_answers_from_that_one() {
    let place = Place::new();
    let Some(net) = may("network::addresses", Net::new()) else { return };
    let (alice, bob) = stations(&net, &place, None);
    for address in [Net::B, Net::B_OTHER, Net::B6, Net::B6_OTHER] {
        let _call = alice.begin(&["call", &host_and_port(address, bob.port())]);
        // An answer from another address would be a stranger's, and the call would ring out.
        both_hear(&alice, &bob);
        let with = alice.status("call", "address").unwrap_or_default();
        assert!(with.contains(address), "called {address}, talks to {with}");
        assert_eq!(alice.run(&["hangup"]).code, 0);
        alice.wait_until("idle");
        bob.wait_until("idle");
    }
}

#[test]
fn the_registry_tells_the_address_that_it_sees() {
    // Of several addresses the kernel picks one to come from.
    for (here, there) in [(Net::A, "bob\t10.79.0."), (Net::A6, "bob\t[fd79::")] {
        let place = Place::new();
        let Some(net) = may("network::registry", Net::new()) else { return };
        let host = if here.contains(':') { format!("[{here}]") } else { here.to_owned() };
        let registry = Registry::with(&place, &net.a(), &host, |_| {});
        let (alice, bob) = stations(&net, &place, Some(&registry));
        alice.wait_for_registry();
        bob.wait_for_registry();
        let said = alice.run(&["lookup", "bob"]);
        assert!(said.out.contains(there), "{said:?}");
        let _call = alice.begin(&["call", "bob"]);
        both_hear(&alice, &bob);
    }
}

#[test]
fn a_station_on_the_registrys_own_host_is_reached_from_another() {
    let place = Place::new();
    let Some(net) = may("network::loopback", Net::new()) else { return };
    let registry = Registry::with(&place, &net.a(), "[::]", |_| {});
    let port = registry.port();
    let alice = Station::named("alice").within(&net.a()).on_every_address().answering();
    let alice = alice.set("registry.address", format!("127.0.0.1:{port}")).start(&place);
    let bob = Station::named("bob").within(&net.b()).on_every_address();
    let bob = bob.set("registry.address", format!("{}:{port}", Net::A)).start(&place);
    alice.wait_for_registry();
    bob.wait_for_registry();
    let _call = bob.begin(&["call", "alice"]);
    both_hear(&bob, &alice);
}

#[test]
fn a_pulled_cable_ends_the_call_on_both_sides_by_itself() {
    let place = Place::new();
    let Some(net) = may("network::cable", Net::new()) else { return };
    let (alice, bob) = stations(&net, &place, None);
    let mut call = alice.begin(&["call", &host_and_port(Net::B, bob.port())]);
    talk(&alice, &bob, Duration::from_millis(500));
    net.cable(Plugged::Out);
    alice.wait_until("idle");
    bob.wait_until("idle");
    assert_eq!(call.wait(5).code(), Some(4), "{}", call.log());

    net.cable(Plugged::In);
    let again = wait::within(Duration::from_secs(10), || {
        (alice.run(&["call", "--detach", &host_and_port(Net::B, bob.port())]).code == 0).then_some(())
    });
    assert!(again.is_some(), "the cable is in again, and bob is not reached");
}
