//! Sealed lines as they travel: records of two bytes of length (big-endian) and a Noise transport message each.
//!
//! A record carries 1 to 1,024 bytes of the lines of its direction, wherever these end. Records are counted, and the
//! count is the nonce (The Noise Protocol Framework, revision 34, section 5.1): none can be left out, come twice, or out
//! of turn.

use std::fmt;
use std::sync::Arc;

use snow::StatelessTransportState;

use crate::wire::limits::LINE_BYTES;

/// The bytes of lines that one record carries at most.
pub const PLAIN_BYTES: usize = LINE_BYTES;

/// The two bytes before each message.
pub const LENGTH_BYTES: usize = 2;

/// What proves a message (RFC 8439, section 2.8).
pub const TAG_BYTES: usize = 16;

/// The longest record.
pub const RECORD_BYTES: usize = LENGTH_BYTES + PLAIN_BYTES + TAG_BYTES;

/// So many bytes of lines, once they are sealed.
pub const fn sealed_bytes(plain: usize) -> usize {
    plain + plain.div_ceil(PLAIN_BYTES) * (LENGTH_BYTES + TAG_BYTES)
}

/// Whether a message may be so long: something is in it, and not more than may be.
pub const fn is_length(bytes: usize) -> bool {
    TAG_BYTES < bytes && bytes <= PLAIN_BYTES + TAG_BYTES
}

/// Seals one direction.
pub struct Sealer {
    keys: Arc<StatelessTransportState>,
    sealed: u64,
}

/// Opens the other.
pub struct Opener {
    keys: Arc<StatelessTransportState>,
    opened: u64,
}

impl Sealer {
    pub(super) fn new(keys: Arc<StatelessTransportState>) -> Self {
        Self { keys, sealed: 0 }
    }

    /// The records of these lines, in `out`, where there must be room for [`sealed_bytes`] of them.
    ///
    /// # Panics
    /// There is not.
    pub fn seal<'out>(&mut self, lines: &[u8], out: &'out mut [u8]) -> &'out [u8] {
        let mut end = 0;
        for plain in lines.chunks(PLAIN_BYTES) {
            let (length, message) = out[end..].split_at_mut(LENGTH_BYTES);
            let bytes =
                self.keys.write_message(self.sealed, plain, message).expect("there is room for a record");
            length.copy_from_slice(&u16::try_from(bytes).expect("a short record").to_be_bytes());
            self.sealed += 1;
            end += LENGTH_BYTES + bytes;
        }
        &out[..end]
    }
}

impl Opener {
    pub(super) fn new(keys: Arc<StatelessTransportState>) -> Self {
        Self { keys, opened: 0 }
    }

    /// What the next message carries, in `plain`. `None`: it is not the next one, or not from there.
    pub fn open<'plain>(&mut self, message: &[u8], plain: &'plain mut [u8]) -> Option<&'plain [u8]> {
        let bytes = self.keys.read_message(self.opened, message, plain).ok()?;
        self.opened += 1;
        Some(&plain[..bytes])
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Sealer({})", self.sealed)
    }
}

impl fmt::Debug for Opener {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Opener({})", self.opened)
    }
}
