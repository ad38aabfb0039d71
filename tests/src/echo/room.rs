//! A loudspeaker in a room with a microphone: a feedback delay network for the walls (J.-M. Jot, A. Chaigne, "Digital
//! delay networks for designing artificial reverberators", AES 1991), which decays by 60 dB in exactly the time asked for.

/// Samples between the walls: no two have a divisor in common.
const WALLS: [[usize; 8]; 3] = [
    [241, 307, 367, 439, 509, 587, 661, 743],
    [199, 263, 331, 401, 463, 547, 619, 691],
    [311, 397, 467, 557, 641, 727, 811, 887],
];

/// What is between a loudspeaker and a microphone.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    /// Which of the walls.
    pub walls: usize,
    /// The time in which the sound decays by 60 dB, in seconds.
    pub rt60: f32,
    /// From what the card was given to what it has captured, in milliseconds: its buffers, and the way through the air.
    pub delay_ms: f32,
    /// How much of the loudspeaker's sound the microphone gets, straight.
    pub coupling: f32,
    /// How much a loudspeaker at full scale compresses: its third harmonic.
    pub distortion: f32,
}

impl Room {
    /// A desk in an office.
    pub const OFFICE: Self = Self { walls: 0, rt60: 0.3, delay_ms: 40.0, coupling: 0.3, distortion: 0.05 };

    /// What the microphone hears of what the loudspeaker was given.
    pub fn echo(&self, given: &[f32]) -> Vec<f32> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small number")]
        let delay = (self.delay_ms * 48.0) as usize;
        let mut walls = Walls::new(WALLS[self.walls], self.rt60);
        let mut heard = vec![0.0; given.len()];
        for (place, sample) in given.iter().enumerate() {
            let driven = sample - self.distortion * sample.powi(3);
            if let Some(heard) = heard.get_mut(place + delay) {
                *heard = self.coupling * (driven + 0.5 * walls.reflect(driven));
            }
        }
        heard
    }
}

/// Eight delay lines that feed each other through a Hadamard matrix.
struct Walls([Wall; 8]);

struct Wall {
    line: Vec<f32>,
    place: usize,
    gain: f32,
    /// What comes back is duller than what went.
    dull: f32,
}

impl Walls {
    fn new(lengths: [usize; 8], rt60: f32) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let gain = |length: usize| 10_f32.powf(-3.0 * length as f32 / (48_000.0 * rt60));
        let wall = |length| Wall { line: vec![0.0; length], place: 0, gain: gain(length), dull: 0.0 };
        Self(lengths.map(wall))
    }

    fn reflect(&mut self, sample: f32) -> f32 {
        let mut out = [0.0; 8];
        for (out, wall) in out.iter_mut().zip(&mut self.0) {
            let arrived = wall.line[wall.place] * wall.gain;
            wall.dull += 0.7 * (arrived - wall.dull);
            *out = wall.dull;
        }
        for (mixed, wall) in hadamard(out).into_iter().zip(&mut self.0) {
            wall.line[wall.place] = mixed + sample / 8_f32.sqrt();
            wall.place = (wall.place + 1) % wall.line.len();
        }
        out.iter().sum::<f32>() / 8_f32.sqrt()
    }
}

fn hadamard(mut lines: [f32; 8]) -> [f32; 8] {
    for half in [1, 2, 4] {
        for n in (0..8).filter(|n| n & half == 0) {
            let (one, other) = (lines[n], lines[n + half]);
            (lines[n], lines[n + half]) = (one + other, one - other);
        }
    }
    lines.map(|line| line / 8_f32.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::echo::measure::db;

    #[test]
    fn the_room_decays_as_long_as_it_says() {
        for rt60 in [0.2, 0.5] {
            let mut click = vec![0.0; 48_000];
            click[0] = 1.0;
            let heard = Room { rt60, delay_ms: 0.0, ..Room::OFFICE }.echo(&click);
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small number")]
            let at = |share: f32| (share * rt60 * 48_000.0) as usize;
            let level = |from: f32, to: f32| db(&heard[at(from)..at(to)]);
            let fall = level(0.2, 0.3) - level(0.6, 0.7);
            assert!((20.0..40.0).contains(&fall), "{fall} dB in 0.4 of {rt60} s, of which 24 are due");
        }
    }
}
