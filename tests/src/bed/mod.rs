//! The test-bed: starts the real programs in private places, and the real things that they are tested against.
//!
//! Everything here may run many times at once, ends what it started by its own process id, and leaves nothing behind
//! but the directory of a test that failed.

pub mod control;
pub mod daemon;
pub mod need;
pub mod place;
pub mod ports;
pub mod process;
pub mod registry;
pub mod settings;
pub mod station;
pub mod surroundings;
pub mod usage;
pub mod wait;

pub use control::Control;
pub use need::{Lack, may};
pub use place::Place;
pub use process::Process;
pub use registry::Registry;
pub use settings::Settings;
pub use station::{Said, Station};
pub use surroundings::Surroundings;
