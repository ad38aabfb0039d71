//! The test-bed: real binaries, real sound servers, real networks, and the simulation.

pub mod bed;
pub mod bins;
pub mod crowd;
pub mod eavesdrop;
pub mod echo;
pub mod far;
pub mod fuzz;
pub mod garbage;
pub mod handshake;
pub mod liar;
pub mod mischief;
pub mod people;
pub mod sealed;
pub mod sim;
pub mod torture;
pub mod transcript;
pub mod voice;
pub mod wire;
pub mod witness;
pub mod world;
