//! What the handshake of a call costs its two ends in processor time: what they compute for it, and nothing else.

use std::time::Duration;

use vox_common::seal::identity::Identity;
use vox_common::sys::clock;
use vox_common::wire::coding::{Codec, Coding};
use vox_common::wire::names::Name;
use vox_common::wire::signal::{CallId, Cookie, Endings, Hello, Kind, MediaSealing};
use vox_peer::seal::handshake::{Attempt, Introduction, Invitation};
use vox_peer::seal::tag::TagKey;

/// Of one handshake.
#[derive(Debug, Clone, Copy)]
pub struct Cost {
    /// The caller's: it makes the first message, and reads the second.
    pub caller: Duration,
    /// The callee's: it reads the first message, and makes the second.
    pub callee: Duration,
}

/// Computes one, another for each number.
///
/// # Panics
/// The two ends do not understand each other.
pub fn compute(n: u8) -> Cost {
    let [alice, bob] = [1, 2].map(|n| Identity::new([n; 32]));
    let (id, cookie) = (CallId([n; 16]), Cookie::new(&[n; 16]).expect("16 bytes fit"));
    let (from_alice, from_bob, cancel) = (hello("alice"), hello("bob"), TagKey::new([n; 32]));
    let introduction = Introduction { hello: &from_alice, cancel: &cancel };
    let (first, attempt) =
        timed(|| Attempt::new(&alice, *bob.public(), id, cookie.clone(), &introduction, &[n; 32]));
    let mut attempt = attempt.expect("an ordinary key");
    let (callee, (answer, there)) = timed(|| {
        let opened = Invitation::open(&bob, id, &cookie, attempt.message(), &[!n; 32]);
        opened.expect("it is for bob").answer(&from_bob)
    });
    let (last, finished) = timed(|| attempt.finish(&answer));
    let (_, here) = finished.expect("it answers ours");
    assert_eq!(here.binding, there.binding);
    Cost { caller: first + last, callee }
}

fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let began = clock::now();
    let done = work();
    (clock::now() - began, done)
}

/// How a station of this name introduces itself that speaks Opus in frames of 10 ms.
///
/// # Panics
/// That is no name.
pub fn hello(from: &str) -> Hello {
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
