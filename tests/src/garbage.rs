//! Bytes that nobody should send to a station: signals of no call, media of nobody, and all of it truncated and changed.

use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use vox_common::wire::keys::PublicKey;
use vox_common::wire::signal::{CallId, Cookie, Reason, Say, Sealed, Signal, Tag};
use vox_peer::media::mouth_to_ear::StationDelay;
use vox_peer::media::{rtcp, rtp};

/// Dice whose seed is told when the test fails.
#[expect(clippy::print_stdout, reason = "shown only when the test fails")]
pub fn dice() -> ChaCha8Rng {
    let seed = u64::from(std::process::id());
    println!("seed {seed}");
    ChaCha8Rng::seed_from_u64(seed)
}

/// Any byte.
pub fn byte(dice: &mut ChaCha8Rng) -> u8 {
    dice.next_u32().to_le_bytes()[0]
}

/// A number from 0 to `bound` − 1.
pub fn below(dice: &mut ChaCha8Rng, bound: usize) -> usize {
    usize::try_from(dice.next_u32()).expect("32 bits fit") % bound
}

/// So many bytes.
pub fn bytes(dice: &mut ChaCha8Rng, length: usize) -> Vec<u8> {
    (0..length).map(|_| byte(dice)).collect()
}

/// Every kind of signal, each of a call that nobody knows.
pub fn signals(dice: &mut ChaCha8Rng) -> Vec<Vec<u8>> {
    let sealed = Sealed::new(&bytes(dice, 160)).expect("it fits");
    let tag = Some(Tag(std::array::from_fn(|_| byte(dice))));
    let mut id = || CallId(std::array::from_fn(|_| byte(dice)));
    let (cookie, key) = (Cookie::new(&[7; 16]).expect("16 bytes fit"), PublicKey([9; 32]));
    let says = [
        Say::Knock,
        Say::Invite(cookie.clone(), sealed.clone()),
        Say::Retry(cookie, key),
        Say::Ringing(sealed.clone()),
        Say::Accept(sealed.clone(), None),
        Say::Accept(sealed.clone(), Some(id())),
        Say::Reject(Reason::Busy, Some(sealed.clone())),
        Say::WrongKey(key),
        Say::Confirm,
        Say::Cancel(Reason::Cancelled),
        Say::Bye(Reason::Hangup, None),
        Say::Bye(Reason::Hangup, Some(sealed)),
        Say::ByeOk,
    ];
    says.into_iter().map(|say| Signal { id: id(), say, tag }.to_string().into_bytes()).collect()
}

/// RTP and RTCP that look right, but are of nobody who takes part in the call.
pub fn media(dice: &mut ChaCha8Rng) -> Vec<Vec<u8>> {
    let ssrc = dice.next_u32();
    let mut all = Vec::new();
    for payload_type in [rtp::OPUS, rtp::L16, rtp::RED] {
        let header = rtp::Header { marker: true, payload_type, sequence: 7, time_stamp: 7, ssrc };
        all.push([header.to_bytes().as_slice(), &bytes(dice, 40)].concat());
    }
    // A receiver report without reports, and a goodbye (RFC 3550 sections 6.4.2 and 6.6).
    let compound = [[0x80, 201, 0, 1], ssrc.to_be_bytes(), [0x81, 203, 0, 1], ssrc.to_be_bytes()].concat();
    let xr = [[0x80, 207, 0, 4], ssrc.to_be_bytes(), [4, 0, 0, 2], [1; 4], [2; 4]].concat();
    all.extend([compound, xr, delay(ssrc, Duration::from_millis(7))]);
    all
}

/// What a station says of its delay in RTCP.
pub fn delay(ssrc: u32, capture: Duration) -> Vec<u8> {
    let delay = StationDelay { capture: Some(capture), ..StationDelay::default() };
    let outgoing = rtcp::Outgoing { ssrc, delay: Some(delay), ..rtcp::Outgoing::default() };
    let mut buffer = [0; rtcp::COMPOUND_BYTES];
    let length = rtcp::write(&outgoing, &mut buffer).expect("room for it");
    buffer[..length].to_vec()
}

/// The whole of it, every truncation, and every byte changed.
pub fn spoilt(whole: &[u8], dice: &mut ChaCha8Rng) -> Vec<Vec<u8>> {
    let truncated = (0..=whole.len()).map(|length| whole[..length].to_vec());
    let changed = (0..whole.len()).map(|at| {
        let mut changed = whole.to_vec();
        changed[at] ^= byte(dice).max(1);
        changed
    });
    truncated.chain(changed).collect()
}
