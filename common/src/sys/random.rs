//! Randomness from the kernel, for nonces, cookies and call-ids.

/// Random bytes that nobody can guess (`getrandom(2)`).
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut random = [0; N];
    getrandom::fill(&mut random).expect("getrandom(2) cannot fail once the machine has booted");
    random
}

#[cfg(test)]
mod tests {
    #[test]
    fn two_nonces_differ() {
        assert_ne!(super::bytes::<16>(), super::bytes::<16>());
    }
}
