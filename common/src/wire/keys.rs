//! Public keys of stations, and the fingerprints by which people tell them apart.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// Characters of 32 bytes in base64url without padding.
const CHARACTERS: usize = 43;

/// A written key.
pub const KEY_BYTES: usize = CHARACTERS;

/// A written fingerprint.
pub const FINGERPRINT_BYTES: usize = PREFIX.len() + CHARACTERS;

const PREFIX: &str = "SHA256:";

/// A static X25519 key; on the wire 43 characters of base64url.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(pub [u8; 32]);

/// SHA-256 of a public key; written as `SHA256:` and 43 characters of base64url.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl PublicKey {
    /// Reads a key. `None`: it is not 32 bytes in base64url without padding.
    pub fn parse(word: &str) -> Option<Self> {
        decode(word).map(Self)
    }

    /// What people compare.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint(Sha256::digest(self.0).into())
    }
}

impl Fingerprint {
    /// Reads a fingerprint with its `SHA256:`.
    pub fn parse(word: &str) -> Option<Self> {
        decode(word.strip_prefix(PREFIX)?).map(Self)
    }
}

fn decode(word: &str) -> Option<[u8; 32]> {
    URL_SAFE_NO_PAD.decode(word).ok()?.try_into().ok()
}

fn write(bytes: &[u8; 32], out: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut text = [0; CHARACTERS];
    let count = URL_SAFE_NO_PAD.encode_slice(bytes, &mut text).map_err(|_| fmt::Error)?;
    out.write_str(std::str::from_utf8(&text[..count]).map_err(|_| fmt::Error)?)
}

impl fmt::Display for PublicKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(&self.0, out)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(PREFIX)?;
        write(&self.0, out)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_fingerprints_survive_writing() {
        for byte in [0, 1, 0x7f, 0xff] {
            let key = PublicKey([byte; 32]);
            let fingerprint = key.fingerprint();
            assert_eq!(PublicKey::parse(&key.to_string()), Some(key));
            assert_eq!(Fingerprint::parse(&fingerprint.to_string()), Some(fingerprint));
            assert_eq!(
                (key.to_string().len(), fingerprint.to_string().len()),
                (KEY_BYTES, FINGERPRINT_BYTES)
            );
        }
    }

    #[test]
    fn the_fingerprint_is_sha256() {
        let fingerprint = PublicKey([0; 32]).fingerprint().to_string();
        assert_eq!(fingerprint, "SHA256:Zmh6rfhivXdsj8GLjp-OIAiXFIVu4jOzkCpZHQ1fKSU");
    }

    #[test]
    fn what_is_not_a_key_is_refused() {
        let long = "A".repeat(44);
        for word in ["", "short", "/////////////////////////////////////////+A", &long] {
            assert_eq!(PublicKey::parse(word), None, "{word}");
        }
    }
}
