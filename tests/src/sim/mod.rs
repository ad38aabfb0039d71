//! Two stations, a registry and a bad network in one thread, on virtual time: one seed, one story.
//!
//! A story is a list of things that people and fate do within 20 s. Then everybody hangs up, and within 15 s of
//! virtual time both stations must be at rest and agree on how each call ended.

pub mod course;
pub mod net;
pub mod set_up;
pub mod station;
pub mod story;
pub mod verdict;
pub mod world;

pub use self::verdict::Pairs;
pub use self::world::{Report, tell};
