//! PURE: a rate limit with a burst, as one instant of memory (the generic cell rate algorithm, ATM Forum TM 4.1; what
//! RFC 2697 calls a token bucket).

use std::time::{Duration, Instant};

/// So many at once, and one more for each interval that has passed.
#[derive(Debug, Clone, Copy)]
pub struct RateLimit {
    interval: Duration,
    burst: u32,
    /// When the whole burst will be there again. `None`: it is, and always was.
    full: Option<Instant>,
}

impl RateLimit {
    /// Admits `per_second` in a second, and as many at once.
    pub const fn per_second(per_second: u32) -> Self {
        Self::new(per_second, Duration::from_nanos(1_000_000_000 / per_second as u64))
    }

    /// Admits `burst` at once, and one more each `interval`.
    pub const fn new(burst: u32, interval: Duration) -> Self {
        Self { interval, burst, full: None }
    }

    /// Counts one more and admits it, or refuses it, which costs nothing.
    pub fn admit(&mut self, now: Instant) -> bool {
        let full = self.full.map_or(now, |full| full.max(now)) + self.interval;
        let is_admitted = full <= now + self.interval * self.burst;
        if is_admitted {
            self.full = Some(full);
        }
        is_admitted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::clock;

    #[test]
    fn a_burst_is_admitted_at_once_and_the_rest_at_the_rate() {
        let start = clock::now();
        let mut limit = RateLimit::new(5, Duration::from_millis(100));
        let mut admitted = |ms| (0..100).filter(|_| limit.admit(start + Duration::from_millis(ms))).count();
        assert_eq!([0, 0, 99, 100, 350, 10_000].map(&mut admitted), [5, 0, 0, 1, 2, 5]);
    }

    #[test]
    fn a_rate_is_its_own_burst() {
        let start = clock::now();
        let mut limit = RateLimit::per_second(50);
        assert_eq!((0..1_000).filter(|_| limit.admit(start)).count(), 50);
        assert_eq!((0..1_000).filter(|_| limit.admit(start + Duration::from_secs(1))).count(), 50);
    }
}
