//! Stories of two stations, a registry and a bad network: `SEEDS=100000 cargo test --test simulation` tells more.

use std::env;

use vox_tests::sim::{Pairs, tell};

/// Stories that are told without SEEDS.
const STORIES: u64 = 2_000;

/// What stands above the table.
const HEAD: &str = "# How the calls of the simulated stories end

Made by `UPDATE=1 cargo test -p vox-tests --test simulation`: 2,000 stories, in which stations are killed, networks
die and lose up to 40 % of all datagrams. An empty field is a side that was killed, or never heard of the call. Both
sides agree, but where one of them was killed or the network delivered nothing for six seconds.

";

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
    if (first, stories) == (0, STORIES) {
        compare(&pairs.to_string());
    }
    assert!(
        complaints.is_empty(),
        "{} complaints, of them:\n{}",
        complaints.len(),
        complaints[..complaints.len().min(20)].join("\n")
    );
}

/// The table under version control shows what a change does to the endings of calls.
fn compare(pairs: &str) {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/simulation.md");
    let table = format!("{HEAD}{pairs}");
    if env::var_os("UPDATE").is_some() {
        std::fs::write(file, &table).expect("the table can be written");
    }
    let kept = std::fs::read_to_string(file).expect("the table is there");
    assert_eq!(kept, table, "the endings have changed; if they should, run again with UPDATE=1");
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
