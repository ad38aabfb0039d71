//! The sending end of a direction.

use std::fmt;

use super::generations::{Generations, Spans};
use super::keys::DirectionKeys;
use super::numbers::nearest;
use super::session::{Nonce, Use};
use super::{RTCP_EXTRA_BYTES, TAG_BYTES};
use crate::media::rtp;

/// The flag E: this packet is encrypted (RFC 3711 section 3.4).
pub(super) const ENCRYPTED: u32 = 1 << 31;

/// Bytes of an RTCP packet that are not hidden: its header and who sends (RFC 7714 section 9.2).
pub(super) const RTCP_BARE_BYTES: usize = 8;

/// Why a packet is not sealed, and must not be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsealed {
    /// Not RTP or RTCP.
    Malformed,
    /// No room behind the packet for what sealing adds.
    NoRoom,
    /// The packet does not come after the one before: its number may have been used (RFC 3711 section 9.1).
    Reused,
}

/// Seals what one direction sends: one stream of RTP, whose packets are given in the order of their numbers, and its
/// RTCP.
pub struct Sealer {
    rtp: Generations,
    /// The number of the last RTP packet, counted through all roll-overs.
    last: Option<u64>,
    rtcp: Generations,
    /// Of the next RTCP packet.
    next_report: u64,
}

impl Sealer {
    /// For a stream that begins with roll-over counter 0 and index 0. The first sequence number is best below 2^15: if
    /// that packet is lost, the receiver cannot take the next ones for those after a roll-over (RFC 3711 section 3.3.1).
    pub fn new(keys: &DirectionKeys) -> Self {
        Self::with_spans(keys, Spans::WHOLE)
    }

    /// With keys that step on earlier than they must. Both ends have to agree.
    pub fn with_spans(keys: &DirectionKeys, spans: Spans) -> Self {
        Self {
            rtp: Generations::new(&keys.srtp, Use::Rtp, spans),
            last: None,
            rtcp: Generations::new(&keys.srtcp, Use::Rtcp, spans),
            next_report: 0,
        }
    }

    /// Seals the RTP packet in the first `length` bytes of `buffer`, in place; returns its new length,
    /// [`TAG_BYTES`] more.
    ///
    /// # Errors
    /// Nothing of the packet may be sent.
    pub fn seal_rtp(&mut self, buffer: &mut [u8], length: usize) -> Result<usize, Unsealed> {
        let packet = buffer.get_mut(..length.saturating_add(TAG_BYTES)).ok_or(Unsealed::NoRoom)?;
        let bare = rtp::header_bytes(&packet[..length]).map_err(|_| Unsealed::Malformed)?;
        let (sequence, ssrc) = (word(packet, 0) & 0xffff, word(packet, 8));
        let number = nearest(self.last, sequence.into(), 1 << 16)
            .filter(|number| self.last.is_none_or(|last| *number > last))
            .ok_or(Unsealed::Reused)?;
        let (session, index) = self.rtp.session(number).ok_or(Unsealed::Reused)?;
        let (bare, text) = packet.split_at_mut(bare);
        let (text, tag) = text.split_at_mut(text.len() - TAG_BYTES);
        tag.copy_from_slice(&session.seal(Nonce { ssrc, index }, bare, text));
        self.rtp.reach(number);
        self.last = Some(number);
        Ok(length + TAG_BYTES)
    }

    /// Seals the compound RTCP packet in the first `length` bytes of `buffer`, in place; returns its new length,
    /// [`RTCP_EXTRA_BYTES`] more.
    ///
    /// # Errors
    /// Nothing of the packet may be sent.
    pub fn seal_rtcp(&mut self, buffer: &mut [u8], length: usize) -> Result<usize, Unsealed> {
        let packet = buffer.get_mut(..length.saturating_add(RTCP_EXTRA_BYTES)).ok_or(Unsealed::NoRoom)?;
        let (text, extra) = packet.split_at_mut(length);
        let (header, text) = text.split_first_chunk_mut::<RTCP_BARE_BYTES>().ok_or(Unsealed::Malformed)?;
        let (session, index) = self.rtcp.session(self.next_report).ok_or(Unsealed::Reused)?;
        #[expect(clippy::cast_possible_truncation, reason = "at most 2^31 packets have one key")]
        let trailer = (ENCRYPTED | index as u32).to_be_bytes();
        let nonce = Nonce { ssrc: word(header, 4), index };
        let tag = session.seal(nonce, &bare_of_rtcp(*header, trailer), text);
        extra[..TAG_BYTES].copy_from_slice(&tag);
        extra[TAG_BYTES..].copy_from_slice(&trailer);
        self.rtcp.reach(self.next_report);
        self.next_report += 1;
        Ok(length + RTCP_EXTRA_BYTES)
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Sealer")
    }
}

/// What is proved but not hidden of an RTCP packet: its header, and flag and index (RFC 7714 section 9.2).
pub(super) fn bare_of_rtcp(header: [u8; RTCP_BARE_BYTES], trailer: [u8; 4]) -> [u8; RTCP_BARE_BYTES + 4] {
    let mut bare = [0; RTCP_BARE_BYTES + 4];
    bare[..RTCP_BARE_BYTES].copy_from_slice(&header);
    bare[RTCP_BARE_BYTES..].copy_from_slice(&trailer);
    bare
}

/// Four bytes of a header that was checked to be long enough.
pub(super) fn word(bytes: &[u8], at: usize) -> u32 {
    bytes[at..].first_chunk().map_or(0, |four| u32::from_be_bytes(*four))
}
