//! The kernel, thin and safe.

pub mod clock;
