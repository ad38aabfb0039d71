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
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::media::rtcp::{COMPOUND_BYTES, Outgoing, write};

    const RECEPTION: ReceptionReport =
        ReceptionReport { ssrc: 9, fraction_lost: 64, lost: -2, highest_sequence: 0x1_0002, jitter: 45 };
    const BLOCK: ReportBlock =
        ReportBlock { reception: RECEPTION, last_report: 0xb705_2000, since_last_report: 0x0005_4000 };
    const INFO: SenderInfo =
        SenderInfo { ntp: 0xb44d_b705_2000_0000, time_stamp: 480, packets: 3, octets: 240 };
    const VOIP: VoipMetrics = VoipMetrics {
        ssrc: 9,
        loss_rate: 3,
        discard_rate: 1,
        round_trip_ms: 12,
        end_system_ms: 20,
        signal_level_db: -18,
        nominal_ms: 5,
        maximum_ms: 40,
        absolute_maximum_ms: 500,
    };

    const DELAY: StationDelay = StationDelay {
        capture: Some(Duration::from_micros(2_617)),
        encode: Some(Duration::from_micros(2_590)),
        jitter_buffer: None,
        playback: Some(Duration::ZERO),
    };

    fn everything() -> Outgoing<'static> {
        Outgoing {
            ssrc: 7,
            sender: Some(INFO),
            block: Some(BLOCK),
            cname: "alice@vox",
            voip: Some(VOIP),
            delay: Some(DELAY),
            goodbye: true,
        }
    }

    fn written(outgoing: &Outgoing<'_>) -> Vec<u8> {
        let mut buffer = [0xee; COMPOUND_BYTES];
        let length = write(outgoing, &mut buffer).unwrap();
        buffer[..length].to_vec()
    }

    fn items(bytes: &[u8]) -> Result<Vec<Item<'_>>, BadRtcp> {
        let mut items = Vec::new();
        read(bytes, &mut |item| items.push(item)).map(|()| items)
    }

    #[test]
    fn a_sender_report_is_known_bytes() {
        let bytes = written(&Outgoing {
            ssrc: 7,
            sender: Some(INFO),
            block: Some(BLOCK),
            cname: "ab",
            ..Default::default()
        });
        let report = [
            0x81, 200, 0, 12, 0, 0, 0, 7, 0xb4, 0x4d, 0xb7, 5, 0x20, 0, 0, 0, 0, 0, 1, 0xe0, 0, 0, 0, 3, 0,
            0, 0, 240, 0, 0, 0, 9, 64, 0xff, 0xff, 0xfe, 0, 1, 0, 2, 0, 0, 0, 45, 0xb7, 5, 0x20, 0, 0, 5,
            0x40, 0,
        ];
        assert_eq!(bytes[..52], report);
        assert_eq!(bytes[52..], [0x81, 202, 0, 3, 0, 0, 0, 7, 1, 2, b'a', b'b', 0, 0, 0, 0]);
    }

    #[test]
    fn everything_written_is_read_back() {
        let wanted = [
            Item::Sender { from: 7, info: INFO },
            Item::Block { from: 7, block: BLOCK },
            Item::Cname { from: 7, name: b"alice@vox" },
            Item::Voip { from: 7, metrics: VOIP },
            Item::Delay { from: 7, delay: DELAY },
            Item::Goodbye { from: 7 },
        ];
        assert_eq!(items(&written(&everything())), Ok(wanted.to_vec()));
        let receiver = Outgoing { ssrc: 7, block: Some(BLOCK), ..Default::default() };
        assert_eq!(items(&written(&receiver)).unwrap()[0], Item::Block { from: 7, block: BLOCK });
    }

    #[test]
    fn names_of_every_length_keep_to_whole_words_and_long_ones_are_cut() {
        let long = "é".repeat(200);
        for length in (0..=long.len()).filter(|&length| long.is_char_boundary(length)) {
            let bytes = written(&Outgoing { cname: &long[..length], voip: Some(VOIP), ..everything() });
            let cut = length.min(64);
            assert!(items(&bytes).unwrap().contains(&Item::Cname { from: 7, name: &long.as_bytes()[..cut] }));
        }
    }

    #[test]
    fn a_buffer_too_short_is_no_packet() {
        let whole = written(&everything()).len();
        for length in 0..whole {
            assert_eq!(write(&everything(), &mut vec![0; length]), None);
        }
    }

    #[test]
    fn broken_compounds_say_nothing() {
        let good = written(&everything());
        let mut second_version = good.clone();
        second_version[52] = 0x41;
        let mut too_long = good.clone();
        too_long[55] = 0xff;
        let mut padded_first = good.clone();
        padded_first[0] |= 0x20;
        let table = [
            (good[52..].to_vec(), BadRtcp::FirstKind),
            (vec![], BadRtcp::FirstKind),
            (second_version, BadRtcp::Version),
            (too_long, BadRtcp::Length),
            (padded_first, BadRtcp::Length),
            (vec![0x80, 201, 0], BadRtcp::Length),
        ];
        for (bytes, wanted) in table {
            assert_eq!(items(&bytes), Err(wanted), "{bytes:?}");
        }
    }

    #[test]
    fn other_applications_packets_say_nothing() {
        let report = written(&Outgoing { ssrc: 7, cname: "ab", ..Default::default() });
        let packet = |count: u8, name: &[u8], values: usize| {
            let words = u8::try_from(1 + (name.len() + values) / 4).unwrap();
            [&report, [0x80 | count, 204, 0, words, 0, 0, 0, 7].as_slice(), name, &vec![0; values]].concat()
        };
        let says = |packet: Vec<u8>| {
            items(&packet).unwrap().iter().any(|item| matches!(item, Item::Delay { from: 7, .. }))
        };
        assert!(says(packet(0, b"VOXD", 16)) && says(packet(0, b"VOXD", 20)));
        for other in
            [packet(1, b"VOXD", 16), packet(0, b"VOXE", 16), packet(0, b"VOXD", 12), packet(0, b"", 0)]
        {
            assert!(!says(other.clone()), "{other:?}");
        }
    }

    #[test]
    fn no_truncation_and_no_changed_byte_panics() {
        let whole = written(&everything());
        for end in 0..whole.len() {
            let _ = items(&whole[..end]);
        }
        for (place, value) in (0..whole.len()).flat_map(|place| (0..=255).map(move |value| (place, value))) {
            let mut changed = whole.clone();
            changed[place] = value;
            let _ = items(&changed);
        }
    }
}
