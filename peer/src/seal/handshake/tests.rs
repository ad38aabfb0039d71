//! Two ends shake hands; nobody else takes part.

use vox_common::wire::coding::{Codec, Coding};
use vox_common::wire::limits::{DISPLAY_CHARS, NAME_BYTES};
use vox_common::wire::names::{DisplayName, Name};
use vox_common::wire::signal::{Endings, Kind, MediaSealing, Reason};

use super::*;

const CALL: CallId = CallId([5; 16]);

fn identity(n: u8) -> Identity {
    Identity::new([n; 32])
}

fn cookie(word: &str) -> Cookie {
    Cookie::parse(word).expect("a cookie")
}

fn hello(from: &str) -> Hello {
    Hello {
        from: Name::parse(from).expect("a name"),
        kind: Kind::Voice,
        to: None,
        display: None,
        sends: Some(Coding { codec: Codec::Opus, ptime_us: 10_000 }),
        takes_red: true,
        media: MediaSealing::Required,
        after: Endings::new(),
    }
}

/// All words at their longest.
fn longest() -> Hello {
    let name = || Name::parse(&"n".repeat(NAME_BYTES)).expect("a name");
    Hello {
        kind: Kind::Announce,
        to: Some(name()),
        display: DisplayName::new(&"門".repeat(DISPLAY_CHARS)),
        sends: Some(Coding { codec: Codec::Opus, ptime_us: 1_250 }),
        media: MediaSealing::Off,
        after: [(CALL, Reason::Unsupported); 4].into_iter().collect(),
        from: name(),
        takes_red: true,
    }
}

fn attempt(words: &Hello) -> Attempt {
    let cancel = TagKey::new([6; 32]);
    let introduction = Introduction { hello: words, cancel: &cancel };
    let attempt =
        Attempt::new(&identity(1), *identity(2).public(), CALL, cookie("baked"), &introduction, &[3; 32]);
    attempt.expect("an ordinary key")
}

fn open(message: &Sealed) -> Result<Invitation, Unopened> {
    Invitation::open(&identity(2), CALL, &cookie("baked"), message, &[4; 32])
}

/// Each bit of it changed, and each of its truncations.
fn spoilt(message: &Sealed) -> impl Iterator<Item = Sealed> {
    let bytes = message.bytes().to_vec();
    let whole = bytes.clone();
    let truncated = (0..bytes.len()).map(move |length| Sealed::new(&bytes[..length]).expect("shorter"));
    let flipped = (0..8 * whole.len()).map(move |bit| {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        Sealed::new(&bytes).expect("as long")
    });
    truncated.chain(flipped)
}

#[test]
fn both_ends_know_each_other_and_have_the_same_keys() {
    let mut attempt = attempt(&hello("alice"));
    let invitation = open(attempt.message()).expect("for us");
    assert_eq!((invitation.key, &invitation.hello), (*identity(1).public(), &hello("alice")));
    assert_eq!(invitation.cancel, TagKey::new([6; 32]));
    let (answer, callee) = invitation.answer(&hello("bob"));
    let (said, caller) = attempt.finish(&answer).expect("the answer");
    assert_eq!((said, caller.key), (hello("bob"), *identity(2).public()));
    assert_eq!(caller.binding, callee.binding);
    assert_eq!(caller.keys.media.sends, callee.keys.media.receives);
    assert_eq!(caller.keys.signals.receives, callee.keys.signals.sends);
}

#[test]
fn the_longest_words_fit() {
    let mut attempt = attempt(&longest());
    let invitation = open(attempt.message()).expect("for us");
    assert_eq!(invitation.hello, longest());
    assert_eq!(attempt.message().bytes().len(), LONGEST_PAYLOAD + FIRST_OVERHEAD);
    let (answer, _) = invitation.answer(&longest());
    assert!(attempt.finish(&answer).is_some());
}

#[test]
fn an_invitation_is_for_one_key_one_call_and_one_cookie() {
    let attempt = attempt(&hello("alice"));
    let opens = |me, id, word| {
        Invitation::open(&identity(me), id, &cookie(word), attempt.message(), &[4; 32]).map(|_| ()).err()
    };
    assert_eq!(opens(2, CALL, "baked"), None);
    for (me, id, word) in [(3, CALL, "baked"), (2, CallId([6; 16]), "baked"), (2, CALL, "bakes")] {
        assert_eq!(opens(me, id, word), Some(Unopened::NotForUs));
    }
}

#[test]
fn not_a_bit_of_either_message_may_be_another() {
    let mut attempt = attempt(&hello("alice"));
    for message in spoilt(attempt.message()) {
        assert_eq!(open(&message).map(|_| ()), Err(Unopened::NotForUs));
    }
    let (answer, _) = open(attempt.message()).expect("for us").answer(&hello("bob"));
    for answer in spoilt(&answer) {
        assert!(attempt.finish(&answer).is_none());
    }
    assert!(attempt.finish(&answer).is_some(), "all of that left it as it was");
}

#[test]
fn names_do_not_show_in_the_length() {
    let length = |name: &str| attempt(&hello(name)).message().bytes().len();
    assert_eq!(length("al"), length("alexandra"));
}
