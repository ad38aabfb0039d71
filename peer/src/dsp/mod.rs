//! PURE: the microphone without the loudspeaker's echo, without noise, at one loudness. No thread, device or clock.
//!
//! What the loudspeaker was given and what the microphone brought come with their times. [`timeline`] finds where the
//! samples of each card lie in time, [`reference`](mod@reference) keeps what was played, [`follower`] plays it again as
//! fast as the microphone's card counts, [`frames`] cuts what was captured into frames, [`chain`] puts the two side by
//! side before a [`low_cut`] and WebRTC's audio processing: [`processing`].

pub mod chain;
pub mod follower;
pub mod frames;
pub mod low_cut;
#[cfg(feature = "dsp")]
pub mod processing;
#[cfg(not(feature = "dsp"))]
#[path = "absent.rs"]
pub mod processing;
pub mod reference;
pub mod tasks;
pub mod timeline;

/// Samples that are processed at once: 10 ms.
pub const FRAME: usize = 480;
