//! Scripts for the registry's core: addresses, time, the brim, the end.

use std::time::Duration;

use vox_common::wire::keys::PublicKey;
use vox_common::wire::limits::{MAX_CONNECTIONS, MAX_UNREGISTERED, MAX_USERS};
use vox_common::wire::line::Line;
use vox_tests::world::{self, World};

const REGISTRY: &str = "10.0.0.1";

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// Connects from elsewhere and hears the greeting out.
fn remote(world: &mut World, from: &str) -> u16 {
    let client = world.connect(from, REGISTRY);
    world.hear(client);
    client
}

#[test]
fn the_greeting_tells_version_name_nonce_and_key() {
    let mut world = World::new();
    let client = world.connect("10.0.0.7", REGISTRY);
    let version = env!("CARGO_PKG_VERSION");
    let key = *world::identity().public();
    assert_eq!(
        world.hear(client),
        [format!("220 vox-registry {version} vox 07070707070707070707070707070707 key={key}")]
    );
}

#[test]
fn the_address_is_the_one_that_the_registry_sees() {
    let mut world = World::new();
    for (from, told) in
        [("::ffff:10.0.0.7", "10.0.0.7"), ("2001:db8::7", "[2001:db8::7]"), ("10.0.0.8", "10.0.0.8")]
    {
        let client = remote(&mut world, from);
        let name = format!("n{client}");
        assert_eq!(
            world.ask(client, &format!("REGISTER {name} 6000")),
            [format!("200 registered {name} {told}:6000")]
        );
    }
}

#[test]
fn a_station_on_the_registrys_machine_is_told_by_the_askers_way_to_the_registry() {
    let mut world = World::new();
    let door = world.connect("::1", "::1");
    world.say(door, "REGISTER door 6000");
    let near = world.local();
    let far = remote(&mut world, "10.0.0.7");
    let far6 = world.connect("2001:db8::7", "2001:db8::1");
    world.hear(far6);
    for (asker, address) in [(near, "127.0.0.1:6000"), (far, "10.0.0.1:6000"), (far6, "[2001:db8::1]:6000")] {
        assert_eq!(world.ask(asker, "LOOKUP door"), [format!("211 door {address} idle")]);
        assert_eq!(world.ask(asker, "LIST")[0], format!("210-door {address} idle -"));
    }
    assert_eq!(world.ask(far, "REGISTER bob 6000"), ["200 registered bob 10.0.0.7:6000"]);
    world.ask(far, "WATCH on");
    world.ask(near, "REGISTER hall 6001");
    assert_eq!(world.hear(far), ["* JOINED hall 10.0.0.1:6001 idle -"]);
}

#[test]
fn two_users_of_one_machine_need_two_ports() {
    let mut world = World::new();
    let first = world.local();
    assert_eq!(world.ask(first, "REGISTER alice 6000"), ["200 registered alice 127.0.0.1:6000"]);
    for from in ["127.0.0.1", "::1", REGISTRY] {
        let second = remote(&mut world, from);
        assert_eq!(world.ask(second, "REGISTER bob 6000"), ["410 that address and port are taken"], "{from}");
    }
    let elsewhere = remote(&mut world, "10.0.0.7");
    assert_eq!(world.ask(elsewhere, "REGISTER bob 6000"), ["200 registered bob 10.0.0.7:6000"]);
}

#[test]
fn the_registrys_own_port_is_its_own_on_its_machine_only() {
    let mut world = World::new();
    for from in ["127.0.0.1", REGISTRY] {
        let here = remote(&mut world, from);
        assert_eq!(world.ask(here, "REGISTER bob 5000"), ["411 that is the registry's own port"], "{from}");
    }
    let elsewhere = remote(&mut world, "10.0.0.7");
    assert_eq!(world.ask(elsewhere, "REGISTER bob 5000"), ["200 registered bob 10.0.0.7:5000"]);
}

#[test]
fn who_neither_registers_nor_speaks_is_let_go() {
    let mut world = World::new();
    let [silent, curious, user] = ["10.0.0.7"; 3].map(|from| remote(&mut world, from));
    world.ask(user, "REGISTER user 6000");
    world.pass(seconds(60));
    world.ask(curious, "LIST");
    world.pass(seconds(59));
    assert!(world.is_open(silent));
    world.pass(seconds(1));
    assert_eq!(world.hear(silent), ["* GOODBYE idle"]);
    assert!(!world.is_open(silent) && world.is_open(curious));
    world.pass(seconds(60));
    assert!(!world.is_open(curious));
    world.pass(seconds(1_000_000));
    assert!(world.is_open(user), "a user may be silent for ever");
}

#[test]
fn without_a_limit_nobody_is_let_go() {
    let mut world = World::with(|settings| settings.limits.idle_unregistered = None);
    let silent = remote(&mut world, "10.0.0.7");
    world.pass(seconds(1_000_000));
    assert!(world.is_open(silent));
    assert_eq!(world.registry().deadline(), None);
}

#[test]
fn a_crowd_that_does_not_register_has_seconds_only() {
    let mut world = World::new();
    let crowd: Vec<u16> = (0..=MAX_UNREGISTERED).map(|_| remote(&mut world, "10.0.0.7")).collect();
    world.pass(seconds(4));
    for &client in &crowd {
        world.ask(client, "PING");
    }
    world.pass(seconds(1));
    let open = crowd.iter().filter(|&&client| world.is_open(client)).count();
    assert_eq!(open, MAX_UNREGISTERED, "one left, and the rest is no crowd");
}

