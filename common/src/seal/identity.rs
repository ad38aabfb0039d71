//! The key pair by which a station or a registry is known.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use x25519_dalek::{PublicKey as Point, StaticSecret};
use zeroize::{Zeroize, Zeroizing};

use crate::wire::keys::PublicKey;

/// A static X25519 key pair (RFC 7748). Its secret half is wiped from memory when it is dropped, and never shown.
#[derive(Clone)]
pub struct Identity {
    secret: StaticSecret,
    public: PublicKey,
}

impl Identity {
    /// The key pair of a secret: any 32 bytes that nobody can guess. What was handed in is wiped.
    pub fn new(mut bytes: [u8; 32]) -> Self {
        let secret = StaticSecret::from(bytes);
        bytes.zeroize();
        let public = PublicKey(Point::from(&secret).to_bytes());
        Self { secret, public }
    }

    /// Reads a secret as [`Identity::written`] writes it. `None`: it is not 32 bytes in base64url without padding.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let mut secret = Zeroizing::new([0; 32]);
        let length = URL_SAFE_NO_PAD.decode_slice(text, &mut *secret).ok()?;
        (length == secret.len()).then(|| Self::new(*secret))
    }

    /// What everybody may know.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// What goes into the key file, and nowhere else: the secret in base64url.
    pub fn written(&self) -> Zeroizing<String> {
        Zeroizing::new(URL_SAFE_NO_PAD.encode(*self.secret()))
    }

    /// For handshakes, which are made with it.
    pub fn secret(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.secret.to_bytes())
    }

    /// What only the two who hold these keys can compute (RFC 7748 section 6.1). `None`: that key was made so that the
    /// outcome is known to everybody.
    pub fn agree(&self, with: &PublicKey) -> Option<Zeroizing<[u8; 32]>> {
        let shared = self.secret.diffie_hellman(&Point::from(with.0));
        shared.was_contributory().then(|| Zeroizing::new(shared.to_bytes()))
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Identity({})", self.public.fingerprint())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7748 section 6.1: Alice's secret, her public key, Bob's secret, his public key, and what they share.
    const VECTOR: [&str; 5] = [
        "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
        "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
        "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
        "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
        "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742",
    ];

    fn bytes(hex: &str) -> [u8; 32] {
        let byte = |at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).expect("hexadecimal");
        std::array::from_fn(byte)
    }

    #[test]
    fn two_key_pairs_agree_as_rfc_7748_says() {
        let [alice, alice_public, bob, bob_public, shared] = VECTOR.map(bytes);
        let (alice, bob) = (Identity::new(alice), Identity::new(bob));
        assert_eq!((alice.public(), bob.public()), (&PublicKey(alice_public), &PublicKey(bob_public)));
        assert_eq!(alice.agree(bob.public()).as_deref(), Some(&shared));
        assert_eq!(bob.agree(alice.public()).as_deref(), Some(&shared));
    }

    #[test]
    fn a_key_that_makes_the_outcome_known_is_refused() {
        assert_eq!(Identity::new([7; 32]).agree(&PublicKey([0; 32])), None);
    }

    #[test]
    fn a_secret_is_read_as_it_was_written_and_nothing_else_is_one() {
        let identity = Identity::new([0xfb; 32]);
        let written = identity.written();
        assert_eq!(*written, "-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_s");
        assert_eq!(Identity::parse(written.as_bytes()).unwrap().secret(), identity.secret());
        for text in [
            "",
            &"A".repeat(42),
            &format!("{}A", *written),
            &written.replace('_', "/"),
            &written.replace('s', "t"),
        ] {
            assert!(Identity::parse(text.as_bytes()).is_none(), "{text}");
        }
    }

    #[test]
    fn the_secret_is_not_shown() {
        let shown = format!("{:?}", Identity::new([0x41; 32]));
        assert!(shown.starts_with("Identity(SHA256:") && !shown.contains("65, 65"), "{shown}");
    }
}
