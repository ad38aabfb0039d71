//! The registry's key: sealed with, remembered, and never done without again.

use vox_common::seal::identity::Identity;
use vox_common::seal::possession::Possession;
use vox_common::seal::secure;
use vox_common::wire::keys::PublicKey;
use vox_common::wire::reply::Nonce;
use vox_common::wire::request::Request;
use vox_common::wire::words::decode;
use vox_peer::agent::io::Input;
use vox_peer::agent::known::KnownKeys;
use vox_peer::agent::link::Sealing;

use crate::bench::Bench;

const NONCE: Nonce = Nonce([5; 16]);

/// Of the registry.
fn registry(n: u8) -> Identity {
    Identity::new([n; 32])
}

fn pinned(n: u8) -> String {
    format!("registry vox.test:5000 {} first-seen=7\n", registry(n).public())
}

/// Alice, who remembers these lines, about to connect.
fn alice(sealing: Sealing, known: &str) -> Bench {
    let mut alice = Bench::with(|settings| {
        settings.registry = Some("vox.test:5000".to_owned());
        settings.sealing = sealing;
        settings.known = KnownKeys::parse(known).0;
    });
    alice.put(Input::Start);
    alice
}

/// The registry's connection stands and says hello; what follows.
fn greeted(alice: &mut Bench, key: Option<&PublicKey>) -> Vec<String> {
    alice.put(Input::LinkUp);
    let key = key.map_or(String::new(), |key| format!(" key={key}"));
    alice.line(&format!("220 vox-registry 0.1.0 vox {NONCE}{key}"))
}

/// What it says to the registry, one request.
fn request(acts: &[String]) -> String {
    acts.iter().find_map(|act| act.strip_prefix("registry < ")).expect("a request").to_owned()
}

/// The registry takes the offer; what follows.
fn sealed(alice: &mut Bench, registry: &Identity, offered: &[String]) -> Vec<String> {
    let line = request(offered);
    let Ok(Request::Secure(offer)) = Request::parse(&line) else { panic!("{line}") };
    let taken = secure::take(registry, &NONCE, &offer, &[6; 32]).expect("an offer for this registry");
    assert_eq!(taken.key, *Identity::new([7; 32]).public());
    alice.line(&format!("200 secure {}", taken.answer))
}

/// Why the link is down.
fn reason(alice: &mut Bench) -> String {
    let status = alice.answer("STATUS");
    let word = status[1].split(' ').find_map(|word| word.strip_prefix("reason=")).expect("a reason");
    decode(word).expect("text")
}

#[test]
fn a_registry_that_tells_a_key_is_spoken_to_in_seal_and_its_key_is_remembered_once_it_has_us() {
    for sealing in [Sealing::Preferred, Sealing::Required] {
        let mut alice = alice(sealing, "");
        let offered = greeted(&mut alice, Some(registry(1).public()));
        assert_eq!(offered.len(), 1, "nothing is said in plain but the offer: {offered:?}");
        let acts = sealed(&mut alice, &registry(1), &offered);
        assert_eq!(acts[0], "seal");
        let key = Identity::new([7; 32]).public().to_string();
        assert_eq!(acts[1], format!("registry < REGISTER alice 6000 key={key}"), "the seal is the proof");
        assert_eq!(alice.known, "");
        let acts = alice.line("200 registered alice 192.0.2.1:6000");
        assert!(acts.contains(&"1 < * LINK up sealed=yes".to_owned()), "{acts:?}");
        assert_eq!(alice.known, pinned(1).replace("=7", "=1000"));
        let print = registry(1).public().fingerprint();
        let status = alice.answer("STATUS");
        assert!(status[1].contains(&format!(" sealed=yes fingerprint={print} verified=no")), "{}", status[1]);
        assert!(alice.answer("VERIFY vox.test:5000")[0].starts_with("200 verified"));
        assert!(alice.answer("STATUS")[1].contains(" verified=yes"));
    }
}

#[test]
fn a_key_that_changed_or_is_withdrawn_keeps_the_link_down_and_says_what_to_do() {
    for sealing in [Sealing::Preferred, Sealing::Required, Sealing::Off] {
        let mut alice = alice(sealing, &pinned(1));
        let acts = greeted(&mut alice, Some(registry(2).public()));
        assert!(acts.iter().all(|act| !act.starts_with("registry <")), "{acts:?}");
        assert!(acts.contains(&"disconnect".to_owned()));
        let [known, told] = [1, 2].map(|n| registry(n).public().fingerprint());
        let sentence = format!(
            "the registry's key has changed from {known} to {told}: somebody may pretend to be it; if it was made anew, \
             `vox-peer forget vox.test:5000`"
        );
        assert_eq!(reason(&mut alice), sentence);
        assert!(alice.logged.iter().any(|line| line.starts_with("WARN") && line.contains(&sentence)));
        assert!(
            acts.iter()
                .any(|act| act.starts_with("1 < * LINK down reason=the%20registry's%20key%20has%20changed"))
        );
        assert_eq!(alice.known, "", "nothing is stored");
        if sealing != Sealing::Off {
            alice.until(2_000);
            greeted(&mut alice, None);
            assert!(
                reason(&mut alice).starts_with(&format!("the registry offers no key, but had {known}: "))
            );
        }
    }
}

