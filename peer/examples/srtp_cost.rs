//! What sealing and opening a packet costs: medians, in nanoseconds, with the processor's instructions for AES and, beside
//! it, without them.
//!
//! `make bench` builds it a second time with `--cfg aes_backend="soft" --cfg polyval_backend="soft"` and names that
//! program as the argument; `figures` prints this program's own figures alone.
#![expect(clippy::print_stdout, reason = "it prints a table")]

use std::env;
use std::process::Command;

use vox_common::sys::clock;
use vox_peer::media::rtp::{HEADER_BYTES, Header, OPUS};
use vox_peer::media::srtp::keys::{DirectionKeys, MasterKey};
use vox_peer::media::srtp::{Opener, RTCP_EXTRA_BYTES, Sealer, TAG_BYTES};

/// Packets that are timed together, and how often.
const BATCH: usize = 500;
const BATCHES: usize = 401;

/// Bytes without what sealing adds: what the packet is, and how long.
const PACKETS: [(&str, Packet); 5] = [
    ("RTP, 10 ms of Opus at 64 kbit/s", Packet::Rtp(80)),
    ("RTP, 10 ms of Opus at 80 kbit/s", Packet::Rtp(100)),
    ("RTP, the same with two copies", Packet::Rtp(309)),
    ("RTP, 10 ms of L16", Packet::Rtp(960)),
    ("RTCP, a report", Packet::Rtcp(160)),
];

#[derive(Clone, Copy)]
enum Packet {
    /// Bytes of the payload.
    Rtp(usize),
    /// Bytes of the compound.
    Rtcp(usize),
}

fn main() {
    let figures: Vec<[f64; 2]> = PACKETS.iter().map(|(_, packet)| cost(*packet)).collect();
    match env::args().nth(1).as_deref() {
        Some("figures") => figures.iter().for_each(|[seal, open]| println!("{seal} {open}")),
        other => table(&figures, &other.map(figures_of).unwrap_or_default()),
    }
}

fn table(with: &[[f64; 2]], without: &[[f64; 2]]) {
    println!(
        "Sealing and opening a packet, ns (medians, one after the other, caches warm; target: < 500 with AES)"
    );
    println!("| packet | payload, bytes | seal | open | seal without AES | open without AES |");
    println!("| --- | --- | --- | --- | --- | --- |");
    for (row, (name, packet)) in PACKETS.iter().enumerate() {
        let [seal, open] = with[row];
        let beside = without.get(row).map(|[seal, open]| format!("{seal:.0} | {open:.0}"));
        let (Packet::Rtp(bytes) | Packet::Rtcp(bytes)) = packet;
        println!("| {name} | {bytes} | {seal:.0} | {open:.0} | {} |", beside.unwrap_or("- | -".into()));
    }
}

/// What the same program prints that was built without the processor's instructions.
fn figures_of(program: &str) -> Vec<[f64; 2]> {
    let output = Command::new(program).arg("figures").output().expect("it was built");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let figure = |word: Option<&str>| word.and_then(|word| word.parse().ok()).expect("a figure");
    text.lines()
        .map(|line| line.split(' '))
        .map(|mut words| [figure(words.next()), figure(words.next())])
        .collect()
}

/// Medians of sealing and opening, in nanoseconds.
fn cost(packet: Packet) -> [f64; 2] {
    let master = MasterKey { key: [1; 16], salt: [2; 12] };
    let keys = DirectionKeys { srtp: master.clone(), srtcp: master };
    let (mut sealer, mut opener) = (Sealer::new(&keys), Opener::new(&keys));
    let mut packets: Vec<Vec<u8>> = (0..BATCH).map(|_| packet.bytes()).collect();
    let (mut seals, mut opens) = (Vec::new(), Vec::new());
    for batch in 0..BATCHES {
        packets.iter_mut().enumerate().for_each(|(at, bytes)| packet.number(bytes, batch * BATCH + at));
        seals.push(timed(&mut packets, |bytes| packet.seal(&mut sealer, bytes)));
        opens.push(timed(&mut packets, |bytes| packet.open(&mut opener, bytes)));
    }
    [seals, opens].map(median)
}

impl Packet {
    /// With room for what sealing adds.
    fn bytes(self) -> Vec<u8> {
        match self {
            Self::Rtp(payload) => vec![0x55; HEADER_BYTES + payload + TAG_BYTES],
            Self::Rtcp(compound) => vec![0x80; compound + RTCP_EXTRA_BYTES],
        }
    }

    fn number(self, bytes: &mut [u8], number: usize) {
        if let Self::Rtp(_) = self {
            #[expect(clippy::cast_possible_truncation, reason = "the low bits are meant")]
            let sequence = number as u16;
            let header = Header { marker: false, payload_type: OPUS, sequence, time_stamp: 0, ssrc: 7 };
            bytes[..HEADER_BYTES].copy_from_slice(&header.to_bytes());
        }
    }

    fn seal(self, sealer: &mut Sealer, bytes: &mut [u8]) -> usize {
        let length = bytes.len();
        match self {
            Self::Rtp(_) => sealer.seal_rtp(bytes, length - TAG_BYTES),
            Self::Rtcp(_) => sealer.seal_rtcp(bytes, length - RTCP_EXTRA_BYTES),
        }
        .expect("in order")
    }

    fn open(self, opener: &mut Opener, bytes: &mut [u8]) -> usize {
        match self {
            Self::Rtp(_) => opener.open_rtp(bytes),
            Self::Rtcp(_) => opener.open_rtcp(bytes),
        }
        .expect("ours")
    }
}

/// Nanoseconds for each packet.
#[expect(clippy::cast_precision_loss, reason = "a small number")]
fn timed(packets: &mut [Vec<u8>], mut act: impl FnMut(&mut [u8]) -> usize) -> f64 {
    let before = clock::now();
    for packet in packets.iter_mut() {
        std::hint::black_box(act(packet));
    }
    clock::now().duration_since(before).as_secs_f64() * 1e9 / packets.len() as f64
}

fn median(mut costs: Vec<f64>) -> f64 {
    costs.sort_by(f64::total_cmp);
    costs[costs.len() / 2]
}
