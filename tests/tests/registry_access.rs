//! Scripts for the registry's core: who is let in, who is kept out, and whose name it is.

use vox_common::seal::identity::Identity;
use vox_common::seal::possession::Possession;
use vox_common::seal::secure;
use vox_common::wire::limits::{MAX_BANS, MAX_BOUND_NAMES};
use vox_common::wire::proof::Secret;
use vox_common::wire::reply::Nonce;
use vox_common::wire::request::{Registration, Request};
use vox_common::wire::secure::Answer;
use vox_registry::core::{Access, Kept, Sealing};
use vox_tests::world::{self, World};

const REGISTRY: &str = "10.0.0.1";

/// Connects from elsewhere and hears the greeting out.
fn remote(world: &mut World, from: &str) -> u16 {
    let client = world.connect(from, REGISTRY);
    world.hear(client);
    client
}

fn secret(text: &str) -> Secret {
    Secret::new(text.as_bytes()).expect("a short word")
}

fn with_access(access: Access) -> World {
    World::with(|settings| settings.access = access)
}

/// A REGISTER with a proof over the nonce of every connection of a world.
fn proved(words: &str, secret: &Secret) -> String {
    let Ok(Request::Register(told)) = Request::parse(&format!("REGISTER {words}")) else { panic!("{words}") };
    let proof = secret.prove(&Nonce([7; 16]), &told);
    Request::Register(Registration { proof: Some(proof), ..told }).to_string()
}

/// The holder of a key.
fn holder(n: u8) -> Identity {
    Identity::new([n; 32])
}

fn key(n: u8) -> String {
    holder(n).public().to_string()
}

/// A REGISTER with a key, and a proof of it over the nonce of every connection of a world.
fn held(words: &str, n: u8) -> String {
    let line = format!("REGISTER {words} key={}", key(n));
    let Ok(Request::Register(told)) = Request::parse(&line) else { panic!("{line}") };
    let possession = Possession::of(&holder(n), world::identity().public()).expect("an ordinary key");
    let key_proof = Some(possession.prove(&world::NONCE, &told));
    Request::Register(Registration { key_proof, ..told }).to_string()
}

/// Offers to seal the lines of a connection; what is heard then.
fn secure(world: &mut World, client: u16, n: u8) -> Vec<String> {
    let offered = secure::offer(&holder(n), world::identity().public(), &world::NONCE, &[n; 32]);
    let (offering, offer) = offered.expect("an ordinary key");
    let heard = world.ask(client, &Request::Secure(offer).to_string());
    let answer = heard[0].strip_prefix("200 secure ").and_then(Answer::parse);
    assert!(answer.is_none_or(|answer| offering.answered(&answer).is_some()));
    heard
}

#[test]
fn whoever_proves_the_secret_is_let_in() {
    let mut world = with_access(Access::Secret(secret("sesame")));
    let bob = remote(&mut world, "10.0.0.7");
    let wrong = proved("bob 6000 display=Bob", &secret("simsim"));
    assert_eq!(world.ask(bob, &wrong), ["403 not let in: the proof is not of this registry's secret"]);
    let right = proved("bob 6000 display=Bob", &secret("sesame"));
    let of_another = right.replace("bob", "ann");
    assert_eq!(world.ask(bob, &of_another), ["403 not let in: the proof is not of this registry's secret"]);
    assert_eq!(world.ask(bob, &right), ["200 registered bob 10.0.0.7:6000"]);
    assert_eq!(world.ask(bob, "LIST").len(), 2);
}

#[test]
fn a_station_that_proves_the_secret_takes_the_place_of_its_ghost() {
    let mut world = with_access(Access::Secret(secret("sesame")));
    let [ghost, watcher, again, elsewhere] =
        ["10.0.0.7", "10.0.0.8", "10.0.0.7", "10.0.0.9"].map(|from| remote(&mut world, from));
    let register = proved("bob 6000", &secret("sesame"));
    world.ask(ghost, &register);
    world.ask(watcher, &proved("watcher 6000", &secret("sesame")));
    world.ask(watcher, "WATCH on");
    world.hear(watcher);
    assert_eq!(world.ask(elsewhere, &register), ["409 name is taken"], "another address is another station");
    assert_eq!(world.ask(again, &register), ["200 registered bob 10.0.0.7:6000"]);
    assert_eq!(world.hear(ghost), ["* GOODBYE replaced"]);
    assert!(!world.is_open(ghost));
    assert_eq!(world.hear(watcher), ["* LEFT bob", "* JOINED bob 10.0.0.7:6000 idle -"]);
}

