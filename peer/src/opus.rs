//! libopus, thin and safe: mono at 48 kHz, floating point, nothing allocated once it is made.
#![expect(unsafe_code, reason = "one of the two files that talk to C: libopus")]

use std::ffi::c_int;
use std::fmt;
use std::ptr::NonNull;

use opusic_sys as sys;

/// The one sampling rate inside vox, in Hz.
pub const RATE: u32 = 48_000;

/// The longest packet there can be, in samples: 120 ms (RFC 6716 3.2.5).
pub const LONGEST_PACKET: usize = 5_760;

/// The shortest Opus frame, 2.5 ms, in samples. Concealment comes in multiples of it.
pub const SHORTEST_FRAME: usize = 120;

/// Why libopus refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpusError {
    /// A length, rate or setting that Opus does not have.
    BadArgument,
    /// The samples or bytes do not fit into what was given.
    BufferTooSmall,
    /// The packet is not an Opus packet.
    InvalidPacket,
    /// No memory for an encoder or decoder.
    NoMemory,
    /// libopus says that it has failed by itself.
    Internal,
}

impl OpusError {
    fn from_code(code: c_int) -> Self {
        match code {
            sys::OPUS_BAD_ARG => Self::BadArgument,
            sys::OPUS_BUFFER_TOO_SMALL => Self::BufferTooSmall,
            sys::OPUS_INVALID_PACKET => Self::InvalidPacket,
            sys::OPUS_ALLOC_FAIL => Self::NoMemory,
            _ => Self::Internal,
        }
    }
}

impl fmt::Display for OpusError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BadArgument => "opus has no such length or setting",
            Self::BufferTooSmall => "an opus packet does not fit",
            Self::InvalidPacket => "not an opus packet",
            Self::NoMemory => "no memory for opus",
            Self::Internal => "opus failed by itself",
        })
    }
}

impl std::error::Error for OpusError {}

/// A count, or an error, as libopus returns them in one number.
fn counted(code: c_int) -> Result<usize, OpusError> {
    usize::try_from(code).map_err(|_| OpusError::from_code(code))
}

fn length(bytes_or_samples: usize) -> Result<c_int, OpusError> {
    c_int::try_from(bytes_or_samples).map_err(|_| OpusError::BadArgument)
}

/// What the encoder gives up for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Application {
    /// 2.5 ms of look-ahead; the MDCT layer only. For frames of up to 20 ms.
    LowDelay,
    /// 6.5 ms of look-ahead; speech may use the linear-prediction layer, which is better below 32 kbit/s.
    Voice,
}

/// How to encode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EncoderSettings {
    /// Delay or quality at low rates.
    pub application: Application,
    /// Bits per second of payload, 6,000 to 510,000, held exactly: variable rate under encryption gives phrases
    /// away (RFC 6562).
    pub bitrate: u32,
    /// 0 (least work) to 10.
    pub complexity: u8,
}

impl Default for EncoderSettings {
    /// Complexity 5: above it a frame of 10 ms takes 40 % longer to encode (`examples/media_cost.rs`), which a small
    /// board has better uses for.
    fn default() -> Self {
        Self { application: Application::LowDelay, bitrate: 64_000, complexity: 5 }
    }
}

/// Makes packets of samples.
pub struct Encoder(NonNull<sys::OpusEncoder>);

// SAFETY: an encoder is plain memory owned by this value alone; libopus keeps no state per thread.
unsafe impl Send for Encoder {}

impl Encoder {
    /// Allocates an encoder and applies the settings: one channel, constant bit rate, silence sent like anything else.
    pub fn new(settings: EncoderSettings) -> Result<Self, OpusError> {
        let application = match settings.application {
            Application::LowDelay => sys::OPUS_APPLICATION_RESTRICTED_LOWDELAY,
            Application::Voice => sys::OPUS_APPLICATION_VOIP,
        };
        let mut code = sys::OPUS_OK;
        // SAFETY: no pointer goes in but that to `code`, which outlives the call.
        let raw = unsafe { sys::opus_encoder_create(RATE.cast_signed(), 1, application, &raw mut code) };
        let mut encoder = NonNull::new(raw).map(Self).ok_or(OpusError::from_code(code))?;
        encoder.set(sys::OPUS_SET_VBR_REQUEST, 0)?;
        encoder.set(sys::OPUS_SET_DTX_REQUEST, 0)?;
        encoder.set(sys::OPUS_SET_COMPLEXITY_REQUEST, c_int::from(settings.complexity))?;
        encoder.set_bitrate(settings.bitrate)?;
        Ok(encoder)
    }

