//! Threads and sockets around the pure parts.

pub mod agent;
mod captured;
pub mod control;
mod controls;
pub mod daemon;
mod dsp;
pub mod errand;
mod grants;
mod guard;
mod known;
pub mod link;
pub mod mail;
pub mod media;
mod media_tx;
mod playing;
mod side;
mod sound;
mod state;
mod try_cell;
pub mod udp;
mod wake;
