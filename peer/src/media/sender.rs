//! Frames into packets: codec, sequence number, time stamp, and copies of earlier frames.

use std::time::Duration;

use super::adapt::Plan;
use super::framer::LONGEST_FRAME;
use super::history::History;
use super::orders::{Codec, Coding};
use super::red::{self, Block, Blocks};
use super::rtcp::SenderInfo;
use super::rtp::{self, HEADER_BYTES, Header, PAYLOAD_BYTES};
use super::srtp::TAG_BYTES;
use crate::opus::{Application, Encoder, EncoderSettings, OpusError};

/// The longest packet that there is room for.
pub const PACKET_BYTES: usize = HEADER_BYTES + PAYLOAD_BYTES;

/// Uncompressed packets carry at most 10 ms, so that they fit into an Ethernet frame.
const LONGEST_L16: usize = 480;

/// The longest frame of Opus (RFC 6716 3.2.1), with its first byte.
const LONGEST_OPUS: usize = 1_276;

/// What an Ethernet frame has room for after the headers of IPv6 and UDP.
const DATAGRAM_BYTES: usize = 1_500 - 40 - 8;

const _: () = assert!(HEADER_BYTES + LONGEST_OPUS + TAG_BYTES <= DATAGRAM_BYTES);
const _: () = assert!(HEADER_BYTES + 2 * LONGEST_L16 + TAG_BYTES <= DATAGRAM_BYTES);

/// The payload of a packet with copies: with header and tag it is at most 1,200 bytes long, and no tunnel cuts it in
/// two.
pub const WITH_COPIES_BYTES: usize = 1_200 - HEADER_BYTES - TAG_BYTES;

/// Where a new stream begins: RFC 3550 wants all three to be random.
#[derive(Debug, Clone, Copy)]
pub struct Beginning {
    /// Who sends.
    pub ssrc: u32,
    /// The first packet's number.
    pub sequence: u16,
    /// The first sample's time.
    pub time_stamp: u32,
}

/// Makes the packets of one leg.
pub struct Sender {
    encoder: Option<Encoder>,
    frame_samples: usize,
    /// How one frame is coded, in a packet of its own or as a copy.
    payload_type: u8,
    next: Header,
    /// What the next frame is without copies.
    own: Box<[u8; PAYLOAD_BYTES]>,
    history: History,
    /// Whether the codec's mode can put a spare of the last frame into a packet.
    has_spares: bool,
    copies: u8,
    /// From copy to copy.
    apart: Duration,
    packets: u32,
    octets: u32,
    /// A frame that begins after silence, faded in.
    faded: [f32; LONGEST_FRAME],
}

impl Sender {
    /// A stream of frames of `coding.ptime_us`, which must be what the codec can do.
    pub fn new(coding: Coding, bitrate: u32, beginning: Beginning) -> Result<Self, OpusError> {
        let frame_samples = frame_samples(coding)?;
        let (encoder, payload_type) = match coding.codec {
            Codec::Opus => (Some(encoder(frame_samples, bitrate)?), rtp::OPUS),
            Codec::L16 => (None, rtp::L16),
        };
        let Beginning { ssrc, sequence, time_stamp } = beginning;
        let next = Header { marker: true, payload_type, sequence, time_stamp, ssrc };
        Ok(Self {
            encoder,
            frame_samples,
            payload_type,
            next,
            own: Box::new([0; PAYLOAD_BYTES]),
            history: History::new(),
            has_spares: application(frame_samples) == Application::Voice,
            copies: 0,
            apart: Duration::ZERO,
            packets: 0,
            octets: 0,
            faded: [0.0; LONGEST_FRAME],
        })
    }

    /// Sends as planned from the next frame on. Frames of another length are given by whoever calls
    /// [`Sender::packet`].
    ///
    /// # Errors
    /// Opus has no such bit rate; everything stays as it was.
    pub fn follow(&mut self, plan: &Plan) -> Result<(), OpusError> {
        if let Some(encoder) = &mut self.encoder {
            encoder.set_bitrate(plan.bitrate)?;
            match plan.copies {
                0 if self.has_spares => encoder.set_spares(plan.loss_percent)?,
                _ => encoder.expect_loss(plan.loss_percent)?,
            }
        }
        (self.copies, self.apart) = (plan.copies, plan.apart);
        Ok(())
    }

    /// Samples in one frame.
    pub fn frame_samples(&self) -> usize {
        self.frame_samples
    }

