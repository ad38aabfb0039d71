//! The handshake of a call: Noise IK, its first message in INVITE, its second in the callee's first answer.
//!
//! The caller's key is proved by the first message, so that a ring shows who rings; the callee's by the second, before a
//! sample is sent. The prologue binds both to the call-id and to the cookie.

use std::cell::OnceCell;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use snow::HandshakeState;
use vox_common::seal::identity::Identity;
use vox_common::seal::noise::{self, FIRST_OVERHEAD};
use vox_common::wire::keys::PublicKey;
use vox_common::wire::signal::{CallId, Cookie, Hello, SEALED_BYTES, Say, Sealed};
use vox_common::wire::words;
use zeroize::Zeroizing;

use super::keys::{CallKeys, End, Split};
use super::tag::TagKey;
use super::words::FourWords;

/// What is sealed is filled up to a multiple of this, so that its length tells little of names.
const STEP: usize = 64;

/// The longest words of a hello, with the key for CANCEL: see [`Hello`]. Filled up, in a first message, and written down
/// it fits a signal.
const LONGEST_PAYLOAD: usize = 10 * STEP;
const _: () = assert!(LONGEST_PAYLOAD + FIRST_OVERHEAD <= SEALED_BYTES);

/// A call that we begin, as long as nobody has answered.
pub struct Attempt {
    with: PublicKey,
    cookie: Cookie,
    message: Sealed,
    state: Box<HandshakeState>,
}

/// A first message that was for us.
pub struct Invitation {
    /// Who calls, proved.
    pub key: PublicKey,
    /// What it says of itself.
    pub hello: Hello,
    /// What it tags a CANCEL with that is sent before it has our answer.
    pub cancel: TagKey,
    state: Box<HandshakeState>,
}

/// What both ends have after the second message.
#[derive(Debug)]
pub struct Shaken {
    /// The key of the other end, proved.
    pub key: PublicKey,
    /// The handshake hash (Noise section 11.2): the same at both ends, and only there. Not secret.
    pub binding: [u8; 32],
    /// What is sealed from now on is sealed with these.
    pub keys: CallKeys,
    /// Once somebody has wanted to see them.
    words: OnceCell<FourWords>,
}

impl Shaken {
    /// What both ends can read to each other.
    pub fn words(&self) -> FourWords {
        *self.words.get_or_init(|| FourWords::of(&self.binding))
    }
}

/// Why a first message is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unopened {
    /// It was made for another key, another call or another cookie, or by somebody who does not hold the caller's.
    NotForUs,
    /// Whoever made it does not know how to introduce itself.
    Malformed,
}

impl Attempt {
    /// The first message to whoever holds that key. `ephemeral`: 32 random bytes for this one alone. `None`: that key is
    /// one with which nothing is secret.
    pub fn new(
        me: &Identity,
        with: PublicKey,
        id: CallId,
        cookie: Cookie,
        words: &Introduction<'_>,
        ephemeral: &[u8; 32],
    ) -> Option<Self> {
        let mut state = noise::initiator(me, &with, &prologue(id, &cookie), ephemeral);
        let message = write(&mut state, &words.payload())?;
        Some(Self { with, cookie, message, state: Box::new(state) })
    }

    /// Whether it is the one to that key with that cookie.
    pub fn is_for(&self, with: &PublicKey, cookie: &Cookie) -> bool {
        self.with == *with && self.cookie == *cookie
    }

    /// Whose key it is sealed for.
    pub fn with(&self) -> &PublicKey {
        &self.with
    }

    /// The first message.
    pub fn message(&self) -> &Sealed {
        &self.message
    }

    /// What carries it: the same bytes however often it is sent.
    pub fn invite(&self) -> Say {
        Say::Invite(self.cookie.clone(), self.message.clone())
    }

