//! The least and the most of something over the last half to whole second.

/// Samples played in one half of the window.
const HALF: u64 = 24_000;

/// Least and most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    /// The least.
    pub(super) least: i64,
    /// The most.
    pub(super) most: i64,
}

impl Range {
    fn with(self, other: Self) -> Self {
        Self { least: self.least.min(other.least), most: self.most.max(other.most) }
    }
}

/// Two halves: the one that fills, and the one before it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Extremes {
    filling: Option<Range>,
    before: Option<Range>,
    ends: u64,
}

impl Extremes {
    /// Takes note of a value.
    pub(super) fn note(&mut self, value: i64) {
        let range = self.filling.unwrap_or(Range { least: value, most: value });
        self.filling = Some(range.with(Range { least: value, most: value }));
    }

    /// Lets time pass, counted in samples played.
    pub(super) fn turn(&mut self, played: u64) {
        if played >= self.ends {
            *self = Self { filling: None, before: self.filling, ends: played + HALF };
        }
    }

    /// The range of the last half to whole second. `None`: nothing was noted.
    pub(super) fn range(&self) -> Option<Range> {
        match (self.before, self.filling) {
            (Some(before), Some(filling)) => Some(before.with(filling)),
            (one, other) => one.or(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_is_the_last_two_halves() {
        let mut extremes = Extremes::default();
        extremes.turn(0);
        assert_eq!(extremes.range(), None);
        extremes.note(5);
        extremes.turn(23_999);
        extremes.turn(24_000);
        extremes.note(9);
        extremes.note(7);
        assert_eq!(extremes.range(), Some(Range { least: 5, most: 9 }));
        extremes.turn(48_000);
        assert_eq!(extremes.range(), Some(Range { least: 7, most: 9 }));
    }
}
