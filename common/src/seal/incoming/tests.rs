//! What comes is read alike however it is cut, and nothing is read behind what does not open.

use super::*;
use crate::seal::identity::Identity;
use crate::seal::records::{Sealer, sealed_bytes};
use crate::seal::secure;
use crate::wire::reply::Nonce;
use proptest::prelude::*;

/// What a station seals with, and what its registry opens that with; the same for the same seed.
fn direction(seed: u8) -> (Sealer, Opener) {
    let [station, registry] = [[1; 32], [2; 32]].map(Identity::new);
    let nonce = Nonce([seed; 16]);
    let (offering, offer) = secure::offer(&station, registry.public(), &nonce, &[3 + seed; 32]).unwrap();
    let taken = secure::take(&registry, &nonce, &offer, &[40 + seed; 32]).unwrap();
    (offering.answered(&taken.answer).unwrap().0, taken.opener)
}

fn sealed(sealer: &mut Sealer, lines: &str) -> Vec<u8> {
    let mut out = vec![0; sealed_bytes(lines.len())];
    let bytes = sealer.seal(lines.as_bytes(), &mut out).len();
    assert_eq!(bytes, out.len());
    out
}

/// Reads bytes in pieces; seals after the line `SECURE`, ends after `QUIT`.
fn read(bytes: &[u8], piece: usize, opener: Opener) -> (Vec<String>, Result<ControlFlow<()>, Broken>) {
    let (mut incoming, mut told) = (Incoming::new(), Vec::new());
    let mut opener = Some(opener);
    let mut rest = bytes;
    while !rest.is_empty() {
        let space = incoming.space();
        let count = piece.min(space.len()).min(rest.len());
        space[..count].copy_from_slice(&rest[..count]);
        rest = &rest[count..];
        let end = incoming.filled(count, |line| {
            told.push(format!("{line:?}"));
            match line {
                Line::Text("SECURE") => Next::Seal(opener.take().expect("once")),
                Line::Text("QUIT") => Next::End,
                _ => Next::GoOn,
            }
        });
        if end != Ok(ControlFlow::Continue(())) {
            return (told, end);
        }
    }
    (told, Ok(ControlFlow::Continue(())))
}

#[test]
fn lines_are_plain_until_both_ends_seal_them() {
    let (mut sealer, opener) = direction(0);
    let mut bytes = b"PING\nSECURE\n".to_vec();
    bytes.extend(sealed(&mut sealer, "ECHO one\nECHO t"));
    bytes.extend(sealed(&mut sealer, "wo\n"));
    let (told, end) = read(&bytes, 7, opener);
    assert_eq!(told, ["PING", "SECURE", "ECHO one", "ECHO two"].map(|line| format!("Text({line:?})")));
    assert!(end.is_ok());
}

#[test]
fn a_record_that_comes_again_or_out_of_turn_or_in_plain_ends_it() {
    let begin = b"SECURE\n";
    let records = |seed| {
        let mut sealer = direction(seed).0;
        ["PING\n", "LIST\n", "ROOMS\n"].map(|line| sealed(&mut sealer, line))
    };
    let [ping, list, rooms] = records(0);
    let others = records(1);
    for (told, bytes) in [
        (2, [&ping[..], &ping].concat()),
        (2, [&ping[..], &rooms].concat()),
        (1, [&list[..], &ping].concat()),
        (2, [&ping[..], &others[1]].concat()),
        (2, [&ping[..], b"LIST\n"].concat()),
        (2, [&ping[..], &[0, 16], &[0; 16]].concat()),
        (2, [&ping[..], &[0xff; 2], &[0; 500]].concat()),
        (2, [&ping[..], &[0, 0]].concat()),
    ] {
        let (lines, end) = read(&[&begin[..], &bytes].concat(), 64, direction(0).1);
        assert_eq!((lines.len(), end), (told, Err(Broken)), "{bytes:?}");
    }
}

#[test]
fn no_bit_of_a_record_can_be_changed() {
    let record = sealed(&mut direction(0).0, "PING\n");
    for bit in 0..record.len() * 8 {
        let mut bent = [b"SECURE\n", &record[..]].concat();
        bent[7 + bit / 8] ^= 1 << (bit % 8);
        let (told, end) = read(&bent, 64, direction(0).1);
        let is_waiting = end == Ok(ControlFlow::Continue(()));
        assert!(told.len() == 1 && (end == Err(Broken) || is_waiting && bit < 16), "bit {bit}: {told:?}");
    }
}

#[test]
fn nothing_is_read_behind_the_end() {
    let (mut sealer, opener) = direction(0);
    let bytes = [b"SECURE\n".to_vec(), sealed(&mut sealer, "QUIT\nPING\n")].concat();
    let (told, end) = read(&bytes, 500, opener);
    assert_eq!((told.len(), end), (2, Ok(ControlFlow::Break(()))));
}

proptest! {
    #[test]
    fn where_the_bytes_are_cut_changes_nothing(
        lines in prop::collection::vec("[a-z]{0,1400}", 0..6),
        piece in 1_usize..1500,
    ) {
        let lines = lines.join("\n") + "\n";
        let whole = |piece| {
            let (mut sealer, opener) = direction(0);
            let bytes = [b"SECURE\n".to_vec(), sealed(&mut sealer, &lines)].concat();
            read(&bytes, piece, opener)
        };
        let (told, end) = whole(piece);
        prop_assert!(end.is_ok());
        prop_assert_eq!(&told, &whole(1).0);
        prop_assert_eq!(told.len(), 1 + lines.lines().count());
    }

    #[test]
    fn no_bytes_are_too_strange(bytes: Vec<u8>, piece in 1_usize..100) {
        let _ = read(&[b"SECURE\n", &bytes[..]].concat(), piece, direction(0).1);
    }
}
