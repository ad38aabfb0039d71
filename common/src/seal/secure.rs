//! Two programs agree to seal the lines between them: SECURE and its answer (docs/PROTOCOL.md, "Sealed lines").

use std::fmt;
use std::sync::Arc;

use snow::{HandshakeState, StatelessTransportState};

use super::identity::Identity;
use super::noise;
use super::records::{Opener, Sealer};
use crate::wire::keys::PublicKey;
use crate::wire::reply::Nonce;
use crate::wire::secure::{ANSWER_BYTES, Answer, OFFER_BYTES, Offer};

const _: () = assert!(OFFER_BYTES == noise::FIRST_OVERHEAD && ANSWER_BYTES == noise::SECOND_OVERHEAD);

/// Begins every prologue, so that no message of a call is one of these; the connection's nonce follows.
const PROLOGUE: &[u8; 13] = b"vox1 registry";

/// A station has offered, and waits for the answer.
pub struct Offering(Box<HandshakeState>);

/// A registry has taken an offer.
#[derive(Debug)]
pub struct Taken {
    /// The key that the station has proved to hold.
    pub key: PublicKey,
    /// For the station, in plain: the last line that is.
    pub answer: Answer,
    /// For what the registry says from then on.
    pub sealer: Sealer,
    /// For what it hears.
    pub opener: Opener,
}

/// Offers to the registry with that key to seal the connection with this nonce. `ephemeral`: 32 random bytes, used for
/// this offer and no other. `None`: that key is one with which nothing is secret.
pub fn offer(
    me: &Identity,
    registry: &PublicKey,
    nonce: &Nonce,
    ephemeral: &[u8; 32],
) -> Option<(Offering, Offer)> {
    let mut handshake = noise::initiator(me, registry, &prologue(nonce), ephemeral);
    let mut offer = Offer([0; OFFER_BYTES]);
    handshake.write_message(&[], &mut offer.0).ok()?;
    Some((Offering(Box::new(handshake)), offer))
}

impl Offering {
    /// The keys of both directions. `None`: whoever answered does not hold the registry's key, or not for this offer.
    pub fn answered(self, answer: &Answer) -> Option<(Sealer, Opener)> {
        let Self(mut handshake) = self;
        handshake.read_message(&answer.0, &mut []).ok()?;
        directions(*handshake)
    }
}

/// Takes an offer over the connection with this nonce. `None`: it is for another key, another connection, or none.
pub fn take(me: &Identity, nonce: &Nonce, offer: &Offer, ephemeral: &[u8; 32]) -> Option<Taken> {
    let mut handshake = noise::responder(me, &prologue(nonce), ephemeral);
    handshake.read_message(&offer.0, &mut []).ok()?;
    let mut answer = Answer([0; ANSWER_BYTES]);
    handshake.write_message(&[], &mut answer.0).ok()?;
    let key = noise::remote(&handshake)?;
    let (sealer, opener) = directions(handshake)?;
    Some(Taken { key, answer, sealer, opener })
}

fn prologue(nonce: &Nonce) -> [u8; PROLOGUE.len() + 16] {
    let mut prologue = [0; PROLOGUE.len() + 16];
    let (label, connection) = prologue.split_at_mut(PROLOGUE.len());
    label.copy_from_slice(PROLOGUE);
    connection.copy_from_slice(&nonce.0);
    prologue
}

fn directions(handshake: HandshakeState) -> Option<(Sealer, Opener)> {
    let keys: Arc<StatelessTransportState> = Arc::new(handshake.into_stateless_transport_mode().ok()?);
    Some((Sealer::new(keys.clone()), Opener::new(keys)))
}

impl fmt::Debug for Offering {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Offering")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both() -> [Identity; 2] {
        [[1; 32], [2; 32]].map(Identity::new)
    }

    #[test]
    fn both_ends_have_the_keys_of_both_directions_and_the_registry_knows_whom_it_hears() {
        let [station, registry] = both();
        let nonce = Nonce([5; 16]);
        let (offering, first) = offer(&station, registry.public(), &nonce, &[3; 32]).unwrap();
        let mut taken = take(&registry, &nonce, &first, &[4; 32]).unwrap();
        assert_eq!(&taken.key, station.public());
        let (mut sealer, mut opener) = offering.answered(&taken.answer).unwrap();
        let (mut sealed, mut plain) = ([0; 64], [0; 64]);
        let record = sealer.seal(b"REGISTER bob 6000\n", &mut sealed);
        assert_eq!(taken.opener.open(&record[2..], &mut plain), Some(&b"REGISTER bob 6000\n"[..]));
        let record = taken.sealer.seal(b"200 registered\n", &mut sealed);
        assert_eq!(opener.open(&record[2..], &mut plain), Some(&b"200 registered\n"[..]));
    }

    #[test]
    fn an_offer_is_for_one_registry_and_one_connection() {
        let [station, registry] = both();
        let nonce = Nonce([5; 16]);
        let (_, first) = offer(&station, registry.public(), &nonce, &[3; 32]).unwrap();
        assert!(take(&registry, &Nonce([6; 16]), &first, &[4; 32]).is_none(), "another connection");
        assert!(take(&Identity::new([7; 32]), &nonce, &first, &[4; 32]).is_none(), "another registry");
        for byte in 0..OFFER_BYTES {
            let mut bent = first;
            bent.0[byte] ^= 1;
            assert!(take(&registry, &nonce, &bent, &[4; 32]).is_none(), "byte {byte}");
        }
    }

    #[test]
    fn only_the_registry_with_that_key_can_answer() {
        let [station, registry] = both();
        let nonce = Nonce([5; 16]);
        let offering = || offer(&station, registry.public(), &nonce, &[3; 32]).unwrap();
        let taken = take(&registry, &nonce, &offering().1, &[4; 32]).unwrap();
        for byte in 0..ANSWER_BYTES {
            let mut bent = taken.answer;
            bent.0[byte] ^= 1;
            assert!(offering().0.answered(&bent).is_none(), "byte {byte}");
        }
        assert!(offering().0.answered(&taken.answer).is_some());
    }

    #[test]
    fn a_key_with_which_nothing_is_secret_is_offered_nothing() {
        assert!(offer(&both()[0], &PublicKey([0; 32]), &Nonce([5; 16]), &[3; 32]).is_none());
    }
}
