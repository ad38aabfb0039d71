//! The two messages of Noise IK (The Noise Protocol Framework, revision 34, sections 7.5 and 9) by the crate `snow`.
//!
//! Its Diffie-Hellman is ours, so that secrets are wiped, and what is random is handed in: the same input, the same bytes.

use snow::params::{CipherChoice, DHChoice, HashChoice};
use snow::resolvers::{BoxedCryptoResolver, CryptoResolver, DefaultResolver};
use snow::types::{Cipher, Dh, Hash, Random};
use snow::{Builder, Error, HandshakeState};
use zeroize::{Zeroize, Zeroizing};

use super::identity::Identity;
use crate::wire::keys::PublicKey;

/// `ChaCha20`, because a Raspberry Pi 4 has no AES instructions.
const PATTERN: &str = "Noise_IK_25519_ChaChaPoly_SHA256";

/// Bytes that the first message is longer than what it carries: an ephemeral key, a sealed static key, a MAC.
pub const FIRST_OVERHEAD: usize = 32 + 48 + 16;

/// Bytes that the second message is longer than what it carries: an ephemeral key and a MAC.
pub const SECOND_OVERHEAD: usize = 32 + 16;

/// Begins a handshake with whoever holds that key. `ephemeral`: 32 random bytes, used for this one and no other.
pub fn initiator(me: &Identity, with: &PublicKey, prologue: &[u8], ephemeral: &[u8; 32]) -> HandshakeState {
    let secret = me.secret();
    builder(ephemeral)
        .local_private_key(&*secret)
        .and_then(|builder| builder.remote_public_key(&with.0))
        .and_then(|builder| builder.prologue(prologue))
        .and_then(Builder::build_initiator)
        .expect("keys have 32 bytes and stand once")
}

/// Awaits the first message of somebody who is not known yet.
pub fn responder(me: &Identity, prologue: &[u8], ephemeral: &[u8; 32]) -> HandshakeState {
    let secret = me.secret();
    builder(ephemeral)
        .local_private_key(&*secret)
        .and_then(|builder| builder.prologue(prologue))
        .and_then(Builder::build_responder)
        .expect("a key has 32 bytes and stands once")
}

/// The key that the other side has proved to hold. Known to the responder after the first message.
pub fn remote(state: &HandshakeState) -> Option<PublicKey> {
    state.get_remote_static()?.try_into().ok().map(PublicKey)
}

fn builder<'a>(ephemeral: &[u8; 32]) -> Builder<'a> {
    let resolver: BoxedCryptoResolver = Box::new(Crypto { ephemeral: Zeroizing::new(*ephemeral) });
    Builder::with_resolver(PATTERN.parse().expect("a pattern that snow knows"), resolver)
}

struct Crypto {
    ephemeral: Zeroizing<[u8; 32]>,
}

impl CryptoResolver for Crypto {
    fn resolve_rng(&self) -> Option<Box<dyn Random>> {
        Some(Box::new(Once(Some(self.ephemeral.clone()))))
    }

    fn resolve_dh(&self, choice: &DHChoice) -> Option<Box<dyn Dh>> {
        matches!(choice, DHChoice::Curve25519).then(|| Box::new(X25519(None)) as _)
    }

    fn resolve_hash(&self, choice: &HashChoice) -> Option<Box<dyn Hash>> {
        DefaultResolver.resolve_hash(choice)
    }

    fn resolve_cipher(&self, choice: &CipherChoice) -> Option<Box<dyn Cipher>> {
        DefaultResolver.resolve_cipher(choice)
    }
}

/// Random bytes for the one ephemeral key of a handshake, wiped once they are handed out.
struct Once(Option<Zeroizing<[u8; 32]>>);

impl Random for Once {
    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Error> {
        let bytes = self.0.as_mut().filter(|bytes| bytes.len() == out.len()).ok_or(Error::Rng)?;
        out.copy_from_slice(&**bytes);
        bytes.zeroize();
        self.0 = None;
        Ok(())
    }
}

