//! What is written is read back, and what nobody should write says nothing.

use std::time::Duration;

use super::*;
use crate::media::rtcp::{COMPOUND_BYTES, Outgoing, write};

const RECEPTION: ReceptionReport =
    ReceptionReport { ssrc: 9, fraction_lost: 64, lost: -2, highest_sequence: 0x1_0002, jitter: 45 };
const BLOCK: ReportBlock =
    ReportBlock { reception: RECEPTION, last_report: 0xb705_2000, since_last_report: 0x0005_4000 };
const INFO: SenderInfo = SenderInfo { ntp: 0xb44d_b705_2000_0000, time_stamp: 480, packets: 3, octets: 240 };
const VOIP: VoipMetrics = VoipMetrics {
    ssrc: 9,
    loss_rate: 3,
    discard_rate: 1,
    round_trip_ms: 12,
    end_system_ms: 20,
    signal_level_db: -18,
    nominal_ms: 5,
    maximum_ms: 40,
    absolute_maximum_ms: 500,
};

const DELAY: StationDelay = StationDelay {
    capture: Some(Duration::from_micros(2_617)),
    encode: Some(Duration::from_micros(2_590)),
    jitter_buffer: None,
    playback: Some(Duration::ZERO),
};

fn everything() -> Outgoing<'static> {
    Outgoing {
        ssrc: 7,
        sender: Some(INFO),
        block: Some(BLOCK),
        cname: "alice@vox",
        voip: Some(VOIP),
        delay: Some(DELAY),
        goodbye: true,
    }
}

fn written(outgoing: &Outgoing<'_>) -> Vec<u8> {
    let mut buffer = [0xee; COMPOUND_BYTES];
    let length = write(outgoing, &mut buffer).unwrap();
    buffer[..length].to_vec()
}

fn items(bytes: &[u8]) -> Result<Vec<Item<'_>>, BadRtcp> {
    let mut items = Vec::new();
    read(bytes, &mut |item| items.push(item)).map(|()| items)
}

#[test]
fn a_sender_report_is_known_bytes() {
    let bytes = written(&Outgoing {
        ssrc: 7,
        sender: Some(INFO),
        block: Some(BLOCK),
        cname: "ab",
        ..Default::default()
    });
    let report = [
        0x81, 200, 0, 12, 0, 0, 0, 7, 0xb4, 0x4d, 0xb7, 5, 0x20, 0, 0, 0, 0, 0, 1, 0xe0, 0, 0, 0, 3, 0, 0, 0,
        240, 0, 0, 0, 9, 64, 0xff, 0xff, 0xfe, 0, 1, 0, 2, 0, 0, 0, 45, 0xb7, 5, 0x20, 0, 0, 5, 0x40, 0,
    ];
    assert_eq!(bytes[..52], report);
    assert_eq!(bytes[52..], [0x81, 202, 0, 3, 0, 0, 0, 7, 1, 2, b'a', b'b', 0, 0, 0, 0]);
}

#[test]
fn everything_written_is_read_back() {
    let wanted = [
        Item::Sender { from: 7, info: INFO },
        Item::Block { from: 7, block: BLOCK },
        Item::Cname { from: 7, name: b"alice@vox" },
        Item::Voip { from: 7, metrics: VOIP },
        Item::Delay { from: 7, delay: DELAY },
        Item::Goodbye { from: 7 },
    ];
    assert_eq!(items(&written(&everything())), Ok(wanted.to_vec()));
    let receiver = Outgoing { ssrc: 7, block: Some(BLOCK), ..Default::default() };
    assert_eq!(items(&written(&receiver)).unwrap()[0], Item::Block { from: 7, block: BLOCK });
}

#[test]
fn names_of_every_length_keep_to_whole_words_and_long_ones_are_cut() {
    let long = "é".repeat(200);
    for length in (0..=long.len()).filter(|&length| long.is_char_boundary(length)) {
        let bytes = written(&Outgoing { cname: &long[..length], voip: Some(VOIP), ..everything() });
        let cut = length.min(64);
        assert!(items(&bytes).unwrap().contains(&Item::Cname { from: 7, name: &long.as_bytes()[..cut] }));
    }
}

#[test]
fn a_buffer_too_short_is_no_packet() {
    let whole = written(&everything()).len();
    for length in 0..whole {
        assert_eq!(write(&everything(), &mut vec![0; length]), None);
    }
}

#[test]
fn broken_compounds_say_nothing() {
    let good = written(&everything());
    let mut second_version = good.clone();
    second_version[52] = 0x41;
    let mut too_long = good.clone();
    too_long[55] = 0xff;
    let mut padded_first = good.clone();
    padded_first[0] |= 0x20;
    let table = [
        (good[52..].to_vec(), BadRtcp::FirstKind),
        (vec![], BadRtcp::FirstKind),
        (second_version, BadRtcp::Version),
        (too_long, BadRtcp::Length),
        (padded_first, BadRtcp::Length),
        (vec![0x80, 201, 0], BadRtcp::Length),
    ];
    for (bytes, wanted) in table {
        assert_eq!(items(&bytes), Err(wanted), "{bytes:?}");
    }
}

#[test]
fn other_applications_packets_say_nothing() {
    let report = written(&Outgoing { ssrc: 7, cname: "ab", ..Default::default() });
    let packet = |count: u8, name: &[u8], values: usize| {
        let words = u8::try_from(1 + (name.len() + values) / 4).unwrap();
        [&report, [0x80 | count, 204, 0, words, 0, 0, 0, 7].as_slice(), name, &vec![0; values]].concat()
    };
    let says = |packet: Vec<u8>| {
        items(&packet).unwrap().iter().any(|item| matches!(item, Item::Delay { from: 7, .. }))
    };
    assert!(says(packet(0, b"VOXD", 16)) && says(packet(0, b"VOXD", 20)));
    for other in [packet(1, b"VOXD", 16), packet(0, b"VOXE", 16), packet(0, b"VOXD", 12), packet(0, b"", 0)] {
        assert!(!says(other.clone()), "{other:?}");
    }
}

#[test]
fn no_truncation_and_no_changed_byte_panics() {
    let whole = written(&everything());
    for end in 0..whole.len() {
        let _ = items(&whole[..end]);
    }
    for (place, value) in (0..whole.len()).flat_map(|place| (0..=255).map(move |value| (place, value))) {
        let mut changed = whole.clone();
        changed[place] = value;
        let _ = items(&changed);
    }
}
