//! Keys: whose is remembered, who is asked, and what people are told.

use vox_common::wire::keys::PublicKey;
use vox_common::wire::limits::MAX_KNOWN_KEYS;
use vox_common::wire::signal::{CallId, Cookie, MediaSealing, Reason, Say, Signal};
use vox_common::wire::words::value;
use vox_peer::agent::allow::Allow;
use vox_peer::agent::io::{Input, Policy};
use vox_peer::agent::known::KnownKeys;
use vox_peer::seal::words::FourWords;

use crate::bench::{BOB, Bench, CALLER, EVE, WATCHER, hello, id, id_in, name, policy, signals};
use crate::far::Word;

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
    let mut alice = Bench::with(|settings| settings.key_file = Some("/var/lib/vox peer/key".to_owned()));
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
    let bob =
        format!("234-peer bob fingerprint={} key={ONE} first-seen=7 verified=no verified-at=-", print(ONE));
    let vox = format!(
        "234-registry vox.lan:5000 fingerprint={} key={OTHER} first-seen=8 verified=yes verified-at=9",
        print(OTHER)
    );
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
    assert_eq!(
        alice.answer("KEY bob")[0],
        "234-peer bob fingerprint=- key=- first-seen=- verified=no verified-at=-"
    );
    assert_eq!(alice.answer("FORGET bob").len(), 1);
    assert_eq!(alice.answer("KEYS"), ["234 0 keys"]);
}

impl Bench {
    /// What alice was told of a call in this state: the words of the last such event.
    fn told_of(&self, state: &str) -> String {
        let is_told = |line: &&String| line.split(' ').nth(3) == Some(state);
        self.told.iter().rfind(is_told).cloned().unwrap_or_else(|| panic!("{state}: {:?}", self.told))
    }

    /// The four words of a call as the other end has them.
    fn words_there(&mut self, at: &str, call: CallId) -> String {
        FourWords::of(&self.far(at).shaken(call).expect("they have shaken hands").binding).to_string()
    }

    /// Bob calls, alice answers, and bob hangs up.
    fn talks_with_caller(&mut self, at: &str, call: u8) {
        self.invited(at, id(call));
        self.ask(WATCHER, "ANSWER");
        self.hear(at, id(call), Word::Confirm);
        self.hear(at, id(call), Word::Bye(Reason::Hangup));
    }
}

fn of(line: &str, key: &str) -> Option<String> {
    value(line, key).expect("once").map(str::to_owned)
}

fn baked() -> Word {
    Word::Retry(Cookie::parse("baked").expect("a cookie"))
}

#[test]
fn a_caller_is_new_until_the_call_is_answered_and_known_from_then_on() {
    let mut alice = Bench::new();
    let key = alice.far(BOB).key();
    alice.invited(BOB, id(1));
    let rings = alice.told_of("ringing-here");
    assert_eq!((of(&rings, "fingerprint"), of(&rings, "trust")), (Some(print(key)), Some("new".into())));
    assert_eq!((of(&rings, "words"), alice.known.as_str()), (None, ""), "nobody has answered");
    alice.hear(BOB, id(1), Word::Cancel(Reason::Cancelled));
    assert_eq!(alice.known, "", "who was not answered is not remembered");

    alice.invited(BOB, id(2));
    let answered = alice.answer("ANSWER").swap_remove(0);
    assert_eq!(alice.known, format!("peer bob {key} first-seen=1000\n"));
    assert!(answered.starts_with(&format!("200 answered bob {} ", id(2))), "{answered}");
    assert_eq!(
        (of(&answered, "fingerprint"), of(&answered, "trust")),
        (Some(print(key)), Some("new".into()))
    );
    assert_eq!(of(&answered, "words"), Some(alice.words_there(BOB, id(2))));
    let talks = alice.told_of("talking");
    assert_eq!((of(&talks, "trust"), of(&talks, "sealed")), (Some("new".into()), Some("yes".into())));
    assert_eq!(of(&talks, "words"), Some(alice.words_there(BOB, id(2))));
    alice.hear(BOB, id(2), Word::Bye(Reason::Hangup));

    alice.answer("VERIFY bob");
    alice.invited(BOB, id(3));
    assert_eq!(of(&alice.told_of("ringing-here"), "trust"), Some("verified".into()));
}

