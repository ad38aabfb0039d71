//! Stories of two stations, a registry and a bad network: `SEEDS=100000 cargo test --test simulation` tells more.

use std::env;

use vox_tests::sim::{Pairs, tell};

/// Stories that are told without SEEDS.
const STORIES: u64 = 2_000;

/// Told on so many threads.
const THREADS: u64 = 2;

#[test]
fn in_every_story_both_come_to_rest_and_agree() {
    let stories = env::var("SEEDS").map_or(STORIES, |seeds| seeds.parse().expect("SEEDS is a number"));
    let first: u64 = env::var("SEED").map_or(0, |seed| seed.parse().expect("SEED is a number"));
    let threads: Vec<_> = (0..THREADS)
        .map(|nth| std::thread::spawn(move || tell_all((first + nth..first + stories).step_by(2))))
        .collect();
    let (mut pairs, mut complaints) = (Pairs::default(), Vec::new());
    for thread in threads {
        let (told, complained) = thread.join().expect("no story panics");
        pairs.add(told);
        complaints.extend(complained);
    }
    println!("{pairs}");
    assert!(
        complaints.is_empty(),
        "{} complaints, of them:\n{}",
        complaints.len(),
        complaints[..complaints.len().min(20)].join("\n")
    );
}

fn tell_all(seeds: impl Iterator<Item = u64>) -> (Pairs, Vec<String>) {
    let (mut pairs, mut complaints) = (Pairs::default(), Vec::new());
    for seed in seeds {
        let report = tell(seed);
        pairs.add(report.pairs);
        complaints.extend(report.complaints.into_iter().map(|complaint| format!("seed {seed}: {complaint}")));
    }
    (pairs, complaints)
}
