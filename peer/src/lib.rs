//! The station as a library, so that tests and the simulation can drive its parts.

pub mod agent;
pub mod audio;
pub mod cli;
pub mod config;
pub mod dsp;
pub mod media;
pub mod opus;
pub mod rt;
pub mod seal;
pub mod shell;
