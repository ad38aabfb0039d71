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

    /// Lets time pass, counted in samples played. At the end of each half: the range of the last two, if something
    /// was noted in both.
    pub(super) fn turn(&mut self, played: u64) -> Option<Range> {
        if played < self.ends {
            return None;
        }
        let whole = self.before.zip(self.filling).map(|(before, filling)| before.with(filling));
        *self = Self { filling: None, before: self.filling, ends: played + HALF };
        whole
    }

    /// The range of the last half to whole second. `None`: nothing was noted.
    pub(super) fn range(&self) -> Option<Range> {
        match (self.before, self.filling) {
            (Some(before), Some(filling)) => Some(before.with(filling)),
            (one, other) => one.or(other),
        }
    }

    /// Forgets everything; the next whole half begins now.
    pub(super) fn restart(&mut self, played: u64) {
        *self = Self { filling: None, before: None, ends: played + HALF };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_is_the_last_two_halves() {
        let mut extremes = Extremes::default();
        assert_eq!((extremes.range(), extremes.turn(0)), (None, None));
        extremes.note(5);
        assert_eq!(extremes.turn(23_999), None);
        assert_eq!(extremes.turn(24_000), None, "one half is not enough");
        extremes.note(9);
        extremes.note(7);
        assert_eq!(extremes.range(), Some(Range { least: 5, most: 9 }));
        assert_eq!(extremes.turn(48_000), Some(Range { least: 5, most: 9 }));
        assert_eq!(extremes.range(), Some(Range { least: 7, most: 9 }));
        extremes.restart(50_000);
        assert_eq!((extremes.range(), extremes.turn(60_000)), (None, None));
    }
}
