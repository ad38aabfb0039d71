//! What a registry counts: for STATS, for the page, and for Prometheus.

use std::fmt;

/// Something that is counted from the start on and never goes down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counter {
    /// Connections that were greeted.
    Connections,
    /// Connections whose lines were sealed.
    Sealed,
    /// Lines that were heard, served or not.
    Requests,
    /// Lines that were refused.
    Refusals,
    /// Names that were taken.
    Registrations,
    /// Private messages that were delivered.
    Messages,
    /// Broadcasts.
    Broadcasts,
    /// Words said in rooms.
    Sayings,
    /// Lines refused because they came too fast.
    SlowDowns,
    /// Connections refused: full, banned, too many or too fast from one address.
    TurnedAway,
    /// Connections ended by the registry: idle, kicked, banned, too fast, replaced.
    Dismissed,
    /// Readers that were too slow and let go.
    SlowReaders,
}

impl Counter {
    /// All of them, in the order in which they are told.
    pub const ALL: [Self; 12] = [
        Self::Connections,
        Self::Sealed,
        Self::Requests,
        Self::Refusals,
        Self::Registrations,
        Self::Messages,
        Self::Broadcasts,
        Self::Sayings,
        Self::SlowDowns,
        Self::TurnedAway,
        Self::Dismissed,
        Self::SlowReaders,
    ];

    /// Its one word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::Sealed => "sealed",
            Self::Requests => "requests",
            Self::Refusals => "refusals",
            Self::Registrations => "registrations",
            Self::Messages => "messages",
            Self::Broadcasts => "broadcasts",
            Self::Sayings => "sayings",
            Self::SlowDowns => "slow-downs",
            Self::TurnedAway => "turned-away",
            Self::Dismissed => "dismissed",
            Self::SlowReaders => "slow-readers",
        }
    }

    /// What it counts, for people.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Connections => "connections that were greeted",
            Self::Sealed => "connections whose lines were sealed",
            Self::Requests => "lines that were heard",
            Self::Refusals => "lines that were refused",
            Self::Registrations => "names that were taken",
            Self::Messages => "private messages that were delivered",
            Self::Broadcasts => "broadcasts",
            Self::Sayings => "words said in rooms",
            Self::SlowDowns => "lines refused because they came too fast",
            Self::TurnedAway => "connections refused: full, banned, too many or too fast",
            Self::Dismissed => "connections ended by the registry",
            Self::SlowReaders => "readers that were too slow and let go",
        }
    }
}

/// All counts since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counters([u64; Counter::ALL.len()]);

impl Counters {
    pub(super) const fn new() -> Self {
        Self([0; Counter::ALL.len()])
    }

    /// One more.
    pub(super) fn count(&mut self, counter: Counter) {
        self.0[counter as usize] += 1;
    }

    /// How many there were.
    pub fn of(&self, counter: Counter) -> u64 {
        self.0[counter as usize]
    }
}

/// `word=n` for each.
impl fmt::Display for Counters {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = Counter::ALL.iter().zip(self.0);
        words.enumerate().try_for_each(|(n, (counter, count))| {
            let space = if n == 0 { "" } else { " " };
            write!(out, "{space}{}={count}", counter.word())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_counts_for_itself() {
        let mut counters = Counters::new();
        for (n, counter) in (1..).zip(Counter::ALL) {
            (0..n).for_each(|_| counters.count(counter));
        }
        for (n, counter) in (1..).zip(Counter::ALL) {
            assert_eq!(counters.of(counter), n, "{}", counter.word());
        }
        assert!(counters.to_string().starts_with("connections=1 sealed=2 requests=3 "));
    }
}
