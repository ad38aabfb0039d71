//! Vectors of RFC 7714, and streams that wrap, lose, repeat, reorder and step their keys on.

use proptest::prelude::*;

use super::keys::{DirectionKeys, MasterKey};
use super::session::{Nonce, Session};
use super::*;
use crate::media::rtp::{self, Header};

const KEYS: DirectionKeys = DirectionKeys {
    srtp: MasterKey { key: [1; 16], salt: [2; 12] },
    srtcp: MasterKey { key: [3; 16], salt: [4; 12] },
};

/// As short as they may be.
fn short() -> Spans {
    Spans::new(1, 2_048).expect("possible")
}

fn ends(spans: Spans) -> (Sealer, Opener) {
    (Sealer::with_spans(&KEYS, spans), Opener::with_spans(&KEYS, spans))
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap()).collect()
}

/// Key and salt of all vectors of RFC 7714 section 16 and 17 with 128 bits.
fn session_of_the_vectors() -> Session {
    Session::new(
        &hex("000102030405060708090a0b0c0d0e0f").try_into().unwrap(),
        &hex("517569642070726f2071756f").try_into().unwrap(),
    )
}

/// RFC 7714 section 16.1.1 and 16.1.2.
#[test]
fn rtp_is_sealed_and_opened_as_the_example_says() {
    let plain =
        hex("8040f17b 8041f8d3 5501a0b2 47616c6c 69612065 7374206f 6d6e6973 20646976 69736120 696e2070
        61727465 73207472 6573");
    let sealed =
        hex("8040f17b 8041f8d3 5501a0b2 f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5 0d294e6f 42a5f47a
        51c7d19b 36de3adf 8833899d 7f27beb1 6a9152cf 765ee439 0cce");
    let (session, nonce) = (session_of_the_vectors(), Nonce { ssrc: 0x5501_a0b2, index: 0xf17b });
    let mut packet = plain.clone();
    let (header, text) = packet.split_at_mut(12);
    packet = [session.seal(nonce, header, text).to_vec(), packet].into_iter().rev().flatten().collect();
    assert_eq!(packet, sealed);
    let (header, text) = packet.split_at_mut(12);
    let (text, tag) = text.split_last_chunk_mut().unwrap();
    assert!(session.open(nonce, header, text, tag));
    assert_eq!(packet[..plain.len()], plain);
}

/// RFC 7714 section 17.1 and 17.2.
#[test]
fn rtcp_is_sealed_and_opened_as_the_example_says() {
    let plain =
        hex("81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61 deadbeef deadbeef
        deadbeef deadbeef deadbeef");
    let sealed =
        hex("81c8000d 4d617273 63e94885 dcdab67c a727d766 2f6b7e99 7ff5c0f7 6c06f32d c676a5f1 730d6fda
        4ce09b46 86303ded 0bb9275b c84aa458 96cf4d2f c5abf872 45d9eade 800005d4");
    let (session, nonce) = (session_of_the_vectors(), Nonce { ssrc: 0x4d61_7273, index: 0x5d4 });
    let bare = seal::bare_of_rtcp(plain[..8].try_into().unwrap(), 0x8000_05d4_u32.to_be_bytes());
    let mut text = plain[8..].to_vec();
    let tag = session.seal(nonce, &bare, &mut text);
    assert_eq!([&plain[..8], &text, &tag, &bare[8..]].concat(), sealed);
    assert!(session.open(nonce, &bare, &mut text, &tag));
    assert_eq!(text, plain[8..]);
}

/// An RTP packet whose payload names it.
fn rtp_packet(number: u64) -> Vec<u8> {
    #[expect(clippy::cast_possible_truncation, reason = "the low bits are meant")]
    let header =
        Header { marker: false, payload_type: rtp::OPUS, sequence: number as u16, time_stamp: 9, ssrc: 7 };
    [&header.to_bytes()[..], &number.to_be_bytes(), &[0; 72]].concat()
}

/// A receiver report from one who sends nothing, with an extension that names it.
fn rtcp_packet(number: u64) -> Vec<u8> {
    [&[0x80, 201, 0, 1, 0, 0, 0, 7, 0x80, 204, 0, 4, 0, 0, 0, 7, 0, 0, 0, 0][..], &number.to_be_bytes()]
        .concat()
}

fn sealed_rtp(sealer: &mut Sealer, number: u64) -> Vec<u8> {
    let mut buffer = [0; 256];
    let packet = rtp_packet(number);
    buffer[..packet.len()].copy_from_slice(&packet);
    let length = sealer.seal_rtp(&mut buffer, packet.len()).expect("in order");
    assert_eq!(length, packet.len() + TAG_BYTES);
    buffer[..length].to_vec()
}

fn sealed_rtcp(sealer: &mut Sealer, number: u64) -> Vec<u8> {
    let mut buffer = [0; 256];
    let packet = rtcp_packet(number);
    buffer[..packet.len()].copy_from_slice(&packet);
    let length = sealer.seal_rtcp(&mut buffer, packet.len()).expect("any report");
    assert_eq!(length, packet.len() + RTCP_EXTRA_BYTES);
    buffer[..length].to_vec()
}

/// Opens a copy: whoever looks on may send it again.
fn open_rtp(opener: &mut Opener, packet: &[u8]) -> Result<Vec<u8>, Unopened> {
    let mut copy = packet.to_vec();
    opener.open_rtp(&mut copy).map(|length| copy[..length].to_vec())
}

fn open_rtcp(opener: &mut Opener, packet: &[u8]) -> Result<Vec<u8>, Unopened> {
    let mut copy = packet.to_vec();
    opener.open_rtcp(&mut copy).map(|length| copy[..length].to_vec())
}

#[test]
fn header_sources_and_extension_stay_readable_and_nothing_else_does() {
    let (mut sealer, mut opener) = ends(Spans::WHOLE);
    let mut plain =
        vec![0x92, 111, 0, 5, 0, 0, 0, 9, 0, 0, 0, 7, 1, 1, 1, 1, 2, 2, 2, 2, 0xbe, 0xde, 0, 1, 5, 5, 5, 5];
    plain.extend([0x55; 80]);
    let mut buffer = [0; 256];
    buffer[..108].copy_from_slice(&plain);
    assert_eq!(sealer.seal_rtp(&mut buffer, 108), Ok(124));
    assert_eq!(buffer[..28], plain[..28]);
    assert!(buffer[28..124].windows(4).all(|four| four != [0x55; 4]));
    assert_eq!(open_rtp(&mut opener, &buffer[..124]), Ok(plain));
}

#[test]
fn the_roll_over_is_crossed_with_loss_and_reordering() {
    for first in [65_533, 32_767, 0] {
        let (mut sealer, mut opener) = ends(Spans::WHOLE);
        let packets: Vec<_> =
            (first..first + 140_000).map(|number| (number, sealed_rtp(&mut sealer, number))).collect();
        // Beginning in order; then every third is lost, and neighbours of different distances change places.
        let mut order: Vec<usize> = (0..packets.len()).filter(|at| *at < 3 || at % 3 != 1).collect();
        order[4..].chunks_exact_mut(600).for_each(<[_]>::reverse);
        for at in order {
            let (number, packet) = &packets[at];
            assert_eq!(open_rtp(&mut opener, packet), Ok(rtp_packet(*number)), "{number} from {first}");
            assert_eq!(open_rtp(&mut opener, packet), Err(Unopened::Replayed));
        }
    }
}

#[test]
fn from_the_lower_half_the_beginning_may_be_lost() {
    let (mut sealer, mut opener) = ends(Spans::WHOLE);
    let packets: Vec<_> = (32_767..98_304).map(|number| sealed_rtp(&mut sealer, number)).collect();
    assert!(open_rtp(&mut opener, &packets[32_768]).is_ok());
    assert!(open_rtp(&mut opener, &packets[32_769 + 32_767]).is_ok(), "half of all numbers are lost");
}

#[test]
fn what_is_older_than_the_list_remembers_is_refused() {
    let (mut sealer, mut opener) = ends(Spans::WHOLE);
    let packets: Vec<_> = (0..2_000).map(|number| sealed_rtp(&mut sealer, number)).collect();
    assert!(open_rtp(&mut opener, &packets[1_500]).is_ok());
    assert!(open_rtp(&mut opener, &packets[477]).is_ok());
    assert_eq!(open_rtp(&mut opener, &packets[476]), Err(Unopened::Replayed));
}

#[test]
fn no_number_is_sealed_twice() {
    let (mut sealer, _) = ends(Spans::WHOLE);
    let mut buffer = [0; 256];
    for (number, wanted) in
        [(100, true), (101, true), (101, false), (90, false), (102, true), (65_000, false)]
    {
        let packet = rtp_packet(number);
        buffer[..packet.len()].copy_from_slice(&packet);
        let sealed = sealer.seal_rtp(&mut buffer, packet.len());
        assert_eq!(
            sealed,
            if wanted { Ok(packet.len() + TAG_BYTES) } else { Err(Unsealed::Reused) },
            "{number}"
        );
    }
}

#[test]
fn what_does_not_fit_or_is_no_packet_is_not_sealed() {
    let (mut sealer, _) = ends(Spans::WHOLE);
    let mut packet = rtp_packet(1);
    let length = packet.len();
    assert_eq!(sealer.seal_rtp(&mut packet, length), Err(Unsealed::NoRoom));
    assert_eq!(sealer.seal_rtcp(&mut packet, usize::MAX), Err(Unsealed::NoRoom));
    assert_eq!(sealer.seal_rtp(&mut [0x80; 40], 11), Err(Unsealed::Malformed));
    assert_eq!(sealer.seal_rtp(&mut [0; 40], 20), Err(Unsealed::Malformed));
    assert_eq!(sealer.seal_rtcp(&mut [0x80; 40], 7), Err(Unsealed::Malformed));
}

/// Packets of three generations, some of them in another order, all of them twice.
fn steps(
    span: u64,
    seal: impl Fn(&mut Sealer, u64) -> Vec<u8>,
    open: impl Fn(&mut Opener, &[u8]) -> Result<Vec<u8>, Unopened>,
    plain: impl Fn(u64) -> Vec<u8>,
) {
    let (mut sealer, mut opener) = ends(short());
    let packets: Vec<_> = (0..3 * span).map(|number| seal(&mut sealer, number)).collect();
    let mut order: Vec<u64> = (0..3 * span).collect();
    order.chunks_exact_mut(1_000).for_each(<[_]>::reverse);
    for number in order {
        let packet = &packets[usize::try_from(number).unwrap()];
        assert_eq!(open(&mut opener, packet), Ok(plain(number)), "{number}");
        assert_eq!(open(&mut opener, packet), Err(Unopened::Replayed), "{number}");
    }
    let whole = &mut Opener::new(&KEYS);
    assert!(open(whole, &packets[0]).is_ok());
    let first = usize::try_from(span).unwrap();
    assert!(open(whole, &packets[first]).is_err(), "the keys of the second generation are others");
}

#[test]
fn keys_step_on_before_the_index_of_rtp_runs_out() {
    steps(65_536, sealed_rtp, open_rtp, rtp_packet);
}

#[test]
fn keys_step_on_before_the_index_of_rtcp_runs_out() {
    steps(2_048, sealed_rtcp, open_rtcp, rtcp_packet);
}

#[test]
fn forgeries_around_a_step_lead_nowhere() {
    let (mut sealer, mut opener) = ends(short());
    let packets: Vec<_> = (0..70_000).map(|number| sealed_rtp(&mut sealer, number)).collect();
    assert!(open_rtp(&mut opener, &packets[20_000]).is_ok());
    assert!(open_rtp(&mut opener, &packets[50_000]).is_ok());
    let mut forged = packets[66_000].clone();
    forged[20] ^= 1;
    for _ in 0..100 {
        assert_eq!(open_rtp(&mut opener, &forged), Err(Unopened::Forged));
    }
    assert!(open_rtp(&mut opener, &packets[50_001]).is_ok());
    assert!(open_rtp(&mut opener, &packets[66_000]).is_ok());
    assert!(open_rtp(&mut opener, &packets[65_535]).is_ok(), "late, from before the step");
}

#[test]
fn spans_are_bounded() {
    let possible = [(1, 2_048), (u32::MAX, 1 << 31)];
    assert!(possible.into_iter().all(|(rtp, rtcp)| Spans::new(rtp, rtcp).is_some()));
    let impossible = [(0, 2_048), (1, 2_047), (1, (1 << 31) + 1)];
    assert!(impossible.into_iter().all(|(rtp, rtcp)| Spans::new(rtp, rtcp).is_none()));
}

#[test]
fn only_one_stream_is_opened() {
    let (mut sealer, mut opener) = ends(Spans::WHOLE);
    assert!(open_rtp(&mut opener, &sealed_rtp(&mut sealer, 1)).is_ok());
    let mut other = [&rtp_packet(1)[..], &[0; 16]].concat();
    other[11] = 8;
    let length = other.len() - 16;
    assert!(Sealer::new(&KEYS).seal_rtp(&mut other, length).is_ok());
    assert_eq!(open_rtp(&mut opener, &other), Err(Unopened::Stranger));
    assert!(open_rtp(&mut Opener::new(&KEYS), &other).is_ok());
}

#[test]
fn reports_that_are_not_encrypted_or_whole_are_refused() {
    let (mut sealer, mut opener) = ends(Spans::WHOLE);
    let sealed = sealed_rtcp(&mut sealer, 1);
    let mut bare = sealed.clone();
    let flag = bare.len() - 4;
    bare[flag] &= 0x7f;
    assert_eq!(open_rtcp(&mut opener, &bare), Err(Unopened::Bare));
    for length in 0..RTCP_EXTRA_BYTES + 8 {
        assert_ne!(open_rtcp(&mut opener, &sealed[..length]).err(), None);
        assert_ne!(open_rtp(&mut opener, &sealed[..length]).err(), None);
    }
    assert!(open_rtcp(&mut opener, &sealed).is_ok());
}

#[test]
fn each_use_and_direction_has_keys_of_its_own() {
    let turned = DirectionKeys { srtp: KEYS.srtcp.clone(), srtcp: KEYS.srtp.clone() };
    let (mut sealer, mut opener) = (Sealer::new(&KEYS), Opener::new(&turned));
    assert_eq!(open_rtp(&mut opener, &sealed_rtp(&mut sealer, 1)), Err(Unopened::Forged));
    assert_eq!(open_rtcp(&mut opener, &sealed_rtcp(&mut sealer, 1)), Err(Unopened::Forged));
}

proptest! {
    /// One bit of a packet is changed: it is not opened, stays as it is, and the true one is still opened.
    #[test]
    fn no_bit_can_be_changed(bit in 0_usize..8 * 108, report in 0_usize..8 * 48) {
        let (mut sealer, mut opener) = ends(Spans::WHOLE);
        let (packet, compound) = (sealed_rtp(&mut sealer, 70), sealed_rtcp(&mut sealer, 70));
        prop_assert_eq!((packet.len(), compound.len()), (108, 48));
        let (mut changed, mut changed_report) = (packet.clone(), compound.clone());
        changed[bit / 8] ^= 1 << (bit % 8);
        changed_report[report / 8] ^= 1 << (report % 8);
        let (before, before_report) = (changed.clone(), changed_report.clone());
        prop_assert!(opener.open_rtp(&mut changed).is_err());
        prop_assert!(opener.open_rtcp(&mut changed_report).is_err());
        prop_assert!(changed == before && changed_report == before_report);
        prop_assert_eq!(open_rtp(&mut opener, &packet), Ok(rtp_packet(70)));
        prop_assert_eq!(open_rtcp(&mut opener, &compound), Ok(rtcp_packet(70)));
    }

    /// Whatever comes, nothing panics and nothing is believed.
    #[test]
    fn garbage_is_not_opened(mut bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut opener = Opener::new(&KEYS);
        prop_assert!(opener.open_rtp(&mut bytes).is_err());
        prop_assert!(opener.open_rtcp(&mut bytes).is_err());
    }
}
