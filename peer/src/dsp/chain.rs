//! From what was captured and what was played to what is sent.

use std::time::{Duration, Instant};

use super::FRAME;
use super::follower::Follower;
use super::frames::Frames;
use super::processing::Processing;
use super::reference::Reference;
use super::tasks::Tasks;

/// The reference is taken from so much earlier, so that what was given to the loudspeaker just now is there although
/// its thread was a little late. No echo is that early: the card's own buffers are longer.
const MARGIN: Duration = Duration::from_millis(1);

/// One microphone and one loudspeaker in one room.
pub struct Chain {
    tasks: Tasks,
    frames: Frames,
    reference: Reference,
    follower: Follower,
    processing: Processing,
}

impl Chain {
    /// `None`: there is nothing to do, or this build cannot do it. Allocates much; so does every frame, a little.
    pub fn new(tasks: Tasks) -> Option<Self> {
        Some(Self {
            tasks,
            frames: Frames::default(),
            reference: Reference::default(),
            follower: Follower::default(),
            processing: Processing::new(tasks)?,
        })
    }

    /// The loudspeaker was given these samples, the first of them at `when`.
    pub fn played(&mut self, when: Instant, samples: &[f32]) {
        self.reference.push(when, samples);
    }

    /// The microphone brought these samples, the first of them captured at `when`. What is to be sent leaves in frames,
    /// with the time at which the first sample of each was captured.
    pub fn captured(
        &mut self,
        when: Instant,
        samples: &[f32],
        each: &mut impl FnMut(Instant, &[f32; FRAME]),
    ) {
        let Self { tasks, frames, reference, follower, processing } = self;
        frames.push(when, samples, &mut |when, frame| {
            if tasks.echo_cancel {
                processing.hear(&aligned(reference, follower, when));
            }
            processing.work(frame);
            each(when.checked_sub(processing.delay()).unwrap_or(when), frame);
        });
    }
}

/// What the loudspeaker was given while this frame was captured, as the microphone's card counts.
fn aligned(reference: &Reference, follower: &mut Follower, captured: Instant) -> [f32; FRAME] {
    let mut played = [0.0; FRAME];
    let from = captured.checked_sub(MARGIN).unwrap_or(captured);
    let places = reference.sample_at(from).zip(reference.sample_at(from + Duration::from_millis(10)));
    match places {
        Some((from, to)) => follower.play(reference, from, to, &mut played),
        None => follower.forget(),
    }
    played
}
