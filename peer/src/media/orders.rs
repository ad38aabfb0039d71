//! What the agent asks of the sound, and what the sound tells the agent.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

pub use vox_common::wire::coding::{Codec, Coding};

use super::mouth_to_ear::{MouthToEar, StationDelay};
use super::srtp::keys::MediaKeys;

/// A place in the table of legs (below [`MAX_LEGS`](vox_common::wire::limits::MAX_LEGS)): the playout, the
/// sender and the statistics of a leg stand at the same place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LegId(pub u8);

/// The two ends of a leg's datagrams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Path {
    /// The far end, in its plain form (never `::ffff:a.b.c.d`).
    pub remote: SocketAddr,
    /// The address of ours that the leg was called on, which all answers leave from. `None`: the kernel picks.
    pub local: Option<IpAddr>,
}

/// What the agent asks of the sound.
#[derive(Debug, Clone, PartialEq)]
pub enum MediaOrder {
    /// Begin (or end) to sound the ring on the output device.
    Ring(bool),
    /// A leg is answered: open the devices, take its packets, play them. Nothing is sent before [`MediaOrder::Send`].
    Start {
        /// The leg.
        leg: LegId,
        /// Where its packets come from and go to.
        path: Path,
        /// What this side sends.
        sends: Coding,
        /// Whether the far end has said that it reads redundancy (RFC 2198).
        takes_red: bool,
        /// What both sides seal their media with: keys of this leg alone, which no order brings twice, for under them a
        /// new stream would use numbers again. `None`: both have said that theirs is not sealed.
        keys: Option<MediaKeys>,
    },
    /// The far end is proved to be there (CONFIRM, ACCEPT or valid media came): capture and send.
    Send(LegId),
    /// The leg has ended: stop, and close the devices after the last one.
    Stop(LegId),
    /// Send silence (`true`) or the microphone.
    Mute(bool),
    /// Loudness in percent, 0 to 200.
    Volume(Direction, u8),
}

/// Which way sound goes, seen from the station.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the microphone.
    In,
    /// To the loudspeaker.
    Out,
}

/// What the sound tells the agent.
#[derive(Debug, Clone, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "most news are reports, and a report is told of five times a second"
)]
pub enum MediaNews {
    /// A valid RTP or RTCP packet of this leg came: told at the first one and then at most once a second.
    Heard(LegId),
    /// Once a second while a leg runs, and once more when it stops.
    Report(LegId, LegReport),
    /// A device was opened, lost, or could not be opened; one sentence for people.
    Device {
        /// Which of the two.
        direction: Direction,
        /// Whether sound goes through it now.
        works: bool,
        /// "Opened plughw:1 at 48000 Hz, period 240", "no such device: plughw:7".
        sentence: String,
    },
    /// A thread of the sound started and read back what the kernel granted it.
    Thread(ThreadGrant),
    /// Whether what is in memory stays there (`mlockall(2)`).
    Memory {
        /// No page is ever read back from a disk while sound waits for it.
        locked: bool,
    },
}

/// Scheduling of one thread as read back from the kernel (`sched_getscheduler(2)`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadGrant {
    /// `udp`, `media-tx`, `dsp`, `capture`, `playback`, `clock`; or `agent`, which is ordinary.
    pub name: &'static str,
    /// The priority that was asked for; 0: an ordinary thread.
    pub wanted: u8,
    /// The SCHED_FIFO priority that was granted; 0: an ordinary thread.
    pub granted: u8,
}

impl ThreadGrant {
    /// Whether the kernel granted less than was asked for.
    pub fn is_refused(&self) -> bool {
        self.granted < self.wanted
    }
}

/// How a leg has fared since it started. Shown by `status`, kept in the history.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct LegReport {
    /// RTP packets sent.
    pub packets_sent: u64,
    /// RTP packets that the kernel did not take to be sent, because its buffer was full or there was no way there.
    pub packets_unsent: u64,
    /// RTP packets received, duplicates and late ones among them.
    pub packets_received: u64,
    /// Packets that never came (RFC 3550 A.3).
    pub packets_lost: u64,
    /// Packets that came after their time to play.
    pub packets_late: u64,
    /// The share of all samples played that concealment made up, 0 to 1.
    pub concealed: f64,
    /// Interarrival jitter (RFC 3550 6.4.1).
    pub jitter: Duration,
    /// Sound waiting in the playout.
    pub depth: Duration,
    /// Round trip time from RTCP (RFC 3550 6.4.1). `None` until a report has come back.
    pub round_trip: Option<Duration>,
    /// What the network takes one way: half of the least round trip of late.
    pub network: Option<Duration>,
    /// What this station adds to the delay.
    pub own: StationDelay,
    /// What the far end says that it adds.
    pub far: StationDelay,
    /// What is sent now.
    pub sends: Sends,
    /// By how many millionths the far end's clock is known to run faster than the loudspeaker's here.
    pub drift_ppm: f64,
    /// Packet loss that the far end reports of what we send, 0 to 1.
    pub far_loss: f64,
    /// Level of what is sent, in dBFS; -96 is silence.
    pub level_in_db: f64,
    /// Level of what is played, in dBFS; -96 is silence.
    pub level_out_db: f64,
    /// Times that the card asked and the playout had nothing at all.
    pub underruns: u64,
}

/// How a leg is sent to now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sends {
    /// Sound in one packet, in microseconds; 0: nothing is sent yet.
    pub ptime_us: u32,
    /// Bits per second of the sound alone.
    pub bitrate: u32,
    /// How many copies of each frame follow it.
    pub copies: u32,
}

impl LegReport {
    /// From the mouth here to the ear there.
    pub fn there(&self) -> MouthToEar {
        MouthToEar::new(&self.own, self.network, &self.far)
    }

    /// From the mouth there to the ear here.
    pub fn here(&self) -> MouthToEar {
        MouthToEar::new(&self.far, self.network, &self.own)
    }
}
