//! RTP packets (RFC 3550 section 5.1): read in place, written in place, never trusted.

use std::fmt;

/// Bytes of a header without contributing sources and extension.
pub const HEADER_BYTES: usize = 12;

/// Opus (RFC 7587).
pub const OPUS: u8 = 111;

/// Redundant audio data (RFC 2198).
pub const RED: u8 = 112;

/// Uncompressed 16-bit samples, most significant byte first, 48 kHz mono (RFC 3551 4.5.11).
pub const L16: u8 = 113;

/// The longest payload that fits into an Ethernet frame: 1,500 less IPv4, UDP and RTP headers.
pub const PAYLOAD_BYTES: usize = 1_460;

/// What the header says that the player needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The first packet after silence.
    pub marker: bool,
    /// 0 to 127.
    pub payload_type: u8,
    /// Counts packets.
    pub sequence: u16,
    /// When the first sample was captured, in samples.
    pub time_stamp: u32,
    /// Who sends.
    pub ssrc: u32,
}

/// A packet that was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    /// The fixed header.
    pub header: Header,
    /// The sound, without sources, extension and padding. May be empty.
    pub payload: &'a [u8],
}

/// Why bytes are not an RTP packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadRtp {
    /// Ends before its header, sources or extension do.
    Truncated,
    /// Not version 2.
    Version,
    /// Claims more padding than it has bytes, or none.
    Padding,
}

impl fmt::Display for BadRtp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Truncated => "RTP packet ends too early",
            Self::Version => "not RTP version 2",
            Self::Padding => "RTP padding does not fit",
        })
    }
}

impl std::error::Error for BadRtp {}

impl<'a> Packet<'a> {
    /// Reads a packet. The payload is what remains when sources, extension and padding are taken off.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, BadRtp> {
        let header = header_bytes(bytes)?;
        let (fixed, _) = bytes.split_first_chunk::<HEADER_BYTES>().ok_or(BadRtp::Truncated)?;
        let rest = &bytes[header..];
        let payload = if fixed[0] & 0x20 == 0 { rest } else { before_padding(rest)? };
        Ok(Self { header: Header::from_bytes(*fixed), payload })
    }
}

/// How long the header is, with sources and extension: what SRTP leaves readable (RFC 3711 section 3.1). Not longer
/// than the packet.
pub fn header_bytes(packet: &[u8]) -> Result<usize, BadRtp> {
    let first = *packet.first().filter(|_| packet.len() >= HEADER_BYTES).ok_or(BadRtp::Truncated)?;
    if first >> 6 != 2 {
        return Err(BadRtp::Version);
    }
    let sources = HEADER_BYTES + 4 * usize::from(first & 0x0f);
    let extension = if first & 0x10 == 0 { 0 } else { extension_bytes(packet.get(sources..))? };
    Some(sources + extension).filter(|bytes| *bytes <= packet.len()).ok_or(BadRtp::Truncated)
}

fn extension_bytes(extension: Option<&[u8]>) -> Result<usize, BadRtp> {
    let head = extension.and_then(<[u8]>::first_chunk::<4>).ok_or(BadRtp::Truncated)?;
    Ok(4 + 4 * usize::from(u16::from_be_bytes([head[2], head[3]])))
}

fn before_padding(rest: &[u8]) -> Result<&[u8], BadRtp> {
    let padding = usize::from(*rest.last().ok_or(BadRtp::Padding)?);
    let kept = rest.len().checked_sub(padding).filter(|_| padding > 0).ok_or(BadRtp::Padding)?;
    Ok(&rest[..kept])
}

impl Header {
    fn from_bytes(b: [u8; HEADER_BYTES]) -> Self {
        Self {
            marker: b[1] & 0x80 != 0,
            payload_type: b[1] & 0x7f,
            sequence: u16::from_be_bytes([b[2], b[3]]),
            time_stamp: u32::from_be_bytes([b[4], b[5], b[6], b[7]]),
            ssrc: u32::from_be_bytes([b[8], b[9], b[10], b[11]]),
        }
    }

