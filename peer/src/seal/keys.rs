//! From the two keys that `Split()` gives to one for each direction and use (HKDF-SHA-256, RFC 5869).
//!
//! Nothing else keys anything: the handshake hash, which the words are made of, is known to whoever sees the datagrams.

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

use super::tag::TagKey;
use crate::media::srtp::keys::{DirectionKeys, MasterKey, MediaKeys};

/// The two keys of `Split()` (Noise section 5.2): from the caller to the callee, and back. Wiped when dropped.
pub struct Split(Zeroizing<[[u8; 32]; 2]>);

/// Which end of a call this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It called.
    Caller,
    /// It was called.
    Callee,
}

impl End {
    /// The one that it talks to.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Caller => Self::Callee,
            Self::Callee => Self::Caller,
        }
    }
}

/// What each direction's signals are tagged with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignalKeys {
    /// Ours.
    pub sends: TagKey,
    /// The other end's.
    pub receives: TagKey,
}

/// All that a call is sealed with, as one of its ends holds it.
#[derive(Debug, PartialEq, Eq)]
pub struct CallKeys {
    /// For signals.
    pub signals: SignalKeys,
    /// For sound and for what is said of it.
    pub media: MediaKeys,
}

impl Split {
    /// What `snow` gives; its own copies are wiped.
    pub fn new((mut there, mut back): ([u8; 32], [u8; 32])) -> Self {
        let split = Self(Zeroizing::new([there, back]));
        there.zeroize();
        back.zeroize();
        split
    }

    /// The keys as this end holds them.
    pub fn keys(&self, end: End) -> CallKeys {
        let [there, back] = &*self.0;
        let (sends, receives) = match end {
            End::Caller => (Direction(there), Direction(back)),
            End::Callee => (Direction(back), Direction(there)),
        };
        CallKeys {
            signals: SignalKeys { sends: sends.tag(), receives: receives.tag() },
            media: MediaKeys { sends: sends.media(), receives: receives.media() },
        }
    }
}

/// Everything that is derived for one direction. Both directions have the same labels, but not the same key.
struct Direction<'a>(&'a [u8; 32]);

impl Direction<'_> {
    fn tag(&self) -> TagKey {
        TagKey::new(*self.expand(b"vox1 signal"))
    }

    fn media(&self) -> DirectionKeys {
        DirectionKeys { srtp: self.master(b"vox1 srtp"), srtcp: self.master(b"vox1 srtcp") }
    }

    /// Key, then salt.
    fn master(&self, label: &[u8]) -> MasterKey {
        let bytes: Zeroizing<[u8; 28]> = self.expand(label);
        let (key, salt) = bytes.split_first_chunk().expect("28 is more than 16");
        MasterKey { key: *key, salt: *salt.first_chunk().expect("12 are left") }
    }

    fn expand<const N: usize>(&self, label: &[u8]) -> Zeroizing<[u8; N]> {
        let mut bytes = Zeroizing::new([0; N]);
        let hkdf = Hkdf::<Sha256>::from_prk(self.0).expect("a key of Split() is as long as a hash");
        hkdf.expand(label, &mut *bytes).expect("at most 255 hashes are asked for");
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split() -> Split {
        Split::new(([1; 32], [2; 32]))
    }

    #[test]
    fn what_one_end_sends_with_the_other_receives_with() {
        let (caller, callee) = (split().keys(End::Caller), split().keys(End::Callee));
        assert_eq!(caller.signals.sends, callee.signals.receives);
        assert_eq!(caller.signals.receives, callee.signals.sends);
        assert_eq!(caller.media.sends, callee.media.receives);
        assert_eq!(caller.media.receives, callee.media.sends);
    }

    #[test]
    fn no_key_is_used_twice() {
        let CallKeys { signals, media } = split().keys(End::Caller);
        let masters = [&media.sends.srtp, &media.sends.srtcp, &media.receives.srtp, &media.receives.srtcp];
        let mut all: Vec<Vec<u8>> = masters.map(|master| master.key.to_vec()).to_vec();
        all.extend([signals.sends, signals.receives].map(|key| key.bytes()[..16].to_vec()));
        all.extend([vec![1; 16], vec![2; 16]]);
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 8);
    }

    /// Written out with HMAC-SHA-256 of OpenSSL: `HMAC(there, "vox1 signal" || 0x01)`.
    #[test]
    fn keys_are_those_of_rfc_5869() {
        use hmac::{Hmac, KeyInit, Mac};
        let mac = Hmac::<Sha256>::new_from_slice(&[1; 32]).unwrap().chain_update(b"vox1 signal\x01");
        let expected: [u8; 32] = mac.finalize().into_bytes().into();
        assert_eq!(split().keys(End::Caller).signals.sends, TagKey::new(expected));
    }
}
