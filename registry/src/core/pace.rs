//! How fast one connection may ask, and what happens when it asks faster.

use std::time::{Duration, Instant};

use vox_common::wire::event::Farewell;
use vox_common::wire::refusal::Refusal;
use vox_common::wire::request::Request;
use vox_common::wire::verb::Verb;

use super::connections::Connection;
use super::counters::Counter;
use super::{ConnId, Out, Registry, Tables};

/// Refusals in a row after which a connection has ignored them. A station never has more requests on their way.
const IGNORED: u32 = 64;

/// `[limits]`; `None`: no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections from one address at a time.
    pub connections_per_address: Option<usize>,
    /// How fast requests may come.
    pub pace: Option<Pace>,
    /// How long a connection may be silent without REGISTER.
    pub idle_unregistered: Option<Duration>,
}

/// A token bucket of one connection; that of an address is eight times as large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Requests per second, once the burst is used up.
    pub per_second: u32,
    /// Requests that may come at once.
    pub burst: u32,
}

/// What a request costs, in those of the cheapest. Long answers, what goes to many, and making keys cost more.
fn cost(verb: Verb) -> u32 {
    match verb {
        Verb::List | Verb::Broadcast => 8,
        Verb::Secure | Verb::Help | Verb::Members | Verb::Rooms | Verb::Stats | Verb::Say | Verb::Status => 4,
        _ => 1,
    }
}

/// A bucket, by the time at which it will be full again (the generic cell rate algorithm, ATM Forum TM 4.1).
#[derive(Debug, Clone, Copy)]
pub(super) struct Bucket(Instant);

impl Bucket {
    pub(super) fn full(now: Instant) -> Self {
        Self(now)
    }

    pub(super) fn is_full(self, now: Instant) -> bool {
        self.0 <= now
    }

    /// The bucket, of `times` a connection's size, without so many tokens. `None`: they are not in it.
    pub(super) fn without(self, tokens: u32, now: Instant, pace: Pace, times: u32) -> Option<Self> {
        let one = one(pace, times);
        let full_again = self.0.max(now) + one * tokens;
        // Even the smallest bucket holds the dearest request.
        let size = (pace.burst * times).max(tokens);
        (full_again.saturating_duration_since(now) <= one * size).then_some(Self(full_again))
    }

    /// The bucket from now on, of `times` a connection's size: it may have been emptied at a slower pace, and is no
    /// emptier than empty.
    pub(super) fn at(self, pace: Pace, now: Instant, times: u32) -> Self {
        Self(self.0.min(now + one(pace, times) * (pace.burst * times)))
    }
}

/// The time in which one token comes back.
fn one(pace: Pace, times: u32) -> Duration {
    Duration::from_secs(1) / pace.per_second / times
}

impl Registry<'_> {
    /// From now on requests may come at another pace, if the settings say so.
    pub(super) fn change_pace(&mut self) {
        let Tables { connections, addresses, .. } = &mut *self.tables;
        if let Some(pace) = self.settings.limits.pace {
            connections.change_pace(pace, self.now);
            addresses.change_pace(pace, self.now);
        }
    }

    /// Whether this request does not come too fast; one that is none costs as much as the cheapest.
    pub(super) fn is_slow_enough(&mut self, conn: ConnId, request: Option<&Request<'_>>) -> bool {
        let tokens = request.map_or(1, |request| cost(request.verb()));
        let may = self.settings.limits.pace.is_none_or(|pace| self.pay(conn, tokens, pace).is_some());
        if let Some(connection) = self.tables.connections.live(conn) {
            connection.refused_in_a_row = if may { 0 } else { connection.refused_in_a_row + 1 };
        }
        may
    }

    /// Takes tokens from the connection and from its address, or from neither.
    fn pay(&mut self, conn: ConnId, tokens: u32, pace: Pace) -> Option<()> {
        let Tables { connections, addresses, .. } = &mut *self.tables;
        let connection = connections.live(conn)?;
        let address = addresses.of(connection.ends.from(), self.now)?;
        let own = connection.bucket.without(tokens, self.now, pace, 1)?;
        address.bucket = address.without(tokens, self.now, pace)?;
        connection.bucket = own;
        Some(())
    }

    /// Says so; somebody who does not listen has to go.
    pub(super) fn slow_down(&mut self, conn: ConnId, out: Out<'_>) {
        self.counters.count(Counter::SlowDowns);
        self.refuse(conn, Refusal::SlowDown, out);
        let ignores = |connection: &mut Connection| connection.refused_in_a_row > IGNORED;
        if self.tables.connections.live(conn).is_some_and(ignores) {
            self.dismiss(conn, Some(Farewell::TooFast), out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vox_common::sys::clock;

    const PACE: Pace = Pace { per_second: 20, burst: 100 };

    fn take(bucket: &mut Bucket, now: Instant, pace: Pace, tokens: u32) -> bool {
        let rest = bucket.without(tokens, now, pace, 1);
        *bucket = rest.unwrap_or(*bucket);
        rest.is_some()
    }

    #[test]
    fn a_bucket_holds_its_burst_and_fills_again() {
        let start = clock::now();
        let mut bucket = Bucket::full(start);
        let taken = |bucket: &mut Bucket, at: Duration| {
            (0..1000).take_while(|_| take(bucket, start + at, PACE, 1)).count()
        };
        assert_eq!(taken(&mut bucket, Duration::ZERO), 100);
        assert_eq!(taken(&mut bucket, Duration::from_secs(1)), 20);
        assert_eq!(taken(&mut bucket, Duration::from_secs(3600)), 100, "it never holds more than its burst");
    }

    #[test]
    fn what_costs_more_than_the_burst_is_served_from_a_full_bucket() {
        let start = clock::now();
        let mut bucket = Bucket::full(start);
        let small = Pace { per_second: 1, burst: 2 };
        assert!(take(&mut bucket, start, small, 8));
        assert!(!take(&mut bucket, start, small, 1));
    }
}
