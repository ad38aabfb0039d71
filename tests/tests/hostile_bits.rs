//! One bit of every byte of a set-up is flipped on the way between two real stations, each in a call of its own: both talk,
//! or the attempt fails and both say so. A call that is refused or withdrawn stays what it is. (`simulation_bits.rs` flips
//! every bit, between two agents.)

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use vox_tests::bed::relay::Passed;
use vox_tests::bed::station::Preparation;
use vox_tests::bed::{Ambush, Attacker, wait};

/// Most of the time everybody waits for somebody to say something again.
const PAIRS: usize = 12;

/// How a datagram of a call begins, and whether a cookie is in it.
type Step = (&'static str, bool);

/// How a call goes when nothing happens to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Course {
    /// Bob takes it.
    Taken,
    /// Bob refuses it when it rings.
    Refused,
    /// Alice gives up when it rings.
    Withdrawn,
}

impl Course {
    /// The datagrams that are changed, in their order.
    fn steps(self) -> &'static [Step] {
        match self {
            Self::Taken => {
                &[("INVITE", false), ("RETRY", true), ("INVITE", true), ("ACCEPT", false), ("CONFIRM", false)]
            }
            Self::Refused => &[("REJECT", false), ("CONFIRM", false)],
            Self::Withdrawn => &[("CANCEL", false), ("BYE-OK", false)],
        }
    }
}

/// The first datagram of a step that comes by, and one bit of one of its bytes.
#[derive(Debug, Clone, Copy)]
struct Flip {
    course: Course,
    step: Step,
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

fn is_step((verb, has_cookie): Step, passed: &Passed) -> bool {
    passed.says(verb) && String::from_utf8_lossy(&passed.bytes).contains(" cookie=") == has_cookie
}

/// Every byte of a call in which nothing happens.
fn flips(course: Course) -> Vec<Flip> {
    let mut ambush = pair(course);
    assert_eq!(goes(&mut ambush, course), None, "an ordinary call");
    let length = |step| {
        let first = || ambush.path.first(|passed| is_step(step, passed));
        wait::until("it to be sent", 10, first).bytes.len()
    };
    let of = |step| (0..length(step)).map(move |byte| Flip { course, step, byte });
    course.steps().iter().flat_map(|step| of(*step)).collect()
}

/// Silence that is not compressed would be seen for what it is.
fn pair(course: Course) -> Ambush {
    let quiet = |station: Preparation| station.set("audio.input", "silence").set("codec.name", "l16");
    Ambush::with(quiet, |station| quiet(station).set("call.auto-answer", course == Course::Taken))
}

/// One call, as far as it is not disturbed. Else: what alice says of it.
fn goes(ambush: &mut Ambush, course: Course) -> Option<String> {
    ambush.call();
    match course {
        Course::Taken => return set_up(ambush),
        Course::Refused => {
            ambush.is_told(1, &["ringing-here"]);
            ambush.does(1, "REJECT");
        }
        Course::Withdrawn => {
            ambush.is_told(0, &["ringing-there"]);
            ambush.does(0, "HANGUP");
        }
    }
    let [alice, bob] = [0, 1].map(|who| reason(&ambush.next_of_call(who, &["talking", "ended"])));
    let right = if course == Course::Refused { "declined" } else { "cancelled" };
    (alice != right || bob != right).then(|| format!("{alice}, {bob}"))
}

/// One set-up. `None`: they talked; else what alice says of it.
fn set_up(ambush: &mut Ambush) -> Option<String> {
    let event = ambush.next_of_call(0, &["talking", "ended"]);
    let ended = event.contains(" ended ");
    if ended {
        ambush.bob.wait_until("idle");
        let told = ambush.told_meanwhile();
        assert!(!told.iter().any(|event| event.contains(" talking ")), "nobody talks: {told:?}");
        return Some(reason(&event));
    }
    ambush.next_of_call(1, &["talking"]);
    ambush.hang_up();
    None
}

fn reason(event: &str) -> String {
    event.split("reason=").nth(1).unwrap_or(event).to_owned()
}

/// The first one that comes is changed, the next are not. Whether it has come.
fn once(path: &Attacker, flip: Flip) -> Arc<AtomicBool> {
    let is_done = Arc::new(AtomicBool::new(false));
    let done = Arc::clone(&is_done);
    path.sends_on(move |came| {
        let changes = flip.is_at(came) && !done.swap(true, Ordering::Relaxed);
        vec![if changes { flip.applied_to(&came.bytes) } else { came.bytes.clone() }]
    });
    is_done
}

/// Where calls failed, how alice said it, and how often.
type Failed = BTreeMap<(Course, &'static str, String), usize>;

/// Each in a call of its own between stations that are as they must be for it; what must be so of each pair at the end.
fn each(flips: &[Flip], pairs: usize, holds: impl Fn(&Ambush) + Sync) -> Failed {
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Failed::new()));
    let work = || {
        let mut ambush = pair(flips[0].course);
        while let Some(flip) = flips.get(next.fetch_add(1, Ordering::Relaxed)) {
            let changed = once(&ambush.path, *flip);
            if let Some(reason) = goes(&mut ambush, flip.course) {
                let place = (flip.course, flip.step.0, reason);
                *failed.lock().expect("nobody panicked").entry(place).or_default() += 1;
            }
            wait::until("it to be changed", 10, || changed.load(Ordering::Relaxed).then_some(()));
        }
        holds(&ambush);
    };
    thread::scope(|scope| (0..pairs).for_each(|_| _ = scope.spawn(work)));
    failed.into_inner().expect("nobody panicked")
}

#[test]
fn whatever_byte_is_changed_both_talk_or_the_attempt_fails_and_nobody_talks() {
    let flips = flips(Course::Taken);
    let failed = each(&flips, PAIRS, never_in_the_clear);
    println!("{} calls, of which failed: {failed:?}", flips.len());
    // The key in RETRY was another: nobody there can open what is sealed for it.
    let is_clean = |(_, verb, reason): &(_, &str, String)| *verb == "RETRY" && reason == "wrong-key";
    assert!(failed.keys().all(is_clean), "{failed:?}");
}

#[test]
fn whatever_byte_is_changed_a_call_that_is_refused_or_withdrawn_ends_so_at_both_ends() {
    let flips = [flips(Course::Refused), flips(Course::Withdrawn)].concat();
    let failed = each(&flips, PAIRS / 2, |ambush| {
        let seen = ambush.path.seen();
        assert!(!seen.iter().any(Passed::is_media), "no sound of a call that nobody took");
    });
    assert!(failed.is_empty(), "of {} calls: {failed:?}", flips.len());
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
