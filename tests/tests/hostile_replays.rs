//! Everything that was said in a call is said again, from where it came: while the two still talk, after that, and after
//! the callee was restarted. Nobody rings, nothing changes, nothing is heard twice.

use std::time::Duration;

use vox_tests::bed::relay::Passed;
use vox_tests::bed::{Ambush, Station, wait};

/// A little slower than what a station takes in (200 signals a second), so that all of it is really looked at.
const PAUSE: Duration = Duration::from_millis(6);

/// Signals, and a second of sound and reports in each direction.
fn worth_saying_again(seen: &[Passed]) -> Vec<Passed> {
    let media =
        |forth| seen.iter().filter(move |passed| passed.is_media() && passed.forth == forth).take(100);
    let signals = seen.iter().filter(|passed| !passed.is_media());
    signals.chain(media(true)).chain(media(false)).cloned().collect()
}

fn say_again(ambush: &Ambush, all: &[Passed]) {
    for passed in all {
        ambush.path.again(passed);
        wait::pause(if passed.is_media() { Duration::from_millis(1) } else { PAUSE });
    }
}

/// Waits until a station has taken in so many more signals, and a little of everything else has passed.
fn is_looked_at(station: &Station, before: u64, signals: usize) {
    let signals = u64::try_from(signals).expect("some dozens");
    wait::until("all signals to be taken in", 10, || {
        (Ambush::counted(station)["signals"] >= before + signals).then_some(())
    });
}

fn signals_to(all: &[Passed], forth: bool) -> usize {
    all.iter().filter(|passed| !passed.is_media() && passed.forth == forth).count()
}

/// Says all of it again and waits until it was looked at: nothing has changed, nobody was told of anything.
fn changes_nothing(ambush: &mut Ambush, all: &[Passed], when: &str) {
    let before = ambush.standing();
    let counted = [&ambush.alice, &ambush.bob].map(|station| Ambush::counted(station)["signals"]);
    assert_eq!(ambush.told_meanwhile(), [""; 0], "{when}");
    say_again(ambush, all);
    is_looked_at(&ambush.alice, counted[0], signals_to(all, false));
    is_looked_at(&ambush.bob, counted[1], signals_to(all, true));
    assert_eq!(ambush.told_meanwhile(), [""; 0], "{when}");
    assert_eq!(ambush.standing(), before, "{when}");
}

#[test]
fn what_was_said_in_a_call_means_nothing_when_it_is_said_again() {
    let mut ambush = Ambush::lie();
    ambush.talk();
    wait::pause(Duration::from_secs(1));
    let so_far = worth_saying_again(&ambush.path.seen());
    assert!(so_far.len() > 200, "{} datagrams", so_far.len());
    changes_nothing(&mut ambush, &so_far, "while they talk");
    ambush.goes_on();
    ambush.hears_only_what_was_sent();
    for (station, forth) in [(&ambush.alice, false), (&ambush.bob, true)] {
        let again = so_far.iter().filter(|passed| passed.is_media() && passed.forth == forth).count();
        let again = u64::try_from(again).expect("some hundreds");
        wait::until("all that is known to be counted", 5, || {
            (Ambush::counted(station)["replayed"] == again).then_some(())
        });
    }
    ambush.hang_up();

    let all = worth_saying_again(&ambush.path.seen());
    assert!(all.iter().any(|passed| passed.says("BYE")));
    changes_nothing(&mut ambush, &all, "after the call");
    ambush.bob_starts_again();
    changes_nothing(&mut ambush, &all, "after bob's restart");
    ambush.talk();
    changes_nothing(&mut ambush, &all, "in the next call");
    ambush.goes_on();
}
