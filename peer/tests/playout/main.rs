//! The playout from outside: what is heard when, packet by packet; and in simulated weather.

mod grid;
mod network;
mod properties;
mod simulation;
mod sound;
mod table;
mod times;
