//! Which packets have come: the replay list of RFC 3711 section 3.3.2, as a ring of bits (RFC 6479).

/// How many numbers are remembered below the highest one. What is older is refused: at 1.25 ms that is later than a
/// second, which nobody waits for.
pub(super) const REMEMBERED: u64 = 1_024;

const WORDS: usize = 17;
const _: () = assert!((WORDS as u64 - 1) * 64 == REMEMBERED, "a word is cleared before it is needed again");

/// Numbers from some highest one down to [`REMEMBERED`] below it.
#[derive(Debug, Clone, Default)]
pub(super) struct Window {
    highest: Option<u64>,
    seen: [u64; WORDS],
}

impl Window {
    /// The highest number so far.
    pub(super) fn highest(&self) -> Option<u64> {
        self.highest
    }

    /// Whether a number has not come yet, as far as is remembered.
    pub(super) fn is_new(&self, number: u64) -> bool {
        let Some(highest) = self.highest else { return true };
        let fits = highest.saturating_sub(number) < REMEMBERED;
        number > highest || (fits && self.seen[word(number)] & bit(number) == 0)
    }

    /// Notes a number that is new and proved.
    pub(super) fn note(&mut self, number: u64) {
        let before = self.highest.unwrap_or(number);
        if self.highest.is_none_or(|highest| number > highest) {
            let steps = (number / 64 - before / 64).min(WORDS as u64);
            (0..steps).for_each(|step| self.seen[word(number - 64 * step)] = 0);
            self.highest = Some(number);
        }
        self.seen[word(number)] |= bit(number);
    }
}

fn word(number: u64) -> usize {
    usize::try_from(number / 64 % WORDS as u64).unwrap_or(0)
}

fn bit(number: u64) -> u64 {
    1 << (number % 64)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Against a list that remembers everything.
        #[test]
        fn a_number_is_new_once_and_only_while_it_is_remembered(
            steps in prop::collection::vec((0_u64..4, 0_u64..1_300, any::<bool>()), 1..400),
        ) {
            let (mut window, mut all, mut highest) = (Window::default(), BTreeSet::new(), 5_000_u64);
            for (forward, away, far) in steps {
                let number = if far { highest + away * forward } else { (highest + forward).saturating_sub(away) };
                let is_new = !all.contains(&number)
                    && window.highest().is_none_or(|highest| number + REMEMBERED > highest);
                prop_assert_eq!(window.is_new(number), is_new, "{}", number);
                if is_new {
                    window.note(number);
                    all.insert(number);
                    highest = highest.max(number);
                }
            }
        }
    }
}
