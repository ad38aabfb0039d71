//! One bit of every byte of a set-up is flipped on the way between two real stations, each in a call of its own: both talk,
//! or the attempt fails and both say so. (`simulation_bits.rs` flips every bit, between two agents.)

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use vox_tests::bed::relay::Passed;
use vox_tests::bed::{Ambush, Attacker, wait};

/// Most of the time everybody waits for somebody to say something again.
const PAIRS: usize = 12;

/// How a set-up goes: the datagrams in their order, told apart by how they begin.
const STEPS: [(&str, bool); 5] =
    [("INVITE", false), ("RETRY", true), ("INVITE", true), ("ACCEPT", false), ("CONFIRM", false)];

/// The first datagram of a step that comes by, and one bit of one of its bytes.
#[derive(Debug, Clone, Copy)]
struct Flip {
    step: usize,
    byte: usize,
}

impl Flip {
    fn is_at(self, passed: &Passed) -> bool {
        is_step(self.step, passed)
    }

    fn applied_to(self, bytes: &[u8]) -> Vec<u8> {
        let mut flipped = bytes.to_vec();
        flipped[self.byte] ^= 1 << (self.byte % 8);
        flipped
    }
}

fn is_step(step: usize, passed: &Passed) -> bool {
    let (verb, has_cookie) = STEPS[step];
    passed.says(verb) && String::from_utf8_lossy(&passed.bytes).contains(" cookie=") == has_cookie
}

/// Every byte of a set-up in which nothing happens.
fn flips() -> Vec<Flip> {
    let mut ambush = pair();
    ambush.talk();
    let length = |step| {
        let passed = ambush.path.first(|passed| is_step(step, passed)).expect("each is sent");
        passed.bytes.len()
    };
    (0..STEPS.len()).flat_map(|step| (0..length(step)).map(move |byte| Flip { step, byte })).collect()
}

/// Silence that is not compressed would be seen for what it is.
fn pair() -> Ambush {
    Ambush::with(
        |station| station.set("audio.input", "silence").set("codec.name", "l16"),
        |station| station.set("audio.input", "silence").set("codec.name", "l16").answering(),
    )
}

/// One set-up. `None`: they talked; else what alice says of it.
fn set_up(ambush: &mut Ambush, flip: Flip) -> Option<String> {
    once(&ambush.path, flip);
    ambush.call();
    let event = ambush.next_of_call(0, &["talking", "ended"]);
    let ended = event.contains(" ended ");
    if ended {
        ambush.bob.wait_until("idle");
        let told = ambush.told_meanwhile();
        assert!(!told.iter().any(|event| event.contains(" talking ")), "nobody talks: {told:?}");
        return Some(event.split("reason=").nth(1).unwrap_or_default().to_owned());
    }
    ambush.next_of_call(1, &["talking"]);
    ambush.hang_up();
    None
}

/// The first one that comes is changed, the next are not.
fn once(path: &Attacker, flip: Flip) {
    let mut is_done = false;
    path.sends_on(move |came| {
        let changes = !is_done && flip.is_at(came);
        is_done |= changes;
        vec![if changes { flip.applied_to(&came.bytes) } else { came.bytes.clone() }]
    });
}

#[test]
fn whatever_byte_is_changed_both_talk_or_the_attempt_fails_and_nobody_talks() {
    let (flips, next) = (flips(), AtomicUsize::new(0));
    let failed: Mutex<BTreeMap<(usize, String), usize>> = Mutex::default();
    let work = || {
        let mut ambush = pair();
        while let Some(flip) = flips.get(next.fetch_add(1, Ordering::Relaxed)) {
            if let Some(reason) = set_up(&mut ambush, *flip) {
                *failed.lock().expect("nobody panicked").entry((flip.step, reason)).or_default() += 1;
            }
        }
        never_in_the_clear(&ambush);
    };
    thread::scope(|scope| (0..PAIRS).for_each(|_| _ = scope.spawn(work)));
    let failed = failed.into_inner().expect("nobody panicked");
    println!("{} calls, of which failed: {failed:?}", flips.len());
    // The key in RETRY was another: nobody there can open what is sealed for it.
    let is_clean = |(step, reason): &(usize, String)| *step == 1 && reason == "wrong-key";
    assert!(failed.keys().all(is_clean), "{failed:?}");
}

/// Sixteen bytes of silence in a row are no accident.
fn never_in_the_clear(ambush: &Ambush) {
    let seen = ambush.path.seen();
    let media: Vec<_> = seen.iter().filter(|passed| passed.is_media()).collect();
    assert!(!media.is_empty(), "sound was sent");
    let clear = media.iter().filter(|passed| passed.bytes.windows(16).any(|row| row == [0; 16])).count();
    assert_eq!(clear, 0, "of {} packets", media.len());
    wait::until("both to be at rest", 10, || (ambush.bob.lines("call").is_empty()).then_some(()));
}
