//! Somebody on the path, who has seen everything so far, says all that the two could say to each other, in their name and
//! from elsewhere, while it rings and while they talk: nothing changes.

use std::net::UdpSocket;
use std::time::Duration;

use vox_tests::bed::relay::Passed;
use vox_tests::bed::{Ambush, Station, wait};

/// A little slower than what a station takes in (200 signals a second), so that all of it is really looked at.
const PAUSE: Duration = Duration::from_millis(6);

/// Nobody's key, in base64url.
const MALLORYS: &str = "TWFsbG9yeSB3b3VsZCBsaWtlIHRvIGJlIGJvYiA6LSk";

/// What can be said of a call that is there.
const WORDS: [&str; 9] = [
    "BYE reason=hangup",
    "BYE reason=lost",
    "CANCEL reason=cancelled",
    "REJECT reason=declined",
    "REJECT reason=busy",
    "REJECT reason=wrong-key",
    "CONFIRM",
    "BYE-OK",
    "ACCEPT",
];

/// The value of the first such word in what was seen.
fn value_in(seen: &[Passed], start: &str) -> Option<String> {
    let texts =
        seen.iter().filter(|passed| !passed.is_media()).map(|passed| String::from_utf8_lossy(&passed.bytes));
    texts
        .into_iter()
        .find_map(|text| text.split(' ').find_map(|word| Some(word.strip_prefix(start)?.to_owned())))
}

/// Every word, with every tag that somebody can have who has none of the keys: none, a guess, and those that were seen.
fn signals(seen: &[Passed]) -> Vec<String> {
    let id = seen.iter().find(|passed| passed.says("INVITE")).expect("a call");
    let id = String::from_utf8_lossy(&id.bytes).split(' ').nth(2).expect("a call-id").to_owned();
    let hello = |verb: &str| {
        let said = seen.iter().find(|passed| passed.says(verb));
        said.and_then(|passed| value_in(std::slice::from_ref(passed), "hello=")).unwrap_or_default()
    };
    let mut all: Vec<String> = WORDS.iter().map(|words| with_id(words, &id)).collect();
    for verb in ["RINGING", "ACCEPT", "REJECT reason=declined"] {
        for heard in ["INVITE", "RINGING", "ACCEPT"] {
            all.push(with_id(&format!("{verb} hello={}", hello(heard)), &id));
        }
    }
    all.push(with_id(&format!("REJECT reason=wrong-key key={MALLORYS}"), &id));
    all.push(with_id(&format!("RETRY cookie=AAAAAAAAAAAAAAAAAAAAAA key={MALLORYS}"), &id));
    let tags = tags(seen);
    all.iter().flat_map(|words| tags.iter().map(move |tag| format!("{words}{tag}"))).collect()
}

fn with_id(words: &str, id: &str) -> String {
    let (verb, rest) = words.split_once(' ').unwrap_or((words, ""));
    format!("VOX1 {verb} {id} {rest}").trim_end().to_owned()
}

fn tags(seen: &[Passed]) -> Vec<String> {
    let mut seen: Vec<String> = seen
        .iter()
        .filter_map(|passed| {
            let tag = value_in(std::slice::from_ref(passed), "tag=")?;
            Some(format!(" tag={tag}"))
        })
        .collect();
    seen.sort();
    seen.dedup();
    seen.truncate(4);
    [String::new(), " tag=AAAAAAAAAAAAAAAAAAAAAA".to_owned()].into_iter().chain(seen).collect()
}

/// The last packets of that side, with other sound, as if they came next.
fn media(seen: &[Passed], forth: bool) -> Vec<Vec<u8>> {
    let of_side = || seen.iter().rev().filter(move |passed| passed.is_media() && passed.forth == forth);
    let Some(last) = of_side().find(|passed| passed.is_sound()) else { return Vec::new() };
    let next = |step: u16| {
        let mut forged = last.bytes.clone();
        let sequence = u16::from_be_bytes([forged[2], forged[3]]).wrapping_add(step);
        forged[2..4].copy_from_slice(&sequence.to_be_bytes());
        forged
    };
    let ssrc = last.bytes[8..12].to_vec();
    // An empty receiver report with a goodbye, and what a report looked like, spoilt.
    let goodbye = [&[0x80, 201, 0, 1][..], &ssrc, &[0x81, 203, 0, 1], &ssrc].concat();
    let spoilt = of_side().find(|passed| !passed.is_sound()).map(|report| {
        let mut bytes = report.bytes.clone();
        bytes[12] ^= 1;
        bytes
    });
    (1..60).map(next).chain([goodbye]).chain(spoilt).collect()
}

