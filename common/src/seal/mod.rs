//! Keys, and what is sealed with them. Pure: what is random comes from outside.

pub mod identity;
pub mod incoming;
pub mod noise;
pub mod possession;
pub mod records;
pub mod secure;