    /// Changes the bit rate from the next frame on, and with it how much of the treble is coded: spread over 20 kHz,
    /// low rates are worse to hear than over 8 kHz (PESQ-WB at 35 kbit/s, 10 ms, low delay: 3.9 and 4.4).
    pub fn set_bitrate(&mut self, bitrate: u32) -> Result<(), OpusError> {
        let bitrate = c_int::try_from(bitrate).map_err(|_| OpusError::BadArgument)?;
        self.set(sys::OPUS_SET_BITRATE_REQUEST, bitrate)?;
        self.set(sys::OPUS_SET_MAX_BANDWIDTH_REQUEST, bandwidth(bitrate))
    }

    /// Lets each packet carry a spare of the one before it, as good as a loss of so many percent deserves
    /// (RFC 6716 2.1.7). Only the linear-prediction layer has spares: none in [`Application::LowDelay`].
    pub fn set_spares(&mut self, loss_percent: u8) -> Result<(), OpusError> {
        self.set(sys::OPUS_SET_INBAND_FEC_REQUEST, 1)?;
        self.set(sys::OPUS_SET_PACKET_LOSS_PERC_REQUEST, c_int::from(loss_percent.min(100)))
    }

    /// Sends no spares, and relies so much the less on packets before as so many percent of them are lost.
    pub fn expect_loss(&mut self, loss_percent: u8) -> Result<(), OpusError> {
        self.set(sys::OPUS_SET_INBAND_FEC_REQUEST, 0)?;
        self.set(sys::OPUS_SET_PACKET_LOSS_PERC_REQUEST, c_int::from(loss_percent.min(100)))
    }

    /// Encodes one frame of 120, 240, 480 or 960 samples; returns the length of the packet.
    pub fn encode(&mut self, frame: &[f32], packet: &mut [u8]) -> Result<usize, OpusError> {
        let (samples, room) = (length(frame.len())?, length(packet.len())?);
        // SAFETY: the encoder is alive; libopus reads `samples` floats (one channel) and writes at most `room` bytes.
        counted(unsafe {
            sys::opus_encode_float(self.0.as_ptr(), frame.as_ptr(), samples, packet.as_mut_ptr(), room)
        })
    }

    /// The delay inside the codec, in samples.
    pub fn look_ahead(&mut self) -> Result<usize, OpusError> {
        let mut samples: i32 = 0;
        // SAFETY: the encoder is alive, and this request writes one opus_int32 through its pointer.
        let code = unsafe {
            sys::opus_encoder_ctl(self.0.as_ptr(), sys::OPUS_GET_LOOKAHEAD_REQUEST, &raw mut samples)
        };
        counted(code).and_then(|_| counted(samples))
    }

    fn set(&mut self, request: c_int, value: c_int) -> Result<(), OpusError> {
        // SAFETY: the encoder is alive, and every request passed here takes one opus_int32.
        counted(unsafe { sys::opus_encoder_ctl(self.0.as_ptr(), request, value) }).map(drop)
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        // SAFETY: made by opus_encoder_create and destroyed only here.
        unsafe { sys::opus_encoder_destroy(self.0.as_ptr()) }
    }
}

fn bandwidth(bitrate: c_int) -> c_int {
    match bitrate {
        ..40_000 => sys::OPUS_BANDWIDTH_WIDEBAND,
        40_000..56_000 => sys::OPUS_BANDWIDTH_SUPERWIDEBAND,
        _ => sys::OPUS_BANDWIDTH_FULLBAND,
    }
}

/// Makes samples of packets, and of their absence.
pub struct Decoder(NonNull<sys::OpusDecoder>);

// SAFETY: a decoder is plain memory owned by this value alone; libopus keeps no state per thread.
unsafe impl Send for Decoder {}

