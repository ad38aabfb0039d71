//! The test-bed: starts the real programs in private places, and the real things that they are tested against.
//!
//! Everything here may run many times at once, ends what it started by its own process id, and leaves nothing behind
//! but the directory of a test that failed.

pub mod ambush;
pub mod attacker;
pub mod benchmarks;
pub mod browser;
pub mod control;
pub mod daemon;
pub mod debian;
pub mod disk;
pub mod emulator;
pub mod forger;
pub mod forwarder;
pub mod gstreamer;
pub mod holes;
pub mod http;
pub mod jack;
pub mod listen;
pub mod need;
pub mod net;
pub mod page;
pub mod pcap;
pub mod pest;
pub mod place;
pub mod ports;
pub mod process;
pub mod pulse;
pub mod registry;
pub mod relay;
pub mod resolver;
pub mod rsyslog;
pub mod set_up;
pub mod settings;
pub mod slots;
pub mod station;
pub mod surroundings;
pub mod tap;
pub mod timeline;
pub mod usage;
pub mod voxcard;
pub mod wait;
pub mod wav;

pub use ambush::Ambush;
pub use attacker::Attacker;
pub use browser::Browser;
pub use control::Control;
pub use forger::Forger;
pub use need::{Lack, may};
pub use page::Page;
pub use pest::Pest;
pub use place::Place;
pub use process::Process;
pub use registry::Registry;
pub use settings::Settings;
pub use station::{Said, Station};
pub use surroundings::Surroundings;
pub use tap::Tap;
