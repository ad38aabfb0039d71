//! Signals are read as they were written, and nothing from outside is too strange.

use proptest::prelude::*;

use super::kind::KINDS;
use super::reason::REASONS;
use super::*;
use crate::wire::coding::{Codec, Coding, PTIMES};
use crate::wire::names::{DisplayName, Name};

const ID: &str = "000102030405060708090a0b0c0d0e0f";
const TAG: &str = "AAAAAAAAAAAAAAAAAAAAAA";

fn hello() -> impl Strategy<Value = Hello> {
    let name = "[a-z][a-z0-9._-]{0,31}".prop_map(|name| Name::parse(&name).expect("in the pattern"));
    let display = "[a-zA-Z é%=]{1,20}".prop_map(|text| DisplayName::new(&text).expect("in the pattern"));
    let coding = (any::<bool>(), 0..PTIMES.len()).prop_map(|(opus, nth)| Coding {
        codec: if opus { Codec::Opus } else { Codec::L16 },
        ptime_us: PTIMES[nth].1,
    });
    let coding = proptest::option::of(coding);
    let after = proptest::collection::vec((id(), reason()), 0..=4)
        .prop_map(|endings| endings.into_iter().collect::<Endings>());
    let media = any::<bool>().prop_map(|off| if off { MediaSealing::Off } else { MediaSealing::Required });
    let to = proptest::option::of(name.clone());
    let kind = (0..KINDS.len()).prop_map(|nth| KINDS[nth].1);
    (name, kind, to, proptest::option::of(display), coding, any::<bool>(), media, after).prop_map(
        |(from, kind, to, display, sends, takes_red, media, after)| Hello {
            from,
            kind,
            to,
            display,
            sends,
            takes_red,
            media,
            after,
        },
    )
}

fn id() -> impl Strategy<Value = CallId> {
    any::<[u8; 16]>().prop_map(CallId)
}

fn reason() -> impl Strategy<Value = Reason> {
    (0..REASONS.len()).prop_map(|nth| REASONS[nth].1)
}

fn cookie() -> impl Strategy<Value = Cookie> {
    any::<[u8; 16]>().prop_map(|mac| Cookie::new(&mac).expect("16 bytes fit"))
}

fn key() -> impl Strategy<Value = PublicKey> {
    any::<[u8; 32]>().prop_map(PublicKey)
}

fn sealed() -> impl Strategy<Value = Sealed> {
    proptest::collection::vec(any::<u8>(), 0..SEALED_BYTES)
        .prop_map(|bytes| Sealed::new(&bytes).expect("it fits"))
}

fn say() -> impl Strategy<Value = Say> {
    prop_oneof![
        Just(Say::Knock),
        (cookie(), key()).prop_map(|(cookie, key)| Say::Retry(cookie, key)),
        (cookie(), sealed()).prop_map(|(cookie, sealed)| Say::Invite(cookie, sealed)),
        sealed().prop_map(Say::Ringing),
        (sealed(), proptest::option::of(id())).prop_map(|(sealed, yields)| Say::Accept(sealed, yields)),
        (reason(), proptest::option::of(sealed())).prop_map(|(reason, sealed)| Say::Reject(reason, sealed)),
        key().prop_map(Say::WrongKey),
        Just(Say::Confirm),
        reason().prop_map(Say::Cancel),
        (reason(), proptest::option::of(sealed())).prop_map(|(reason, sealed)| Say::Bye(reason, sealed)),
        Just(Say::ByeOk),
    ]
}

fn signal() -> impl Strategy<Value = Signal> {
    let tag = proptest::option::of(any::<[u8; 16]>().prop_map(Tag));
    (id(), say(), tag).prop_map(|(id, say, tag)| Signal { id, say, tag })
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(signal in signal()) {
        let datagram = signal.to_string();
        prop_assert!(datagram.len() <= SIGNAL_BYTES);
        prop_assert_eq!(Signal::parse(datagram.as_bytes()), Ok(signal));
    }

    #[test]
    fn a_tag_covers_all_that_stands_before_it(signal in signal()) {
        let bare = Signal { tag: None, ..signal.clone() }.to_string();
        let datagram = signal.to_string();
        prop_assert_eq!(Signal::tagged(datagram.as_bytes()), bare.as_bytes());
    }

    #[test]
    fn words_are_read_back_as_they_were_told(hello in hello()) {
        prop_assert_eq!(Hello::parse(&hello.to_string()), Ok(hello));
    }

    #[test]
    fn nothing_from_outside_panics(datagram in proptest::collection::vec(any::<u8>(), 0..1400)) {
        let _ = Signal::parse(&datagram);
    }

    #[test]
    fn truncated_and_altered_signals_are_read_or_refused(signal in signal(), at: usize, byte: u8) {
        let mut datagram = signal.to_string().into_bytes();
        let at = at % datagram.len();
        let _ = Signal::parse(&datagram[..at]);
        datagram[at] = byte;
        let _ = Signal::parse(&datagram);
    }
}

