//! Where two pieces of sound meet that do not follow one another: the new one is blended with how the old one would have
//! gone on, and rises to its own loudness after sound that had faded.

use crate::opus::SHORTEST_FRAME;

/// The longest blend: 2.5 ms.
pub(super) const BLEND: usize = SHORTEST_FRAME;

/// The next such place, or the last one as far as it has not been played.
pub(super) struct Seam {
    /// How the sound would have gone on, where the next packet is not what follows …
    onward: [f32; BLEND],
    /// … and how much of that is in what is ready, of how much. A packet may be shorter than a blend.
    blended: usize,
    blend: usize,
    /// How loud real sound was where it began after what was made up, and how far it has risen since.
    risen: (f32, usize),
}

impl Seam {
    /// There is none.
    pub(super) fn none() -> Self {
        Self { onward: [0.0; BLEND], blended: BLEND, blend: BLEND, risen: (1.0, BLEND) }
    }

    /// What comes next is blended, over so many samples, with `onward`, and with silence where that ends earlier.
    pub(super) fn expect(&mut self, onward: &[f32], blend: usize) {
        let known = onward.len().min(BLEND);
        self.onward[..known].copy_from_slice(&onward[..known]);
        self.onward[known..].fill(0.0);
        (self.blended, self.blend) = (0, blend);
    }

    /// Whether something is blended with the very next sample.
    pub(super) fn is_next(&self) -> bool {
        self.blended == 0
    }

    /// What comes next follows.
    pub(super) fn forget(&mut self) {
        self.blended = self.blend;
    }

    /// After made-up sound that had faded to this, what is real comes in from there.
    pub(super) fn rise_from(&mut self, loudness: f32) {
        if loudness < 1.0 {
            self.risen = (loudness, 0);
        }
    }

    /// Lets `fresh`, which is to be played next, rise and be blended as far as that is not done yet.
    pub(super) fn smooth(&mut self, fresh: &mut [f32]) {
        let (low, risen) = self.risen;
        let (blended, blend) = (self.blended, self.blend);
        for (sample, at) in fresh.iter_mut().zip(risen..BLEND) {
            *sample *= low + (1.0 - low) * share(at, BLEND);
        }
        for (sample, at) in fresh.iter_mut().zip(blended..blend) {
            *sample = share(at, blend) * *sample + (1.0 - share(at, blend)) * self.onward[at];
        }
        self.risen.1 = (risen + fresh.len()).min(BLEND);
        self.blended = (blended + fresh.len()).min(blend);
    }
}

/// How much of the new there is at a place in a blend of so many samples.
pub(super) fn share(at: usize, blend: usize) -> f32 {
    #[expect(clippy::cast_precision_loss, reason = "below a thousand")]
    let share = (at as f32 + 0.5) / blend as f32;
    share.min(1.0)
}
