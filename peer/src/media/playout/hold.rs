//! As long as copies are of use, they are waited for: a delay that came and went with each frame that only its second
//! copy brings back would be heard, and the frame would not.

/// Copies are waited for until none of this age (up to 1 ms) was needed for three times as long as a late packet is
/// remembered. At 5 % loss every 400th frame needs its second copy: at 50 frames a second one each 8 s.
const WINDOWS: i64 = 3;

/// What the network adds to or takes from the age of a copy.
const ABOUT: i64 = 48;

/// The slowest recovery of late; in samples of the card's clock.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Hold(Option<Recovery>);

#[derive(Debug, Clone, Copy)]
struct Recovery {
    came: i64,
    transit: i64,
}

impl Hold {
    /// A frame came in a copy, at `came` and after `transit`.
    pub(super) fn note(&mut self, came: i64, transit: i64, window: i64) {
        if self.held(came, window).is_none_or(|held| transit >= held - ABOUT) {
            self.0 = Some(Recovery { came, transit });
        }
    }

    /// How long a frame may take because its copy is worth it, if so much is waited for already (`most`).
    pub(super) fn worth(&self, now: i64, most: i64, window: i64) -> Option<i64> {
        self.held(now, window).filter(|&transit| transit <= most + ABOUT)
    }

    fn held(&self, now: i64, window: i64) -> Option<i64> {
        let is_held = |recovery: &Recovery| now - recovery.came < WINDOWS * window;
        self.0.filter(is_held).map(|recovery| recovery.transit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_copy_is_waited_for_until_it_was_not_needed_for_three_windows() {
        const WINDOW: i64 = 32_000;
        let mut hold = Hold::default();
        assert_eq!(hold.worth(0, 5_000, WINDOW), None);
        hold.note(0, 2_880, WINDOW);
        hold.note(10_000, 1_440, WINDOW);
        assert_eq!(hold.worth(90_000, 5_000, WINDOW), Some(2_880));
        assert_eq!(hold.worth(90_000, 2_000, WINDOW), None, "nobody waits for so long yet");
        assert_eq!(hold.worth(96_000, 5_000, WINDOW), None);
        hold.note(100_000, 1_440, WINDOW);
        hold.note(110_000, 1_430, WINDOW);
        assert_eq!(hold.worth(200_000, 5_000, WINDOW), Some(1_430));
    }
}
