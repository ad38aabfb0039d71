//! First use, known keys, changed keys; a file that is damaged makes nobody a stranger.

use proptest::prelude::*;
use vox_common::wire::names::Name;

use super::*;

const ONE: PublicKey = PublicKey([1; 32]);
const OTHER: PublicKey = PublicKey([2; 32]);

fn peer(name: &str) -> Whom {
    Whom::peer(&Name::parse(name).unwrap())
}

fn known(name: &str) -> KnownKeys {
    let mut keys = KnownKeys::default();
    assert_eq!(keys.learn(&peer(name), ONE, 7), Ok(true));
    keys
}

#[test]
fn the_first_key_is_new_then_known_and_another_one_is_a_change() {
    let mut keys = KnownKeys::default();
    assert_eq!(keys.judge(&peer("bob"), &ONE), Verdict::New);
    assert_eq!(keys.learn(&peer("bob"), ONE, 7), Ok(true));
    assert_eq!(keys.judge(&peer("bob"), &ONE), Verdict::Known { verified: false });
    assert_eq!(keys.judge(&peer("bob"), &OTHER), Verdict::Changed { known: Some(ONE) });
    assert_eq!(keys.learn(&peer("bob"), OTHER, 8), Ok(false));
    assert_eq!(keys.judge(&peer("bob"), &ONE), Verdict::Known { verified: false });
}

#[test]
fn a_key_that_was_forgotten_is_new_again_and_its_check_is_forgotten_with_it() {
    let mut keys = known("bob");
    assert_eq!(keys.verify(&peer("bob"), 8), Some(ONE));
    assert_eq!(keys.judge(&peer("bob"), &ONE), Verdict::Known { verified: true });
    assert_eq!(keys.forget(&peer("bob")).unwrap().verified, Some(8));
    assert_eq!(keys.forget(&peer("bob")), None);
    assert_eq!(keys.verify(&peer("bob"), 9), None);
    assert_eq!(keys.learn(&peer("bob"), OTHER, 9), Ok(true));
    assert_eq!(keys.judge(&peer("bob"), &OTHER), Verdict::Known { verified: false });
}

#[test]
fn a_full_table_takes_nobody_new_and_loses_nobody() {
    let mut keys = KnownKeys::default();
    for n in 0..MAX_KNOWN_KEYS {
        assert_eq!(keys.learn(&peer(&format!("u{n}")), ONE, 7), Ok(true));
    }
    assert_eq!(keys.learn(&peer("late"), ONE, 8), Err(Full));
    assert_eq!(keys.judge(&peer("late"), &ONE), Verdict::New);
    assert_eq!(keys.judge(&peer("u0"), &OTHER), Verdict::Changed { known: Some(ONE) });
    keys.forget(&peer("u0")).unwrap();
    assert_eq!(keys.learn(&peer("late"), ONE, 8), Ok(true));
}

#[test]
fn stations_hosts_and_registries_of_one_name_have_keys_of_their_own() {
    let mut keys = known("bob.lan");
    let (host, registry) = (Whom::host("Bob.lan").unwrap(), Whom::registry("bob.lan:5000").unwrap());
    assert_eq!(keys.judge(&host, &OTHER), Verdict::New);
    assert_eq!(keys.learn(&registry, OTHER, 8), Ok(true));
    let meant =
        |keys: &KnownKeys, typed| keys.meant_by(&Who::parse(typed).unwrap()).map(|known| known.whom.clone());
    assert_eq!(meant(&keys, "bob.lan"), Some(peer("bob.lan")));
    assert_eq!(meant(&keys, "@bob.lan"), None);
    assert_eq!(meant(&keys, "Bob.lan:5000"), Some(registry));
    assert_eq!(keys.learn(&host, ONE, 9), Ok(true));
    assert_eq!(meant(&keys, "@bob.lan"), Some(host.clone()));
    keys.forget(&peer("bob.lan")).unwrap();
    assert_eq!(meant(&keys, "bob.lan"), Some(host));
}

#[test]
fn a_damaged_line_harms_nobody_else_and_makes_nobody_a_stranger() {
    let text = format!(
        "peer ann {ONE} first-seen=7\n\0\0 garbage\npeer bob {} first-seen=7\npeer cid {ONE} first-seen=x\n\
         peer ann {OTHER} first-seen=8\npeer dan {ONE} first-seen=7 verified=x\nhost 10.0.0.7 {OTHER} first-seen=9 verified=9",
        &ONE.to_string()[1..],
    );
    let (keys, damaged) = KnownKeys::parse(&text);
    assert_eq!((keys.iter().count(), damaged), (5, 5));
    assert_eq!(keys.judge(&peer("ann"), &ONE), Verdict::Known { verified: false });
    assert_eq!(keys.judge(&Whom::host("10.0.0.7").unwrap(), &OTHER), Verdict::Known { verified: true });
    for name in ["bob", "cid", "dan"] {
        assert_eq!(keys.judge(&peer(name), &ONE), Verdict::Changed { known: None }, "{name}");
    }
    let (again, damaged) = KnownKeys::parse(&keys.to_string());
    assert_eq!((again.to_string(), damaged), (keys.to_string(), 3));
}

#[test]
fn a_damaged_key_cannot_be_verified_and_is_forgotten_like_any_other() {
    let (mut keys, _) = KnownKeys::parse("peer bob -");
    assert_eq!(keys.verify(&peer("bob"), 8), None);
    assert_eq!(keys.learn(&peer("bob"), ONE, 8), Ok(false));
    keys.forget(&peer("bob")).unwrap();
    assert_eq!(keys.learn(&peer("bob"), ONE, 9), Ok(true));
}

fn whoms() -> impl Strategy<Value = Whom> {
    ("peer|host|registry", "[a-z][a-z0-9._-]{0,31}|[a-z][a-z0-9.:]{0,60}")
        .prop_filter_map("a peer has a name", |(kind, word)| Whom::parse(&kind, &word))
}

proptest! {
    #[test]
    fn what_is_known_is_read_as_it_was_written(
        whom in whoms(),
        key in prop::option::of(any::<[u8; 32]>().prop_map(PublicKey)),
        first_seen: u64,
        verified: Option<u64>,
    ) {
        let known = match key {
            Some(_) => Known { whom, key, first_seen, verified },
            None => Known { whom, key, first_seen: 0, verified: None },
        };
        prop_assert!(known.to_string().len() < KNOWN_BYTES);
        prop_assert_eq!(Known::parse(&known.to_string()), Some(known));
    }

    #[test]
    fn what_was_kept_of_any_text_is_kept_again(text in "((peer|host) [a-c]( [A-Z-]{1,3})?\n|\\PC{0,20}\n){0,9}") {
        let (keys, _) = KnownKeys::parse(&text);
        let (again, _) = KnownKeys::parse(&keys.to_string());
        prop_assert!(again.iter().eq(keys.iter()));
    }
}
