//! Writing compound packets: a report first, then the name, then the rest (RFC 3550 6.1).

use super::{
    APPLICATION, CNAME, CNAME_BYTES, EXTENDED_REPORT, GOODBYE, RECEIVER_REPORT, ReportBlock, SENDER_REPORT,
    SOURCE_DESCRIPTION, SenderInfo, VOIP_METRICS, VoipMetrics, delays,
};
use crate::media::mouth_to_ear::StationDelay;

/// A compound packet before it is written.
#[derive(Debug, Clone, Copy, Default)]
pub struct Outgoing<'a> {
    /// Who writes.
    pub ssrc: u32,
    /// Of what we send; `None` if nothing was sent since the last two reports.
    pub sender: Option<SenderInfo>,
    /// Of what we receive.
    pub block: Option<ReportBlock>,
    /// The name that stays the same when the SSRC changes, at most [`CNAME_BYTES`].
    pub cname: &'a str,
    /// Delay and quality of what we receive.
    pub voip: Option<VoipMetrics>,
    /// What we add to the delay.
    pub delay: Option<StationDelay>,
    /// Whether this is the last packet.
    pub goodbye: bool,
}

/// Writes a compound packet; returns its length. `None`: it does not fit (see
/// [`COMPOUND_BYTES`](super::COMPOUND_BYTES)).
pub fn write(outgoing: &Outgoing<'_>, buffer: &mut [u8]) -> Option<usize> {
    let mut pen = Pen { buffer, at: 0 };
    report(&mut pen, outgoing)?;
    description(&mut pen, outgoing)?;
    if let Some(metrics) = &outgoing.voip {
        extended(&mut pen, outgoing.ssrc, metrics)?;
    }
    if let Some(delay) = &outgoing.delay {
        application(&mut pen, outgoing.ssrc, delay)?;
    }
    if outgoing.goodbye {
        let start = pen.begin(1, GOODBYE)?;
        pen.u32(outgoing.ssrc)?;
        pen.end(start);
    }
    Some(pen.at)
}

fn report(pen: &mut Pen<'_>, outgoing: &Outgoing<'_>) -> Option<()> {
    let blocks = u8::from(outgoing.block.is_some());
    let kind = if outgoing.sender.is_some() { SENDER_REPORT } else { RECEIVER_REPORT };
    let start = pen.begin(blocks, kind)?;
    pen.u32(outgoing.ssrc)?;
    if let Some(info) = &outgoing.sender {
        pen.bytes(&info.ntp.to_be_bytes())?;
        pen.u32(info.time_stamp)?;
        pen.u32(info.packets)?;
        pen.u32(info.octets)?;
    }
    if let Some(block) = &outgoing.block {
        report_block(pen, block)?;
    }
    pen.end(start);
    Some(())
}

fn report_block(pen: &mut Pen<'_>, block: &ReportBlock) -> Option<()> {
    let reception = &block.reception;
    pen.u32(reception.ssrc)?;
    pen.u32(u32::from(reception.fraction_lost) << 24 | reception.lost.cast_unsigned() & 0x00ff_ffff)?;
    pen.u32(reception.highest_sequence)?;
    pen.u32(reception.jitter)?;
    pen.u32(block.last_report)?;
    pen.u32(block.since_last_report)
}

fn description(pen: &mut Pen<'_>, outgoing: &Outgoing<'_>) -> Option<()> {
    let start = pen.begin(1, SOURCE_DESCRIPTION)?;
    pen.u32(outgoing.ssrc)?;
    let name = cut(outgoing.cname).as_bytes();
    pen.bytes(&[CNAME, u8::try_from(name.len()).ok()?])?;
    pen.bytes(name)?;
    // The list ends with at least one zero and at a multiple of four.
    let zeros = 4 - (pen.at - start) % 4;
    pen.bytes(&[0; 4][..zeros])?;
    pen.end(start);
    Some(())
}

/// As much of a name as may be written, in whole characters.
fn cut(name: &str) -> &str {
    let end = (0..=CNAME_BYTES.min(name.len())).rev().find(|&end| name.is_char_boundary(end));
    &name[..end.unwrap_or(0)]
}

fn extended(pen: &mut Pen<'_>, ssrc: u32, metrics: &VoipMetrics) -> Option<()> {
    /// Gmin as recommended; burst and gap figures are not measured.
    const GAP_MINIMUM: u8 = 16;
    const UNKNOWN: u8 = 127;
    /// Enhanced concealment, adaptive playout, rate of adjustment unknown.
    const RECEIVER_CONFIGURATION: u8 = 0b1111_0000;
    let start = pen.begin(0, EXTENDED_REPORT)?;
    pen.u32(ssrc)?;
    pen.bytes(&[VOIP_METRICS, 0, 0, 8])?;
    pen.u32(metrics.ssrc)?;
    pen.bytes(&[metrics.loss_rate, metrics.discard_rate, 0, 0, 0, 0, 0, 0])?;
    pen.u16(metrics.round_trip_ms)?;
    pen.u16(metrics.end_system_ms)?;
    pen.bytes(&[metrics.signal_level_db.cast_unsigned(), UNKNOWN, UNKNOWN, GAP_MINIMUM])?;
    pen.bytes(&[UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, RECEIVER_CONFIGURATION, 0])?;
    pen.u16(metrics.nominal_ms)?;
    pen.u16(metrics.maximum_ms)?;
    pen.u16(metrics.absolute_maximum_ms)?;
    pen.end(start);
    Some(())
}

fn application(pen: &mut Pen<'_>, ssrc: u32, delay: &StationDelay) -> Option<()> {
    let start = pen.begin(0, APPLICATION)?;
    pen.u32(ssrc)?;
    pen.bytes(&delays::NAME)?;
    pen.bytes(&delays::to_bytes(delay))?;
    pen.end(start);
    Some(())
}

/// A place in a buffer; every stroke says whether it fitted.
struct Pen<'b> {
    buffer: &'b mut [u8],
    at: usize,
}

impl Pen<'_> {
    /// Begins a packet with its length still open.
    fn begin(&mut self, count: u8, kind: u8) -> Option<usize> {
        let start = self.at;
        self.bytes(&[0x80 | count, kind, 0, 0])?;
        Some(start)
    }

    /// Fills in the length: words after the first.
    fn end(&mut self, start: usize) {
        let words = u16::try_from((self.at - start) / 4 - 1).unwrap_or(u16::MAX);
        self.buffer[start + 2..start + 4].copy_from_slice(&words.to_be_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) -> Option<()> {
        self.buffer.get_mut(self.at..self.at + bytes.len())?.copy_from_slice(bytes);
        self.at += bytes.len();
        Some(())
    }

    fn u16(&mut self, value: u16) -> Option<()> {
        self.bytes(&value.to_be_bytes())
    }

    fn u32(&mut self, value: u32) -> Option<()> {
        self.bytes(&value.to_be_bytes())
    }
}
