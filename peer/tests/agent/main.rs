//! The agent by scripts: what people, signals, the registry and time do to one station. Times are milliseconds.

mod answering;
mod bench;
mod calling;
mod delay;
mod messages;
mod registry;
mod rooms;
mod sealing;
mod slow;
mod talking;
mod trust;