/// In the name of each to the other, and from elsewhere to both.
fn say_everything(ambush: &Ambush, signals: &[String]) {
    let strangers =
        ["127.0.0.1:0", "127.0.0.66:0"].map(|from| UdpSocket::bind(from).expect("loopback is there"));
    for signal in signals {
        ambush.path.as_caller(signal.as_bytes());
        ambush.path.as_callee(signal.as_bytes());
        wait::pause(PAUSE);
    }
    for signal in signals {
        for (stranger, station) in strangers.iter().zip([&ambush.alice, &ambush.bob]) {
            let _ = stranger.send_to(signal.as_bytes(), ("127.0.0.1", station.port()));
        }
        wait::pause(PAUSE);
    }
    let seen = ambush.path.seen();
    for forged in media(&seen, true) {
        ambush.path.as_caller(&forged);
    }
    for forged in media(&seen, false) {
        ambush.path.as_callee(&forged);
    }
}

fn signals_at(station: &Station) -> u64 {
    let counted = Ambush::counted(station);
    counted["signals"] + counted["malformed"]
}

/// Says everything, waits until both have looked at it; nothing has changed.
fn changes_nothing(ambush: &mut Ambush, when: &str) {
    let before = ambush.standing();
    let counted = [&ambush.alice, &ambush.bob].map(signals_at);
    let signals = signals(&ambush.path.seen());
    say_everything(ambush, &signals);
    let most = u64::try_from(signals.len()).expect("some hundreds") * 2 * 9 / 10;
    for (station, before) in [&ambush.alice, &ambush.bob].into_iter().zip(counted) {
        wait::until("everything to be looked at", 10, || {
            (signals_at(station) >= before + most).then_some(())
        });
    }
    assert_eq!(ambush.told_meanwhile(), [""; 0], "{when}");
    assert_eq!(ambush.standing(), before, "{when}");
}

#[test]
fn nothing_that_somebody_says_in_their_name_changes_a_call() {
    let mut ambush = Ambush::with(|station| station, |station| station);
    ambush.call();
    ambush.is_told(0, &["CALL", "ringing-there"]);
    ambush.is_told(1, &["CALL", "ringing-here"]);
    changes_nothing(&mut ambush, "while it rings");
    ambush.does(1, "ANSWER");
    ambush.both_are_told(&["CALL", "talking"]);
    ambush.goes_on();
    changes_nothing(&mut ambush, "while they talk");
    ambush.goes_on();
    ambush.hears_only_what_was_sent();
    let unopened = [&ambush.alice, &ambush.bob].map(|station| Ambush::counted(station)["unopened"]);
    assert!(unopened.iter().all(|count| *count >= 60), "{unopened:?}");
    ambush.hang_up();
    changes_nothing(&mut ambush, "after the call");
}

/// What one of them said comes back to him as if the other one had said it.
#[test]
fn their_own_words_that_come_back_change_nothing() {
    let mut ambush = Ambush::with(|station| station, |station| station);
    ambush.path.keeps(|passed| passed.says("RINGING"));
    ambush.call();
    wait::until("the callee's answer", 10, || ambush.path.first(|passed| passed.says("RINGING")));
    send_back(&ambush);
    ambush.path.lets_pass();
    ambush.is_told(0, &["CALL", "ringing-there"]);
    ambush.is_told(1, &["CALL", "ringing-here"]);
    send_back(&ambush);
    ambush.does(1, "ANSWER");
    ambush.both_are_told(&["CALL", "talking"]);
    ambush.goes_on();
    let before = ambush.standing();
    send_back(&ambush);
    ambush.goes_on();
    ambush.hears_only_what_was_sent();
    assert_eq!((ambush.standing(), ambush.told_meanwhile()), (before, Vec::new()));
}

/// Everything so far, to who has said it.
fn send_back(ambush: &Ambush) {
    for passed in ambush.path.seen() {
        wait::pause(if passed.is_media() { Duration::from_micros(100) } else { PAUSE });
        ambush.path.again(&Passed { forth: !passed.forth, ..passed });
    }
}

/// Whoever is on the path may say at any time that the callee has another key, but not that he knows it.
#[test]
fn a_forged_word_of_another_key_neither_ends_the_attempt_nor_is_kept() {
    let mut ambush = Ambush::with(|station| station, |station| station);
    ambush.path.keeps(|passed| passed.says("RINGING"));
    ambush.call();
    let answer = || ambush.path.first(|passed| passed.says("RINGING"));
    let ringing = wait::until("the callee's answer", 10, answer);
    for _ in 0..3 {
        let all = signals(&ambush.path.seen());
        for forged in all.iter().filter(|signal| signal.contains(MALLORYS)) {
            ambush.path.as_callee(forged.as_bytes());
        }
    }
    ambush.path.lets_pass();
    ambush.path.again(&ringing);
    ambush.is_told(0, &["CALL", "ringing-there"]);
    ambush.does(0, "HANGUP");
    ambush.both_are_told(&["CALL", "ended", "reason=cancelled"]);
    assert_eq!(["alice", "bob"].map(|name| ambush.keys_of(name)), ["", ""], "nobody has answered");
}
