//! What SECURE carries to and fro: the two messages of a Noise IK handshake, in base64url.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The first message without anything in it: an ephemeral key, a sealed static key, a MAC.
pub const OFFER_BYTES: usize = 96;

/// The second message without anything in it: an ephemeral key and a MAC.
pub const ANSWER_BYTES: usize = 48;

/// A written [`Offer`].
pub const OFFER_CHARACTERS: usize = OFFER_BYTES / 3 * 4;

/// A written [`Answer`].
pub const ANSWER_CHARACTERS: usize = ANSWER_BYTES / 3 * 4;

/// From a station to a registry: the first message; on the wire 128 characters of base64url.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer(pub [u8; OFFER_BYTES]);

/// Back: the second message; on the wire 64 characters of base64url.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer(pub [u8; ANSWER_BYTES]);

impl Offer {
    /// Reads an offer. `None`: it is not 96 bytes in base64url.
    pub fn parse(word: &str) -> Option<Self> {
        decode(word).map(Self)
    }
}

impl Answer {
    /// Reads an answer behind its `secure`. `None`: it is not 48 bytes in base64url.
    pub fn parse(word: &str) -> Option<Self> {
        decode(word).map(Self)
    }
}

fn decode<const N: usize>(word: &str) -> Option<[u8; N]> {
    URL_SAFE_NO_PAD.decode(word).ok()?.try_into().ok()
}

impl fmt::Display for Offer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn both_are_read_as_they_were_written(first: [u8; 32], second: [u8; 16]) {
            let offer = Offer(std::array::from_fn(|n| first[n % 32]));
            let answer = Answer(std::array::from_fn(|n| second[n % 16]));
            let [offered, answered] = [offer.to_string(), answer.to_string()];
            prop_assert_eq!((offered.len(), answered.len()), (OFFER_CHARACTERS, ANSWER_CHARACTERS));
            prop_assert_eq!((Offer::parse(&offered), Answer::parse(&answered)), (Some(offer), Some(answer)));
        }
    }

    #[test]
    fn what_is_longer_or_shorter_is_neither() {
        for length in
            [0, ANSWER_CHARACTERS - 1, ANSWER_CHARACTERS + 1, OFFER_CHARACTERS - 4, OFFER_CHARACTERS + 4]
        {
            let word = "A".repeat(length);
            assert_eq!((Offer::parse(&word), Answer::parse(&word)), (None, None), "{length}");
        }
    }
}