#[test]
fn what_is_no_signal_is_told_apart() {
    let too_long = format!("VOX1 CONFIRM {ID} {}", "x".repeat(SIGNAL_BYTES));
    for (datagram, why) in [
        (too_long.as_str(), BadSignal::TooLong),
        ("HELLO", BadSignal::NotOurs),
        ("VOX1 CONFIRM 00\n", BadSignal::NotOurs),
        ("VOX1 DANCE 00", BadSignal::UnknownVerb),
        ("VOX1 CONFIRM 00", BadSignal::Malformed),
        ("VOX1 CONFIRM +00102030405060708090a0b0c0d0e0f", BadSignal::Malformed),
        (&format!("VOX1 INVITE {ID} cookie=a"), BadSignal::Malformed),
        (&format!("VOX1 RETRY {ID} cookie=a!"), BadSignal::Malformed),
        (&format!("VOX1 RINGING {ID}"), BadSignal::Malformed),
        (&format!("VOX1 CONFIRM {ID} tag=short"), BadSignal::Malformed),
        (&format!("VOX1 CONFIRM {ID} tag={TAG} more=words"), BadSignal::Malformed),
        (&format!("VOX1 CONFIRM {ID} tag={TAG} tag={TAG}"), BadSignal::Malformed),
        (&format!("VOX1 BYE {ID} reason=a reason=b"), BadSignal::Malformed),
    ] {
        assert_eq!(Signal::parse(datagram.as_bytes()), Err(why), "{datagram:?}");
    }
}

#[test]
fn redundancy_is_read_only_by_who_says_so() {
    for (words, takes_red) in [("", false), (" red=112", true), (" red=113", false), (" red=", false)] {
        let hello = Hello::parse(&format!("from=a codec=opus ptime=5{words} more=later")).expect("complete");
        assert_eq!(hello.takes_red, takes_red, "{words}");
    }
}

#[test]
fn a_kind_or_a_codec_of_a_later_version_is_read_and_not_dropped() {
    for (words, kind, is_known) in [
        ("kind=voice codec=opus ptime=5", Kind::Voice, true),
        ("kind=voice codec=lyra ptime=5", Kind::Voice, false),
        ("kind=voice codec=opus ptime=3", Kind::Voice, false),
        ("kind=order", Kind::Order, false),
        ("kind=hologram codec=opus ptime=5", Kind::Unknown, true),
        ("codec=opus ptime=5", Kind::Unknown, true),
    ] {
        let hello = Hello::parse(&format!("from=a {words}")).expect(words);
        assert_eq!((hello.kind, hello.sends.is_some()), (kind, is_known), "{words}");
    }
}

#[test]
fn an_unknown_reason_still_ends_the_call() {
    let bye = Signal::parse(format!("VOX1 BYE {ID} reason=earthquake").as_bytes()).expect("a bye");
    assert_eq!(bye.say, Say::Bye(Reason::Hangup, None));
}

#[test]
fn no_answer_to_a_stranger_is_longer_than_what_it_answers() {
    let (id, key) = (CallId([0; 16]), PublicKey([0; 32]));
    let cookie = Cookie::new(&[0; 16]).expect("16 bytes fit");
    let length = |say| Signal::untagged(id, say).to_string().len();
    let retry = length(Say::Retry(cookie.clone(), key));
    assert!(retry <= length(Say::Knock));
    let least = Sealed::new(&[0; crate::seal::noise::FIRST_OVERHEAD]).expect("short");
    let invite = length(Say::Invite(cookie, least));
    assert!(retry <= invite && length(Say::WrongKey(key)) <= invite);
}
