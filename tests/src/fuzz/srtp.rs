//! Sealed media between two ends, and somebody who has the packets in hand: what opens is what was sealed, each packet
//! once, and nothing else opens.

use std::collections::BTreeSet;

use arbitrary::{Arbitrary, Unstructured};
use vox_peer::media::rtp::{Header, OPUS};
use vox_peer::media::srtp::keys::{DirectionKeys, MasterKey};
use vox_peer::media::srtp::{Opener, RTCP_EXTRA_BYTES, Sealer, Spans, TAG_BYTES};

/// Both ends know a packet's number from 16 bits of it as long as it is less than this after the last one (RFC 3711
/// section 3.3.1).
const HALF: u64 = 1 << 15;

#[derive(Debug, Arbitrary)]
enum Op {
    /// The far end says so much; some packets' numbers later than the last.
    Seal { later: u16, length: u8 },
    /// It reports.
    Report { length: u8 },
    /// A packet arrives, and whatever arrived before it.
    Deliver(u8),
    /// A packet arrives that was changed at one place.
    Mangle { which: u8, at: u16, by: u8 },
    /// Anything arrives, as RTP and as RTCP.
    Garbage(Vec<u8>),
}

/// A packet on its way, and what it was before.
struct Sealed {
    is_report: bool,
    plain: Vec<u8>,
    bytes: Vec<u8>,
    /// Its number, counted through all roll-overs.
    number: u64,
}

struct Ends {
    sealer: Sealer,
    opener: Opener,
    number: u64,
    sent: Vec<Sealed>,
    opened: BTreeSet<usize>,
    newest: Option<u64>,
}

/// A list of operations, behind where the numbers begin.
pub fn holds(bytes: &[u8]) {
    let mut dice = Unstructured::new(bytes);
    let Ok(first) = dice.arbitrary::<u16>() else { return };
    let Ok(ops) = dice.arbitrary::<Vec<Op>>() else { return };
    let keys = DirectionKeys { srtp: master(1), srtcp: master(2) };
    // Keys that step on within reach.
    let spans = Spans::new(1, 2_048).expect("possible spans");
    let mut ends = Ends {
        sealer: Sealer::with_spans(&keys, spans),
        opener: Opener::with_spans(&keys, spans),
        number: u64::from(first) % HALF,
        sent: Vec::new(),
        opened: BTreeSet::new(),
        newest: None,
    };
    ops.into_iter().take(400).for_each(|op| ends.perform(op));
}

fn master(byte: u8) -> MasterKey {
    MasterKey { key: [byte; 16], salt: [byte; 12] }
}

impl Ends {
    fn perform(&mut self, op: Op) {
        match op {
            Op::Seal { later, length } => self.seal(later, length),
            Op::Report { length } => self.report(length),
            Op::Deliver(which) => self.deliver(usize::from(which)),
            Op::Mangle { which, at, by } => self.mangle(usize::from(which), usize::from(at), by),
            Op::Garbage(bytes) => self.refuses(&bytes),
        }
    }

    fn seal(&mut self, later: u16, length: u8) {
        if !self.sent.iter().all(|sealed| sealed.is_report) {
            self.number += 1 + u64::from(later) % (HALF - 1);
        }
        let sequence = (self.number & 0xffff) as u16;
        let header = Header { marker: false, payload_type: OPUS, sequence, time_stamp: 7, ssrc: 7 };
        let plain = [&header.to_bytes(), vec![length; length.into()].as_slice()].concat();
        let mut bytes = [plain.as_slice(), &[0; TAG_BYTES]].concat();
        self.sealer.seal_rtp(&mut bytes, plain.len()).expect("there are numbers left");
        self.sent.push(Sealed { is_report: false, plain, bytes, number: self.number });
    }

    fn report(&mut self, length: u8) {
        let words = 1 + u16::from(length % 32);
        let [high, low] = words.to_be_bytes();
        let plain = [&[0x80, 201, high, low], [7; 4].repeat(words.into()).as_slice()].concat();
        let mut bytes = [plain.as_slice(), &[0; RTCP_EXTRA_BYTES]].concat();
        self.sealer.seal_rtcp(&mut bytes, plain.len()).expect("there are numbers left");
        self.sent.push(Sealed { is_report: true, plain, bytes, number: 0 });
    }

    fn deliver(&mut self, which: usize) {
        let Some(sealed) = self.sent.get(which) else { return };
        let opened = open(&mut self.opener, sealed.is_report, &sealed.bytes);
        let is_first = !self.opened.contains(&which);
        match opened {
            Some(plain) => {
                assert_eq!(plain, sealed.plain, "packet {which} is another one now");
                assert!(is_first, "packet {which} opened twice");
                self.opened.insert(which);
            }
            None => assert!(!is_first || !self.is_next(sealed), "packet {which} does not open"),
        }
        if !sealed.is_report && self.opened.contains(&which) {
            self.newest = self.newest.max(Some(sealed.number));
        }
    }

    /// Whether a receiver must take it: newer than all before, and not by too much to be told from an old one.
    fn is_next(&self, sealed: &Sealed) -> bool {
        let newest = self.newest.unwrap_or(0);
        let starts_right = self.newest.is_some() || sealed.number < HALF;
        !sealed.is_report && starts_right && (newest..newest + HALF).contains(&sealed.number)
    }

    fn mangle(&mut self, which: usize, at: usize, by: u8) {
        let Some(sealed) = self.sent.get(which).filter(|_| by != 0) else { return };
        let mut bytes = sealed.bytes.clone();
        let at = at % bytes.len();
        bytes[at] ^= by;
        self.refuses(&bytes);
    }

    fn refuses(&mut self, bytes: &[u8]) {
        for is_report in [false, true] {
            let opened = open(&mut self.opener, is_report, bytes);
            // What happens to be a packet of ours is no garbage.
            let is_ours = self.sent.iter().any(|sealed| sealed.bytes == bytes);
            assert!(opened.is_none() || is_ours, "forged: {bytes:?}");
        }
    }
}

fn open(opener: &mut Opener, is_report: bool, bytes: &[u8]) -> Option<Vec<u8>> {
    let mut packet = bytes.to_vec();
    let length = if is_report { opener.open_rtcp(&mut packet) } else { opener.open_rtp(&mut packet) };
    if length.is_err() {
        assert_eq!(packet, bytes, "what does not open is left as it is");
    }
    Some(packet[..length.ok()?].to_vec())
}
