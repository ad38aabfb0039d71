//! Sealed media: SRTP and SRTCP (RFC 3711) with AEAD (RFC 7714).

pub mod keys;
