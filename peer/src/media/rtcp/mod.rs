//! RTCP (RFC 3550 section 6, RFC 3611): what two stations tell each other about their streams.

mod delays;
mod read;
mod write;

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

pub use read::{BadRtcp, Item, read};
pub use write::{Outgoing, write};

use super::sequence::ReceptionReport;

/// The longest compound packet that we write.
pub const COMPOUND_BYTES: usize = 224;

/// The longest canonical name that we write, in bytes; a longer one is cut.
pub const CNAME_BYTES: usize = 64;

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const SOURCE_DESCRIPTION: u8 = 202;
const GOODBYE: u8 = 203;
const APPLICATION: u8 = 204;
const EXTENDED_REPORT: u8 = 207;
const VOIP_METRICS: u8 = 7;
const CNAME: u8 = 1;

const BLOCK_BYTES: usize = 24;
const SENDER_INFO_BYTES: usize = 20;
/// The body of a block of voice metrics, after its own header of four bytes.
const VOIP_BYTES: usize = 32;

/// A round trip that took longer is not believed: who has waited for 10 s is not in a call.
const LONGEST_ROUND_TRIP: Duration = Duration::from_secs(10);

/// Seconds from 1900 to 1970.
const NTP_EPOCH: u64 = 2_208_988_800;

/// What a sender says of itself (RFC 3550 6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SenderInfo {
    /// When this was written: seconds since 1900 and their 2^32nds.
    pub ntp: u64,
    /// The same time on the clock of the stream's time stamps.
    pub time_stamp: u32,
    /// Packets sent so far.
    pub packets: u32,
    /// Bytes of payload sent so far.
    pub octets: u32,
}

/// What a receiver says of one sender (RFC 3550 6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReportBlock {
    /// Loss and jitter.
    pub reception: ReceptionReport,
    /// The middle 32 bits of the time in that sender's last report; 0: none came.
    pub last_report: u32,
    /// How long ago it came, in 65,536ths of a second.
    pub since_last_report: u32,
}

/// Voice quality as the receiver has it (RFC 3611 4.7). Times are in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VoipMetrics {
    /// The sender that is reported on.
    pub ssrc: u32,
    /// Packets lost in the network, in 1/256.
    pub loss_rate: u8,
    /// Packets that came too late or too early to be played, in 1/256.
    pub discard_rate: u8,
    /// Round trip time between the two stations; 0: unknown.
    pub round_trip_ms: u16,
    /// Delay inside the reporting station: capture, encoding, playout, playback; 0: unknown.
    pub end_system_ms: u16,
    /// Level of speech in dBm0 (dBFS here); 127: unknown.
    pub signal_level_db: i8,
    /// Delay of the playout as it is now.
    pub nominal_ms: u16,
    /// Delay of the playout for the latest packet that would still be played.
    pub maximum_ms: u16,
    /// The most delay that the playout may ever reach.
    pub absolute_maximum_ms: u16,
}

/// NTP time (RFC 3550 section 4) as one call tells it: read from the calendar once, and steady from then on. A calendar
/// that is set in the middle of a call would be measured as delay.
#[derive(Debug, Clone, Copy)]
pub struct NtpClock {
    read: Instant,
    wall: SystemTime,
}

impl NtpClock {
    /// The calendar said `wall` at `read`.
    pub fn new(read: Instant, wall: SystemTime) -> Self {
        Self { read, wall }
    }

    /// In 64 bits.
    pub fn at(&self, when: Instant) -> u64 {
        let before = || self.wall.checked_sub(self.read.duration_since(when));
        let after = |since| self.wall.checked_add(since);
        when.checked_duration_since(self.read).map_or_else(before, after).map_or(0, ntp)
    }
}

fn ntp(wall: SystemTime) -> u64 {
    let since = wall.duration_since(UNIX_EPOCH).unwrap_or_default();
    let fraction = (u64::from(since.subsec_nanos()) << 32) / 1_000_000_000;
    since.as_secs().wrapping_add(NTP_EPOCH) << 32 | fraction
}

