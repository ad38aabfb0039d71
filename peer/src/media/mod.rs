//! Sound as numbers: packets, playout, mixing, statistics. Pure: no socket, no device, no clock.

pub mod adapt;
pub mod bank;
pub mod framer;
pub mod history;
pub mod loudness;
pub mod mouth_to_ear;
pub mod orders;
pub mod playout;
pub mod profile;
pub mod red;
pub mod rtcp;
pub mod rtp;
pub mod sender;
pub mod sequence;
pub mod srtp;
pub mod stats;
pub mod tones;
