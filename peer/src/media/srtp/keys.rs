//! What the two ends of a leg seal their media with.

use std::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

/// A master key and a master salt of `AEAD_AES_128_GCM` (RFC 7714 section 12). Wiped when dropped, never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct MasterKey {
    /// 128 bits.
    pub key: [u8; 16],
    /// 96 bits.
    pub salt: [u8; 12],
}

/// What one direction is sealed with: one key for each use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectionKeys {
    /// For RTP.
    pub srtp: MasterKey,
    /// For RTCP.
    pub srtcp: MasterKey,
}

/// The keys of a leg, as one of its ends holds them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaKeys {
    /// What we send.
    pub sends: DirectionKeys,
    /// What we receive.
    pub receives: DirectionKeys,
}

impl Drop for MasterKey {
    fn drop(&mut self) {
        self.key.zeroize();
        self.salt.zeroize();
    }
}

impl ZeroizeOnDrop for MasterKey {}

impl fmt::Debug for MasterKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("MasterKey")
    }
}
