//! Bytes and words: what vox programs say to each other. Pure: no socket, no clock.

pub mod coding;
pub mod limits;
pub mod line;
pub mod names;
pub mod signal;
pub mod words;
