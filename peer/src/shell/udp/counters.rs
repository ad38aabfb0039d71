//! What came in by UDP and what became of it; written by the thread `udp`, read by `status`.

use std::sync::atomic::{AtomicU64, Ordering};

/// A count that one thread raises and others read.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// The count as it is now.
    pub fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Datagrams by what became of them.
        #[derive(Debug, Default)]
        pub struct UdpCounters { $($(#[$doc])* pub $name: Count,)* }

        /// [`UdpCounters`] at one moment.
        #[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
        pub struct UdpCounts { $($(#[$doc])* pub $name: u64,)* }

        impl UdpCounters {
            /// All counts as they are now.
            pub fn read(&self) -> UdpCounts {
                UdpCounts { $($name: self.$name.read(),)* }
            }
        }

        impl UdpCounts {
            /// Name and value of each count, in a fixed order.
            pub fn words(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$((stringify!($name), self.$name),)*].into_iter()
            }
        }
    };
}

counters! {
    /// Signals passed on.
    signals,
    /// Signals beyond what one second may bring, or what the agent has room for.
    signals_dropped,
    /// RTP and RTCP of a known leg.
    media,
    /// RTP and RTCP of nobody we talk to.
    strangers,
    /// From a known leg, but neither RTP with a payload of ours nor RTCP.
    invalid,
    /// From a known leg, but not sealed with its keys: forged, changed on its way, or in the clear.
    unopened,
    /// Sealed media that had come before, or so late that nobody knows.
    replayed,
    /// Longer than anything of its kind may be.
    oversize,
    /// Media that came faster than it could be kept.
    overflowed,
    /// First byte of no protocol of ours.
    unknown,
    /// Destinations that the network refused.
    refused,
    /// Answers to senders who had proved nothing that were not sent, because other datagrams waited.
    withheld,
}
