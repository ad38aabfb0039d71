//! A program that has every datagram of a call and both stations' public keys computes all that can be computed of them,
//! the handshake hash among it, and puts each of it through the key schedule that docs/PROTOCOL.md publishes: no tag is
//! right, and no packet opens.

use std::path::Path;
use std::time::Duration;

use sha2::{Digest, Sha256};
use vox_common::seal::identity::Identity;
use vox_common::seal::noise;
use vox_common::sys::key_file;
use vox_common::wire::keys::PublicKey;
use vox_common::wire::signal::{CallId, Cookie, Say, Sealed, Signal};
use vox_peer::media::srtp::Opener;
use vox_peer::seal::keys::{End, Split};
use vox_peer::seal::words::FourWords;
use vox_tests::bed::relay::Passed;
use vox_tests::bed::{Ambush, wait};

/// Everything of a call that stands open on the wire, and who the two are.
struct Open {
    id: CallId,
    cookie: Cookie,
    first: Sealed,
    second: Sealed,
    callee: PublicKey,
    caller: PublicKey,
}

impl Open {
    fn of(signals: &[Signal], caller: PublicKey, callee: PublicKey) -> Self {
        let invite = signals.iter().find_map(|signal| match &signal.say {
            Say::Invite(cookie, first) => Some((signal.id, cookie.clone(), first.clone())),
            _ => None,
        });
        let second = signals.iter().find_map(|signal| match &signal.say {
            Say::Accept(second, _) => Some(second.clone()),
            _ => None,
        });
        let (id, cookie, first) = invite.expect("somebody called");
        Self { id, cookie, first, second: second.expect("somebody answered"), callee, caller }
    }

    /// The hashes of the handshake, one after the other (Noise section 5.2): what goes into them is public. The last one is
    /// the handshake hash.
    fn hashes(&self) -> Vec<[u8; 32]> {
        let prologue = [b"vox1", &self.id.0[..], self.cookie.as_str().as_bytes()].concat();
        let (first, second) = (self.first.bytes(), self.second.bytes());
        let mixed: [&[u8]; 7] = [
            &prologue,
            &self.callee.0,
            &first[..32],
            &first[32..80],
            &first[80..],
            &second[..32],
            &second[32..],
        ];
        let mut hash = *b"Noise_IK_25519_ChaChaPoly_SHA256";
        let mut all = vec![hash];
        for bytes in mixed {
            hash = Sha256::new().chain_update(hash).chain_update(bytes).finalize().into();
            all.push(hash);
        }
        all
    }

    /// All values of 32 bytes that anybody has, as they are and hashed.
    fn values(&self) -> Vec<[u8; 32]> {
        let (first, second) = (self.first.bytes(), self.second.bytes());
        let pieces = [first, second].into_iter().flat_map(|message| message.windows(32));
        let mut values: Vec<[u8; 32]> = pieces.map(|piece| piece.try_into().expect("32 bytes")).collect();
        values.extend(self.hashes());
        values.extend([
            self.callee.0,
            self.caller.0,
            [0; 32],
            padded(&self.id.0),
            padded(self.cookie.as_str().as_bytes()),
        ]);
        let hashed: Vec<[u8; 32]> = values.iter().map(|value| Sha256::digest(value).into()).collect();
        values.into_iter().chain(hashed).collect()
    }
}

fn padded(bytes: &[u8]) -> [u8; 32] {
    std::array::from_fn(|at| bytes.get(at).copied().unwrap_or(0))
}

/// Whether this, as one of the two keys of `Split()`, makes a tag right or opens a packet.
fn unlocks(value: [u8; 32], datagrams: &[Passed]) -> bool {
    let keys = Split::new((value, value)).keys(End::Caller);
    datagrams.iter().any(|passed| {
        if passed.is_media() {
            let mut packet = passed.bytes.clone();
            return Opener::new(&keys.media.receives).open_rtp(&mut packet).is_ok();
        }
        let tag = Signal::parse(&passed.bytes).ok().and_then(|signal| signal.tag);
        tag.is_some_and(|tag| keys.signals.receives.is_tag_of(&tag, Signal::tagged(&passed.bytes)))
    })
}

fn public(state: &Path) -> PublicKey {
    *key_file::load_or_make(state).expect("its own key").public()
}

#[test]
fn who_knows_both_public_keys_and_every_datagram_has_no_key() {
    let mut ambush = Ambush::lie();
    ambush.talk();
    let words = wait::until("four words", 5, || ambush.alice.status("call", "words"));
    let caller = public(&ambush.place().at("alice-state"));
    let callee = public(&ambush.place().at("bob-state"));
    ambush.hang_up();
    wait::pause(Duration::from_millis(100));
    let (media, said): (Vec<_>, Vec<_>) = ambush.path.seen().into_iter().partition(Passed::is_media);
    let signals: Vec<Signal> = said.iter().filter_map(|passed| Signal::parse(&passed.bytes).ok()).collect();
    let open = Open::of(&signals, caller, callee);
    let hash = *open.hashes().last().expect("there are some");
    assert_eq!(FourWords::of(&hash).to_string(), words, "the handshake hash is known to whoever listens");
    // Of each direction the first packets, and all that was tagged.
    let datagrams: Vec<Passed> = said.into_iter().chain(media.into_iter().take(6)).collect();
    assert!(signals.iter().filter(|signal| signal.tag.is_some()).count() >= 4, "{signals:?}");
    let values = open.values();
    let unlocking = values.iter().filter(|value| unlocks(**value, &datagrams)).count();
    assert_eq!(unlocking, 0, "of {} values", values.len());
}

/// The judge above would notice: a key that is one makes its tag right.
#[test]
fn who_has_a_key_of_split_is_let_in() {
    let (alice, bob) = (Identity::new([1; 32]), Identity::new([2; 32]));
    let mut first = noise::initiator(&alice, bob.public(), b"vox1", &[3; 32]);
    let mut second = noise::responder(&bob, b"vox1", &[4; 32]);
    let (mut sealed, mut opened) = ([0; 256], [0; 256]);
    let length = first.write_message(b"", &mut sealed).expect("room for it");
    second.read_message(&sealed[..length], &mut opened).expect("it is for bob");
    let _ = second.write_message(b"", &mut sealed).expect("room for it");
    let (there, back) = second.dangerously_get_raw_split();
    let keys = Split::new((there, back)).keys(End::Callee);
    let mut signal = Signal::untagged(CallId([7; 16]), Say::Confirm);
    signal.tag = Some(keys.signals.sends.tag(signal.to_string().as_bytes()));
    let passed = |bytes: Vec<u8>| Passed { at: Duration::ZERO, forth: false, bytes };
    let said = [passed(signal.to_string().into_bytes())];
    assert!(unlocks(back, &said) && !unlocks(there, &said));
}
