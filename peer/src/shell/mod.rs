//! Threads and sockets around the pure parts.

mod grants;
pub mod media;
pub mod udp;
mod wake;
