//! Scripts for the registry's core: who asks too fast, who reads too slowly, and how newcomers are told of together.

use std::time::Duration;

use vox_registry::core::{Limits, Pace};
use vox_tests::world::World;

const REGISTRY: &str = "10.0.0.1";

fn remote(world: &mut World, from: &str) -> u16 {
    let client = world.connect(from, REGISTRY);
    world.hear(client);
    client
}

fn user(world: &mut World, name: &str, n: u8) -> u16 {
    let client = remote(world, &format!("10.0.0.{n}"));
    world.ask(client, &format!("REGISTER {name} 6000"));
    client
}

/// As the sample configuration has them.
fn with_limits() -> World {
    World::with(|settings| {
        settings.limits = Limits {
            connections_per_address: Some(64),
            pace: Some(Pace { per_second: 20, burst: 100 }),
            idle_unregistered: Some(Duration::from_secs(120)),
        };
    })
}

#[test]
fn who_asks_too_fast_is_told_so_and_is_served_again_later() {
    let mut world = with_limits();
    let client = remote(&mut world, "10.0.0.7");
    let served = (0..110).filter(|_| world.ask(client, "PING") == ["200 pong"]).count();
    assert_eq!(served, 100);
    world.pass(Duration::from_secs(1));
    let served = (0..30).filter(|_| world.ask(client, "PING") == ["200 pong"]).count();
    assert_eq!(served, 20);
}

#[test]
fn who_goes_on_when_told_to_slow_down_has_to_go() {
    let mut world = with_limits();
    let [client, other] = ["10.0.0.7", "10.0.0.8"].map(|from| remote(&mut world, from));
    let lines = (0..1000)
        .take_while(|_| {
            world.is_open(client) && {
                world.say(client, "PING");
                true
            }
        })
        .count();
    assert_eq!(lines, 100 + 65);
    assert_eq!(world.hear(client).last().unwrap(), "* GOODBYE too fast");
    assert_eq!(world.ask(other, "PING"), ["200 pong"], "nobody else is concerned");
}

#[test]
fn who_was_told_to_slow_down_is_not_kept_to_a_pace_that_is_read_no_more() {
    let mut world = with_limits();
    world.settings(|settings| settings.limits.pace = Some(Pace { per_second: 1, burst: 10_000 }));
    let client = remote(&mut world, "10.0.0.7");
    let is_served = |world: &mut World| world.ask(client, "PING") == ["200 pong"];
    assert_eq!((0..10_010).filter(|_| is_served(&mut world)).count(), 10_000);
    world.settings(|settings| settings.limits.pace = Some(Pace { per_second: 20, burst: 100 }));
    assert!(!is_served(&mut world), "it has used up that bucket, too");
    world.pass(Duration::from_secs(1));
    assert_eq!((0..30).filter(|_| is_served(&mut world)).count(), 20);
}

#[test]
fn long_answers_and_words_to_many_cost_more() {
    for (request, served) in [
        // REGISTER has cost one, which has come back while newcomers were gathered.
        ("PING", 100),
        ("LIST", 12),
        ("BROADCAST hello", 12),
        ("HELP", 25),
        ("STATS", 25),
        ("STATUS busy", 25),
        ("SAY hello", 25),
    ] {
        let mut world = with_limits();
        let client = user(&mut world, "bob", 7);
        let answers = (0..110).map(|_| world.ask(client, request).pop().unwrap());
        assert_eq!(answers.take_while(|answer| answer != "429 slow down").count(), served, "{request}");
    }
}

#[test]
fn connections_of_one_address_share_what_it_may_ask() {
    let mut world = with_limits();
    let mut served = 0;
    for _ in 0..20 {
        let client = remote(&mut world, "10.0.0.7");
        served +=
            (0..60).filter(|_| world.is_open(client) && world.ask(client, "PING") == ["200 pong"]).count();
    }
    assert!((780..800).contains(&served), "eight times what one may, and connecting costs: {served}");
}

#[test]
fn a_site_of_64_stations_behind_one_address_comes_back_after_a_power_cut() {
    let mut world = with_limits();
    for n in 0..64 {
        let client = remote(&mut world, "10.0.0.7");
        let register = world.ask(client, &format!("REGISTER user{n} {}", 6000 + n));
        assert_eq!(register, [format!("200 registered user{n} 10.0.0.7:{}", 6000 + n)]);
        assert_eq!(world.ask(client, "WATCH on"), ["200 watching"]);
        assert!(world.ask(client, "LIST").last().unwrap().starts_with("210 "));
    }
    let one_more = world.connect("10.0.0.7", REGISTRY);
    assert_eq!(world.hear(one_more), ["429 slow down, too many connections from your address"]);
}

#[test]
fn who_connects_again_and_again_is_turned_away() {
    let mut world = with_limits();
    let greeted = (0..1000).take_while(|_| {
        let client = world.connect("10.0.0.7", REGISTRY);
        let greeting = world.hear(client);
        world.close(client);
        greeting[0].starts_with("220 ")
    });
    assert_eq!(greeted.count(), 800);
    let other = world.connect("10.0.0.8", REGISTRY);
    assert!(world.hear(other)[0].starts_with("220 "));
}

