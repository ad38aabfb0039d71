//! Bytes and words: what vox programs say to each other. Pure: no socket, no clock.

pub mod admin;
pub mod check;
pub mod coding;
pub mod control;
pub mod disk;
pub mod event;
pub mod keys;
pub mod limits;
pub mod line;
pub mod names;
pub mod proof;
pub mod refusal;
pub mod reply;
pub mod request;
pub mod secure;
pub mod signal;
pub mod users;
pub mod verb;
pub mod words;