#[test]
fn who_is_called_is_remembered_as_it_was_called_and_the_words_are_the_same_at_both_ends() {
    let mut alice = Bench::new();
    let call = alice.calls_until_they_talk();
    let key = alice.far(BOB).key();
    assert_eq!(alice.known, format!("host {BOB} {key} first-seen=1000\n"));
    let talks = alice.told_of("talking");
    assert_eq!(of(&talks, "words"), Some(alice.words_there(BOB, call)));
    let status = alice.answer("STATUS");
    let shown = status.iter().find(|line| line.starts_with("230-call ")).expect("a call");
    assert_eq!(shown.matches("words").count(), 0, "the bench leaves it out");
    let shown = alice.told.iter().rfind(|line| line.starts_with("230-call ")).expect("a call").clone();
    for (word, of_event) in ["fingerprint", "trust", "sealed", "words"].map(|word| (word, of(&talks, word))) {
        assert_eq!(of(&shown, word), of_event, "{word}");
    }
    alice.ask(CALLER, "HANGUP");
    let first = of(&talks, "words");
    let call = alice.calls_until_they_talk();
    let again = alice.told_of("talking");
    assert_eq!(
        (of(&again, "trust"), of(&again, "words")),
        (Some("known".into()), Some(alice.words_there(BOB, call)))
    );
    assert_ne!(of(&again, "words"), first, "each call has its own");
    assert_eq!(alice.known.lines().count(), 1);
}

#[test]
fn a_caller_with_another_key_than_the_known_one_does_not_ring_until_it_is_forgotten() {
    let mut alice = Bench::new();
    alice.talks_with_caller(BOB, 1);
    let known = alice.known.clone();
    alice.is_set_up_anew(BOB);
    let acts = alice.invited(BOB, id(2));
    assert_eq!(signals(&acts), [format!("{BOB} < REJECT reason=wrong-key")]);
    let ended = alice.told_of("ended");
    assert_eq!(
        (of(&ended, "reason"), of(&ended, "trust")),
        (Some("wrong-key".into()), Some("changed".into()))
    );
    assert_eq!(alice.endings().last().map(String::as_str), Some("in wrong-key"));
    assert_eq!(alice.known, known, "nothing is stored");
    let warned =
        alice.logged.iter().any(|line| line.starts_with("WARN") && line.contains("`vox-peer forget bob`"));
    assert!(warned, "{:?}", alice.logged);

    alice.answer("FORGET bob");
    alice.talks_with_caller(BOB, 3);
    let key = alice.far(BOB).key();
    assert_eq!(alice.known, format!("peer bob {key} first-seen=1000\n"));
}

#[test]
fn somebody_elsewhere_with_the_name_of_somebody_known_does_not_ring() {
    let mut alice = Bench::new();
    alice.talks_with_caller(BOB, 1);
    let acts = alice.invited(EVE, id(2));
    assert_eq!(signals(&acts), [format!("{EVE} < REJECT reason=wrong-key")]);
    alice.ask(CALLER, &format!("CALL {EVE}"));
    let call = alice.agent_call();
    alice.hear(EVE, call, baked());
    let acts = alice.hear(EVE, call, Word::Ringing(hello("bob")));
    assert_eq!(signals(&acts), [format!("{EVE} < CANCEL reason=cancelled")], "nor when it is called");
    alice.hear(EVE, call, Word::ByeOk);
    assert_eq!(alice.endings().last().map(String::as_str), Some("out wrong-key"));
    assert_eq!(alice.known.lines().count(), 1);
}

#[test]
fn an_invite_goes_to_the_known_key_whatever_somebody_on_the_way_says() {
    let mut alice = Bench::new();
    alice.calls_until_they_talk();
    alice.ask(CALLER, "HANGUP");
    let known = alice.known.clone();
    alice.is_set_up_anew(BOB);
    let call = alice.calls();
    alice.hear(BOB, call, baked());
    assert!(alice.far(BOB).invited_with(call).is_none(), "it cannot be opened with another key");
    let key = alice.far(BOB).key();
    alice.hear(BOB, call, Word::WrongKey(key));
    alice.until(alice.now() + 7_000);
    assert_eq!(alice.endings().last().map(String::as_str), Some("out wrong-key"));
    assert_eq!(alice.known, known);
}

