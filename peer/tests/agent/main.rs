//! The agent by scripts: what people, signals, the registry and time do to one station. Times are milliseconds.

mod answering;
mod bench;
mod calling;
mod choices;
mod consent;
mod delay;
#[path = "../../../tests/src/far.rs"]
#[expect(dead_code, unreachable_pub, reason = "other tests ask more of it")]
mod far;
mod messages;
mod registry;
mod rooms;
mod sealing;
mod slow;
mod strangers;
mod talking;
mod trust;
