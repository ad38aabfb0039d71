//! Copies of frames in later packets (RFC 2198), from the real sender into the real playout: what they bring back, and
//! what they cannot break.

use std::time::{Duration, Instant};

use vox_common::sys::clock;
use vox_peer::media::adapt::Plan;
use vox_peer::media::orders::{Codec, Coding};
use vox_peer::media::playout::Playout;
use vox_peer::media::red::{self, Block};
use vox_peer::media::rtp::{HEADER_BYTES, Header, L16, OPUS, Packet, RED};
use vox_peer::media::sender::{Beginning, PACKET_BYTES, Sender};
use vox_peer::media::srtp::TAG_BYTES;

const APART: Duration = Duration::from_millis(30);

fn coding(codec: Codec) -> Coding {
    Coding { codec, ptime_us: 10_000 }
}

/// A sender of frames of 10 ms that sends so many copies, and a counter that it speaks.
struct Speaker {
    sender: Sender,
    said: usize,
}

impl Speaker {
    fn new(codec: Codec, copies: u8) -> Self {
        let beginning = Beginning { ssrc: 7, sequence: 65_530, time_stamp: u32::MAX - 900 };
        let mut sender = Sender::new(coding(codec), 64_000, beginning).expect("possible");
        follow(&mut sender, copies);
        Self { sender, said: 0 }
    }

    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    fn packet(&mut self, samples: usize) -> Vec<u8> {
        // 200 Hz with four syllables a second: a codec takes a steady tone for noise.
        let loud = |n: usize| (n as f32 * 0.000_262).sin().powi(2);
        let sine = (self.said..self.said + samples).map(|n| 0.7 * loud(n) * (n as f32 * 0.0262).sin());
        self.said += samples;
        let mut buffer = [0; PACKET_BYTES];
        self.sender.packet(&sine.collect::<Vec<f32>>(), &mut buffer).expect("possible").to_vec()
    }
}

fn follow(sender: &mut Sender, copies: u8) {
    let plan = Plan { ptime_us: 10_000, bitrate: 24_000, copies, apart: APART, loss_percent: 0 };
    sender.follow(&plan).expect("possible");
}

/// The age of each block in frames of 10 ms, and the payload type of all of them.
fn ages(packet: &[u8]) -> (Vec<u32>, u8) {
    let packet = Packet::parse(packet).expect("ours");
    if packet.header.payload_type != RED {
        return (vec![0], packet.header.payload_type);
    }
    let blocks = red::parse(packet.payload).expect("ours");
    let inner = blocks[0].payload_type;
    assert!(blocks.iter().all(|block| block.payload_type == inner));
    (blocks.iter().map(|block| block.age / 480).collect(), inner)
}

#[test]
fn a_packet_carries_copies_so_far_apart_as_there_are_any() {
    let mut speaker = Speaker::new(Codec::Opus, 2);
    let seen: Vec<_> = (0..8).map(|_| ages(&speaker.packet(480)).0).collect();
    let wanted: [&[u32]; 8] = [&[0], &[0], &[0], &[3, 0], &[3, 0], &[3, 0], &[6, 3, 0], &[6, 3, 0]];
    assert_eq!(seen, wanted);
    speaker.sender.skip(480);
    assert_eq!(ages(&speaker.packet(480)), (vec![0], OPUS), "no copy reaches over a gap");
    for _ in 0..4 {
        speaker.packet(480);
    }
    assert_eq!(ages(&speaker.packet(960)), (vec![0], OPUS), "nor from frames of another length");
    follow(&mut speaker.sender, 0);
    (0..9).for_each(|_| assert_eq!(ages(&speaker.packet(960)), (vec![0], OPUS)));
}

#[test]
fn copies_of_uncompressed_sound_are_sent_where_they_fit() {
    let mut speaker = Speaker::new(Codec::L16, 1);
    let long: Vec<_> = (0..9).map(|_| ages(&speaker.packet(480)).0).collect();
    assert_eq!(long, vec![vec![0]; 9], "960 bytes twice are more than a packet");
    (0..9).for_each(|_| drop(speaker.packet(240)));
    assert_eq!(ages(&speaker.packet(240)), (vec![3, 0], L16), "six frames of 5 ms are three of 10 ms");
}

#[test]
fn no_packet_with_copies_is_longer_than_1200_bytes_when_it_is_sealed() {
    for samples in [60, 120, 240, 480] {
        let mut speaker = Speaker::new(Codec::L16, 2);
        let packets: Vec<_> = (0..60).map(|_| speaker.packet(samples)).collect();
        let most = packets.iter().map(Vec::len).max().expect("some");
        assert!(most + TAG_BYTES <= 1_200, "{samples}: {most}");
        let copies = ages(packets.last().expect("some")).0.len() - 1;
        assert_eq!(
            copies,
            match samples {
                480 => 0,
                240 => 1,
                _ => 2,
            },
            "{samples}"
        );
    }
}

/// A playout, and the time.
struct Listener {
    playout: Playout,
    now: Instant,
}

impl Listener {
    fn new() -> Self {
        let now = clock::now();
        Self { playout: Playout::new(now).expect("memory"), now }
    }

    /// A packet comes, or none, and 10 ms are played.
    fn hears(&mut self, packet: Option<&[u8]>) {
        if let Some(packet) = packet {
            self.playout.push(packet, self.now);
        }
        let mut out = [f32::NAN; 480];
        self.playout.pull(self.now, &mut out);
        assert!(out.iter().all(|sample| sample.is_finite()));
        self.now += Duration::from_millis(10);
    }
}

