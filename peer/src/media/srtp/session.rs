//! The keys of one generation and use, and what one packet is sealed with (RFC 7714 sections 8 and 9).

use aes_gcm::aead::AeadInOut;
use aes_gcm::aes::Aes128;
use aes_gcm::aes::cipher::BlockCipherEncrypt;
use aes_gcm::{Aes128Gcm, KeyInit};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::TAG_BYTES;
use super::keys::MasterKey;

/// What keys are for. Key and salt of a session have labels of their own (RFC 3711 section 4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Rtp,
    Rtcp,
}

impl Use {
    /// `k_e` and `k_s`; GCM needs no `k_a`.
    fn labels(self) -> (u8, u8) {
        match self {
            Self::Rtp => (0, 2),
            Self::Rtcp => (3, 5),
        }
    }
}

/// A key and a salt that seal packets. Wiped when dropped.
pub(super) struct Session {
    cipher: Aes128Gcm,
    salt: [u8; 12],
}

impl ZeroizeOnDrop for Session {}

impl Drop for Session {
    /// The cipher wipes itself.
    fn drop(&mut self) {
        self.salt.zeroize();
    }
}

impl Session {
    /// As RFC 3711 section 4.3 derives it, at a key derivation rate of 0. The salt of 96 bits stands at the left of the
    /// 112 that the derivation wants (RFC 7714 section 11).
    pub(super) fn derive(master: &MasterKey, purpose: Use) -> Self {
        let mut salt = Zeroizing::new([0; 14]);
        salt[..12].copy_from_slice(&master.salt);
        let (key_label, salt_label) = purpose.labels();
        let key = derived(&master.key, &salt, key_label);
        let session_salt = derived(&master.key, &salt, salt_label);
        Self::new(&key, session_salt.first_chunk().expect("twelve of sixteen bytes"))
    }

    pub(super) fn new(key: &[u8; 16], salt: &[u8; 12]) -> Self {
        Self { cipher: Aes128Gcm::new(key.into()), salt: *salt }
    }

    /// Seals `text` in place; `bare` is proved with it, but not hidden.
    pub(super) fn seal(&self, nonce: Nonce, bare: &[u8], text: &mut [u8]) -> [u8; TAG_BYTES] {
        let nonce = nonce.salted(&self.salt);
        let tag = self.cipher.encrypt_inout_detached(&nonce.into(), bare, text.into());
        tag.expect("a datagram is far shorter than 64 GB").into()
    }

    /// Opens `text` in place. `false`: nothing is changed; not sealed with this key, nonce, `bare` and text.
    pub(super) fn open(&self, nonce: Nonce, bare: &[u8], text: &mut [u8], tag: &[u8; TAG_BYTES]) -> bool {
        let nonce = nonce.salted(&self.salt);
        self.cipher.decrypt_inout_detached(&nonce.into(), bare, text.into(), tag.into()).is_ok()
    }
}

/// What makes a packet's seal its own: who sends, and the packet's number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Nonce {
    pub(super) ssrc: u32,
    /// Roll-over counter and sequence number, or the index of SRTCP: 48 bits.
    pub(super) index: u64,
}

impl Nonce {
    /// Two zero bytes, SSRC, index (RFC 7714 sections 8.1 and 9.1: the same for both), and the salt over all of it.
    fn salted(self, salt: &[u8; 12]) -> [u8; 12] {
        let mut bytes = *salt;
        let own = self.ssrc.to_be_bytes().into_iter().chain(self.index.to_be_bytes().into_iter().skip(2));
        bytes[2..].iter_mut().zip(own).for_each(|(byte, own)| *byte ^= own);
        bytes
    }
}

/// The first sixteen bytes that AES in counter mode makes for a label (RFC 3711 section 4.3.3): as many as there are in
/// a key, and more than in a salt.
fn derived(key: &[u8; 16], salt: &[u8; 14], label: u8) -> Zeroizing<[u8; 16]> {
    let mut block = Zeroizing::new([0; 16]);
    block[..14].copy_from_slice(salt);
    block[7] ^= label;
    let mut whole = (*block).into();
    Aes128::new(key.into()).encrypt_block(&mut whole);
    block.copy_from_slice(&whole);
    whole.as_mut_slice().zeroize();
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3711 appendix B.3.
    #[test]
    fn keys_are_derived_as_the_example_says() {
        let key = 0xE1F9_7A0D_3E01_8BE0_D64F_A32C_06DE_4139_u128.to_be_bytes();
        let mut salt = [0; 14];
        salt.copy_from_slice(&0x0EC6_75AD_498A_FEEB_B696_0B3A_ABE6_u128.to_be_bytes()[2..]);
        let derived = |label| u128::from_be_bytes(*derived(&key, &salt, label));
        assert_eq!(derived(0), 0xC61E_7A93_744F_39EE_1073_4AFE_3FF7_A087);
        assert_eq!(derived(2) >> 16, 0x30CB_BC08_863D_8C85_D49D_B34A_9AE1);
    }

    #[test]
    fn no_two_uses_have_a_label_in_common() {
        let labels = [Use::Rtp.labels(), Use::Rtcp.labels()];
        assert_eq!(labels, [(0, 2), (3, 5)]);
    }

    #[test]
    fn what_seals_is_wiped() {
        fn is_wiped<T: ZeroizeOnDrop>() {}
        is_wiped::<Aes128Gcm>();
        is_wiped::<Session>();
        is_wiped::<MasterKey>();
    }
}
