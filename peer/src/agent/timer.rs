//! Sending again: after 100, 200, 400, 800 ms, then every second, for at most 6 s.

use std::time::{Duration, Instant};

/// Silence after which a request, a ringing leg or a call is given up.
pub const PATIENCE: Duration = Duration::from_secs(6);

/// An answered call is lost after this long without a word of the sound, which speaks up once a second at most.
pub const TALK_PATIENCE: Duration = Duration::from_secs(7);

/// Between two INVITEs or RINGINGs while it rings.
pub const RING_REPEAT: Duration = Duration::from_secs(2);

/// Whoever answers at all has answered within this time.
const LITTLE_HOPE: Duration = Duration::from_secs(1);

const FIRST_WAIT: Duration = Duration::from_millis(100);

/// Doubling for ever would leave a hole of three seconds at the end, in which a network comes back unnoticed.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// When a request is to be sent again, and when to give it up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resend {
    next: Instant,
    wait: Duration,
    until: Instant,
}

/// What a look at the clock says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// Not yet.
    Wait,
    /// Send it again now.
    Again,
    /// Nobody will answer any more.
    GiveUp,
}

impl Resend {
    /// For a request that has just been sent.
    pub fn after(now: Instant) -> Self {
        Self { next: now + FIRST_WAIT, wait: FIRST_WAIT, until: now + PATIENCE }
    }

    /// For a request whose first sending is due now.
    pub fn at_once(now: Instant) -> Self {
        Self { next: now, wait: Duration::ZERO, until: now + PATIENCE }
    }

    /// The other side lives: it has as long again to answer.
    pub fn hope(&mut self, now: Instant) {
        self.until = now + PATIENCE;
    }

    /// There is little hope: it is given up soon.
    pub fn despair(&mut self, now: Instant) {
        self.until = self.until.min(now + LITTLE_HOPE);
    }

    /// When to look again.
    pub fn deadline(&self) -> Instant {
        self.next.min(self.until)
    }

    /// Looks at the clock; [`Due::Again`] also winds it up for the next time.
    pub fn due(&mut self, now: Instant) -> Due {
        if now >= self.until {
            return Due::GiveUp;
        }
        if now < self.next {
            return Due::Wait;
        }
        self.wait = (self.wait * 2).clamp(FIRST_WAIT, LONGEST_WAIT);
        self.next = now + self.wait;
        Due::Again
    }
}

/// The earlier of two deadlines, where there are any.
pub fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_sent_again_with_doubled_waits_for_six_seconds() {
        let start = vox_common::sys::clock::now();
        let mut resend = Resend::after(start);
        let mut sent = Vec::new();
        for ms in 0..=6000 {
            match resend.due(start + Duration::from_millis(ms)) {
                Due::Again => sent.push(ms),
                Due::GiveUp => assert_eq!(ms, 6000),
                Due::Wait => {}
            }
        }
        assert_eq!(sent, [100, 300, 700, 1500, 2500, 3500, 4500, 5500]);
    }
}