    /// Makes the next packet of one frame, into `buffer`. The first frame, and the first after a gap, is faded in: a
    /// microphone that is opened in the middle of a word is no click.
    pub fn packet<'b>(
        &mut self,
        frame: &[f32],
        buffer: &'b mut [u8; PACKET_BYTES],
    ) -> Result<&'b [u8], OpusError> {
        let frame = if self.next.marker { fade_in(frame, &mut self.faded) } else { frame };
        let samples = frame.len();
        let bytes = match &mut self.encoder {
            Some(encoder) => encoder.encode(frame, self.own.as_mut_slice())?,
            None => big_endian(frame, self.own.as_mut_slice())?,
        };
        self.forget_other_lengths(samples);
        let (head, payload) = buffer.split_at_mut(HEADER_BYTES);
        let (payload_type, octets) = self.pack(bytes, payload);
        head.copy_from_slice(&Header { payload_type, ..self.next }.to_bytes());
        self.history.keep(self.next.time_stamp, &self.own[..bytes]);
        self.advance(samples, octets);
        Ok(&buffer[..HEADER_BYTES + octets])
    }

    /// The frame in `own`, and copies of earlier ones where there are any and they fit: as many as planned, or only
    /// the newest. Returns payload type and length.
    fn pack(&self, bytes: usize, payload: &mut [u8]) -> (u8, usize) {
        let own = Block { payload_type: self.payload_type, age: 0, bytes: &self.own[..bytes] };
        let mut blocks: Blocks<'_> = (1..=self.copies).rev().filter_map(|copy| self.copy(copy)).collect();
        let copies = blocks.len();
        let _ = blocks.push(own);
        let room = &mut payload[..WITH_COPIES_BYTES];
        let packed = (0..copies).find_map(|from| red::emit(&blocks[from..], room));
        packed.map_or_else(
            || {
                payload[..bytes].copy_from_slice(own.bytes);
                (self.payload_type, bytes)
            },
            |octets| (rtp::RED, octets),
        )
    }

    /// The copy of a frame so many times [`Sender::apart`] ago, in whole frames.
    fn copy(&self, times: u8) -> Option<Block<'_>> {
        let apart = usize::try_from(self.apart.as_micros() * 48 / 1_000).unwrap_or(usize::MAX);
        let frames = apart.div_ceil(self.frame_samples).max(1) * usize::from(times);
        let (time_stamp, bytes) = self.history.back(frames)?;
        let age = self.next.time_stamp.wrapping_sub(time_stamp);
        Some(Block { payload_type: self.payload_type, age, bytes })
    }

    /// A receiver finds the frame of a copy by counting frames of the same length.
    fn forget_other_lengths(&mut self, samples: usize) {
        if samples != self.frame_samples {
            self.history.clear();
            self.frame_samples = samples;
        }
    }

    /// Lets time pass that was not captured: the receiver sees silence, not loss.
    pub fn skip(&mut self, samples: u32) {
        self.next.time_stamp = self.next.time_stamp.wrapping_add(samples);
        self.next.marker = true;
        self.history.clear();
    }

    /// What a sender report says. `ntp` is the time now, `since_frame` how many samples ago the next frame's first
    /// sample was captured (0 if that is not known).
    pub fn info(&self, ntp: u64, since_frame: u32) -> SenderInfo {
        let time_stamp = self.next.time_stamp.wrapping_add(since_frame);
        SenderInfo { ntp, time_stamp, packets: self.packets, octets: self.octets }
    }

    /// What the codec looks ahead, in samples: delay that no packet shows.
    pub fn look_ahead(&mut self) -> usize {
        self.encoder.as_mut().and_then(|encoder| encoder.look_ahead().ok()).unwrap_or(0)
    }

    /// Who sends.
    pub fn ssrc(&self) -> u32 {
        self.next.ssrc
    }

    fn advance(&mut self, samples: usize, octets: usize) {
        #[expect(clippy::cast_possible_truncation, reason = "both are far below 2^32")]
        let (samples, octets) = (samples as u32, octets as u32);
        self.next.marker = false;
        self.next.sequence = self.next.sequence.wrapping_add(1);
        self.next.time_stamp = self.next.time_stamp.wrapping_add(samples);
        self.packets = self.packets.wrapping_add(1);
        self.octets = self.octets.wrapping_add(octets);
    }
}

/// Who sends frames of 20 ms does not count the 4 ms that the voice mode looks ahead for longer, and gets more out of
/// rates below 32 kbit/s.
fn application(frame_samples: usize) -> Application {
    if frame_samples < LONGEST_FRAME { Application::LowDelay } else { Application::Voice }
}

fn encoder(frame_samples: usize, bitrate: u32) -> Result<Encoder, OpusError> {
    let application = application(frame_samples);
    Encoder::new(EncoderSettings { application, bitrate, ..EncoderSettings::default() })
}

