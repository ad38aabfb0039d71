//! The four words that two people in a call read to each other, to be sure that nobody sits between them.
//!
//! `words.txt` was put together for vox and is in the public domain (CC0 1.0): 1,024 common English words, chosen so that no
//! two begin with the same four letters, none sounds like another one, and none offends.

use std::fmt;
use std::str::SplitAsciiWhitespace;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// 10 bits of each word. Sorted, separated by white space.
const LIST: &str = include_str!("words.txt");

/// Keeps these words apart from everything else that is ever made of a handshake hash.
const LABEL: &[u8] = b"vox1 words";

/// Less than a millisecond, for whoever does it once.
const ROUNDS: u32 = 4_096;

/// Who wants to sit between two people whose handshakes give the same 40 bits has to try 2^40 of them while the caller waits.
/// He need not shake hands for that, another word at the end of what he seals is another hash: therefore each is to cost
/// 4,096 of them (docs/SECURITY.md).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FourWords([&'static str; 4]);

impl FourWords {
    /// The words of a handshake: the first 40 bits of PBKDF2 (RFC 8018, section 5.2) with HMAC-SHA-256, the handshake hash, which
    /// is public, as password, and `vox1 words` as salt.
    pub fn of(handshake: &[u8; 32]) -> Self {
        let key = Hmac::<Sha256>::new_from_slice(handshake).expect("HMAC takes a key of any length");
        let bits = first_block(&key)[..5].iter().fold(0, |bits: u64, byte| bits << 8 | u64::from(*byte));
        Self([30, 20, 10, 0].map(|shift| word(bits >> shift & 0x3ff)))
    }
}

/// The first block of PBKDF2.
fn first_block(key: &Hmac<Sha256>) -> [u8; 32] {
    let mac = |bytes: &[u8]| -> [u8; 32] { key.clone().chain_update(bytes).finalize().into_bytes().into() };
    let mut last = mac(&[LABEL, &1_u32.to_be_bytes()].concat());
    let mut block = last;
    for _ in 1..ROUNDS {
        last = mac(&last);
        block.iter_mut().zip(last).for_each(|(sum, byte)| *sum ^= byte);
    }
    block
}

fn list() -> SplitAsciiWhitespace<'static> {
    LIST.split_ascii_whitespace()
}

fn word(number: u64) -> &'static str {
    list().zip(0..).find_map(|(word, at)| (at == number).then_some(word)).expect("10 bits have a word")
}

impl fmt::Display for FourWords {
    /// As one word of a line.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self([one, two, three, four]) = self;
        write!(out, "{one}-{two}-{three}-{four}")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn there_is_one_word_for_each_ten_bits_and_its_first_four_letters_tell_it() {
        let words: Vec<_> = list().collect();
        assert_eq!(words.len(), 1 << 10);
        assert!(words.is_sorted(), "so that a reader finds one");
        let starts: HashSet<_> = words.iter().map(|word| &word[..4]).collect();
        assert_eq!(starts.len(), words.len());
        assert!(words.iter().all(|word| (4..=9).contains(&word.len())));
        assert!(words.iter().all(|word| word.bytes().all(|letter| letter.is_ascii_lowercase())));
    }

    /// `openssl kdf -keylen 5 -kdfopt digest:SHA256 -kdfopt hexpass:00…00 -kdfopt salt:'vox1 words' -kdfopt iter:4096 PBKDF2`,
    /// ten bits at a time.
    #[test]
    fn the_words_are_the_first_forty_bits_of_pbkdf2() {
        assert_eq!(FourWords::of(&[0; 32]).to_string(), "clever-turban-osprey-glad");
        assert_eq!((word(0), word(1023)), ("abbey", "zucchini"));
    }

    #[test]
    fn another_handshake_has_other_words() {
        let words: HashSet<_> = (0..=255).map(|byte| FourWords::of(&[byte; 32]).to_string()).collect();
        assert_eq!(words.len(), 256);
    }
}