#[test]
fn those_who_come_within_50_ms_are_told_of_in_one_piece() {
    let mut world = World::new();
    let watchers = ["ann", "bob", "carol"].map(|name| user(&mut world, name, name.as_bytes()[0]));
    for watcher in watchers {
        world.ask(watcher, "WATCH on");
    }
    let begun = world.pieces();
    let newcomers: Vec<u16> = (0..20).map(|n| world.connect(&format!("10.1.0.{n}"), REGISTRY)).collect();
    for (client, n) in newcomers.iter().zip(0..) {
        world.say(*client, &format!("REGISTER user{n:02} 6000"));
        world.pass(Duration::from_millis(2));
    }
    assert_eq!(world.pieces() - begun, 2 * newcomers.len(), "watchers have heard nothing yet");
    world.pass(Duration::from_millis(50));
    assert_eq!(world.pieces() - begun, 2 * newcomers.len() + watchers.len(), "one piece for each watcher");
    let expected: Vec<String> =
        (0..20).map(|n| format!("* JOINED user{n:02} 10.1.0.{n}:6000 idle -")).collect();
    assert!(watchers.iter().all(|&watcher| world.hear(watcher) == expected));
}

#[test]
fn newcomers_who_watch_hear_of_each_other_but_not_of_themselves() {
    let mut world = World::new();
    let clients: Vec<u16> = (0..4).map(|n| world.connect(&format!("10.1.0.{n}"), REGISTRY)).collect();
    for (client, n) in clients.iter().zip(0..) {
        world.say(*client, &format!("REGISTER user{n} 6000"));
        world.say(*client, "WATCH on");
    }
    world.say(clients[1], "STATUS away");
    for (client, own) in clients.iter().zip(0..) {
        let joined =
            |n| format!("* JOINED user{n} 10.1.0.{n}:6000 {} -", if n == 1 { "away" } else { "idle" });
        let expected: Vec<String> = (0..4).filter(|n| *n != own).map(joined).collect();
        let heard = world.hear(*client);
        let events: Vec<&String> = heard.iter().filter(|line| line.starts_with("* ")).collect();
        assert_eq!(events, expected.iter().collect::<Vec<_>>());
    }
}

#[test]
fn watchers_of_both_families_hear_of_a_newcomer_where_each_can_call_it() {
    let mut world = World::new();
    let families =
        [("10.0.0", REGISTRY, "10.0.0.1:6000"), ("2001:db8::", "2001:db8::1", "[2001:db8::1]:6000")];
    let watchers: Vec<(u16, &str)> = (2..12)
        .map(|n| {
            let (net, to, there) = families[n % 2];
            let dot = if n % 2 == 0 { "." } else { "" };
            let client = world.connect(&format!("{net}{dot}{n}"), to);
            world.say(client, &format!("REGISTER user{n} 6000"));
            world.ask(client, "WATCH on");
            (client, there)
        })
        .collect();
    let door = world.local();
    watchers.iter().for_each(|(client, _)| drop(world.hear(*client)));
    world.say(door, "REGISTER door 6000");
    for (client, there) in watchers {
        assert_eq!(world.hear(client), [format!("* JOINED door {there} idle -")]);
    }
}

#[test]
fn who_leaves_at_once_has_come_before() {
    let mut world = World::new();
    let watcher = user(&mut world, "watcher", 7);
    world.ask(watcher, "WATCH on");
    world.hear(watcher);
    let [brief, other] = ["10.0.0.8", "10.0.0.9"].map(|from| world.connect(from, REGISTRY));
    world.say(brief, "REGISTER brief 6000");
    world.say(other, "REGISTER other 6000");
    world.close(brief);
    let expected =
        ["* JOINED brief 10.0.0.8:6000 idle -", "* JOINED other 10.0.0.9:6000 idle -", "* LEFT brief"];
    assert_eq!(world.hear(watcher), expected);
}

#[test]
fn a_word_to_somebody_who_does_not_read_is_not_said_to_be_delivered() {
    let mut world = World::new();
    let [ann, deaf, carol] =
        [("ann", 7), ("deaf", 8), ("carol", 9)].map(|(name, n)| user(&mut world, name, n));
    world.ask(carol, "WATCH on");
    world.hear(carol);
    world.deafen(deaf);
    assert_eq!(world.ask(ann, "BROADCAST hello"), ["200 delivered to 1"]);
    assert_eq!(world.hear(carol), ["* BROADCAST ann hello", "* LEFT deaf"]);
    assert_eq!(world.ask(ann, "MSG deaf hello"), ["404 no such user"]);
    assert!(!world.is_open(deaf));

    let deaf = user(&mut world, "deaf", 8);
    world.hear(carol);
    world.deafen(deaf);
    assert_eq!(world.ask(ann, "MSG deaf hello"), ["404 no such user"]);
    assert_eq!(world.hear(carol), ["* LEFT deaf"]);
    assert!(world.ask(ann, "STATS").contains(&"215-slow-readers 2".to_owned()));
}
