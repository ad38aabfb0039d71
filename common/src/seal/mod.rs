//! Keys, and what is sealed with them. Pure: what is random comes from outside.

pub mod identity;
pub mod noise;