#[test]
fn once_it_is_forgotten_another_key_is_as_good_as_the_first() {
    let mut alice = alice(Sealing::Preferred, &pinned(1));
    greeted(&mut alice, Some(registry(2).public()));
    assert!(alice.answer("FORGET vox.test:5000")[0].starts_with("200 forgot"));
    alice.until(2_000);
    let offered = greeted(&mut alice, Some(registry(2).public()));
    sealed(&mut alice, &registry(2), &offered);
    alice.line("200 registered alice 192.0.2.1:6000");
    assert!(alice.known.starts_with(&format!("registry vox.test:5000 {}", registry(2).public())));
}

#[test]
fn a_damaged_memory_of_the_key_is_no_first_use() {
    for sealing in [Sealing::Preferred, Sealing::Off] {
        let mut alice = alice(sealing, "registry vox.test:5000 damaged\n");
        greeted(&mut alice, Some(registry(1).public()));
        let sentence =
            "what was remembered of the registry's key is damaged, `vox-peer forget vox.test:5000`";
        assert_eq!(reason(&mut alice), sentence);
    }
}

#[test]
fn who_only_repeats_a_key_is_found_out_and_nothing_is_said_to_him_in_plain() {
    let print = "the registry tells a key that it does not hold: somebody pretends to be it";
    let lies: [fn(&PublicKey) -> String; 4] = [
        |_| format!("200 secure {}", "A".repeat(64)),
        |_| "200 secure".to_owned(),
        |_| "200 pong".to_owned(),
        |key| format!("200 secure {key}"),
    ];
    for lie in lies {
        let mut alice = alice(Sealing::Preferred, &pinned(1));
        greeted(&mut alice, Some(registry(1).public()));
        let acts = alice.line(&lie(registry(1).public()));
        assert!(acts.iter().all(|act| !act.starts_with("registry <")), "{acts:?}");
        assert_eq!(reason(&mut alice), print);
    }
    let mut alice = alice(Sealing::Preferred, "");
    let acts = greeted(&mut alice, Some(&PublicKey([0; 32])));
    assert!(acts.iter().all(|act| !act.starts_with("registry <")), "{acts:?}");
    assert_eq!(reason(&mut alice), print, "a key with which everybody can compute everything");
}

#[test]
fn sealing_that_is_refused_is_not_followed_by_plain_lines() {
    for refusal in
        ["501 unknown verb, HELP lists them", "403 not let in", "429 slow down", "503 shutting down"]
    {
        let mut alice = alice(Sealing::Preferred, "");
        greeted(&mut alice, Some(registry(1).public()));
        let acts = alice.line(refusal);
        assert!(acts.iter().all(|act| !act.starts_with("registry <")), "{acts:?}");
        assert_eq!(reason(&mut alice), format!("the registry refuses: {}", &refusal[4..]));
    }
}

#[test]
fn a_registry_that_never_told_a_key_is_spoken_to_in_plain_and_that_is_said_or_forbidden() {
    let mut open = alice(Sealing::Preferred, "");
    assert!(request(&greeted(&mut open, None)).starts_with("REGISTER alice 6000 key="));
    let acts = open.line("200 registered alice 192.0.2.1:6000");
    assert!(acts.contains(&"1 < * LINK up sealed=no".to_owned()), "{acts:?}");
    assert!(open.logged.iter().any(|line| line.starts_with("WARN lines to the registry are not sealed")));
    assert!(open.answer("STATUS")[1].contains(" sealed=no"));

    let mut strict = alice(Sealing::Required, "");
    let acts = greeted(&mut strict, None);
    assert!(acts.iter().all(|act| !act.starts_with("registry <")), "{acts:?}");
    let sentence = "the registry does not seal its lines, and registry.sealed is \"required\"";
    assert_eq!(reason(&mut strict), sentence);
}

#[test]
fn who_wants_lines_in_plain_proves_its_key_with_a_word_and_learns_none() {
    let mut alice = alice(Sealing::Off, "");
    let line = request(&greeted(&mut alice, Some(registry(1).public())));
    let Ok(Request::Register(told)) = Request::parse(&line) else { panic!("{line}") };
    let possession = Possession::of(&registry(1), &told.key.expect("a key")).expect("an ordinary key");
    assert!(possession.is_proved_by(&told.key_proof.expect("a proof"), &NONCE, &told));
    alice.line("200 registered alice 192.0.2.1:6000");
    assert_eq!(alice.known, "");
}

#[test]
fn a_registry_that_never_answers_an_offer_is_left() {
    let mut alice = alice(Sealing::Preferred, "");
    greeted(&mut alice, Some(registry(1).public()));
    assert!(alice.until(9_999).is_empty());
    assert!(alice.until(10_000).contains(&"10000 disconnect".to_owned()));
    assert_eq!(reason(&mut alice), "the registry does not answer");
}
