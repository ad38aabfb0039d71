//! Holes in a hum that should have none, and which of them nobody could have prevented: the machine stood still.

use std::time::Duration;

use super::jack::Heard;
use super::listen;
use super::wav::{RATE, Recording};

/// Samples of silence that are a hole in a hum.
pub const HOLE: usize = 24;

/// So near to a stall a hole is excused, in seconds.
const NEAR: f64 = 0.05;

/// The holes in what one loudspeaker played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holes {
    /// All of them, after the first second of the call.
    pub all: usize,
    /// Those that neither the witness nor the card's own beat excuses.
    pub unexcused: usize,
    /// How often the witness was late.
    pub witnessed: usize,
    /// How often the card's own beat was late.
    pub stalled: usize,
}

impl Holes {
    /// Looks for them in a hum on a card whose clock ticks every `tick` samples, for a program with this period: who
    /// was late by more than half of it excuses.
    pub fn find(ear: &Recording, heard: &Heard, tick: u32, period: u32) -> Self {
        let half_a_period = f64::from(period) / 2.0 / f64::from(RATE);
        let (witnessed, stalled) = (witness(heard, half_a_period), stalls(heard, tick, half_a_period));
        let holes = holes(ear, heard);
        let is_excused = |hole: &f64| witnessed.iter().chain(&stalled).any(|late| (late - hole).abs() < NEAR);
        Self {
            all: holes.len(),
            unexcused: holes.iter().filter(|hole| !is_excused(hole)).count(),
            witnessed: witnessed.len(),
            stalled: stalled.len(),
        }
    }
}

/// When there were holes, in seconds since boot.
fn holes(ear: &Recording, heard: &Heard) -> Vec<f64> {
    let cycles = heard.table("cycles.csv");
    let Some(first) = ear.samples.iter().position(|sample| sample.abs() > 0.02) else { return Vec::new() };
    let from = first + RATE as usize;
    let rest = Recording { rate: RATE, samples: ear.samples.get(from..).unwrap_or_default().to_vec() };
    let starts = listen::silences(&rest, HOLE).into_iter();
    starts.filter_map(|sample| since_boot(&cycles, from + sample)).collect()
}

/// When a thread above all others that does nothing but wake was late by more than so many seconds.
fn witness(heard: &Heard, by: f64) -> Vec<f64> {
    let rows = heard.table("witness.csv").into_iter();
    rows.filter(|row| row.len() == 2 && row[1] > by * 1e3).map(|row| row[0]).collect()
}

/// When the card itself was late by more than so many seconds: a beat that came too long after the one before.
fn stalls(heard: &Heard, tick: u32, by: f64) -> Vec<f64> {
    let beat = f64::from(tick) / f64::from(RATE);
    let cycles: Vec<f64> = heard.table("cycles.csv").iter().filter_map(|row| row.get(1).copied()).collect();
    cycles.windows(2).filter(|two| two[1] - two[0] > beat + by).map(|two| two[1]).collect()
}

/// The time at which the card played this sample.
fn since_boot(cycles: &[Vec<f64>], sample: usize) -> Option<f64> {
    let seconds = Duration::from_micros(sample as u64 * 1_000_000 / u64::from(RATE)).as_secs_f64();
    let after = cycles.partition_point(|row| row.first().is_some_and(|at| *at <= seconds));
    cycles.get(after.checked_sub(1)?)?.get(1).copied()
}
