//! Tags: only the two ends of a call can say something about it.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use vox_common::wire::keys::PublicKey;
use vox_common::wire::signal::Tag;
use zeroize::{Zeroize, Zeroizing};

/// Bytes of HMAC-SHA-256 that are kept (RFC 2104 section 5).
const KEPT: usize = 16;

/// What one end tags with, and the other checks with. Wiped when dropped, never shown; boxed, because what is moved stays
/// behind where it was.
#[derive(Clone, PartialEq, Eq)]
pub struct TagKey(Box<Zeroizing<[u8; 32]>>);

impl TagKey {
    /// A key of 32 bytes that nobody can guess. What was handed in is wiped.
    pub fn new(mut bytes: [u8; 32]) -> Self {
        let key = Self(Box::new(Zeroizing::new(bytes)));
        bytes.zeroize();
        key
    }

    /// Its bytes, for sealing them.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key for those who hold that key: nobody can tell one such key from another.
    #[must_use]
    pub fn for_key(&self, key: &PublicKey) -> Self {
        Self::new(self.mac(&key.0).finalize().into_bytes().into())
    }

    /// The tag of these bytes.
    pub fn tag(&self, bytes: &[u8]) -> Tag {
        let mac = self.mac(bytes).finalize().into_bytes();
        Tag(*mac.first_chunk().expect("SHA-256 gives 32 bytes"))
    }

    /// Whether this is the tag of these bytes; takes as long for one that is nearly right as for any other.
    pub fn is_tag_of(&self, tag: &Tag, bytes: &[u8]) -> bool {
        const { assert!(KEPT == size_of::<Tag>()) };
        self.mac(bytes).verify_truncated_left(&tag.0).is_ok()
    }

    fn mac(&self, bytes: &[u8]) -> Hmac<Sha256> {
        let mac = Hmac::<Sha256>::new_from_slice(&**self.0).expect("HMAC takes a key of any length");
        mac.chain_update(bytes)
    }
}

impl fmt::Debug for TagKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("TagKey")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_holder_of_a_key_has_a_key_of_its_own_that_tells_nothing_of_another() {
        let made = TagKey::new([7; 32]);
        let [one, other] = [[1; 32], [2; 32]].map(|bytes| made.for_key(&PublicKey(bytes)));
        assert!(one != other && one != made && other != made);
        assert_eq!(one, made.for_key(&PublicKey([1; 32])));
    }

    #[test]
    fn a_tag_is_for_these_bytes_and_this_key() {
        let key = TagKey::new([7; 32]);
        let tag = key.tag(b"VOX1 BYE");
        assert!(key.is_tag_of(&tag, b"VOX1 BYE"));
        assert!(!key.is_tag_of(&tag, b"VOX1 BYE "));
        assert!(!TagKey::new([8; 32]).is_tag_of(&tag, b"VOX1 BYE"));
        for bit in 0..128 {
            let mut other = tag;
            other.0[bit / 8] ^= 1 << (bit % 8);
            assert!(!key.is_tag_of(&other, b"VOX1 BYE"));
        }
        assert_eq!(format!("{key:?}"), "TagKey");
    }
}
