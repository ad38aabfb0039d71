//! What both command lines are made of: a connection to the daemon, its answers as text and as JSON, failures as exit
//! codes.

pub mod client;
pub mod disk;
pub mod failure;
pub mod fields;
pub mod listing;
pub mod screen;
pub mod sections;
pub mod when;
