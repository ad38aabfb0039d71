//! Reading compound packets: checked as a whole first (RFC 3550 A.2), then told item by item.

use std::fmt;

use super::{
    APPLICATION, BLOCK_BYTES, CNAME, EXTENDED_REPORT, GOODBYE, RECEIVER_REPORT, ReportBlock,
    SENDER_INFO_BYTES, SENDER_REPORT, SOURCE_DESCRIPTION, SenderInfo, VOIP_BYTES, VOIP_METRICS, VoipMetrics,
    delays,
};
use crate::media::mouth_to_ear::StationDelay;
use crate::media::sequence::ReceptionReport;

/// Something that a compound packet says. `from` is the SSRC of who says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Item<'a> {
    /// A sender tells of itself.
    Sender {
        /// Who says it.
        from: u32,
        /// What it says.
        info: SenderInfo,
    },
    /// A receiver tells of a sender.
    Block {
        /// Who says it.
        from: u32,
        /// What it says.
        block: ReportBlock,
    },
    /// A canonical name, as bytes that nobody checked.
    Cname {
        /// Who is named.
        from: u32,
        /// The name.
        name: &'a [u8],
    },
    /// A receiver tells of delay and quality.
    Voip {
        /// Who says it.
        from: u32,
        /// What it says.
        metrics: VoipMetrics,
    },
    /// A station tells what it adds to the delay.
    Delay {
        /// Who says it.
        from: u32,
        /// What it says, as far as that can be.
        delay: StationDelay,
    },
    /// A sender has left.
    Goodbye {
        /// Who leaves.
        from: u32,
    },
}

/// Why bytes are not a compound packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadRtcp {
    /// Does not begin with a report.
    FirstKind,
    /// One of the packets is not version 2.
    Version,
    /// The lengths inside do not add up.
    Length,
}

impl fmt::Display for BadRtcp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FirstKind => "RTCP does not begin with a report",
            Self::Version => "not RTCP version 2",
            Self::Length => "lengths inside RTCP do not add up",
        })
    }
}

impl std::error::Error for BadRtcp {}

/// Reads a compound packet and tells `sink` what it says, or nothing at all if any of its lengths is wrong.
pub fn read<'a>(bytes: &'a [u8], sink: &mut impl FnMut(Item<'a>)) -> Result<(), BadRtcp> {
    check(bytes)?;
    let mut rest = bytes;
    while let Some((packet, after)) = next(rest) {
        tell(&packet, sink);
        rest = after;
    }
    Ok(())
}

/// One packet of a compound, its padding taken off.
struct Inner<'a> {
    count: u8,
    kind: u8,
    from: u32,
    /// What follows the first SSRC.
    body: &'a [u8],
}

fn check(bytes: &[u8]) -> Result<(), BadRtcp> {
    if !matches!(bytes.get(1), Some(&(SENDER_REPORT | RECEIVER_REPORT))) {
        return Err(BadRtcp::FirstKind);
    }
    let mut rest = bytes;
    while !rest.is_empty() {
        if rest[0] >> 6 != 2 {
            return Err(BadRtcp::Version);
        }
        let padded = rest[0] & 0x20 != 0;
        rest = split(rest).ok_or(BadRtcp::Length)?.1;
        if padded && !rest.is_empty() {
            return Err(BadRtcp::Length); // only the last one may be padded
        }
    }
    Ok(())
}

fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let words = usize::from(u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?]));
    bytes.split_at_checked(4 * (words + 1))
}

fn next(bytes: &[u8]) -> Option<(Inner<'_>, &[u8])> {
    let (packet, rest) = split(bytes)?;
    let body = packet.get(4..)?;
    let padding = if packet[0] & 0x20 == 0 { 0 } else { usize::from(*body.last().unwrap_or(&0)) };
    let body = &body[..body.len().saturating_sub(padding)];
    // An empty BYE or SDES has no SSRC; it tells nothing.
    let (from, body) = (word(body, 0).unwrap_or(0), body.get(4..).unwrap_or(&[]));
    Some((Inner { count: packet[0] & 0x1f, kind: packet[1], from, body }, rest))
}

