//! The receiving end of a direction.

use std::fmt;

use super::generations::{Generations, Spans};
use super::keys::DirectionKeys;
use super::numbers::nearest;
use super::seal::{ENCRYPTED, RTCP_BARE_BYTES, bare_of_rtcp, word};
use super::session::{Nonce, Use};
use super::window::Window;
use super::{RTCP_EXTRA_BYTES, TAG_BYTES};
use crate::media::rtp;

/// Why a packet is not opened. It is as it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unopened {
    /// Too short to be sealed RTP or RTCP.
    Malformed,
    /// An RTCP packet that says that it is not encrypted.
    Bare,
    /// Of another stream than the first one that was opened.
    Stranger,
    /// It was opened before, or is so old that nobody knows.
    Replayed,
    /// Sealed with another key or changed on its way.
    Forged,
}

/// Opens what one direction receives: one stream of RTP and its RTCP, the first that prove to be sealed with the keys.
pub struct Opener {
    rtp: Inbound,
    rtcp: Inbound,
}

struct Inbound {
    keys: Generations,
    /// Of the stream, once a packet of it was opened.
    ssrc: Option<u32>,
    /// Packets that were opened, by their numbers counted through all roll-overs.
    window: Window,
}

impl Opener {
    /// For a stream that begins with roll-over counter 0.
    pub fn new(keys: &DirectionKeys) -> Self {
        Self::with_spans(keys, Spans::WHOLE)
    }

    /// With keys that step on earlier than they must. Both ends have to agree.
    pub fn with_spans(keys: &DirectionKeys, spans: Spans) -> Self {
        Self {
            rtp: Inbound::new(Generations::new(&keys.srtp, Use::Rtp, spans)),
            rtcp: Inbound::new(Generations::new(&keys.srtcp, Use::Rtcp, spans)),
        }
    }

    /// Opens an SRTP packet in place; returns the length of the RTP packet that it begins with now.
    ///
    /// # Errors
    /// Why it is not to be believed; nothing is changed, neither in the packet nor here.
    pub fn open_rtp(&mut self, packet: &mut [u8]) -> Result<usize, Unopened> {
        let length = packet.len().checked_sub(TAG_BYTES).ok_or(Unopened::Malformed)?;
        let bare = rtp::header_bytes(&packet[..length]).map_err(|_| Unopened::Malformed)?;
        let (sequence, ssrc) = (word(packet, 0) & 0xffff, word(packet, 8));
        let (bare, text) = packet.split_at_mut(bare);
        let sealed = Sealed::split(ssrc, bare, text)?;
        self.rtp.open(u64::from(sequence), 1 << 16, sealed)?;
        Ok(length)
    }

    /// Opens an SRTCP packet in place; returns the length of the compound RTCP packet that it begins with now.
    ///
    /// # Errors
    /// Why it is not to be believed; nothing is changed, neither in the packet nor here.
    pub fn open_rtcp(&mut self, packet: &mut [u8]) -> Result<usize, Unopened> {
        let length = packet.len().checked_sub(RTCP_EXTRA_BYTES).ok_or(Unopened::Malformed)?;
        let (text, trailer) = packet.split_last_chunk_mut::<4>().ok_or(Unopened::Malformed)?;
        let (header, text) = text.split_first_chunk_mut::<RTCP_BARE_BYTES>().ok_or(Unopened::Malformed)?;
        let flagged = u32::from_be_bytes(*trailer);
        if flagged & ENCRYPTED == 0 {
            return Err(Unopened::Bare);
        }
        let (index, modulus) = (u64::from(flagged & !ENCRYPTED), self.rtcp.keys.span());
        if index >= modulus {
            return Err(Unopened::Forged);
        }
        let bare = bare_of_rtcp(*header, *trailer);
        let sealed = Sealed::split(word(header, 4), &bare, text)?;
        self.rtcp.open(index, modulus, sealed)?;
        Ok(length)
    }
}

impl fmt::Debug for Opener {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Opener")
    }
}

/// The parts of one packet.
struct Sealed<'p> {
    ssrc: u32,
    bare: &'p [u8],
    text: &'p mut [u8],
    tag: &'p [u8; TAG_BYTES],
}

impl<'p> Sealed<'p> {
    /// `text` ends with the tag.
    fn split(ssrc: u32, bare: &'p [u8], text: &'p mut [u8]) -> Result<Self, Unopened> {
        let (text, tag) = text.split_last_chunk_mut().ok_or(Unopened::Malformed)?;
        Ok(Self { ssrc, bare, text, tag })
    }
}

impl Inbound {
    fn new(keys: Generations) -> Self {
        Self { keys, ssrc: None, window: Window::default() }
    }

    /// Opens the packet whose number leaves the remainder `low`.
    fn open(&mut self, low: u64, modulus: u64, sealed: Sealed<'_>) -> Result<(), Unopened> {
        let Sealed { ssrc, bare, text, tag } = sealed;
        if self.ssrc.is_some_and(|known| known != ssrc) {
            return Err(Unopened::Stranger);
        }
        let number = nearest(self.window.highest(), low, modulus)
            .filter(|number| self.window.is_new(*number))
            .ok_or(Unopened::Replayed)?;
        let (session, index) = self.keys.session(number).ok_or(Unopened::Replayed)?;
        if !session.open(Nonce { ssrc, index }, bare, text, tag) {
            return Err(Unopened::Forged);
        }
        self.note(ssrc, number);
        Ok(())
    }

    fn note(&mut self, ssrc: u32, number: u64) {
        self.ssrc = Some(ssrc);
        self.window.note(number);
        if self.window.highest() == Some(number) {
            self.keys.reach(number);
        }
    }
}
