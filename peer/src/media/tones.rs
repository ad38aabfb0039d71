//! Sound that is made here: a steady tone, and the ring of an incoming call.

use std::f32::consts::TAU;

/// A sine that goes on where it stopped.
#[derive(Debug, Clone, Copy)]
pub struct Tone {
    /// Turns, 0 to 1.
    phase: f32,
    step: f32,
    peak: f32,
}

impl Tone {
    /// `frequency` in Hz at 48 kHz, `peak` 0 to 1.
    pub fn new(frequency: f32, peak: f32) -> Self {
        Self { phase: 0.0, step: frequency / 48_000.0, peak }
    }

    /// Fills `samples` with the tone.
    pub fn fill(&mut self, samples: &mut [f32]) {
        samples.fill_with(|| self.next());
    }

    fn next(&mut self) -> f32 {
        self.phase = (self.phase + self.step).fract();
        self.peak * (TAU * self.phase).sin()
    }
}

/// Two tones warbling for a second, then two seconds of silence, and again.
#[derive(Debug, Clone, Copy)]
pub struct Ring {
    high: Tone,
    low: Tone,
    /// Samples since the cadence began.
    at: u32,
    level: f32,
    on: bool,
}

/// One round of the cadence.
const ROUND: u32 = 3 * 48_000;
/// How much of a round sounds.
const SOUNDING: u32 = 48_000;
/// Each of the two tones in turn: 50 ms.
const WARBLE: u32 = 2_400;
/// The loudness changes by at most this in one sample: 5 ms from silence to full.
const STEEPEST: f32 = 1.0 / 240.0;

impl Default for Ring {
    fn default() -> Self {
        Self { high: Tone::new(1_000.0, 0.25), low: Tone::new(800.0, 0.25), at: 0, level: 0.0, on: false }
    }
}

impl Ring {
    /// Starts with the beginning of a cadence, or fades out.
    pub fn sound(&mut self, on: bool) {
        if on && !self.on {
            self.at = 0;
        }
        self.on = on;
    }

    /// Adds the ring to `samples`. Costs nothing while it is off.
    pub fn mix_into(&mut self, samples: &mut [f32]) {
        if self.on || self.level > 0.0 {
            for sample in samples {
                *sample += self.next();
            }
        }
    }

    fn next(&mut self) -> f32 {
        let wanted = if self.on && self.at < SOUNDING { 1.0 } else { 0.0 };
        self.level = (self.level + (wanted - self.level).clamp(-STEEPEST, STEEPEST)).clamp(0.0, 1.0);
        let (high, low) = (self.high.next(), self.low.next());
        let share = warble(self.at);
        self.at = (self.at + 1) % ROUND;
        self.level * (share * high + (1.0 - share) * low)
    }
}

/// How much of the high tone sounds: 1, 0, and 5 ms of passage between them.
fn warble(at: u32) -> f32 {
    #[expect(clippy::cast_precision_loss, reason = "below 2,400")]
    let into = ((at % WARBLE) as f32 * STEEPEST).min(1.0);
    if (at / WARBLE).is_multiple_of(2) { into } else { 1.0 - into }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_is_the_same_in_any_pieces() {
        let (mut whole, mut pieces) = ([0.0; 480], [0.0; 480]);
        Tone::new(440.0, 0.5).fill(&mut whole);
        let mut tone = Tone::new(440.0, 0.5);
        pieces.chunks_mut(7).for_each(|piece| tone.fill(piece));
        assert!(whole.iter().zip(&pieces).all(|(a, b)| (a - b).abs() < 1e-6));
        assert!(whole.iter().any(|s| s.abs() > 0.49));
    }

    #[test]
    fn the_ring_sounds_one_second_in_three_without_clicks() {
        let mut ring = Ring::default();
        let mut sound = vec![0.0; 4 * 48_000];
        ring.sound(true);
        sound.chunks_mut(100).for_each(|piece| ring.mix_into(piece));
        // A sine of 1 kHz and 0.25 moves by at most 0.033 in a sample.
        assert!(sound.windows(2).all(|pair| (pair[1] - pair[0]).abs() < 0.036));
        assert!(sound[10_000..11_000].iter().any(|s| s.abs() > 0.2));
        assert!(sound[50_000..143_000].iter().all(|s| *s == 0.0));
        assert!(sound[150_000..].iter().any(|s| s.abs() > 0.2));
        ring.sound(false);
        let mut end = [0.0; 480];
        ring.mix_into(&mut end);
        assert!(end[300..].iter().all(|s| *s == 0.0));
    }
}