impl Decoder {
    /// Allocates a decoder. Stereo packets come out as mono.
    pub fn new() -> Result<Self, OpusError> {
        let mut code = sys::OPUS_OK;
        // SAFETY: no pointer goes in but that to `code`, which outlives the call.
        let raw = unsafe { sys::opus_decoder_create(RATE.cast_signed(), 1, &raw mut code) };
        NonNull::new(raw).map(Self).ok_or(OpusError::from_code(code))
    }

    /// Decodes one packet; returns how many samples it held (at most [`LONGEST_PACKET`]).
    pub fn decode(&mut self, packet: &[u8], samples: &mut [f32]) -> Result<usize, OpusError> {
        if packet.is_empty() {
            return Err(OpusError::InvalidPacket); // libopus would take it for a lost one
        }
        let (bytes, room) = (length(packet.len())?, length(samples.len())?);
        // SAFETY: the decoder is alive; libopus reads `bytes` bytes and writes at most `room` floats (one channel).
        counted(unsafe {
            sys::opus_decode_float(self.0.as_ptr(), packet.as_ptr(), bytes, samples.as_mut_ptr(), room, 0)
        })
    }

    /// Decodes the spare of the packet before this one, which was lost and held as many samples as `samples` has room
    /// for: those of this packet.
    pub fn decode_spare(&mut self, packet: &[u8], samples: &mut [f32]) -> Result<usize, OpusError> {
        if packet.is_empty() {
            return Err(OpusError::InvalidPacket);
        }
        let (bytes, room) = (length(packet.len())?, length(samples.len())?);
        // SAFETY: the decoder is alive; libopus reads `bytes` bytes and writes at most `room` floats (one channel).
        counted(unsafe {
            sys::opus_decode_float(self.0.as_ptr(), packet.as_ptr(), bytes, samples.as_mut_ptr(), room, 1)
        })
    }

    /// Fills `samples` with a guess at a lost packet. The length must be a multiple of [`SHORTEST_FRAME`].
    pub fn conceal(&mut self, samples: &mut [f32]) -> Result<(), OpusError> {
        let wanted = length(samples.len())?;
        // SAFETY: the decoder is alive; no packet (null) asks for concealment, which writes `wanted` floats.
        counted(unsafe {
            sys::opus_decode_float(self.0.as_ptr(), std::ptr::null(), 0, samples.as_mut_ptr(), wanted, 0)
        })
        .map(drop)
    }

    /// Forgets everything, as if it were new.
    pub fn reset(&mut self) {
        // SAFETY: the decoder is alive, and this request takes no argument. It cannot fail.
        unsafe { sys::opus_decoder_ctl(self.0.as_ptr(), sys::OPUS_RESET_STATE) };
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        // SAFETY: made by opus_decoder_create and destroyed only here.
        unsafe { sys::opus_decoder_destroy(self.0.as_ptr()) }
    }
}

/// How many samples a packet holds, from its header alone (RFC 6716 3.1, 3.2).
pub fn packet_samples(packet: &[u8]) -> Result<usize, OpusError> {
    if packet.is_empty() {
        return Err(OpusError::InvalidPacket);
    }
    let bytes = length(packet.len())?;
    // SAFETY: libopus reads at most `bytes` bytes, and at least one is there.
    counted(unsafe { sys::opus_packet_get_nb_samples(packet.as_ptr(), bytes, RATE.cast_signed()) })
}

/// The pieces, in samples, in which what follows a lost packet is best made up: after the linear-prediction layer 10 ms,
/// for it makes up no less and throws away what was not asked for (RFC 6716 table 2: configurations 0 to 15).
pub fn guess_samples(packet: &[u8]) -> usize {
    let is_predicted = packet.first().is_some_and(|toc| toc >> 3 < 16);
    if is_predicted { 4 * SHORTEST_FRAME } else { SHORTEST_FRAME }
}

/// Whether a packet carries a spare of the one before it.
pub fn has_spare(packet: &[u8]) -> bool {
    let Some(bytes) = length(packet.len()).ok().filter(|&bytes| bytes > 0) else { return false };
    // SAFETY: libopus reads at most `bytes` bytes, and at least one is there.
    unsafe { sys::opus_packet_has_lbrr(packet.as_ptr(), bytes) == 1 }
}

#[cfg(test)]
mod tests;