#[test]
fn the_registry_tells_the_key_of_who_is_not_known_and_is_not_believed_against_what_is_known() {
    let mut alice = Bench::registered();
    let carol = alice.far(EVE).key();
    assert_eq!(alice.ask(CALLER, "CALL carol"), ["registry < LOOKUP carol"]);
    let placed = alice.line(&format!("211 carol {EVE} idle key={carol}"));
    let call = id_in(&placed);
    alice.hear(EVE, call, baked());
    alice.hear(EVE, call, Word::Ringing(hello("carol")));
    alice.hear(EVE, call, Word::Accept(hello("carol"), None));
    assert_eq!(alice.known, format!("peer carol {carol} first-seen=1000\n"));
    alice.ask(CALLER, "HANGUP");

    alice.line(&format!("* JOINED carol {EVE} idle {}", print(carol)));
    let placed = alice.ask(CALLER, "CALL carol");
    assert!(placed[0].starts_with("0 < 200 calling carol"), "{placed:?}");
    alice.ask(CALLER, "HANGUP");
    alice.line(&format!("* JOINED carol {BOB} idle {}", print(OTHER)));
    let refused = alice.ask(CALLER, "CALL carol");
    assert!(refused[0].starts_with("0 < 444 the registry lists carol with another key"), "{refused:?}");
    assert!(refused[0].contains("`vox-peer forget carol`") && refused.len() == 1, "{refused:?}");
}

#[test]
fn who_names_another_key_than_the_registry_lists_is_told_nothing() {
    let mut alice = Bench::registered();
    alice.line(&format!("* JOINED bob {BOB} idle {}", print(OTHER)));
    let call = id_in(&alice.ask(CALLER, "CALL bob"));
    assert!(alice.hear(BOB, call, baked()).is_empty(), "names and words are sealed for nobody else");
    alice.until(1_000);
    let ended = alice.told_of("ended");
    assert_eq!(
        (of(&ended, "reason"), of(&ended, "trust")),
        (Some("wrong-key".into()), Some("unlisted".into()))
    );
    assert_eq!(alice.known, "");
}

#[test]
fn who_names_the_listed_key_in_time_is_called() {
    let mut alice = Bench::registered();
    let bobs = alice.far(BOB).key();
    alice.line(&format!("* JOINED bob {BOB} idle {}", print(bobs)));
    let call = id_in(&alice.ask(CALLER, "CALL bob"));
    let forged = Signal::untagged(call, Say::Retry(Cookie::parse("forged").unwrap(), OTHER)).to_string();
    assert!(alice.bytes(BOB, forged.as_bytes()).is_empty());
    assert_eq!(signals(&alice.hear(BOB, call, baked())).len(), 1);
    alice.hear(BOB, call, Word::Accept(hello("bob"), None));
    assert_eq!(of(&alice.told_of("talking"), "trust"), Some("new".into()));
}

#[test]
fn who_answers_under_a_name_that_is_verified_is_not_shown_as_verified_under_the_name_that_was_called() {
    let mut alice = Bench::registered();
    let cookie = alice.cookie(BOB, id(1));
    alice.hear(BOB, id(1), Word::Invite(cookie, hello("mallory")));
    alice.ask(WATCHER, "ANSWER");
    alice.hear(BOB, id(1), Word::Bye(Reason::Hangup));
    alice.answer("VERIFY mallory");
    let call = id_in(&alice.ask(CALLER, "CALL bob"));
    alice.hear(BOB, call, baked());
    alice.hear(BOB, call, Word::Accept(hello("mallory"), None));
    assert_eq!(of(&alice.told_of("talking"), "trust"), Some("new".into()));
}

#[test]
fn a_stranger_with_another_key_than_the_registry_lists_for_its_name_does_not_ring() {
    let mut alice = Bench::registered();
    alice.line(&format!("* JOINED bob {BOB} idle {}", print(OTHER)));
    let acts = alice.invited(EVE, id(1));
    assert_eq!(signals(&acts), [format!("{EVE} < REJECT reason=wrong-key")]);
    assert_eq!(of(&alice.told_of("ended"), "trust"), Some("unlisted".into()));
    let key = print(alice.far(BOB).key());
    alice.line(&format!("* JOINED bob {BOB} idle {key}"));
    alice.talks_with_caller(BOB, 2);
    assert_eq!(alice.known.lines().count(), 1, "the listed one is let in");
}

