//! Everything random in the agent, from one seed: the same seed, the same call-ids, the same jitter.

use std::time::Duration;

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use vox_common::wire::signal::CallId;
use zeroize::Zeroizing;

/// A seeded `ChaCha20`: what it has thrown does not tell what it will throw.
pub struct Dice(ChaCha20Rng);

impl Dice {
    /// In the daemon the seed comes from the kernel, in a simulation from the table of seeds.
    pub fn new(seed: [u8; 32]) -> Self {
        Self(ChaCha20Rng::from_seed(seed))
    }

    /// 32 bytes for a secret, wiped when dropped. Whoever looks into our memory later cannot tell which: the key that they came from is gone.
    pub fn secret(&mut self) -> Zeroizing<[u8; 32]> {
        let (mut bytes, mut next) = (Zeroizing::new([0; 32]), Zeroizing::new([0; 32]));
        self.0.fill_bytes(&mut *bytes);
        self.0.fill_bytes(&mut *next);
        self.0 = ChaCha20Rng::from_seed(*next);
        bytes
    }

    /// A call-id that nobody can guess.
    pub fn call_id(&mut self) -> CallId {
        let mut bytes = [0; 16];
        self.0.fill_bytes(&mut bytes);
        CallId(bytes)
    }

    /// Between half of `span` and all of it, so that many stations do not come back at the same time.
    pub fn jitter(&mut self, span: Duration) -> Duration {
        span.mul_f64(0.5 + 0.5 * f64::from(self.0.next_u32()) / f64::from(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_dice_hold_now_does_not_tell_what_they_gave_before() {
        let mut dice = Dice::new([7; 32]);
        let given = dice.secret();
        let mut again = dice.0.clone();
        again.set_word_pos(0);
        let mut later = [0; 32];
        again.fill_bytes(&mut later);
        assert_ne!(later, *given, "the stream begins behind what was given");
        assert_ne!(dice.secret(), given);
        assert_eq!(Dice::new([7; 32]).secret(), given, "the same seed, the same secrets");
    }
}
