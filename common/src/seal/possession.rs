//! That whoever tells a key also holds it (`key-proof=`), for a registry that hears its lines in plain.
//!
//! What proves it is a MAC under what only the two who hold these keys can compute. A station needs no second key to
//! sign with, and what one registry is told proves nothing to another, whose key is another.

use std::fmt;

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::identity::Identity;
use crate::wire::keys::PublicKey;
use crate::wire::proof::Proof;
use crate::wire::reply::Nonce;
use crate::wire::request::Registration;

/// For HKDF (RFC 5869): what is agreed serves for this here, and elsewhere for something else.
const LABEL: &[u8] = b"vox1 register";

/// What a station and a registry have in common: HKDF-SHA-256 of their X25519 agreement.
pub struct Possession(Zeroizing<[u8; 32]>);

impl Possession {
    /// Of the two who hold these keys. `None`: everybody can compute what is agreed with such a key.
    pub fn of(me: &Identity, other: &PublicKey) -> Option<Self> {
        let agreed = me.agree(other)?;
        let mut key = Zeroizing::new([0; 32]);
        Hkdf::<Sha256>::new(None, &*agreed).expand(LABEL, &mut *key).expect("HKDF makes 32 bytes");
        Some(Self(key))
    }

    /// The proof for a registration over the connection with this nonce.
    pub fn prove(&self, nonce: &Nonce, registration: &Registration) -> Proof {
        Proof::under(&*self.0, nonce, registration)
    }

    /// Whether a registration over the connection with this nonce carries the right proof; takes as long for
    /// every wrong one.
    pub fn is_proved_by(&self, proof: &Proof, nonce: &Nonce, registration: &Registration) -> bool {
        proof.is_under(&*self.0, nonce, registration)
    }
}

impl fmt::Debug for Possession {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Possession")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::proof::tests::registration;

    #[test]
    fn station_and_registry_agree_on_a_proof_that_nobody_else_can_make() {
        let [bob, registry, thief] = [[1; 32], [2; 32], [3; 32]].map(Identity::new);
        let told = registration(&format!("bob 6000 key={}", bob.public()));
        let nonce = Nonce([7; 16]);
        let proof = Possession::of(&bob, registry.public()).unwrap().prove(&nonce, &told);
        let judge = Possession::of(&registry, bob.public()).unwrap();
        assert!(judge.is_proved_by(&proof, &nonce, &told));
        assert!(!judge.is_proved_by(&proof, &Nonce([8; 16]), &told), "another connection");
        let elsewhere = Possession::of(&bob, thief.public()).unwrap().prove(&nonce, &told);
        assert!(!judge.is_proved_by(&elsewhere, &nonce, &told), "what another registry was told");
        let stolen = Possession::of(&thief, registry.public()).unwrap().prove(&nonce, &told);
        assert!(!judge.is_proved_by(&stolen, &nonce, &told), "another key");
    }

    /// The secrets of Alice and Bob from RFC 7748 section 6.1; the rest by OpenSSL 3.0:
    /// `pkeyutl -derive`, `kdf -keylen 32 -kdfopt digest:SHA256 -kdfopt info:'vox1 register' HKDF`, `dgst -sha256 -mac HMAC`.
    #[test]
    fn a_proof_can_be_made_by_hand() {
        let alice = Identity::new([
            0x77, 0x07, 0x6d, 0x0a, 0x73, 0x18, 0xa5, 0x7d, 0x3c, 0x16, 0xc1, 0x72, 0x51, 0xb2, 0x66, 0x45,
            0xdf, 0x4c, 0x2f, 0x87, 0xeb, 0xc0, 0x99, 0x2a, 0xb1, 0x77, 0xfb, 0xa5, 0x1d, 0xb9, 0x2c, 0x2a,
        ]);
        let bob = Identity::new([
            0x5d, 0xab, 0x08, 0x7e, 0x62, 0x4a, 0x8a, 0x4b, 0x79, 0xe1, 0x7f, 0x8b, 0x83, 0x80, 0x0e, 0xe6,
            0x6f, 0x3b, 0xb1, 0x29, 0x26, 0x18, 0xb6, 0xfd, 0x1c, 0x2f, 0x8b, 0x27, 0xff, 0x88, 0xe0, 0xeb,
        ]);
        let told = registration("alice 6000 key=hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo");
        let proof = Possession::of(&alice, bob.public()).unwrap().prove(&Nonce([0; 16]), &told);
        assert_eq!(proof.to_string(), "q4h46_nGpQ4SZyhgf5wVI6SWD-W67HJTP5ypIoo5Sv0");
    }

    #[test]
    fn a_key_with_which_nothing_is_secret_proves_nothing() {
        assert!(Possession::of(&Identity::new([1; 32]), &PublicKey([0; 32])).is_none());
    }
}
