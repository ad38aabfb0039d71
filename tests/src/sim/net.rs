//! The network between two stations: what it loses, delays, reorders, repeats, and when it is dead.

use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

/// Something random in a simulation.
#[derive(Debug)]
pub struct Chance(pub ChaCha8Rng);

impl Chance {
    /// True in so many of a thousand cases.
    pub fn permille(&mut self, permille: u32) -> bool {
        self.0.next_u32() % 1000 < permille
    }

    /// Below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0.next_u64() % bound
    }
}

/// How bad it is.
#[derive(Debug, Clone, Copy)]
pub struct Weather {
    /// Datagrams lost, of a thousand.
    pub loss: u32,
    /// Datagrams repeated, of a thousand.
    pub repeats: u32,
    /// The least one-way delay.
    pub delay_ms: u64,
    /// What is added to it at random, which reorders.
    pub jitter_ms: u64,
}

impl Weather {
    /// From a wired LAN to a bad mobile network.
    pub fn of(chance: &mut Chance) -> Self {
        let loss = [0, 0, 50, 200, 400][usize::try_from(chance.below(5)).expect("below five")];
        let repeats = [0, 0, 100][usize::try_from(chance.below(3)).expect("below three")];
        Self {
            loss,
            repeats,
            delay_ms: chance.below(50),
            jitter_ms: [0, 5, 300][usize::try_from(chance.below(3)).expect("below three")],
        }
    }
}

/// Delays of the copies of one datagram that arrive; none when it is lost.
pub fn carry(weather: Weather, chance: &mut Chance) -> Vec<Duration> {
    let copies = match (chance.permille(weather.loss), chance.permille(weather.repeats)) {
        (true, _) => 0,
        (false, false) => 1,
        (false, true) => 2,
    };
    (0..copies)
        .map(|_| Duration::from_millis(weather.delay_ms + chance.below(weather.jitter_ms + 1)))
        .collect()
}