fn tell<'a>(packet: &Inner<'a>, sink: &mut impl FnMut(Item<'a>)) {
    let from = packet.from;
    match packet.kind {
        SENDER_REPORT => {
            if let Some(info) = sender_info(packet.body) {
                sink(Item::Sender { from, info });
                tell_blocks(from, packet.count, &packet.body[SENDER_INFO_BYTES..], sink);
            }
        }
        RECEIVER_REPORT => tell_blocks(from, packet.count, packet.body, sink),
        SOURCE_DESCRIPTION if packet.count > 0 => tell_name(from, packet.body, sink),
        GOODBYE if packet.count > 0 => sink(Item::Goodbye { from }),
        EXTENDED_REPORT => tell_extended(from, packet.body, sink),
        APPLICATION if packet.count == 0 => tell_delay(from, packet.body, sink),
        _ => {}
    }
}

fn tell_blocks<'a>(from: u32, count: u8, body: &[u8], sink: &mut impl FnMut(Item<'a>)) {
    for bytes in body.chunks_exact(BLOCK_BYTES).take(usize::from(count)) {
        if let Some(block) = report_block(bytes) {
            sink(Item::Block { from, block });
        }
    }
}

/// The name in the first chunk, if it is there: items of type, length, text until a zero.
fn tell_name<'a>(from: u32, body: &'a [u8], sink: &mut impl FnMut(Item<'a>)) {
    let mut rest = body;
    while let [kind, length, after @ ..] = rest
        && *kind != 0
    {
        let Some((text, after)) = after.split_at_checked(usize::from(*length)) else { return };
        if *kind == CNAME {
            sink(Item::Cname { from, name: text });
        }
        rest = after;
    }
}

fn tell_extended<'a>(from: u32, body: &[u8], sink: &mut impl FnMut(Item<'a>)) {
    let mut rest = body;
    while let Some((block, after)) = split(rest) {
        if block[0] == VOIP_METRICS
            && block.len() == 4 + VOIP_BYTES
            && let Some(metrics) = voip_metrics(&block[4..])
        {
            sink(Item::Voip { from, metrics });
        }
        rest = after;
    }
}

fn tell_delay<'a>(from: u32, body: &[u8], sink: &mut impl FnMut(Item<'a>)) {
    if let Some(delay) = body.strip_prefix(&delays::NAME).and_then(delays::from_bytes) {
        sink(Item::Delay { from, delay });
    }
}

fn sender_info(b: &[u8]) -> Option<SenderInfo> {
    let ntp = u64::from(word(b, 0)?) << 32 | u64::from(word(b, 4)?);
    Some(SenderInfo { ntp, time_stamp: word(b, 8)?, packets: word(b, 12)?, octets: word(b, 16)? })
}

fn report_block(b: &[u8]) -> Option<ReportBlock> {
    let loss = word(b, 4)?;
    let reception = ReceptionReport {
        ssrc: word(b, 0)?,
        fraction_lost: b[4],
        lost: (loss << 8).cast_signed() >> 8,
        highest_sequence: word(b, 8)?,
        jitter: word(b, 12)?,
    };
    Some(ReportBlock { reception, last_report: word(b, 16)?, since_last_report: word(b, 20)? })
}

fn voip_metrics(b: &[u8]) -> Option<VoipMetrics> {
    Some(VoipMetrics {
        ssrc: word(b, 0)?,
        loss_rate: *b.get(4)?,
        discard_rate: *b.get(5)?,
        round_trip_ms: half(b, 12)?,
        end_system_ms: half(b, 14)?,
        signal_level_db: b.get(16)?.cast_signed(),
        nominal_ms: half(b, 26)?,
        maximum_ms: half(b, 28)?,
        absolute_maximum_ms: half(b, 30)?,
    })
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_be_bytes)
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().copied().map(u16::from_be_bytes)
}

#[cfg(test)]
mod tests;
