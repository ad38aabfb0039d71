//! The playout in weather of every kind, as a table under version control: what a change makes better or worse is seen
//! in the change.

use std::fmt::Write as _;

use vox_peer::media::profile::Profile;

use crate::network::{CALM, Outcome, Weather, run};

const SECOND: u64 = 48_000;
const MS: u64 = 48;

/// The first seconds are for finding the level.
const FROM: u64 = 4 * SECOND;
const SECONDS: u64 = 12;

const HEAD: &str = "# The playout in bad weather

Made by `UPDATE=1 cargo test -p vox-peer --test playout grid`: 10 ms frames and periods, the profile `wifi`, 12 s of
which the last 8 count, always the same seed. Loss is of packets, by themselves or in bursts of three on average (Gilbert
and Elliott); each packet takes 0 to *jitter* longer, in any order; the sender's clock is fast by *drift*. Delay is from
capture to play without frame and path, median and (where nothing is lost) 99th percentile; *made up* is the share of all samples, *stretched*
the sound left out or repeated, a pitch period at a time, in the 12 s.

| loss, % | burst | jitter, ms | drift, ppm | delay, ms | p99, ms | made up, % | stretched, ms |
|---|---|---|---|---|---|---|---|
";

fn all() -> impl Iterator<Item = Weather> {
    let losses = [(0, 1), (10, 1), (10, 3), (30, 3)];
    let jitters = losses.into_iter().flat_map(|loss| [0, 5, 20, 60].map(|jitter| (loss, jitter)));
    jitters.flat_map(|((loss, burst), jitter)| {
        [-300, 0, 300].map(|drift| {
            let jitter = jitter * MS;
            Weather { frame: 480, period: 480, loss, burst, jitter, drift, profile: Profile::Wifi, ..CALM }
        })
    })
}

#[expect(clippy::cast_precision_loss, reason = "seconds in samples")]
fn row(weather: &Weather, outcome: &Outcome) -> String {
    let ms = |samples: u64| samples as f64 / MS as f64;
    let (median, slow) = outcome.percentiles(FROM, SECONDS * SECOND);
    let path = weather.frame + MS;
    let Weather { loss, burst, jitter, drift, .. } = weather;
    // What stands for a lost packet looks like sound from long ago.
    let slow = if *loss == 0 { format!("{:.1}", ms(slow.saturating_sub(path))) } else { String::new() };
    let mut row = String::new();
    write!(
        row,
        "| {loss} | {burst} | {} | {drift} | {:.1} | {slow} | {:.2} | {:.0} |",
        jitter / MS,
        ms(median.saturating_sub(path)),
        outcome.made_up() as f64 / 100.0,
        ms(outcome.counters.stretched),
    )
    .expect("memory");
    row
}

#[test]
fn the_grid_is_as_it_was() {
    let rows: Vec<String> = all().map(|weather| row(&weather, &run(weather, 1, SECONDS))).collect();
    let table = format!("{HEAD}{}\n", rows.join("\n"));
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/playout/grid.md");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, table).expect("the table is written");
    } else {
        let before = std::fs::read_to_string(path).expect("the table");
        assert!(before == table, "run it with UPDATE=1, and look at what has changed:\n{table}");
    }
}
