//! Randomness from the kernel, for keys, nonces, cookies and call-ids.

use zeroize::Zeroizing;

/// Random bytes that nobody can guess (`getrandom(2)`).
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut random = [0; N];
    fill(&mut random);
    random
}

/// 32 of them for a secret, wiped when they are dropped.
pub fn secret() -> Zeroizing<[u8; 32]> {
    let mut random = Zeroizing::new([0; 32]);
    fill(&mut *random);
    random
}

fn fill(random: &mut [u8]) {
    getrandom::fill(random).expect("getrandom(2) cannot fail once the machine has booted");
}

#[cfg(test)]
mod tests {
    #[test]
    fn two_nonces_differ() {
        assert_ne!(super::bytes::<16>(), super::bytes::<16>());
    }
}
