//! PURE: what the secrets of a call are made into.

pub mod words;
