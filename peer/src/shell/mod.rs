//! Threads and sockets around the pure parts.

pub mod agent;
pub mod control;
pub mod daemon;
pub mod errand;
mod grants;
pub mod link;
pub mod mail;
pub mod media;
pub mod store;
pub mod udp;
mod wake;
