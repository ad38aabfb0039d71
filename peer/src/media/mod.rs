//! Sound as numbers: packets, playout, mixing, statistics. Pure: no socket, no device, no clock.

pub mod orders;
pub mod rtcp;
pub mod rtp;
pub mod sequence;