/// The middle 32 bits of NTP time, in 65,536ths of a second.
pub fn middle(ntp: u64) -> u32 {
    u32::try_from(ntp >> 16 & 0xffff_ffff).unwrap_or_default()
}

/// Round trip time of a block that came at `arrived` (RFC 3550 6.4.1, A − LSR − DLSR). `None`: our report had not
/// reached the far end yet, or the numbers do not make sense: negative, or more than 10 s.
pub fn round_trip(block: &ReportBlock, arrived: u64) -> Option<Duration> {
    if block.last_report == 0 {
        return None;
    }
    let ticks = middle(arrived).wrapping_sub(block.last_report).wrapping_sub(block.since_last_report);
    // A negative number is more than half the range: clocks were set, or the far end lies.
    let round_trip = Duration::from_nanos(u64::from(ticks) * 1_000_000_000 / 65_536);
    (round_trip <= LONGEST_ROUND_TRIP).then_some(round_trip)
}

/// The far end's last sender report, for our blocks about it.
#[derive(Debug, Clone, Copy, Default)]
pub struct LastReport(Option<(u32, Instant)>);

impl LastReport {
    /// A sender report came.
    pub fn note(&mut self, info: &SenderInfo, arrived: Instant) {
        self.0 = Some((middle(info.ntp), arrived));
    }

    /// A block with what has been received, and how long ago the report came.
    pub fn block(&self, reception: ReceptionReport, now: Instant) -> ReportBlock {
        let Some((last_report, arrived)) = self.0 else {
            return ReportBlock { reception, ..ReportBlock::default() };
        };
        let ticks = now.saturating_duration_since(arrived).as_nanos() * 65_536 / 1_000_000_000;
        let since_last_report = u32::try_from(ticks).unwrap_or(u32::MAX);
        ReportBlock { reception, last_report, since_last_report }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip_is_the_example_of_the_rfc() {
        // RFC 3550 figure 2: 0xb710:8000, last report 0xb705:2000, 5.25 s later; 6.125 s round trip.
        let mut block =
            ReportBlock { last_report: 0xb705_2000, since_last_report: 0x0005_4000, ..Default::default() };
        let arrived = 0xb44d_b710_8000_0000;
        assert_eq!(round_trip(&block, arrived), Some(Duration::from_millis(6_125)));
        block.since_last_report = 0x00ff_0000;
        assert_eq!(round_trip(&block, arrived), None, "a far end that says it answered before it was asked");
        block.since_last_report = 0;
        assert_eq!(round_trip(&block, arrived), None, "more than 10 s");
        assert_eq!(round_trip(&ReportBlock::default(), arrived), None);
    }

    #[test]
    fn time_counts_from_1900() {
        let wall = UNIX_EPOCH + Duration::from_millis(1_500);
        assert_eq!(ntp(wall), (NTP_EPOCH + 1) << 32 | 0x8000_0000);
        assert_eq!(middle(0x1111_2222_3333_4444), 0x2222_3333);
    }

    #[test]
    fn a_clock_is_steady_before_and_after_it_was_read() {
        let (read, wall) = (vox_common::sys::clock::now(), UNIX_EPOCH + Duration::from_secs(100));
        let clock = NtpClock::new(read, wall);
        assert_eq!(clock.at(read + Duration::from_millis(1_500)), (NTP_EPOCH + 101) << 32 | 0x8000_0000);
        assert_eq!(clock.at(read.checked_sub(Duration::from_secs(1)).unwrap()), (NTP_EPOCH + 99) << 32);
    }

    #[test]
    fn the_delay_since_the_last_report_is_counted() {
        let now = vox_common::sys::clock::now();
        let mut last = LastReport::default();
        assert_eq!(last.block(ReceptionReport::default(), now).last_report, 0);
        last.note(&SenderInfo { ntp: 0x1111_2222_3333_4444, ..Default::default() }, now);
        let block = last.block(ReceptionReport::default(), now + Duration::from_millis(500));
        assert_eq!((block.last_report, block.since_last_report), (0x2222_3333, 32_768));
    }
}
