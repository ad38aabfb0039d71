//! That a user knows the registry's secret, or holds its own key, without telling either.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::keys;
use super::names::DisplayName;
use super::reply::Nonce;
use super::request::Registration;

/// A written proof.
pub const PROOF_BYTES: usize = keys::KEY_BYTES;

/// The longest secret.
pub const SECRET_BYTES: usize = 256;

/// What all stations of a registry share: 1 to 256 bytes. Wiped when dropped, never shown, not even while debugging.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<Box<[u8]>>);

/// HMAC-SHA-256 (RFC 2104) under the registry's secret (`proof=`), or under what only station and registry can compute
/// (`key-proof=`, [`Possession`](crate::seal::possession::Possession)); on the wire 43 characters of base64url.
///
/// It covers these lines, each with its LF, where what was not told is empty:
/// ```text
/// vox1 register
/// <nonce of the greeting, in hex>
/// <name>
/// <port>
/// <key, in base64url>
/// <display name, in plain text>
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proof(pub [u8; 32]);

impl Secret {
    /// A secret as it stands in a file, without the white space around it. `None`: it is empty or too long.
    pub fn new(text: &[u8]) -> Option<Self> {
        let text = text.trim_ascii();
        (1..=SECRET_BYTES).contains(&text.len()).then(|| Self(Zeroizing::new(text.into())))
    }

    /// The proof for a registration over the connection with this nonce.
    pub fn prove(&self, nonce: &Nonce, registration: &Registration) -> Proof {
        Proof::under(&self.0, nonce, registration)
    }

    /// Whether a registration over the connection with this nonce carries the right proof; takes as long for
    /// every wrong one.
    pub fn is_proved_by(&self, proof: &Proof, nonce: &Nonce, registration: &Registration) -> bool {
        proof.is_under(&self.0, nonce, registration)
    }
}

impl Proof {
    /// The proof under this key for a registration over the connection with this nonce.
    pub(crate) fn under(key: &[u8], nonce: &Nonce, registration: &Registration) -> Self {
        Self(mac(key, nonce, registration).finalize().into_bytes().into())
    }

    /// Whether it is the one under this key; takes as long for every wrong one.
    pub(crate) fn is_under(&self, key: &[u8], nonce: &Nonce, registration: &Registration) -> bool {
        mac(key, nonce, registration).verify_slice(&self.0).is_ok()
    }

    /// Reads a proof. `None`: it is not 32 bytes in base64url without padding.
    pub fn parse(word: &str) -> Option<Self> {
        URL_SAFE_NO_PAD.decode(word).ok()?.try_into().ok().map(Self)
    }
}

fn mac(key: &[u8], nonce: &Nonce, registration: &Registration) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    let Registration { name, port, key, proof: _, key_proof: _, display } = registration;
    let key = key.map_or_else(String::new, |key| key.to_string());
    let display = display.as_ref().map_or("", DisplayName::as_str);
    mac.update(format!("vox1 register\n{nonce}\n{name}\n{port}\n{key}\n{display}\n").as_bytes());
    mac
}

impl fmt::Display for Proof {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Secret")
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::wire::keys::PublicKey;
    use crate::wire::request::Request;

    pub(crate) fn registration(words: &str) -> Registration {
        match Request::parse(&format!("REGISTER {words}")) {
            Ok(Request::Register(registration)) => registration,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_proof_can_be_made_by_hand() {
        // printf 'vox1 register\n%032d\nbob\n6000\n\n\n' 0 | openssl dgst -sha256 -hmac sesame -binary | basenc --base64url
        let proof = Secret::new(b"sesame\n").unwrap().prove(&Nonce([0; 16]), &registration("bob 6000"));
        assert_eq!(proof.to_string(), "N0ji2Or9exGt8mAeYirwcFt5Jb4-3ulEj-9tJcBNpdQ");
        assert_eq!(Proof::parse(&proof.to_string()), Some(proof));
    }

    #[test]
    fn it_covers_everything_that_is_told() {
        let secret = Secret::new(b"sesame").unwrap();
        let nonce = Nonce([1; 16]);
        let key = PublicKey([2; 32]);
        let told = registration(&format!("bob 6000 key={key} display=Bob"));
        let proof = secret.prove(&nonce, &told);
        assert!(secret.is_proved_by(&proof, &nonce, &told));
        assert!(!secret.is_proved_by(&proof, &Nonce([3; 16]), &told));
        assert!(!Secret::new(b"simsim").unwrap().is_proved_by(&proof, &nonce, &told));
        let other = PublicKey([4; 32]);
        for changed in [
            format!("bab 6000 key={key} display=Bob"),
            format!("bob 6001 key={key} display=Bob"),
            format!("bob 6000 key={other} display=Bob"),
            "bob 6000 display=Bob".to_owned(),
            format!("bob 6000 key={key} display=Bab"),
            format!("bob 6000 key={key}"),
        ] {
            assert!(!secret.is_proved_by(&proof, &nonce, &registration(&changed)), "{changed}");
        }
    }

    #[test]
    fn a_secret_has_something_in_it_and_does_not_show_it() {
        assert_eq!(Secret::new(b" \n"), None);
        assert_eq!(Secret::new(&[b'x'; SECRET_BYTES + 1]), None);
        assert_eq!(format!("{:?}", Secret::new(b"sesame")), "Some(Secret)");
    }
}
