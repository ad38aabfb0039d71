//! When a card that failed is tried again: soon enough for whoever plugs it in again, and not so often that it costs.

use std::time::{Duration, Instant};

/// After a card was lost it is tried again so soon.
pub(super) const FIRST: Duration = Duration::from_millis(500);

/// One that cannot be opened is tried as often as this: whoever plugs it in again hears it within two seconds.
const ABSENT: Duration = Duration::from_secs(1);

/// One that was opened and failed at once is left alone twice as long each time, up to this: it would cost more than
/// it brings.
pub(super) const LONGEST: Duration = Duration::from_secs(16);

/// A card that has worked for so long did not fail at once.
const WORKED: Duration = Duration::from_secs(5);

/// What the failures so far say about the next try.
pub(super) struct Retry {
    /// How long to leave the card alone when it is lost next.
    rest: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self { rest: FIRST }
    }
}

impl Retry {
    /// It calls, and has been open since then.
    pub(super) fn works(&mut self, now: Instant, opened: Instant) {
        if now >= opened + WORKED {
            self.rest = FIRST;
        }
    }

    /// When to try a card again that could not be opened.
    pub(super) fn after_refusal(now: Instant) -> Instant {
        now + ABSENT
    }

    /// When to try a card again that was open.
    pub(super) fn after_loss(&mut self, now: Instant) -> Instant {
        let rest = self.rest;
        self.rest = (rest * 2).min(LONGEST);
        now + rest
    }
}

#[cfg(test)]
mod tests {
    use vox_common::sys::clock;

    use super::*;

    #[test]
    fn a_card_that_fails_at_once_is_left_alone_ever_longer_until_it_works() {
        let (mut retry, now) = (Retry::default(), clock::now());
        let mut rests = || (0..7).map(|_| (retry.after_loss(now) - now).as_millis()).collect::<Vec<_>>();
        assert_eq!(rests(), [500, 1_000, 2_000, 4_000, 8_000, 16_000, 16_000]);
        retry.works(now, now);
        assert_eq!(retry.after_loss(now), now + LONGEST);
        retry.works(now + WORKED, now);
        assert_eq!(retry.after_loss(now), now + FIRST);
    }

    #[test]
    fn one_that_is_not_there_is_looked_for_every_second_however_long_that_lasts() {
        let now = clock::now();
        assert!((0..100).all(|_| Retry::after_refusal(now) <= now + Duration::from_secs(1)));
    }
}
