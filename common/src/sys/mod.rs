//! The kernel, thin and safe.

pub mod clients;
pub mod clock;
pub mod config;
pub mod file;
pub mod key_file;
pub mod lines;
pub mod net;
pub mod notify;
pub mod private;
pub mod random;
pub mod rights;
pub mod secret;
pub mod signals;
pub mod state;
pub mod store;
pub mod syslog;
pub mod thread;
pub mod turn;
pub mod unix;