#[test]
fn nobody_ends_the_connection_of_another_by_a_key_that_everybody_can_look_up() {
    let mut world = with_access(Access::Open);
    let [bob, thief] = ["10.0.0.7"; 2].map(|from| remote(&mut world, from));
    let register = format!("REGISTER bob 6000 key={}", holder(1).public());
    assert_eq!(world.ask(bob, &register), ["200 registered bob 10.0.0.7:6000"]);
    assert_eq!(world.ask(thief, &register), ["409 name is taken"]);
    assert!(world.is_open(bob));
}

#[test]
fn a_key_is_proved_over_the_nonce_or_by_sealing_with_it() {
    let mut world = with_access(Access::Keys);
    let [bob, ann] = ["10.0.0.7", "10.0.0.8"].map(|from| remote(&mut world, from));
    let told = format!("REGISTER bob 6000 key={}", holder(1).public());
    let needed = "403 not let in: that you hold the key is to be proved, by SECURE or by key-proof=";
    assert_eq!(world.ask(bob, "REGISTER bob 6000"), ["403 not let in: key= is needed"]);
    assert_eq!(world.ask(bob, &told), [needed]);
    let wrong = "403 not let in: the proof is not of that key";
    let stolen = held("bob 6000 display=Bob", 2).replace(&key(2), &key(1));
    assert_eq!(world.ask(bob, &stolen), [wrong], "somebody else's proof");
    assert_eq!(world.ask(bob, &held("bob 6000", 1).replace("6000", "6001")), [wrong], "of another port");
    assert_eq!(world.ask(bob, &held("bob 6000 display=Bob", 1)), ["200 registered bob 10.0.0.7:6000"]);

    assert!(secure(&mut world, ann, 2)[0].starts_with("200 secure "));
    assert_eq!(
        world.ask(ann, &format!("REGISTER ann 6000 key={}", key(1))),
        [needed],
        "not the key it seals with"
    );
    let register = format!("REGISTER ann 6000 key={}", key(2));
    assert_eq!(world.ask(ann, &register), ["200 registered ann 10.0.0.8:6000"]);
    let kept: Vec<_> = world.kept().names.lines().filter_map(|line| line.rsplit_once(' ')).collect();
    let bound = [("bob", 1), ("ann", 2)].map(|(name, n)| format!("{name} {}", key(n)));
    assert!(kept.iter().map(|(bond, _check)| *bond).eq(&bound), "{kept:?}");
}

#[test]
fn an_unproved_key_binds_no_name_and_a_wrong_proof_is_never_passed_over() {
    let mut world = World::new();
    let [bob, ann] = ["10.0.0.7", "10.0.0.8"].map(|from| remote(&mut world, from));
    world.ask(bob, &format!("REGISTER bob 6000 key={}", key(1)));
    assert_eq!(world.kept().names, "");
    let wrong = held("ann 6000", 1).replace(&key(1), &key(2));
    assert_eq!(world.ask(ann, &wrong), ["403 not let in: the proof is not of that key"]);
    let without_key = held("ann 6000", 1).replace(&format!(" key={}", key(1)), "");
    assert_eq!(world.ask(ann, &without_key), ["403 not let in: the proof is not of that key"]);
}

#[test]
fn the_holder_of_a_key_takes_the_place_of_its_own_ghost_from_wherever_it_comes() {
    let mut world = World::new();
    let [ghost, thief, again] = ["10.0.0.7", "10.0.0.7", "10.0.0.9"].map(|from| remote(&mut world, from));
    assert_eq!(world.ask(ghost, &held("bob 6000", 1)), ["200 registered bob 10.0.0.7:6000"]);
    assert_eq!(world.ask(thief, &held("bob 6000", 2)), ["409 name is taken"], "the holder of another key");
    assert_eq!(world.ask(again, &held("bob 6000", 1)), ["200 registered bob 10.0.0.9:6000"]);
    assert_eq!(world.hear(ghost), ["* GOODBYE replaced"]);
    assert!(!world.is_open(ghost));
}

#[test]
fn two_stations_behind_one_router_may_have_the_same_port_where_they_prove_keys() {
    let mut world = World::new();
    let [bob, ann, eve] = ["10.0.0.7"; 3].map(|from| remote(&mut world, from));
    assert_eq!(world.ask(bob, &held("bob 6000", 1)), ["200 registered bob 10.0.0.7:6000"]);
    assert_eq!(world.ask(ann, &held("ann 6000", 2)), ["200 registered ann 10.0.0.7:6000"]);
    let unproved = format!("REGISTER eve 6000 key={}", key(3));
    assert_eq!(world.ask(eve, &unproved), ["410 that address and port are taken"]);
}

