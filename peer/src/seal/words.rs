//! The four words that two people in a call read to each other, to be sure that nobody sits between them.
//!
//! `words.txt` was put together for vox and is in the public domain (CC0 1.0): 1,024 common English words, chosen so that no
//! two begin with the same four letters, none sounds like another one, and none offends.

use std::fmt;
use std::str::SplitAsciiWhitespace;

use sha2::{Digest, Sha256};

/// 10 bits of each word. Sorted, separated by white space.
const LIST: &str = include_str!("words.txt");

/// Keeps these words apart from everything else that is ever made of a handshake hash.
const LABEL: &[u8] = b"vox1 words";

/// Who wants to sit between two people whose handshakes give the same 40 bits has to try 2^40 of them while the caller waits:
/// hashes, not handshakes, because another word at the end of what he seals is another hash (docs/SECURITY.md).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FourWords([&'static str; 4]);

impl FourWords {
    /// The words of a handshake: the first 40 bits of SHA-256 over `vox1 words` and the handshake hash, which is public.
    pub fn of(handshake: &[u8; 32]) -> Self {
        let digest = Sha256::new().chain_update(LABEL).chain_update(handshake).finalize();
        let bits = digest[..5].iter().fold(0, |bits: u64, byte| bits << 8 | u64::from(*byte));
        Self([30, 20, 10, 0].map(|shift| word(bits >> shift & 0x3ff)))
    }
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

    /// `printf 'vox1 words' | cat - <(head -c 32 /dev/zero) | sha256sum`, ten bits at a time.
    #[test]
    fn the_words_are_the_first_forty_bits_of_a_digest_of_their_own() {
        assert_eq!(FourWords::of(&[0; 32]).to_string(), "target-year-safari-oxygen");
        assert_eq!((word(0), word(1023)), ("abbey", "zucchini"));
    }

    #[test]
    fn another_handshake_has_other_words() {
        let words: HashSet<_> = (0..=255).map(|byte| FourWords::of(&[byte; 32]).to_string()).collect();
        assert_eq!(words.len(), 256);
    }
}
