//! Keys: whose is remembered, who is asked, and what people are told.

use vox_common::wire::keys::PublicKey;
use vox_peer::agent::known::KnownKeys;

use crate::bench::Bench;

const ONE: PublicKey = PublicKey([1; 32]);
const OTHER: PublicKey = PublicKey([2; 32]);

/// Alice, who remembers these lines.
fn who_knows(lines: &str) -> Bench {
    let (known, _) = KnownKeys::parse(lines);
    Bench::with(|settings| settings.known = known)
}

fn print(key: PublicKey) -> String {
    key.fingerprint().to_string()
}

#[test]
fn a_station_tells_its_own_key_and_where_it_is() {
    let mut alice = Bench::with(|settings| settings.key_file = "/var/lib/vox peer/key".to_owned());
    let answer = alice.answer("KEY");
    let words: Vec<_> = answer[0].split(' ').collect();
    let key = PublicKey::parse(words[3].strip_prefix("key=").expect("a key")).expect("a key");
    let fingerprint = format!("fingerprint={}", print(key));
    assert_eq!(
        words,
        ["234-self", "alice", &fingerprint, &format!("key={key}"), "file=/var/lib/vox%20peer/key"]
    );
    assert_eq!(answer[1], "234 end");
}

#[test]
fn what_is_remembered_is_told_one_by_one_and_all_together() {
    let lines = format!("peer bob {ONE} first-seen=7\nregistry vox.lan:5000 {OTHER} first-seen=8 verified=9");
    let mut alice = who_knows(&lines);
    let bob = format!("234-peer bob fingerprint={} key={ONE} first-seen=7 verified=-", print(ONE));
    let vox =
        format!("234-registry vox.lan:5000 fingerprint={} key={OTHER} first-seen=8 verified=9", print(OTHER));
    assert_eq!(alice.answer("KEY Bob"), [&bob, "234 end"]);
    assert_eq!(alice.answer("KEY Vox.lan:5000"), [&vox, "234 end"]);
    assert_eq!(alice.answer("KEYS"), [&bob, &vox, "234 2 keys"]);
    assert_eq!(alice.answer("KEY zoe"), ["404 no key of zoe is known, `vox-peer keys` lists those that are"]);
}

#[test]
fn a_key_that_was_compared_is_noted_and_one_that_was_forgotten_is_gone_also_from_the_disk() {
    let mut alice = who_knows(&format!("peer ann {OTHER} first-seen=6\npeer bob {ONE} first-seen=7"));
    assert_eq!(alice.answer("VERIFY bob"), [format!("200 verified bob {}", print(ONE))]);
    assert_eq!(
        alice.known,
        format!("peer ann {OTHER} first-seen=6\npeer bob {ONE} first-seen=7 verified=1000\n")
    );
    assert_eq!(
        alice.answer("FORGET bob"),
        ["200 forgot the key of bob, the next one is trusted on its first use"]
    );
    assert_eq!(alice.known, format!("peer ann {OTHER} first-seen=6\n"));
    for again in ["FORGET bob", "VERIFY bob", "KEY bob"] {
        assert!(alice.answer(again)[0].starts_with("404 no key of bob is known"), "{again}");
    }
}

#[test]
fn a_key_that_is_damaged_can_be_forgotten_and_nothing_else() {
    let mut alice = who_knows("peer bob garbage\n");
    assert_eq!(
        alice.answer("VERIFY bob"),
        ["409 what was remembered of bob's key is damaged, try `vox-peer forget bob`"]
    );
    assert_eq!(alice.answer("KEY bob")[0], "234-peer bob fingerprint=- key=- first-seen=- verified=-");
    assert_eq!(alice.answer("FORGET bob").len(), 1);
    assert_eq!(alice.answer("KEYS"), ["234 0 keys"]);
}
