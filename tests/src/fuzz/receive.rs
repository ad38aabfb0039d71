//! The whole way of media in, from a datagram to samples, with keys and without: what is heard stays sound, and of a
//! sealed stream only what its far end said changes anything.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arbitrary::{Arbitrary, Unstructured};
use vox_common::sys::clock;
use vox_peer::media::bank::{Bank, BankOrder};
use vox_peer::media::orders::{Codec, Coding, LegId};
use vox_peer::media::playout::Patience;
use vox_peer::media::profile::Profile;
use vox_peer::media::rtp::Header;
use vox_peer::media::sender::{Beginning, PACKET_BYTES, Sender};
use vox_peer::media::srtp::keys::{DirectionKeys, MasterKey};
use vox_peer::media::srtp::{Opener, Sealer, TAG_BYTES};
use vox_peer::media::stats::Stats;
use vox_peer::media::{red, rtp};

const LEG: LegId = LegId(0);

/// The longest pull, and the longest list of operations: a second or so of sound.
const MOST_SAMPLES: u16 = 2_000;
const MOST_OPS: usize = 200;

#[derive(Debug, Arbitrary)]
enum Op {
    /// The far end says a frame.
    Speak,
    /// Its last packet again, changed at one place.
    Mangle { at: u16, by: u8 },
    /// Somebody else's datagram.
    Bytes(Vec<u8>),
    /// A packet with a header that looks right around any payload, from whoever has no key.
    Payload { payload_type: u8, sequence: u16, time_stamp: u32, payload: Vec<u8> },
    /// The card asks for samples.
    Pull(u16),
    /// Nothing is asked for, for so many milliseconds.
    Stall(u8),
    /// The leg ends, and another begins in its place.
    Join,
    /// The loudness of all.
    Volume(u8),
}

struct Rig {
    bank: Bank,
    stats: Arc<Stats>,
    /// The far end and its keys; `None`: media is not sealed.
    sealed: Option<(Sealer, Opener)>,
    sender: Sender,
    last: Vec<u8>,
    spoken: u64,
    now: Instant,
}

/// A list of operations, behind whether media is sealed and how it is coded.
pub fn holds(bytes: &[u8]) {
    let mut dice = Unstructured::new(bytes);
    let Ok((is_sealed, is_opus)) = dice.arbitrary::<(bool, bool)>() else { return };
    let Ok(ops) = dice.arbitrary::<Vec<Op>>() else { return };
    let mut rig = Rig::new(is_sealed, if is_opus { Codec::Opus } else { Codec::L16 });
    rig.perform(&Op::Join);
    ops.iter().take(MOST_OPS).for_each(|op| rig.perform(op));
}

impl Rig {
    fn new(is_sealed: bool, codec: Codec) -> Self {
        let master = |byte| MasterKey { key: [byte; 16], salt: [byte; 12] };
        let keys = DirectionKeys { srtp: master(1), srtcp: master(2) };
        let (stats, now) = (Arc::<Stats>::default(), clock::now());
        Self {
            bank: Bank::new(Arc::clone(&stats), now).expect("memory"),
            stats,
            sealed: is_sealed.then(|| (Sealer::new(&keys), Opener::new(&keys))),
            sender: sender(codec),
            last: Vec::new(),
            spoken: 0,
            now,
        }
    }

    fn perform(&mut self, op: &Op) {
        match op {
            Op::Speak => self.speak(),
            Op::Mangle { at, by } => self.mangle(usize::from(*at), *by),
            Op::Bytes(bytes) => self.arrives(bytes),
            Op::Payload { payload_type, sequence, time_stamp, payload } => {
                let types = [rtp::OPUS, rtp::L16, rtp::RED, *payload_type & 0x7f];
                let payload_type = types[usize::from(payload_type % 4)];
                let (sequence, time_stamp) = (*sequence, *time_stamp);
                let header = Header { marker: false, payload_type, sequence, time_stamp, ssrc: 1 };
                self.arrives(&[&header.to_bytes(), payload.as_slice()].concat());
            }
            Op::Pull(samples) => self.pull(samples % MOST_SAMPLES),
            Op::Stall(ms) => self.now += Duration::from_millis((*ms).into()),
            Op::Join => self.join(),
            Op::Volume(percent) => self.bank.order(BankOrder::Volume(percent % 201)),
        }
    }

    fn join(&mut self) {
        let patience = Patience::of(&Profile::Wifi.numbers(), 0);
        self.bank.order(BankOrder::Join { leg: LEG, patience });
    }

    fn speak(&mut self) {
        let mut buffer = [0; PACKET_BYTES];
        let frame = vec![0.5; self.sender.frame_samples()];
        let packet = self.sender.packet(&frame, &mut buffer).expect("right length");
        self.last = [packet, &[0; TAG_BYTES][..]].concat();
        let length = packet.len();
        let sent = match &mut self.sealed {
            Some((sealer, _)) => sealer.seal_rtp(&mut self.last, length).expect("numbers are left"),
            None => length,
        };
        self.last.truncate(sent);
        self.spoken += 1;
        let bytes = self.last.clone();
        self.arrives(&bytes);
    }

    fn mangle(&mut self, at: usize, by: u8) {
        if let Some(at) = at.checked_rem(self.last.len()) {
            let mut bytes = self.last.clone();
            bytes[at] ^= by;
            self.arrives(&bytes);
        }
    }

    /// As the thread `udp` does it: opened where there are keys, and no longer than a datagram may be.
    fn arrives(&mut self, bytes: &[u8]) {
        let mut packet = bytes.to_vec();
        packet.truncate(1_500);
        let length = match &mut self.sealed {
            Some((_, opener)) => opener.open_rtp(&mut packet).ok(),
            None => Some(packet.len()),
        };
        if let Some(length) = length {
            let _ = red::parse(&packet[..length]);
            self.bank.push(LEG, &packet[..length], self.now);
        }
    }

    fn pull(&mut self, samples: u16) {
        let mut out = vec![f32::NAN; samples.into()];
        self.bank.pull(self.now, &mut out);
        self.now += Duration::from_nanos(u64::from(samples) * 1_000_000_000 / 48_000);
        assert!(out.iter().all(|sample| sample.abs() <= 1.0), "within full scale, and a number");
        let report = self.stats.leg(LEG).expect("the first leg").report();
        let is_sealed = self.sealed.is_some();
        assert!(
            !is_sealed || report.packets_received <= self.spoken,
            "forged packets were counted: {report:?}"
        );
    }
}

fn sender(codec: Codec) -> Sender {
    let coding = Coding { codec, ptime_us: 5_000 };
    let beginning = Beginning { ssrc: 1, sequence: 0, time_stamp: 0 };
    Sender::new(coding, 64_000, beginning).expect("the codec has such frames")
}
