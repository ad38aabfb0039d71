//! Signals are read as they were written, and nothing from outside is too strange.

use proptest::prelude::*;

use super::*;
use crate::wire::coding::{Codec, PTIMES};

const ID: &str = "000102030405060708090a0b0c0d0e0f";

fn hello() -> impl Strategy<Value = Hello> {
    let name = "[a-z][a-z0-9._-]{0,31}".prop_map(|name| Name::parse(&name).expect("in the pattern"));
    let display = "[a-zA-Z é%=]{1,20}".prop_map(|text| DisplayName::new(&text).expect("in the pattern"));
    let coding = (any::<bool>(), 0..PTIMES.len()).prop_map(|(opus, nth)| Coding {
        codec: if opus { Codec::Opus } else { Codec::L16 },
        ptime_us: PTIMES[nth].1,
    });
    let after = proptest::option::of((id(), reason()));
    (name.clone(), proptest::option::of(name), proptest::option::of(display), coding, any::<bool>(), after)
        .prop_map(|(from, to, display, sends, takes_red, after)| Hello {
            from,
            to,
            display,
            sends,
            takes_red,
            after,
        })
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

fn say() -> impl Strategy<Value = Say> {
    prop_oneof![
        (proptest::option::of(cookie()), hello()).prop_map(|(cookie, hello)| Say::Invite(cookie, hello)),
        cookie().prop_map(Say::Retry),
        hello().prop_map(Say::Ringing),
        (hello(), proptest::option::of(id())).prop_map(|(hello, yields)| Say::Accept(hello, yields)),
        reason().prop_map(Say::Reject),
        Just(Say::Confirm),
        reason().prop_map(Say::Cancel),
        reason().prop_map(Say::Bye),
        Just(Say::ByeOk),
    ]
}

fn signal() -> impl Strategy<Value = Signal> {
    (id(), say()).prop_map(|(id, say)| Signal { id, say })
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(signal in signal()) {
        let datagram = signal.to_string();
        prop_assert!(datagram.len() <= SIGNAL_BYTES);
        prop_assert_eq!(Signal::parse(datagram.as_bytes()), Ok(signal));
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
        (&format!("VOX1 INVITE {ID}"), BadSignal::Malformed),
        (&format!("VOX1 RETRY {ID} cookie=a!"), BadSignal::Malformed),
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
fn an_unknown_reason_still_ends_the_call() {
    let bye = Signal::parse(format!("VOX1 BYE {ID} reason=earthquake").as_bytes()).expect("a bye");
    assert_eq!(bye.say, Say::Bye(Reason::Hangup));
}

#[test]
fn no_answer_to_a_stranger_is_longer_than_what_it_answers() {
    let id = CallId([0; 16]);
    let retry = Say::Retry(Cookie::new(&[0; 16]).expect("16 bytes fit"));
    let invite = Say::Invite(None, Hello::parse("from=a codec=opus ptime=5").expect("complete"));
    let [retry, invite] = [retry, invite].map(|say| Signal { id, say }.to_string().len());
    assert!(retry <= invite);
}
