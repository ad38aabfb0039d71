//! What can be made of bytes that were meant for somebody else: words in any writing, bytes and speech that are known.

#![expect(clippy::cast_precision_loss, reason = "counts, all far from the bounds of their types")]

use std::collections::HashSet;

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, NO_PAD};

/// Shorter runs of letters and digits are words, not base64url.
const SHORTEST_RUN: usize = 8;

/// So many bytes in a row are the same by chance once in 2^64.
const ROW: usize = 8;

/// Whether a word can be read in these bytes: as they stand, or behind base64url that begins anywhere.
pub fn tells(bytes: &[u8], word: &str) -> bool {
    readings(bytes).iter().any(|reading| finds(reading, word.as_bytes()))
}

/// The bytes, and what stands behind every run of them that may be base64url.
fn readings(bytes: &[u8]) -> Vec<Vec<u8>> {
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let runs = bytes.split(|byte| !is_letter(byte)).filter(|run| run.len() >= SHORTEST_RUN);
    let decoded = runs.flat_map(|run| (0..4).filter_map(|skip| decode(&run[skip..])));
    std::iter::once(bytes.to_vec()).chain(decoded).collect()
}

/// As far as it goes in whole letters.
fn decode(run: &[u8]) -> Option<Vec<u8>> {
    const LENIENT: GeneralPurposeConfig = NO_PAD.with_decode_allow_trailing_bits(true);
    let whole = if run.len() % 4 == 1 { &run[..run.len() - 1] } else { run };
    GeneralPurpose::new(&URL_SAFE, LENIENT).decode(whole).ok()
}

fn finds(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|window| window.eq_ignore_ascii_case(word))
}

/// Bits in a byte (Shannon): 8 where every value comes as often as every other.
pub fn entropy<'b>(bytes: impl IntoIterator<Item = &'b u8>) -> f64 {
    let mut counts = [0_u32; 256];
    bytes.into_iter().for_each(|byte| counts[usize::from(*byte)] += 1);
    let total: u32 = counts.iter().sum();
    let shares = counts.iter().filter(|count| **count > 0).map(|count| f64::from(*count) / f64::from(total));
    -shares.map(|share| share * share.log2()).sum::<f64>()
}

/// The share of packets in which eight bytes in a row stand that stand in something known.
pub fn known_share(packets: &[Vec<u8>], known: &[Vec<u8>]) -> f64 {
    let rows: HashSet<&[u8]> = known.iter().flat_map(|bytes| bytes.windows(ROW)).collect();
    let is_known = |packet: &&Vec<u8>| packet.windows(ROW).any(|row| rows.contains(row));
    packets.iter().filter(is_known).count() as f64 / packets.len().max(1) as f64
}

/// How much a piece of sound is like speech where it is most: 1 is the same but for its volume, 0 nothing.
pub fn likeness(piece: &[f32], speech: &[f32]) -> f64 {
    let powers = running_power(speech);
    let mine = running_power(piece)[piece.len()];
    let at = |(n, window): (usize, &[f32])| {
        let norm = (mine * (powers[n + piece.len()] - powers[n])).sqrt();
        if norm < 1e-3 {
            return 0.0;
        }
        let both: f32 = window.iter().zip(piece).map(|(one, other)| one * other).sum();
        f64::from(both.abs()) / norm
    };
    speech.windows(piece.len()).enumerate().map(at).fold(0.0, f64::max)
}

/// The power of all samples before each, and at the end of all.
fn running_power(samples: &[f32]) -> Vec<f64> {
    let mut sum = 0.0;
    let grown = samples.iter().map(|sample| {
        sum += f64::from(sample * sample);
        sum
    });
    std::iter::once(0.0).chain(grown).collect()
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng;

    use super::*;
    use crate::garbage::byte;

    #[test]
    fn words_are_read_behind_base64url_that_begins_anywhere() {
        // `from=alice codec=opus`, packed.
        for before in ["hello=", "hello=x", "hello=xy", "hello=xyz"] {
            let written = format!("{before}ZnJvbT1hbGljZSBjb2RlYz1vcHVz tag=00");
            assert!(tells(written.as_bytes(), "alice") && tells(written.as_bytes(), "OPUS"), "{written}");
            assert!(!tells(written.as_bytes(), "bob"));
        }
    }

    #[test]
    fn what_is_ordered_has_less_than_eight_bits() {
        let all: Vec<u8> = (0..=u8::MAX).cycle().take(65_536).collect();
        assert!((entropy(&all) - 8.0).abs() < 1e-9);
        assert!(entropy(b"aabb") <= 1.0);
    }

    #[test]
    fn known_bytes_and_known_speech_are_found_at_any_place() {
        let known = vec![(0..100).collect::<Vec<u8>>()];
        let packets = [vec![9, 9, 20, 21, 22, 23, 24, 25, 26, 27], vec![0, 1, 2, 3, 4, 5, 6, 8]];
        assert!((known_share(&packets, &known) - 0.5).abs() < 1e-9);
        let mut dice = ChaCha8Rng::seed_from_u64(1);
        let mut noise = |count| (0..count).map(|_| f32::from(byte(&mut dice)) - 127.5).collect::<Vec<_>>();
        let (speech, other) = (noise(2_000), noise(200));
        let quiet: Vec<f32> = speech[700..900].iter().map(|sample| sample / 4.0).collect();
        assert!(likeness(&quiet, &speech) > 0.999 && likeness(&other, &speech) < 0.5);
    }
}
