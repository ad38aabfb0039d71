//! A microphone's and a loudspeaker's card with clocks of their own, in front of the chain.

use std::time::{Duration, Instant};

use vox_peer::dsp::chain::Chain;
use vox_peer::dsp::tasks::Tasks;

use super::{Dice, ECHO_DELAY};

/// How the two cards work.
#[derive(Debug, Clone, Copy)]
pub struct Cards {
    /// Samples in one period, of both.
    pub period: usize,
    /// How much faster the microphone's card is than the loudspeaker's.
    pub drift_ppm: f64,
    /// Callbacks are up to so much late, in seconds.
    pub jitter: f64,
    /// The microphone's card stands still from then on, for so long: seconds.
    pub capture_gap: Option<(f64, f64)>,
    /// After each so many seconds the microphone's card loses a period, and half-way between that the loudspeaker's, which
    /// then is silent ([`Cards::heard`]).
    pub loses_every: Option<f64>,
    /// What was played is told of only from then on, and until then: seconds.
    pub reference: (f64, f64),
}

impl Default for Cards {
    fn default() -> Self {
        Self {
            period: 480,
            drift_ppm: 0.0,
            jitter: 200e-6,
            capture_gap: None,
            loses_every: None,
            reference: (0.0, 1e9),
        }
    }
}

/// What left the chain.
pub struct Sent {
    /// When the first sample of each frame was captured, in seconds, and the frame.
    pub frames: Vec<(f64, [f32; 480])>,
}

impl Sent {
    /// One sample after the other.
    pub fn samples(&self) -> Vec<f32> {
        self.frames.iter().flat_map(|(_, frame)| *frame).collect()
    }

    /// Each sample as much later than it was captured as echo cancellation takes, and silence where none was: so many.
    pub fn placed(&self, samples: usize) -> Vec<f32> {
        let mut placed = vec![0.0; samples];
        for (when, frame) in &self.frames {
            let at = sample_at(*when) + ECHO_DELAY;
            let end = (at + frame.len()).min(samples);
            placed[at.min(end)..end].copy_from_slice(&frame[..end.saturating_sub(at)]);
        }
        placed
    }
}

impl Cards {
    /// What comes out of the loudspeaker when its card is given this.
    pub fn heard(&self, given: &[f32]) -> Vec<f32> {
        let lost = |n: usize| self.loses(n / self.period * self.period, 0.5);
        given.iter().enumerate().map(|(n, sample)| if lost(n) { 0.0 } else { *sample }).collect()
    }

    /// Lets the loudspeaker play `given`, which is at its card's rate, and the microphone capture `air`, which is what
    /// there is to hear, also at that rate.
    pub fn run(&self, tasks: Tasks, given: &[f32], air: &[f32]) -> Sent {
        let mut chain = Chain::new(tasks).expect("something to do");
        let begun = vox_common::sys::clock::now();
        let at = |seconds: f64| begun + Duration::from_secs_f64(seconds);
        let (mut frames, mut dice) = (Vec::new(), Dice(7));
        let rate = 48_000.0 * (1.0 + self.drift_ppm * 1e-6);
        let (mut played, mut captured) = (0, 0);
        let end = seconds(given.len() - 2 * self.period);
        loop {
            let (plays, captures) = (seconds(played), exact(captured + self.period) / rate);
            if plays.min(captures) > end {
                return Sent { frames };
            }
            if plays <= captures {
                if (self.reference.0..self.reference.1).contains(&plays) && !self.loses(played, 0.5) {
                    chain.played(at(plays + self.jitter * dice.roll()), &given[played..played + self.period]);
                }
                played += self.period;
            } else {
                let from = exact(captured) / rate;
                captured += self.period;
                let is_lost = self.loses(captured - self.period, 0.0);
                if is_lost
                    || self.capture_gap.is_some_and(|(gap, length)| (gap..gap + length).contains(&from))
                {
                    continue;
                }
                let block: Vec<f32> = (0..self.period)
                    .map(|n| between(air, from * 48_000.0 + exact(n) * 48_000.0 / rate))
                    .collect();
                chain.captured(at(from + self.jitter * dice.roll()), &block, &mut |when: Instant, frame| {
                    frames.push((when.saturating_duration_since(begun).as_secs_f64(), *frame));
                });
            }
        }
    }

    /// Whether the period that begins with this sample is lost, by the card that loses such a share of the time later.
    fn loses(&self, from: usize, later: f64) -> bool {
        let turn = |sample: usize, every: f64| (seconds(sample) / every - later).floor();
        self.loses_every.is_some_and(|every| turn(from, every) < turn(from + self.period, every) && from > 0)
    }
}

/// The sample that lies at this time.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "inside the recording")]
fn sample_at(seconds: f64) -> usize {
    (seconds * 48_000.0).round().max(0.0) as usize
}

/// Where in the samples something is, in seconds.
fn seconds(samples: usize) -> f64 {
    exact(samples) / 48_000.0
}

#[expect(clippy::cast_precision_loss, reason = "minutes of samples")]
fn exact(samples: usize) -> f64 {
    samples as f64
}

/// The sound between two samples: sinc over 16 of them, but the sample itself where it is exactly there.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "inside the recording")]
fn between(air: &[f32], place: f64) -> f32 {
    let left = place.floor();
    let fraction = place - left;
    let sample = |n: f64| if n < 0.0 { 0.0 } else { air.get(n as usize).copied().unwrap_or(0.0) };
    if !(1e-6..=1.0 - 1e-6).contains(&fraction) {
        return sample(place.round());
    }
    let tap = |n: i32| {
        let distance = f64::from(n) - fraction;
        let angle = std::f64::consts::PI * distance;
        let window = (angle / 16.0).cos().powi(2);
        f64::from(sample(left + f64::from(n))) * window * angle.sin() / angle
    };
    (-7..=8).map(tap).sum::<f64>() as f32
}
