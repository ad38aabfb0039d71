//! PURE: what the two ends of a call prove to each other, and what comes of it: keys, and words for people.

pub mod handshake;
pub mod keys;
pub mod tag;
pub mod words;