#[test]
fn a_damaged_key_lets_nobody_in_and_nobody_out_until_it_is_forgotten() {
    let mut alice = Bench::with(|settings| {
        settings.known = KnownKeys::parse("peer bob garbage\n").0;
        settings.contacts = vec![(name("bob"), BOB.to_owned())];
    });
    assert_eq!(signals(&alice.invited(BOB, id(1))), [format!("{BOB} < REJECT reason=wrong-key")]);
    let refused = alice.ask(CALLER, "CALL bob");
    assert!(refused[0].starts_with("0 < 444 what was remembered of bob's key is damaged"), "{refused:?}");
    alice.answer("FORGET bob");
    alice.talks_with_caller(BOB, 2);
    assert_eq!(alice.known.lines().count(), 1);
}

#[test]
fn who_may_not_ring_is_told_so_and_stands_in_the_history() {
    let mut alice = Bench::new();
    alice.talks_with_caller(BOB, 1);
    let with = |alice: &mut Bench, allow: Allow| {
        alice.put(Input::Reload(&Policy { allow, ..policy() }, None));
    };
    with(&mut alice, Allow::Known);
    let stranger = |alice: &mut Bench, call| {
        let cookie = alice.cookie(EVE, id(call));
        alice.hear(EVE, id(call), Word::Invite(cookie, hello("eve")))
    };
    let not_allowed = [format!("{EVE} < REJECT reason=not-allowed")];
    assert_eq!(signals(&stranger(&mut alice, 2)), not_allowed);
    assert_eq!(alice.endings().last().map(String::as_str), Some("in not-allowed"));
    alice.talks_with_caller(BOB, 3);
    with(&mut alice, Allow::Only([name("bob")].into()));
    assert_eq!(signals(&stranger(&mut alice, 4)), not_allowed);
    alice.talks_with_caller(BOB, 5);
    with(&mut alice, Allow::Only([name("eve")].into()));
    assert_eq!(signals(&alice.invited(BOB, id(6))), [format!("{BOB} < REJECT reason=not-allowed")]);
    assert_eq!(signals(&stranger(&mut alice, 7)), [format!("{EVE} < RINGING")]);
}

#[test]
fn at_the_brim_a_call_is_possible_and_it_is_said_that_nobody_new_is_remembered() {
    let full = (0..MAX_KNOWN_KEYS).map(|n| format!("peer u{n} {ONE} first-seen=7"));
    let mut alice = who_knows(&full.collect::<Vec<_>>().join("\n"));
    alice.invited(BOB, id(1));
    alice.ask(WATCHER, "ANSWER");
    assert_eq!(of(&alice.told_of("talking"), "trust"), Some("no-room".into()));
    assert!(alice.logged.iter().any(|line| line.starts_with("WARN key is not remembered: 512 are")));
    assert_eq!(alice.known, "", "nothing is written");
    assert!(alice.answer("KEYS").last().is_some_and(|last| last == "234 512 keys"));
}

#[test]
fn a_call_that_others_can_hear_is_told_and_warned_of() {
    let mut alice = Bench::with(|settings| settings.me.media = MediaSealing::Off);
    let cookie = alice.cookie(BOB, id(1));
    let open = vox_common::wire::signal::Hello { media: MediaSealing::Off, ..hello("bob") };
    alice.hear(BOB, id(1), Word::Invite(cookie, open));
    alice.ask(WATCHER, "ANSWER");
    assert_eq!(of(&alice.told_of("talking"), "sealed"), Some("no".into()));
    assert!(
        alice.logged.iter().any(|line| line.starts_with("WARN call is not encrypted")),
        "{:?}",
        alice.logged
    );
    alice.hear(BOB, id(1), Word::Bye(Reason::Hangup));
    assert!(alice.kept.contains(" trust=new sealed=no\n"), "{}", alice.kept);
}
