//! How long packets have taken lately: an exact quantile over a sliding window, for a target that rises at once and
//! falls when the last late packet is forgotten.
//!
//! The window of relative delays and their quantile are those of WebRTC's `NetEq`; a window forgets at a known time,
//! where an exponential histogram forgets a bad minute more slowly than a bad second.

/// Arrivals that are remembered at most; more in a window (1.25 ms frames) make it shorter.
const MOST: usize = 1_024;

/// Packets that come within 1 ms are one event: a network that held some up was late once.
pub(super) const TOGETHER: i64 = 48;

/// A transit time that is off by more than 0.5 s is not believed …
const FAR: i64 = 24_000;

/// … until so many events in a row say so.
const FAR_RUN: u32 = 3;

/// The range is measured at least so often (10 ms) while packets come.
const BETWEEN: i64 = 480;

/// The fastest one in so many is left out: it may have lied about its time.
const LIARS: usize = 8;

/// One arrival: when, and how long it had taken, up to a constant; in samples of the card's clock.
#[derive(Debug, Clone, Copy, Default)]
struct Event {
    came: i64,
    /// What is waited for: of a packet, or of a copy that is worth as much.
    transit: i64,
    /// Of packets alone. `None`: none came.
    took: Option<i64>,
}

/// The range of transit times that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    /// What all but an eighth of the packets take at least, whatever else is waited for.
    pub(super) least: i64,
    /// What all but a share of them keep to, and what is waited for like them.
    pub(super) most: i64,
}

/// The arrivals of the last few seconds.
pub(super) struct Transits {
    events: Box<[Event]>,
    /// Room to sort in.
    sorted: Box<[i64; MOST]>,
    /// Where the next event goes.
    next: usize,
    filled: usize,
    /// Events in a row that were far off, and when the last one was.
    far: u32,
    last_far: i64,
    /// As measured at this time.
    range: Option<Range>,
    measured: i64,
}

impl Transits {
    /// Allocates everything.
    pub(super) fn new() -> Self {
        let events = vec![Event::default(); MOST].into_boxed_slice();
        let sorted = Box::new([0; MOST]);
        Self { events, sorted, next: 0, filled: 0, far: 0, last_far: i64::MIN, range: None, measured: 0 }
    }

    /// Forgets all arrivals.
    pub(super) fn clear(&mut self) {
        (self.next, self.filled, self.range) = (0, 0, None);
        (self.far, self.last_far) = (0, i64::MIN);
    }

    /// A packet came at `came`, after `transit`. Looks back no longer than `window`, and lets the share of `1 −
    /// quantile` be late, but one event at least.
    pub(super) fn note(&mut self, came: i64, transit: i64, window: i64, quantile: f64) {
        self.take(Event { came, transit, took: Some(transit) }, window, quantile);
    }

    /// Something is worth waiting for as long as for a packet that came at `came` after `transit`, though none did.
    pub(super) fn wait_for(&mut self, came: i64, transit: i64, window: i64, quantile: f64) {
        self.take(Event { came, transit, took: None }, window, quantile);
    }

    fn take(&mut self, event: Event, window: i64, quantile: f64) {
        let Event { came, transit, .. } = event;
        if self.is_far(came, transit) {
            return;
        }
        self.expire(came - window);
        match self.newest() {
            Some(newest) if came - newest.came < TOGETHER => newest.join(event),
            _ => self.add(event),
        }
        if self.filled == 1 {
            self.events[(self.next + MOST - 1) % MOST].transit = transit; // what was held up before tells nothing
        }
        if self.is_news(came, transit) {
            self.measured = came;
            self.range = Some(self.measured(quantile));
        }
    }

    /// The range of transit times. `None`: nothing has come.
    pub(super) fn range(&self) -> Option<Range> {
        self.range
    }

    fn is_far(&mut self, came: i64, transit: i64) -> bool {
        let off = self.range.map_or(0, |range| (range.most - transit).max(transit - range.least));
        if off <= FAR {
            self.far = 0;
            return false;
        }
        if came.saturating_sub(self.last_far) >= TOGETHER {
            (self.far, self.last_far) = (self.far + 1, came);
        }
        if self.far >= FAR_RUN {
            self.clear();
        }
        self.range.is_some()
    }

    /// What is within the range is counted every 10 ms.
    fn is_news(&self, came: i64, transit: i64) -> bool {
        let inside = self.range.is_some_and(|range| (range.least..=range.most).contains(&transit));
        !inside || came - self.measured >= BETWEEN
    }