/// `None`: its secret was not set yet.
struct X25519(Option<Identity>);

impl X25519 {
    fn identity(&self) -> &Identity {
        self.0.as_ref().expect("snow sets or generates a key before it uses it")
    }
}

impl Dh for X25519 {
    fn name(&self) -> &'static str {
        "25519"
    }

    fn pub_len(&self) -> usize {
        32
    }

    fn priv_len(&self) -> usize {
        32
    }

    fn set(&mut self, secret: &[u8]) {
        self.0 = Some(Identity::new(secret.try_into().expect("snow asks for the length")));
    }

    fn generate(&mut self, random: &mut dyn Random) -> Result<(), Error> {
        let mut secret = Zeroizing::new([0; 32]);
        random.try_fill_bytes(&mut *secret)?;
        self.set(&*secret);
        Ok(())
    }

    fn pubkey(&self) -> &[u8] {
        &self.identity().public().0
    }

    fn privkey(&self) -> &[u8] {
        unreachable!("snow asks for it only to write a key pair to a file")
    }

    fn dh(&self, with: &[u8], out: &mut [u8]) -> Result<(), Error> {
        let with = with.first_chunk().map(|bytes| PublicKey(*bytes)).ok_or(Error::Dh)?;
        let shared = self.identity().agree(&with).ok_or(Error::Dh)?;
        out.get_mut(..32).ok_or(Error::Dh)?.copy_from_slice(&*shared);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both messages of a handshake with these prologues; what each side learns of the other, and both keys.
    fn shake(ours: &[u8], theirs: &[u8]) -> Result<(PublicKey, [HandshakeState; 2]), Error> {
        let (alice, bob) = (Identity::new([1; 32]), Identity::new([2; 32]));
        let (mut first, mut second) =
            (initiator(&alice, bob.public(), ours, &[3; 32]), responder(&bob, theirs, &[4; 32]));
        let (mut sealed, mut opened) = ([0; 256], [0; 256]);
        let length = first.write_message(b"from=alice", &mut sealed)?;
        assert_eq!(length, FIRST_OVERHEAD + 10);
        let opens = second.read_message(&sealed[..length], &mut opened)?;
        assert_eq!(&opened[..opens], b"from=alice");
        let length = second.write_message(b"from=bob", &mut sealed)?;
        assert_eq!(length, SECOND_OVERHEAD + 8);
        // Somebody else's answer leaves the handshake as it was.
        assert!(first.read_message(&[9; 60], &mut opened).is_err());
        let opens = first.read_message(&sealed[..length], &mut opened)?;
        assert_eq!(&opened[..opens], b"from=bob");
        Ok((remote(&second).ok_or(Error::Dh)?, [first, second]))
    }

    #[test]
    fn two_messages_prove_both_keys_and_make_the_same_secrets() {
        let (caller, [mut first, mut second]) = shake(b"vox1", b"vox1").expect("both agree");
        assert_eq!(&caller, Identity::new([1; 32]).public());
        assert_eq!(first.dangerously_get_raw_split(), second.dangerously_get_raw_split());
        assert_eq!(first.get_handshake_hash(), second.get_handshake_hash());
    }

    #[test]
    fn a_message_is_for_one_key_and_one_prologue() {
        assert!(shake(b"vox1 one", b"vox1 other").is_err());
        let mut sealed = [0; 256];
        let stranger = Identity::new([5; 32]);
        let mut first = initiator(&Identity::new([1; 32]), stranger.public(), b"", &[3; 32]);
        let length = first.write_message(b"from=alice", &mut sealed).unwrap();
        let mut second = responder(&Identity::new([2; 32]), b"", &[4; 32]);
        assert!(second.read_message(&sealed[..length], &mut [0; 256]).is_err());
    }
}
