//! Sound as numbers: packets, playout, mixing, statistics. Pure: no socket, no device, no clock.

pub mod orders;
