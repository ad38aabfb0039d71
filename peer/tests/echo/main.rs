//! Echo, noise and loudness: the real chain in simulated rooms, with real speech.
#![cfg(feature = "dsp")]

mod cards;
mod gain;
mod measure;
mod noise;
mod room;
mod rooms;
mod speech;
mod trouble;
