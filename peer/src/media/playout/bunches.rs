//! Frames that come together: a card that works in longer periods than its frames sends several at once, and for the
//! wait for the next pull they are one long frame.

use super::queue::Entry;
use super::transits::TOGETHER;

/// So many bunches alike (less those unlike) are a habit; more than so many are not counted.
const HABIT: u32 = 3;
const STRONG: u32 = 8;

/// Before so many bunches nobody knows how they come.
const FEW: u32 = 8;

/// How the frames of one sender come.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Bunches {
    /// The latest one: when it came, and its time stamps.
    came: i64,
    start: i64,
    end: i64,
    /// The length that most have had of late, and by how many.
    usual: i64,
    strength: u32,
    seen: u32,
}

impl Bunches {
    /// A frame came at `came` by the card's clock.
    pub(super) fn note(&mut self, came: i64, frame: &Entry) {
        if self.seen > 0 && came - self.came < TOGETHER && frame.time_stamp == self.end {
            self.end = frame.end();
            return;
        }
        if self.seen > 0 {
            self.count(self.end - self.start);
        }
        self.seen = (self.seen + 1).min(FEW);
        (self.came, self.start, self.end) = (came, frame.time_stamp, frame.end());
    }

    /// A time stamp at which a bunch begins, and the length of each. `None`: they come in no such order.
    pub(super) fn order(&self) -> Option<(i64, i64)> {
        (self.strength >= HABIT).then_some((self.start, self.usual))
    }

    /// Whether enough has come to tell.
    pub(super) fn are_known(&self) -> bool {
        self.seen >= FEW
    }

    fn count(&mut self, length: i64) {
        if length == self.usual {
            self.strength = (self.strength + 1).min(STRONG);
        } else if self.strength > 1 {
            self.strength -= 2; // lost packets break bunches
        } else {
            (self.usual, self.strength) = (length, 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::playout::queue::Payload;

    /// Frames of 120 samples that come so long after each other.
    fn after(gaps: impl IntoIterator<Item = i64>) -> Bunches {
        let (mut bunches, mut came) = (Bunches::default(), 0);
        for (sequence, gap) in (0..).zip(gaps) {
            came += gap;
            let now = vox_common::sys::clock::now();
            bunches.note(came, &Entry::new(sequence, sequence * 120, 120, now, Payload::L16));
        }
        bunches
    }

    #[test]
    fn pairs_are_seen_after_a_few_and_though_some_are_broken() {
        let pairs = |count| [240, 0].repeat(count);
        assert!(after(pairs(3)).order().is_none() && !after(pairs(7)).are_known());
        assert!(after(pairs(8)).are_known());
        assert_eq!(after(pairs(20)).order().map(|(_, length)| length), Some(240));
        let broken = pairs(10).into_iter().chain([120, 120]).chain(pairs(5));
        assert_eq!(after(broken).order().map(|(_, length)| length), Some(240));
        assert_eq!(after([120; 20]).order(), Some((19 * 120, 120)));
        assert_eq!(after([120, 0, 120].repeat(10)).order(), None);
    }
}
