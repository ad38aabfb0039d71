//! The registry as a library, so that tests and the simulation can drive its core.

pub mod cli;
pub mod config;
pub mod core;
pub mod page;
pub mod shell;