    /// The header on the wire: version 2, no padding, no extension, no sources.
    pub fn to_bytes(self) -> [u8; HEADER_BYTES] {
        let mut b = [0; HEADER_BYTES];
        b[0] = 0x80;
        b[1] = u8::from(self.marker) << 7 | self.payload_type & 0x7f;
        b[2..4].copy_from_slice(&self.sequence.to_be_bytes());
        b[4..8].copy_from_slice(&self.time_stamp.to_be_bytes());
        b[8..12].copy_from_slice(&self.ssrc.to_be_bytes());
        b
    }
}

/// Whether a datagram on the shared port is RTCP rather than RTP (RFC 5761 section 4).
pub fn is_rtcp(datagram: &[u8]) -> bool {
    matches!(datagram, [128..=191, 192..=223, ..])
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: Header = Header {
        marker: true,
        payload_type: OPUS,
        sequence: 0x1234,
        time_stamp: 0xdead_beef,
        ssrc: 0x0102_0304,
    };

    fn packet(first: u8, rest: &[u8]) -> Vec<u8> {
        let mut bytes = HEADER.to_bytes().to_vec();
        bytes[0] = first;
        bytes.extend_from_slice(rest);
        bytes
    }

    #[test]
    fn the_header_is_known_bytes() {
        assert_eq!(HEADER.to_bytes(), [0x80, 0xef, 0x12, 0x34, 0xde, 0xad, 0xbe, 0xef, 1, 2, 3, 4]);
        assert_eq!(Packet::parse(&HEADER.to_bytes()), Ok(Packet { header: HEADER, payload: &[] }));
    }

    #[test]
    fn the_payload_is_what_remains() {
        type Payload = Result<&'static [u8], BadRtp>;
        let table: [(u8, &[u8], Payload); 11] = [
            (0x80, &[7, 8], Ok(&[7, 8])),
            (0x81, &[0, 0, 0, 1, 7], Ok(&[7])),
            (0x82, &[0, 0, 0, 1, 7], Err(BadRtp::Truncated)),
            (0x90, &[0xbe, 0xde, 0, 1, 9, 9, 9, 9, 7], Ok(&[7])),
            (0x90, &[0xbe, 0xde, 0, 2, 9, 9, 9, 9, 7], Err(BadRtp::Truncated)),
            (0x90, &[0xbe, 0xde, 0], Err(BadRtp::Truncated)),
            (0xa0, &[7, 0, 0, 3], Ok(&[7])),
            (0xa0, &[7, 0, 0, 5], Err(BadRtp::Padding)),
            (0xa0, &[7, 0, 0, 0], Err(BadRtp::Padding)),
            (0xa0, &[], Err(BadRtp::Padding)),
            (0x40, &[7], Err(BadRtp::Version)),
        ];
        for (first, rest, wanted) in table {
            let bytes = packet(first, rest);
            assert_eq!(Packet::parse(&bytes).map(|p| p.payload), wanted, "{first:#x} {rest:?}");
        }
    }

    #[test]
    fn no_truncation_and_no_changed_byte_panics() {
        let whole = packet(0xb1, &[0, 0, 0, 1, 0xbe, 0xde, 0, 1, 9, 9, 9, 9, 7, 7, 7, 0, 2]);
        for end in 0..whole.len() {
            let _ = Packet::parse(&whole[..end]);
        }
        for (place, value) in (0..whole.len()).flat_map(|place| (0..=255).map(move |value| (place, value))) {
            let mut changed = whole.clone();
            changed[place] = value;
            if let Ok(packet) = Packet::parse(&changed) {
                assert!(packet.payload.len() <= whole.len() - HEADER_BYTES);
            }
        }
    }

    #[test]
    fn rtcp_is_told_from_rtp() {
        assert!(is_rtcp(&[0x80, 200, 0, 0]) && is_rtcp(&[0xbf, 207]));
        assert!(!is_rtcp(&[0x80, 0xef]) && !is_rtcp(&[0x80, 111]) && !is_rtcp(&[]) && !is_rtcp(b"VOX1"));
    }
}
