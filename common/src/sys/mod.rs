//! The kernel, thin and safe.

pub mod clock;
pub mod lines;
pub mod net;
pub mod notify;
pub mod random;
pub mod signals;
pub mod thread;
pub mod unix;
