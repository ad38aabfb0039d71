//! Every bit of every datagram of a call is flipped, each in a call of its own: both talk with the same keys and agree on
//! the end, or neither talks and both come to rest. A call that is refused, or withdrawn while it rings, ends as it was meant.

use std::collections::BTreeMap;
use std::thread;

use vox_tests::sim::course::{Copies, Course, Flip, Went};
use vox_tests::sim::set_up::SetUp;

/// As many as the machine has for it.
const THREADS: usize = 2;

/// What becomes of the calls that do not go well, when one datagram was changed once: what the caller says of it, and what
/// the callee says.
const CLEAN: &[(&str, &str)] = &[("wrong-key", "")];

#[test]
fn whatever_bit_is_flipped_the_call_goes_well_or_fails_cleanly() {
    // INVITE, RETRY, INVITE, ACCEPT, CONFIRM, BYE, BYE-OK.
    each_bit(Course::TakenAtOnce, &[""; 7], Copies::One, CLEAN);
}

#[test]
fn so_does_one_that_rings_first() {
    // And RINGING.
    each_bit(Course::TakenWhenItRings, &[""; 8], Copies::One, CLEAN);
}

#[test]
fn a_call_is_refused_whatever_bit_of_it_is_flipped() {
    each_bit(Course::Refused, &["RINGING", "REJECT", "CONFIRM"], Copies::One, &[]);
}

#[test]
fn a_call_is_withdrawn_whatever_bit_of_it_is_flipped() {
    each_bit(Course::Withdrawn, &["RINGING", "CANCEL", "BYE-OK"], Copies::One, &[]);
}

#[test]
fn nobody_believes_a_refusal_or_a_withdrawal_that_is_never_whole() {
    let went_well = each_bit(Course::Refused, &["REJECT"], Copies::All, &[("lost", "declined")]);
    assert_eq!(went_well, 0, "a refusal was believed");
    // The phone is silent by the time that it would be anyway, which the simulation judges.
    let went_well = each_bit(Course::Withdrawn, &["CANCEL"], Copies::All, &[("cancelled", "lost")]);
    assert_eq!(went_well, 0, "a withdrawal was believed");
}

/// The bits of those datagrams of a call that say one of these.
fn bits(course: Course, verbs: &[&str], copies: Copies) -> Vec<Flip> {
    let datagrams = SetUp::datagrams(course);
    let says = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        verbs.iter().any(|verb| text.starts_with(&format!("VOX1 {verb}")))
    };
    let meant: Vec<_> = datagrams.iter().enumerate().filter(|(_, bytes)| says(bytes)).collect();
    assert!(meant.len() >= verbs.len(), "{} of {}", meant.len(), datagrams.len());
    let bits = |(datagram, bytes): (usize, &Vec<u8>)| {
        (0..bytes.len() * 8).map(move |bit| Flip { datagram, bit, copies })
    };
    meant.into_iter().flat_map(bits).collect()
}

/// Flips each bit in a call of its own. How many of these went well; the others must have failed in one of the clean ways.
fn each_bit(course: Course, verbs: &[&str], copies: Copies, clean: &[(&str, &str)]) -> usize {
    let flips = bits(course, verbs, copies);
    let threads: Vec<_> = flips
        .chunks(flips.len().div_ceil(THREADS))
        .map(|flips| {
            let flips = flips.to_vec();
            thread::spawn(move || {
                flips.into_iter().map(|flip| (flip, SetUp::with(course, flip))).collect::<Vec<_>>()
            })
        })
        .collect();
    let mut failed: BTreeMap<(String, String), usize> = BTreeMap::new();
    let (mut well, mut wrong) = (0, Vec::new());
    for (flip, went) in threads.into_iter().flat_map(|thread| thread.join().expect("nobody panics")) {
        match went {
            Went::Well => well += 1,
            Went::NotAtAll(caller, callee) => *failed.entry((caller, callee)).or_default() += 1,
            Went::Wrong(how) => wrong.push(format!("{flip:?}: {how}")),
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}, of them:\n{}",
        wrong.len(),
        flips.len(),
        wrong[..wrong.len().min(20)].join("\n")
    );
    let unclean: Vec<_> =
        failed.keys().filter(|(caller, callee)| !clean.contains(&(caller, callee))).collect();
    assert!(unclean.is_empty(), "{unclean:?}");
    well
}