#[test]
fn a_name_belongs_to_its_key_across_restarts_until_it_is_forgotten() {
    let mut world = with_access(Access::Keys);
    let bob = remote(&mut world, "10.0.0.7");
    world.ask(bob, &held("bob 6000", 1));
    let kept = world.kept().names.clone();
    assert!(kept.starts_with(&format!("bob {} ", key(1))), "{kept}");

    let mut world = with_access(Access::Keys);
    assert_eq!(world.recall(Kept::Names, &kept), 0);
    let thief = remote(&mut world, "10.0.0.8");
    let register = held("bob 6000", 2);
    assert_eq!(world.ask(thief, &register), ["403 not let in: the name belongs to another key"]);
    assert_eq!(world.administer("FORGET bob"), ["200 forgot the key of bob"]);
    assert_eq!(world.administer("FORGET bob"), ["404 that name belongs to no key"]);
    assert_eq!(world.kept().names, "");
    assert_eq!(world.ask(thief, &register), ["200 registered bob 10.0.0.8:6000"]);
}

#[test]
fn as_many_names_as_may_be_belong_to_keys() {
    let mut world = with_access(Access::Keys);
    let names: Vec<String> = (0..MAX_BOUND_NAMES).map(|n| format!("user{n} {}", key(1))).collect();
    assert_eq!(world.recall(Kept::Names, &names.join("\n")), 0);
    let client = remote(&mut world, "10.0.0.7");
    let late = held("late 6000", 1);
    assert_eq!(world.ask(client, &late), ["403 not let in: no more names are taken"]);
    world.administer("FORGET user7");
    assert_eq!(world.ask(client, &late), ["200 registered late 10.0.0.7:6000"]);
    assert_eq!(world.kept().names.lines().count(), MAX_BOUND_NAMES);
}

#[test]
fn a_registry_that_wants_its_lines_sealed_lets_nobody_register_in_plain() {
    let mut world = World::with(|settings| settings.sealing = Sealing::Required);
    let [bob, ann] = ["10.0.0.7", "10.0.0.8"].map(|from| remote(&mut world, from));
    assert_eq!(world.ask(bob, &held("bob 6000", 1)), ["403 not let in: SECURE is needed first"]);
    assert_eq!(world.ask(bob, "PING"), ["200 pong"], "a person may still look whether it lives");
    secure(&mut world, ann, 2);
    assert_eq!(world.ask(ann, "REGISTER ann 6000"), ["200 registered ann 10.0.0.8:6000"]);
}

#[test]
fn a_connection_is_sealed_once_and_before_it_has_a_name() {
    let mut world = World::new();
    let [bob, ann] = ["10.0.0.7", "10.0.0.8"].map(|from| remote(&mut world, from));
    world.ask(bob, "REGISTER bob 6000");
    assert_eq!(secure(&mut world, bob, 1), ["402 SECURE comes before REGISTER, and once"]);
    assert!(secure(&mut world, ann, 2)[0].starts_with("200 secure "));
    assert_eq!(secure(&mut world, ann, 2), ["402 SECURE comes before REGISTER, and once"]);
}

#[test]
fn an_offer_that_does_not_open_costs_the_connection() {
    let mut world = World::new();
    let eve = remote(&mut world, "10.0.0.7");
    assert_eq!(world.ask(eve, "SECURE abc"), ["400 SECURE takes 128 characters of base64url"]);
    let refusal = "403 not let in: that message is not for this registry's key and this connection";
    assert_eq!(world.ask(eve, &format!("SECURE {}", "A".repeat(128))), [refusal]);
    assert!(!world.is_open(eve));
}

#[test]
fn who_is_kicked_may_come_again() {
    let mut world = World::new();
    let [bob, ann] = ["10.0.0.7", "10.0.0.8"].map(|from| remote(&mut world, from));
    world.ask(bob, "REGISTER bob 6000");
    world.ask(ann, "REGISTER ann 6000");
    world.ask(ann, "WATCH on");
    world.hear(ann);
    assert_eq!(world.administer("KICK bob"), ["200 kicked bob"]);
    assert_eq!(world.hear(bob), ["* GOODBYE kicked"]);
    assert!(!world.is_open(bob));
    assert_eq!(world.hear(ann), ["* LEFT bob"]);
    assert_eq!(world.administer("KICK bob"), ["404 no such user"]);
    let again = remote(&mut world, "10.0.0.7");
    assert_eq!(world.ask(again, "REGISTER bob 6000"), ["200 registered bob 10.0.0.7:6000"]);
}