    fn newest(&mut self) -> Option<&mut Event> {
        (self.filled > 0).then(|| &mut self.events[(self.next + MOST - 1) % MOST])
    }

    fn add(&mut self, event: Event) {
        self.events[self.next] = event;
        self.next = (self.next + 1) % MOST;
        self.filled = (self.filled + 1).min(MOST);
    }

    fn expire(&mut self, before: i64) {
        while self.filled > 0 && self.events[(self.next + MOST - self.filled) % MOST].came < before {
            self.filled -= 1;
        }
    }

    fn measured(&mut self, quantile: f64) -> Range {
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "0 to 1,024"
        )]
        let late = (((1.0 - quantile) * self.filled as f64) as usize).max(1).min(self.filled - 1);
        let most = self.nth_slowest(late, |event| event.transit);
        let liars = self.filled - 1 - self.filled / LIARS;
        let least = self.nth_slowest(liars, |event| event.took.unwrap_or(i64::MAX));
        Range { least: least.min(most), most }
    }

    /// The time of that event when the slowest comes first, from 0.
    fn nth_slowest(&mut self, rank: usize, time: impl Fn(&Event) -> i64) -> i64 {
        let sorted = &mut self.sorted[..self.filled];
        for (at, place) in sorted.iter_mut().enumerate() {
            *place = time(&self.events[(self.next + MOST - 1 - at) % MOST]);
        }
        let (_, &mut found, _) = sorted.select_nth_unstable_by(rank, |one, other| other.cmp(one));
        found
    }
}

impl Event {
    /// Both came together: they are one, as late as the later.
    fn join(&mut self, other: Self) {
        self.transit = self.transit.max(other.transit);
        self.took = self.took.max(other.took);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One packet each 10 ms with these transit times; a quantile of 0.99 over 2 s.
    fn after(transits: impl IntoIterator<Item = i64>) -> Range {
        let mut window = Transits::new();
        for (at, transit) in (0..).zip(transits) {
            window.note(at * 480, transit, 96_000, 0.99);
        }
        window.range().unwrap()
    }

    fn steady(count: usize) -> impl Iterator<Item = i64> {
        std::iter::repeat_n(1_000, count)
    }

    #[test]
    fn a_second_late_packet_is_believed_soon_and_later_a_share_of_them() {
        let late = |count| std::iter::repeat_n(2_000, count);
        assert_eq!(after(steady(3).chain(late(1))).most, 1_000, "one is an accident");
        assert_eq!(after(steady(3).chain(late(2))).most, 2_000);
        assert_eq!(after(steady(300).chain(late(2))).most, 1_000);
        assert_eq!(after(steady(300).chain(late(3))).most, 2_000);
        assert_eq!(after(steady(300).chain(late(3)).chain(steady(200))).most, 1_000, "forgotten");
    }

    #[test]
    fn packets_that_were_held_up_together_were_late_once() {
        let mut window = Transits::new();
        (0..200).for_each(|at| window.note(at * 480, 0, 96_000, 0.99));
        (0..20).for_each(|at| window.note(110_000, 9_600 - at * 480, 96_000, 0.99));
        (0..100).for_each(|at| window.note(120_000, 90_000 - at * 480, 96_000, 0.99));
        assert_eq!(window.range(), Some(Range { least: 0, most: 0 }));
    }

    #[test]
    fn a_jump_is_believed_when_it_is_repeated() {
        assert_eq!(after(steady(30).chain([90_000, -90_000])), Range { least: 1_000, most: 1_000 });
        let moved = after(steady(30).chain([90_000, 90_000, 90_000, 90_010, 90_010]));
        assert_eq!(moved, Range { least: 90_000, most: 90_010 });
    }

    #[test]
    fn what_is_waited_for_does_not_hide_how_fast_packets_are() {
        let mut window = Transits::new();
        for at in 0..200 {
            window.note(at * 480, 1_000 + at % 10, 96_000, 0.99);
            window.wait_for(at * 480, 3_000, 96_000, 0.99);
        }
        assert_eq!(window.range(), Some(Range { least: 1_001, most: 3_000 }));
    }

    #[test]
    fn the_window_is_bounded() {
        let mut window = Transits::new();
        (0..5_000).for_each(|at| window.note(at * 60, at, 1_000_000, 1.0));
        let least = 5_000 - i64::try_from(MOST - MOST / LIARS).unwrap();
        assert_eq!(window.range(), Some(Range { least, most: 4_998 }));
    }
}
