//! Bytes that only the two ends of a call can read or make, and how they are written.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use heapless::Vec;

/// The longest handshake message: with all words at their longest the first one has 736 bytes.
pub const SEALED_BYTES: usize = 736;

/// A written tag.
pub const TAG_BYTES: usize = 22;

/// One message of the handshake, opaque.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(Vec<u8, SEALED_BYTES>);

/// A MAC of 128 bits over a signal; on the wire 22 characters of base64url.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Tag(pub [u8; 16]);

impl Sealed {
    /// `None`: it is longer than any that is sent.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        Vec::from_slice(bytes).ok().map(Self)
    }

    /// Reads base64url without padding.
    pub fn parse(word: &str) -> Option<Self> {
        Self::new(&URL_SAFE_NO_PAD.decode(word).ok()?)
    }

    /// What `snow` made and reads.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Tag {
    /// Reads base64url without padding.
    pub fn parse(word: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(word).ok()?.try_into().ok().map(Self)
    }
}

impl fmt::Display for Sealed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&URL_SAFE_NO_PAD.encode(&self.0))
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Sealed({} bytes)", self.0.len())
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}
