//! Every bit of every datagram of a call is flipped, each in a call of its own: both talk with the same keys and agree on
//! the end, or neither talks and both come to rest.

use std::collections::BTreeMap;
use std::thread;

use vox_tests::sim::set_up::{Flip, SetUp, Takes, Went};

/// As many as the machine has for it.
const THREADS: usize = 2;

/// What becomes of the calls that do not go well: what the caller says of it, and what the callee says.
const CLEAN: [(&str, &str); 1] = [("wrong-key", "")];

#[test]
fn whatever_bit_is_flipped_the_call_goes_well_or_fails_cleanly() {
    // INVITE, RETRY, INVITE, ACCEPT, CONFIRM, BYE, BYE-OK.
    each_bit(Takes::ByHimself, 7);
}

#[test]
fn so_does_one_that_rings_first() {
    // And RINGING.
    each_bit(Takes::WhenItRings, 8);
}

fn each_bit(takes: Takes, least: usize) {
    let lengths = SetUp::lengths(takes);
    assert!(lengths.len() >= least, "{lengths:?}");
    let flips: Vec<Flip> = lengths
        .iter()
        .enumerate()
        .flat_map(|(datagram, length)| (0..length * 8).map(move |bit| Flip { datagram, bit }))
        .collect();
    let threads: Vec<_> = flips
        .chunks(flips.len().div_ceil(THREADS))
        .map(|flips| {
            let flips = flips.to_vec();
            thread::spawn(move || {
                flips.into_iter().map(|flip| (flip, SetUp::with(takes, flip))).collect::<Vec<_>>()
            })
        })
        .collect();
    let mut failed: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (flip, went) in threads.into_iter().flat_map(|thread| thread.join().expect("nobody panics")) {
        match went {
            Went::Well => {}
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
        failed.keys().filter(|(caller, callee)| !CLEAN.contains(&(caller, callee))).collect();
    assert!(unclean.is_empty(), "{unclean:?}");
}
