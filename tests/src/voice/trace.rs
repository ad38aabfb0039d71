//! Paths that lose and delay, always in the same way for the same seed.

use std::fmt;
use std::time::Duration;

/// A small generator (splitmix64).
pub struct Dice(pub u64);

impl Dice {
    /// 0 to 1, 1 excluded.
    pub fn share(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        #[expect(clippy::cast_precision_loss, reason = "53 bits")]
        let share = ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64;
        share
    }
}

/// Which packets are lost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Loss {
    /// Each with this probability, whatever became of the others.
    Random(f64),
    /// This share of all, three at a time.
    Threes(f64),
    /// Gilbert and Elliott: this share of all, in bursts of this mean length, all of a burst.
    Bursts(f64, f64),
}

impl fmt::Display for Loss {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Random(share) if *share == 0.0 => out.write_str("none"),
            Self::Random(share) => write!(out, "{:.0} % random", share * 100.0),
            Self::Threes(share) => write!(out, "{:.0} % in bursts of three", share * 100.0),
            Self::Bursts(share, length) => {
                write!(out, "{:.0} % in bursts of {length} on average", share * 100.0)
            }
        }
    }
}

/// A path with its memory.
pub struct Path {
    loss: Loss,
    /// Delay is uniform between nothing and this.
    jitter: Duration,
    /// Packets that are still to be lost.
    losing: u32,
    is_bad: bool,
}

impl Path {
    /// A path that is good at first.
    pub fn new(loss: Loss, jitter: Duration) -> Self {
        Self { loss, jitter, losing: 0, is_bad: false }
    }

    /// The extra delay of the next packet; `None`: it is lost.
    pub fn pass(&mut self, dice: &mut Dice) -> Option<Duration> {
        let delay = self.jitter.mul_f64(dice.share());
        (!self.loses(dice.share())).then_some(delay)
    }

    fn loses(&mut self, dice: f64) -> bool {
        match self.loss {
            Loss::Random(share) => dice < share,
            Loss::Threes(share) => {
                // One good packet in so many begins a burst.
                let begins = self.losing == 0 && dice < share / (3.0 - 2.0 * share);
                self.losing = if begins { 3 } else { self.losing };
                let lost = self.losing > 0;
                self.losing = self.losing.saturating_sub(1);
                lost
            }
            Loss::Bursts(share, length) => {
                let recovers = 1.0 / length;
                let worsens = recovers * share / (1.0 - share);
                self.is_bad = if self.is_bad { dice >= recovers } else { dice < worsens };
                self.is_bad
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_loses_what_it_says() {
        for (loss, wanted) in [
            (Loss::Random(0.1), 0.1),
            (Loss::Threes(0.1), 0.1),
            (Loss::Threes(0.3), 0.3),
            (Loss::Bursts(0.2, 4.0), 0.2),
        ] {
            let (mut path, mut dice) = (Path::new(loss, Duration::from_millis(60)), Dice(1));
            let passed: Vec<Option<Duration>> = (0..100_000).map(|_| path.pass(&mut dice)).collect();
            let lost = passed.iter().filter(|delay| delay.is_none()).count();
            #[expect(clippy::cast_precision_loss, reason = "a share")]
            let share = lost as f64 / passed.len() as f64;
            assert!((share - wanted).abs() < 0.01, "{loss}: {share}");
            assert!(passed.iter().flatten().all(|delay| *delay < Duration::from_millis(60)));
        }
    }
}