/// Samples in one frame of a coding. An error: the codec has no such length.
pub fn frame_samples(coding: Coding) -> Result<usize, OpusError> {
    let samples = coding.ptime_us as usize * 48 / 1_000;
    let possible = match coding.codec {
        Codec::Opus => matches!(samples, 120 | 240 | 480 | LONGEST_FRAME),
        Codec::L16 => (1..=LONGEST_L16).contains(&samples),
    };
    possible.then_some(samples).ok_or(OpusError::BadArgument)
}

/// The frame from silence to full within 5 ms or its whole length.
fn fade_in<'f>(frame: &[f32], faded: &'f mut [f32; LONGEST_FRAME]) -> &'f [f32] {
    let frame = &frame[..frame.len().min(LONGEST_FRAME)];
    let ramp = frame.len().min(240);
    for (at, (faded, sample)) in faded.iter_mut().zip(frame).enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "at most 960")]
        let share = ((at + 1) as f32 / ramp as f32).min(1.0);
        *faded = share * sample;
    }
    &faded[..frame.len()]
}

fn big_endian(frame: &[f32], payload: &mut [u8]) -> Result<usize, OpusError> {
    let bytes = 2 * frame.len();
    let room = payload.get_mut(..bytes).ok_or(OpusError::BufferTooSmall)?;
    for (two, &sample) in room.chunks_exact_mut(2).zip(frame) {
        #[expect(clippy::cast_possible_truncation, reason = "a cast of a float saturates")]
        let whole = (sample * 32_768.0).round() as i16;
        two.copy_from_slice(&whole.to_be_bytes());
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::rtp::Packet;

    const BEGINNING: Beginning = Beginning { ssrc: 7, sequence: 65_535, time_stamp: u32::MAX };

    fn sender(codec: Codec, ptime_us: u32) -> Result<Sender, OpusError> {
        Sender::new(Coding { codec, ptime_us }, 64_000, BEGINNING)
    }

    #[test]
    fn packets_count_and_tell_the_time() {
        let mut sender = sender(Codec::Opus, 10_000).unwrap();
        let mut buffer = [0; PACKET_BYTES];
        let headers = [(true, 65_535, u32::MAX), (false, 0, 479), (true, 1, 1_959)];
        for (at, wanted) in headers.into_iter().enumerate() {
            if at == 2 {
                sender.skip(1_000);
            }
            let packet = Packet::parse(sender.packet(&[0.0; 480], &mut buffer).unwrap()).unwrap();
            let Header { marker, sequence, time_stamp, .. } = packet.header;
            assert_eq!(
                (marker, sequence, time_stamp, packet.payload.len()),
                (wanted.0, wanted.1, wanted.2, 80)
            );
        }
        assert_eq!(sender.info(1, 5), SenderInfo { ntp: 1, time_stamp: 2_444, packets: 3, octets: 240 });
    }

    #[test]
    fn uncompressed_samples_are_big_endian_and_saturate() {
        let mut sender = sender(Codec::L16, 1_250).unwrap();
        let mut buffer = [0; PACKET_BYTES];
        sender.packet(&[0.0; 60], &mut buffer).unwrap();
        let packet = Packet::parse(sender.packet(&[0.5, -1.0, 9.0, -9.0], &mut buffer).unwrap()).unwrap();
        assert_eq!(packet.payload, [0x40, 0, 0x80, 0, 0x7f, 0xff, 0x80, 0]);
    }

    #[test]
    fn the_first_frame_and_the_first_after_a_gap_are_faded_in() {
        let mut sender = sender(Codec::L16, 1_250).unwrap();
        let mut buffer = [0; PACKET_BYTES];
        let mut first = |sender: &mut Sender| {
            let packet = Packet::parse(sender.packet(&[0.5; 60], &mut buffer).unwrap()).unwrap();
            (packet.payload[0], packet.payload[118])
        };
        assert_eq!([first(&mut sender), first(&mut sender)], [(1, 0x40), (0x40, 0x40)]);
        sender.skip(60);
        assert_eq!([first(&mut sender), first(&mut sender)], [(1, 0x40), (0x40, 0x40)]);
    }

    #[test]
    fn a_codec_takes_only_lengths_that_it_has() {
        for (codec, ptime_us, fine) in [
            (Codec::Opus, 2_500, true),
            (Codec::Opus, 20_000, true),
            (Codec::Opus, 1_250, false),
            (Codec::L16, 1_250, true),
            (Codec::L16, 10_000, true),
            (Codec::L16, 20_000, false),
            (Codec::Opus, 0, false),
            (Codec::L16, 0, false),
        ] {
            assert_eq!(sender(codec, ptime_us).is_ok(), fine, "{codec:?} {ptime_us}");
        }
    }
}
