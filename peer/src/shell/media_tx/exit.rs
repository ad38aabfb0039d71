//! A leg's last steps out: sealed where both sides seal, and sent.

use crate::media::orders::Path;
use crate::media::rtcp::{self, COMPOUND_BYTES};
use crate::media::sender::PACKET_BYTES;
use crate::media::srtp::{RTCP_EXTRA_BYTES, Sealer, TAG_BYTES};
use crate::shell::udp::UdpSender;

/// Where a leg's packets go, and what seals them. What cannot be sealed is never sent.
pub(super) struct Exit {
    path: Path,
    sealer: Option<Box<Sealer>>,
    packet: [u8; PACKET_BYTES + TAG_BYTES],
}

impl Exit {
    pub(super) fn new(path: Path, sealer: Option<Box<Sealer>>) -> Self {
        Self { path, sealer, packet: [0; PACKET_BYTES + TAG_BYTES] }
    }

    /// Sends the RTP packet whose length `write` returns. `false`: there was none, or it was lost here already.
    pub(super) fn send_rtp(
        &mut self,
        sender: &UdpSender,
        write: impl FnOnce(&mut [u8; PACKET_BYTES]) -> Option<usize>,
    ) -> bool {
        let Self { path, sealer, packet } = self;
        let written = packet.first_chunk_mut().and_then(write);
        let length = written.and_then(|length| match sealer {
            Some(sealer) => sealer.seal_rtp(packet, length).ok(),
            None => Some(length),
        });
        length.is_some_and(|length| sender.send(*path, &packet[..length]).is_ok())
    }

    /// Sends a compound RTCP packet, or loses it.
    pub(super) fn send_rtcp(&mut self, sender: &UdpSender, report: &rtcp::Outgoing<'_>) {
        let mut packet = [0; COMPOUND_BYTES + RTCP_EXTRA_BYTES];
        let written = rtcp::write(report, &mut packet[..COMPOUND_BYTES]);
        let length = written.and_then(|length| match &mut self.sealer {
            Some(sealer) => sealer.seal_rtcp(&mut packet, length).ok(),
            None => Some(length),
        });
        if let Some(length) = length {
            let _ = sender.send(self.path, &packet[..length]);
        }
    }
}