    /// Reads the second message. `None`: it does not answer this first one; the attempt is as it was.
    pub fn finish(&mut self, answer: &Sealed) -> Option<(Hello, Shaken)> {
        let payload = read(&mut self.state, answer)?;
        let hello = Hello::parse(std::str::from_utf8(&payload).ok()?).ok()?;
        Some((hello, shaken(&mut self.state, End::Caller)?))
    }
}

/// What the caller seals in the first message.
#[derive(Debug)]
pub struct Introduction<'a> {
    /// Who calls, and how.
    pub hello: &'a Hello,
    /// What a CANCEL will be tagged with.
    pub cancel: &'a TagKey,
}

impl Introduction<'_> {
    fn payload(&self) -> Zeroizing<String> {
        let key = Zeroizing::new(URL_SAFE_NO_PAD.encode(self.cancel.bytes()));
        filled(Zeroizing::new(format!("{} cancel={}", self.hello, *key)))
    }

    fn parse(payload: &[u8]) -> Option<(Hello, TagKey)> {
        let text = std::str::from_utf8(payload).ok()?;
        let word = words::value(text, "cancel").ok().flatten()?;
        let cancel = Zeroizing::new(URL_SAFE_NO_PAD.decode(word).ok()?);
        Some((Hello::parse(text).ok()?, TagKey::new(cancel.as_slice().try_into().ok()?)))
    }
}

impl Invitation {
    /// Opens a first message. `ephemeral`: as for [`Attempt::new`].
    pub fn open(
        me: &Identity,
        id: CallId,
        cookie: &Cookie,
        message: &Sealed,
        ephemeral: &[u8; 32],
    ) -> Result<Self, Unopened> {
        let mut state = noise::responder(me, &prologue(id, cookie), ephemeral);
        let payload = read(&mut state, message).ok_or(Unopened::NotForUs)?;
        let (hello, cancel) = Introduction::parse(&payload).ok_or(Unopened::Malformed)?;
        let key = noise::remote(&state).ok_or(Unopened::NotForUs)?;
        Ok(Self { key, hello, cancel, state: Box::new(state) })
    }

    /// The second message, the same bytes however often it is sent, and what both ends have with it.
    pub fn answer(mut self, hello: &Hello) -> (Sealed, Shaken) {
        let payload = filled(Zeroizing::new(hello.to_string()));
        let message = write(&mut self.state, &payload).expect("the caller's keys have served already");
        let shaken = shaken(&mut self.state, End::Callee).expect("the second message was the last");
        (message, shaken)
    }
}

/// What both ends must have the same, or nothing opens: this protocol, this call, and the proof of the caller's address.
fn prologue(id: CallId, cookie: &Cookie) -> Vec<u8> {
    [b"vox1", id.0.as_slice(), cookie.as_str().as_bytes()].concat()
}

/// Spaces at its end mean nothing.
fn filled(mut words: Zeroizing<String>) -> Zeroizing<String> {
    let spaces = words.len().next_multiple_of(STEP) - words.len();
    words.extend(std::iter::repeat_n(' ', spaces));
    words
}

/// The longest words fit. `None`: nothing is secret with the key of the other end.
fn write(state: &mut HandshakeState, payload: &str) -> Option<Sealed> {
    let mut message = [0; SEALED_BYTES];
    let length = state.write_message(payload.as_bytes(), &mut message).ok()?;
    Sealed::new(&message[..length])
}

fn read(state: &mut HandshakeState, message: &Sealed) -> Option<Zeroizing<Vec<u8>>> {
    let mut payload = Zeroizing::new(vec![0; SEALED_BYTES]);
    let length = state.read_message(message.bytes(), &mut payload).ok()?;
    payload.truncate(length);
    Some(payload)
}

fn shaken(state: &mut HandshakeState, end: End) -> Option<Shaken> {
    if !state.is_handshake_finished() {
        return None;
    }
    let keys = Split::new(state.dangerously_get_raw_split()).keys(end);
    let binding = state.get_handshake_hash().try_into().ok()?;
    Some(Shaken { key: noise::remote(state)?, binding, keys, words: OnceCell::new() })
}

#[cfg(test)]
mod tests;
