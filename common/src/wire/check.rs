//! A few characters behind a line of a state file: whether a character of it has changed since it was written.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// A written check.
pub const CHECK_BYTES: usize = 6;

/// The first 36 bits of the SHA-256 of a text, in base64url. It finds what a disk does to a line, not what an attacker does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Check([u8; CHECK_BYTES]);

impl Check {
    /// The check of a text.
    ///
    /// # Panics
    /// Never: 32 bytes are 43 characters.
    pub fn of(text: &str) -> Self {
        let mut written = [0; 43];
        let digest = Sha256::digest(text);
        URL_SAFE_NO_PAD.encode_slice(digest, &mut written).expect("32 bytes are 43 characters");
        let (check, _) = written.split_first_chunk().expect("it is shorter");
        Self(*check)
    }

    /// Returns true if this is how the check is written.
    pub fn is_written(&self, word: &str) -> bool {
        word.as_bytes() == self.0
    }
}

impl fmt::Display for Check {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(std::str::from_utf8(&self.0).map_err(|_| fmt::Error)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_is_the_beginning_of_sha256() {
        // printf 'bob' | openssl dgst -sha256 -binary | basenc --base64url
        assert_eq!(Check::of("bob").to_string(), "gbY32P");
    }

    #[test]
    fn every_changed_character_changes_it() {
        let line = "bob O2onvM62pC1io6jQKm8Nc2UyFXcd4kOmOsBIoYtZ2ik";
        let check = Check::of(line);
        assert!(check.is_written(&check.to_string()) && !check.is_written(""));
        for at in 0..line.len() {
            let mut bytes = line.as_bytes().to_vec();
            bytes[at] ^= 1;
            assert_ne!(Check::of(std::str::from_utf8(&bytes).unwrap()), check, "{at}");
        }
    }
}