#[test]
fn a_full_table_is_an_answer() {
    let mut world = World::new();
    let mut users = Vec::new();
    for n in 0..MAX_USERS {
        let client = remote(&mut world, &format!("10.0.{}.{}", 1 + n / 200, 1 + n % 200));
        assert_eq!(world.ask(client, &format!("REGISTER user{n} 6000"))[0][..3], *"200");
        users.push(client);
    }
    assert_eq!(world.registry().users(), MAX_USERS);
    let late: Vec<u16> = (MAX_USERS..MAX_CONNECTIONS - 1).map(|_| remote(&mut world, "10.1.0.1")).collect();
    assert_eq!(world.ask(late[0], "REGISTER late 6000"), ["420 registry full"]);
    assert_eq!(world.ask(late[0], "LIST").len(), MAX_USERS + 1);
    world.close(users[0]);
    assert_eq!(world.ask(late[0], "REGISTER late 6000"), ["200 registered late 10.1.0.1:6000"]);
}

#[test]
fn more_connections_than_there_is_room_for_are_told_so() {
    let mut world = World::with(|settings| settings.max_users = 1);
    let clients: Vec<u16> = (0..=MAX_UNREGISTERED).map(|_| remote(&mut world, "10.0.0.7")).collect();
    let refused = world.connect("10.0.0.7", REGISTRY);
    assert_eq!(world.hear(refused), ["420 registry full"]);
    assert!(!world.is_open(refused));
    world.close(clients[5]);
    let admitted = world.connect("10.0.0.7", REGISTRY);
    assert_eq!(world.hear(admitted)[0][..3], *"220");
}

#[test]
fn the_longest_listing_fits() {
    let mut world = World::new();
    for n in 0..MAX_USERS {
        let client =
            world.connect(&format!("1111:2222:3333:4444:5555:6666:{:x}:8888", 0x7000 + n), "2001:db8::1");
        let (name, key) = (format!("{:a<28}{n:04}", "a"), PublicKey([255; 32]));
        let display = "%20".repeat(64);
        let reply = world.ask(client, &format!("REGISTER {name} 65535 key={key} display={display}"));
        assert_eq!(reply[1][..3], *"200");
    }
    let asker = world.connect("10.0.0.7", REGISTRY);
    let listing = world.ask(asker, "LIST");
    assert_eq!(listing.last().unwrap(), "210 512 users");
    assert_eq!(listing.len(), 1 + MAX_USERS + 1);
}

#[test]
fn lines_that_are_none_are_refused_and_the_connection_goes_on() {
    let mut world = World::new();
    let client = world.local();
    world.send(client, Line::TooLong);
    world.send(client, Line::NotText);
    world.say(client, "PING");
    let expected =
        ["416 line too long, it may have 1024 bytes", "417 not UTF-8, or a control character", "200 pong"];
    assert_eq!(world.hear(client), expected);
}

#[test]
fn nothing_is_heard_after_a_goodbye() {
    let mut world = World::new();
    let [leaver, watcher] = ["10.0.0.7", "10.0.0.8"].map(|from| remote(&mut world, from));
    world.ask(leaver, "REGISTER leaver 6000");
    world.ask(watcher, "REGISTER watcher 6000");
    world.ask(watcher, "WATCH on");
    world.say(leaver, "QUIT");
    world.say(leaver, "LIST");
    assert_eq!(world.hear(leaver), ["221 goodbye leaver"]);
    assert_eq!(world.hear(watcher), ["* LEFT leaver"]);
}

#[test]
fn everybody_hears_of_the_end_and_late_requests_too() {
    let mut world = World::new();
    let clients = ["10.0.0.7", "10.0.0.8", "10.0.0.9"].map(|from| remote(&mut world, from));
    for client in clients {
        world.ask(client, &format!("REGISTER user{client} 6000"));
        world.ask(client, "WATCH on");
    }
    for client in clients {
        world.hear(client);
    }
    world.stop();
    world.say(clients[0], "LIST");
    let refused = world.connect("10.0.0.10", REGISTRY);
    assert_eq!(world.hear(refused), ["503 shutting down"]);
    assert!(!world.registry().is_finished());
    world.pass(seconds(1));
    assert_eq!(world.hear(clients[0]), ["* GOODBYE shutting down", "503 shutting down"]);
    assert_eq!(world.hear(clients[1]), ["* GOODBYE shutting down"], "and nothing of the others");
    assert!(clients.iter().all(|&client| !world.is_open(client)));
    assert!(world.registry().is_finished());
}

#[test]
fn fewer_users_allowed_by_a_reload_stay_until_they_go() {
    let mut world = World::new();
    let [first, second, third] = ["10.0.0.7", "10.0.0.8", "10.0.0.9"].map(|from| remote(&mut world, from));
    world.ask(first, "REGISTER first 6000");
    world.ask(second, "REGISTER second 6000");
    world.settings(|settings| settings.max_users = 1);
    assert_eq!(world.ask(third, "REGISTER third 6000"), ["420 registry full"]);
    assert_eq!(world.ask(third, "LIST").last().unwrap(), "210 2 users");
}
