//! What fuzzing found earlier, on the compiler that everything else is built with: every file of `tests/fuzz/corpus` is
//! given to its target, and so are bytes by chance, and files that chance has changed.

use std::fs;
use std::path::PathBuf;

use rand_chacha::ChaCha8Rng;
use vox_tests::bed::need;
use vox_tests::fuzz::TARGETS;
use vox_tests::garbage::{below, byte, bytes, dice};

/// Of each target; a second or so in all.
const CASES: usize = 200;

fn folder(name: &str) -> PathBuf {
    need::top().join("tests/fuzz").join(name)
}

fn names(folder: &PathBuf) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut names: Vec<_> = entries.map(|entry| entry.expect("an entry").file_name()).collect();
    names.sort();
    names.into_iter().map(|name| name.to_string_lossy().into_owned()).collect()
}

#[test]
fn every_target_has_a_program_and_bytes_to_begin_with() {
    let targets: Vec<_> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
    assert_eq!(names(&folder("corpus")), targets);
    let programs: Vec<_> = targets.iter().map(|name| format!("{name}.rs")).collect();
    assert_eq!(names(&folder("fuzz_targets")), programs);
    for name in targets {
        assert!(names(&folder("corpus").join(&name)).len() >= 3, "{name} has hardly anything to begin with");
    }
}

#[test]
fn every_property_holds_for_what_was_found_earlier() {
    for target in TARGETS {
        let corpus = folder("corpus").join(target.name);
        for name in names(&corpus) {
            println!("{} {name}", target.name);
            (target.holds)(&fs::read(corpus.join(&name)).expect("a file of ours"));
        }
    }
}

/// A file of the corpus with some bytes changed, some cut off and some added; or nothing but chance.
fn by_chance(dice: &mut ChaCha8Rng, corpus: &[Vec<u8>]) -> Vec<u8> {
    if below(dice, 2) == 0 {
        let length = below(dice, 600);
        return bytes(dice, length);
    }
    let mut changed = corpus[below(dice, corpus.len())].clone();
    let more = below(dice, 8);
    changed.extend(bytes(dice, more));
    for _ in 0..below(dice, 8) {
        let at = below(dice, changed.len().max(1));
        if let Some(changed) = changed.get_mut(at) {
            *changed ^= byte(dice);
        }
    }
    changed.truncate(below(dice, 4_096));
    changed
}

#[test]
fn every_property_holds_for_bytes_by_chance() {
    let mut dice = dice();
    for target in TARGETS {
        let folder = folder("corpus").join(target.name);
        let read = |name| fs::read(folder.join(name)).expect("a file of ours");
        let corpus: Vec<_> = names(&folder).into_iter().map(read).collect();
        for _ in 0..CASES {
            let bytes = by_chance(&mut dice, &corpus);
            println!("{} {bytes:?}", target.name);
            (target.holds)(&bytes);
        }
    }
}
