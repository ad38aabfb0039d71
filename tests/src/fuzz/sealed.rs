//! Sealed lines between a station and its registry, in whatever pieces they come: all of them are heard as they were said,
//! and of a stream that somebody changed nothing behind the change.

use arbitrary::{Arbitrary, Unstructured};
use vox_common::seal::identity::Identity;
use vox_common::seal::incoming::{Incoming, Next};
use vox_common::seal::records::{Opener, Sealer, sealed_bytes};
use vox_common::seal::secure::{offer, take};
use vox_common::wire::limits::LINE_BYTES;
use vox_common::wire::reply::Nonce;

use super::lines::{Told, framed, told};

/// What somebody on the way does.
#[derive(Debug, Clone, Copy, Arbitrary)]
enum Change {
    Nothing,
    Flip { at: u16, by: u8 },
    Cut { at: u16, bytes: u8 },
    Repeat { at: u16, bytes: u8 },
}

/// What is said, behind what is done to it and how long the pieces are that it comes in.
pub fn holds(bytes: &[u8]) {
    let mut dice = Unstructured::new(bytes);
    let Ok((change, piece)) = dice.arbitrary::<(Change, u8)>() else { return };
    let said = dice.take_rest();
    let (mut sealer, opener) = ends();
    let mut records = vec![0; sealed_bytes(said.len())];
    let length = sealer.seal(said, &mut records).len();
    assert_eq!(length, records.len(), "as long as they were said to be");
    let sent = changed(&records, change);
    let (heard, is_broken) = heard(&sent, opener, 1 + usize::from(piece));
    let whole = framed(said, LINE_BYTES);
    assert!(whole.starts_with(&heard), "{heard:?} was not said in {whole:?}");
    if sent == records {
        assert!(!is_broken && heard.len() == whole.len(), "{whole:?} was said, {heard:?} was heard");
    }
}

/// What a registry seals with, and what its station opens with.
fn ends() -> (Sealer, Opener) {
    let [station, registry] = [[1; 32], [2; 32]].map(Identity::new);
    let nonce = Nonce([5; 16]);
    let (offering, first) = offer(&station, registry.public(), &nonce, &[3; 32]).expect("a good key");
    let taken = take(&registry, &nonce, &first, &[4; 32]).expect("our own offer");
    let (_, opener) = offering.answered(&taken.answer).expect("our own answer");
    (taken.sealer, opener)
}

fn changed(records: &[u8], change: Change) -> Vec<u8> {
    let mut bytes = records.to_vec();
    let range = |at: u16, length: u8| {
        let at = usize::from(at).min(records.len());
        at..(at + usize::from(length)).min(records.len())
    };
    match change {
        Change::Nothing => {}
        Change::Flip { at, by } => bytes.get_mut(usize::from(at)).into_iter().for_each(|byte| *byte ^= by),
        Change::Cut { at, bytes: length } => drop(bytes.drain(range(at, length))),
        Change::Repeat { at, bytes: length } => {
            let again = bytes[range(at, length)].to_vec();
            let place = range(at, length).end;
            bytes.splice(place..place, again);
        }
    }
    bytes
}

/// The lines behind the one after which they are sealed, and whether the stream was found to be broken.
fn heard(records: &[u8], opener: Opener, piece: usize) -> (Vec<Told>, bool) {
    let (mut incoming, mut opener, mut lines) = (Incoming::new(), Some(opener), Vec::new());
    let stream = [b"200 secure\n", records].concat();
    let mut rest = stream.as_slice();
    while !rest.is_empty() {
        let space = incoming.space();
        let count = rest.len().min(piece).min(space.len());
        space[..count].copy_from_slice(&rest[..count]);
        rest = &rest[count..];
        let went_on = incoming.filled(count, |line| {
            if let Some(opener) = opener.take() {
                return Next::Seal(opener);
            }
            lines.push(told(line));
            Next::GoOn
        });
        if went_on.is_err() {
            return (lines, true);
        }
    }
    (lines, false)
}