/// The share of sound that is made up in a minute when of ten packets the first so many are lost.
fn made_up(codec: Codec, copies: u8, of_ten: usize) -> f64 {
    let (mut speaker, mut listener) = (Speaker::new(codec, copies), Listener::new());
    let samples = if codec == Codec::L16 { 240 } else { 480 };
    for number in 0..6_000 {
        let packet = speaker.packet(samples);
        listener.hears((number < 10 || number % 10 >= of_ten).then_some(packet.as_slice()));
    }
    let counters = listener.playout.counters();
    #[expect(clippy::cast_precision_loss, reason = "a share")]
    let share = counters.concealed as f64 / counters.samples as f64;
    share
}

#[test]
fn bursts_as_long_as_the_distance_are_brought_back() {
    for (copies, of_ten, wanted) in
        [(0, 3, 0.28..0.32), (1, 1, 0.0..0.005), (1, 3, 0.0..0.01), (2, 4, 0.0..0.01)]
    {
        let share = made_up(Codec::Opus, copies, of_ten);
        assert!(wanted.contains(&share), "{copies} copies, {of_ten} of ten lost: {share}");
    }
}

#[test]
fn the_codecs_own_spares_bring_back_packets_lost_alone() {
    let coding = Coding { codec: Codec::Opus, ptime_us: 20_000 };
    let beginning = Beginning { ssrc: 7, sequence: 0, time_stamp: 0 };
    let mut speaker = Speaker { sender: Sender::new(coding, 32_000, beginning).expect("possible"), said: 0 };
    let plan = Plan { ptime_us: 20_000, bitrate: 24_000, copies: 0, apart: APART, loss_percent: 20 };
    speaker.sender.follow(&plan).expect("possible");
    let mut listener = Listener::new();
    for number in 0..1_000 {
        let packet = speaker.packet(960);
        listener.hears((number % 10 != 9).then_some(packet.as_slice()));
        listener.hears(None);
    }
    let counters = listener.playout.counters();
    assert!(counters.recovered > 60 && counters.concealed < counters.samples / 25, "{counters:?}");
}

#[test]
fn copies_of_frames_that_came_are_no_duplicates_and_no_loss() {
    let (mut speaker, mut listener) = (Speaker::new(Codec::Opus, 2), Listener::new());
    (0..500).for_each(|_| listener.hears(Some(&speaker.packet(480))));
    let (counters, counts) = (listener.playout.counters(), listener.playout.counts().expect("came"));
    assert_eq!((counters.duplicate, counters.recovered, counters.late, counters.refused), (0, 0, 0, 0));
    assert_eq!((counts.received, counts.expected), (500, 500));
    assert_eq!(counters.concealed, 0);
}

/// A packet of payload type 112 after so many plain ones.
fn red_packet(number: u16, payload: &[u8]) -> Vec<u8> {
    let header = Header {
        marker: false,
        payload_type: RED,
        sequence: number,
        time_stamp: u32::from(number) * 480,
        ssrc: 9,
    };
    [&header.to_bytes()[..], payload].concat()
}

#[test]
fn what_lies_is_refused_as_a_whole_and_harms_nobody() {
    let mut speaker = Speaker::new(Codec::Opus, 0);
    let frame = speaker.packet(480)[HEADER_BYTES..].to_vec();
    let block = |payload_type, age, bytes| Block { payload_type, age, bytes };
    let own = block(OPUS, 0, &frame[..]);
    // Blocks before the packet's own, whether the packet is taken, and how many frames come back from it.
    let table: [(&[Block<'_>], u64); 8] = [
        (&[], 0),
        (&[block(OPUS, 480, &frame)], 1),
        (&[block(OPUS, 481, &frame)], 0),
        (&[block(OPUS, 0, &frame)], 0),
        (&[block(OPUS, 480, &[])], 0),
        (&[block(0, 480, &frame)], 0),
        (&[block(RED, 480, &frame)], 0),
        (&[block(OPUS, 16_320, &frame), block(L16, 480, &[0; 960]), block(L16, 960, &[0; 960])], 1),
    ];
    for (copies, recovered) in table {
        let mut listener = Listener::new();
        (0..40).for_each(|n| listener.hears(Some(&red_packet(n, &emitted(&[own])))));
        listener.hears(None);
        let blocks = [copies, &[own]].concat();
        listener.hears(Some(&red_packet(41, &emitted(&blocks))));
        let counters = listener.playout.counters();
        assert_eq!((counters.refused, counters.recovered), (0, recovered), "{copies:?}: {counters:?}");
        for cut in 0..2 {
            listener.hears(Some(&red_packet(42, &emitted(&blocks)[..cut])));
        }
        listener.hears(Some(&red_packet(42, &[0xef, 0, 0, 255, 0x6f, 1])));
        assert_eq!(listener.playout.counters().refused, 3, "{copies:?}");
        (43..80).for_each(|n| listener.hears(Some(&red_packet(n, &emitted(&[own])))));
        assert_eq!(listener.playout.counters().refused, 3);
    }
}

fn emitted(blocks: &[Block<'_>]) -> Vec<u8> {
    let mut payload = [0; 4_000];
    let length = red::emit(blocks, &mut payload).expect("can be told");
    payload[..length].to_vec()
}

proptest::proptest! {
    #[test]
    fn nothing_under_payload_type_112_is_too_strange(
        payloads in proptest::collection::vec(proptest::collection::vec(proptest::prelude::any::<u8>(), 0..80), 1..40),
        shape in 0..4_u8,
    ) {
        let mut listener = Listener::new();
        for (number, mut payload) in payloads.into_iter().enumerate() {
            if let (1.., Some(first)) = (shape, payload.first_mut()) {
                *first = (0x80 * (shape & 1)) | OPUS; // often nearly right
            }
            let number = u16::try_from(number).expect("few");
            listener.hears(Some(&red_packet(number, &payload)));
        }
    }
}