#[test]
fn a_banned_name_stays_out_until_the_ban_is_lifted() {
    let mut world = World::new();
    let bob = remote(&mut world, "10.0.0.7");
    world.ask(bob, "REGISTER bob 6000");
    assert_eq!(world.administer("BAN bob"), ["200 banned bob, 1 connection ended"]);
    assert_eq!(world.administer("BAN Bob"), ["409 banned already"]);
    assert_eq!(world.hear(bob), ["* GOODBYE banned"]);
    let again = remote(&mut world, "10.0.0.8");
    assert_eq!(world.ask(again, "REGISTER bob 6000"), ["403 not let in: banned"]);
    assert_eq!(world.ask(again, "REGISTER bab 6000"), ["200 registered bab 10.0.0.8:6000"]);
    assert_eq!(world.administer("BANS"), ["216-bob", "216 1 bans"]);
    assert_eq!(world.administer("UNBAN bob"), ["200 unbanned bob"]);
    assert_eq!(world.administer("UNBAN bob"), ["404 no such ban"]);
    let again = remote(&mut world, "10.0.0.7");
    assert_eq!(world.ask(again, "REGISTER bob 6000"), ["200 registered bob 10.0.0.7:6000"]);
}

#[test]
fn a_banned_address_is_not_even_greeted() {
    let mut world = World::new();
    let [bob, silent, other] =
        ["10.0.0.7", "::ffff:10.0.0.7", "10.0.0.8"].map(|from| remote(&mut world, from));
    world.ask(bob, "REGISTER bob 6000");
    assert_eq!(world.administer("BAN 10.0.0.7"), ["200 banned 10.0.0.7, 2 connections ended"]);
    for gone in [bob, silent] {
        assert_eq!(world.hear(gone), ["* GOODBYE banned"]);
    }
    assert!(world.is_open(other));
    let refused = world.connect("::ffff:10.0.0.7", REGISTRY);
    assert_eq!(world.hear(refused), ["403 not let in: banned"]);
    assert!(!world.is_open(refused));
}

#[test]
fn bans_outlive_a_restart() {
    let mut world = World::new();
    for whom in ["bob", "10.0.0.7", "2001:db8::7"] {
        world.administer(&format!("BAN {whom}"));
    }
    let kept = world.kept().bans.clone();
    assert_eq!(kept, "bob\n10.0.0.7\n2001:db8::7\n");
    let mut world = World::new();
    assert_eq!(world.recall(Kept::Bans, &kept), 0);
    let refused = world.connect("2001:db8::7", "2001:db8::1");
    assert_eq!(world.hear(refused), ["403 not let in: banned"]);
}

#[test]
fn as_many_bans_as_may_be() {
    let mut world = World::new();
    for n in 0..MAX_BANS {
        assert_eq!(
            world.administer(&format!("BAN user{n}")),
            [format!("200 banned user{n}, 0 connections ended")]
        );
    }
    assert_eq!(world.administer("BAN late"), ["420 no place for another ban, unban somebody first"]);
    world.administer("UNBAN user0");
    assert_eq!(world.administer("BAN late"), ["200 banned late, 0 connections ended"]);
}

#[test]
fn administrators_see_who_is_there_since_when_and_where() {
    let mut world = World::new();
    let bob = remote(&mut world, "10.0.0.7");
    world.ask(bob, "REGISTER bob 6000 display=Bob%20B");
    world.ask(bob, "CREATE bridge 3");
    world.pass(std::time::Duration::from_secs(61));
    let users = world.administer("USERS");
    assert_eq!(users, ["210-bob 10.0.0.7:6000 idle - display=Bob%20B since-s=61 room=bridge", "210 1 users"]);
    let status = world.administer("STATUS");
    assert_eq!(
        status[1],
        "230-tables users=1 max-users=512 rooms=1 max-rooms=64 connections=1 sealed=0 bans=0 names=0"
    );
    assert!(status[0].starts_with("230-registry name=vox version="), "{}", status[0]);
    let fingerprint = world::identity().public().fingerprint();
    let ends = format!(" uptime-s=61 access=open sealed=offered fingerprint={fingerprint}");
    assert!(status[0].ends_with(&ends), "{}", status[0]);
    assert_eq!(status.last().unwrap(), "230 end");
    assert_eq!(world.administer("HELP").last().unwrap(), "214 end");
    assert_eq!(world.administer("DANCE"), ["501 unknown request, HELP lists them"]);
}

#[test]
fn an_administrator_stops_the_registry() {
    let mut world = World::new();
    let bob = remote(&mut world, "10.0.0.7");
    world.ask(bob, "REGISTER bob 6000");
    assert_eq!(world.administer("STOP"), ["200 stopping"]);
    assert_eq!(world.administer("STOP"), ["200 stopping"], "twice is no mistake");
    assert_eq!(world.hear(bob), ["* GOODBYE shutting down"]);
    world.pass(std::time::Duration::from_secs(1));
    assert!(world.registry().is_finished());
}
