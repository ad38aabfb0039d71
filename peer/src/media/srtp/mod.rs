//! Sealed media: SRTP and SRTCP (RFC 3711) with `AEAD_AES_128_GCM` (RFC 7714), pure, in place, without allocating.
//!
//! One [`Sealer`] at the sending end and one [`Opener`] at the receiving end of a direction, made of the same
//! [`DirectionKeys`](keys::DirectionKeys) by a pair that is used for one stream and never again: under one key no
//! packet number may be sealed twice.

mod generations;
pub mod keys;
mod numbers;
mod open;
mod seal;
mod session;
mod window;

pub use generations::Spans;
pub use open::{Opener, Unopened};
pub use seal::{Sealer, Unsealed};

/// What sealing adds to an RTP packet: the tag of GCM (RFC 7714 section 12).
pub const TAG_BYTES: usize = 16;

/// What sealing adds to a compound RTCP packet: the tag, and the index with the flag E (RFC 7714 section 9).
pub const RTCP_EXTRA_BYTES: usize = TAG_BYTES + 4;

#[cfg(test)]
mod tests;
