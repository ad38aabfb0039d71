//! Whatever comes, in whatever order: no panic, exactly as many samples as were asked for, all within full scale.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use vox_common::sys::clock;
use vox_peer::media::bank::{Bank, BankOrder};
use vox_peer::media::orders::{Codec, Coding, LegId};
use vox_peer::media::playout::Patience;
use vox_peer::media::profile::Profile;
use vox_peer::media::rtp::{Header, Packet};
use vox_peer::media::sender::{Beginning, PACKET_BYTES, Sender};
use vox_peer::media::stats::Stats;

/// What can happen to a bank.
#[derive(Debug, Clone)]
enum Step {
    Order(u8, u8),
    /// Any bytes.
    Noise(u8, Vec<u8>),
    /// RTP with any payload.
    Strange(u8, u8, u16, u32, u32, Vec<u8>),
    /// The next packets of a real sender, some changed: jump in sequence and time stamp, one byte.
    Real(u8, u16, u32, Option<(usize, u8)>),
    Pull(usize),
    Pause(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let leg = 0..3_u8;
    let bytes = || prop::collection::vec(any::<u8>(), 0..100);
    let jump = prop_oneof![8 => Just(0_u16), 1 => 0..200_u16, 1 => any::<u16>()];
    let leap = prop_oneof![8 => Just(0_u32), 1 => 0..200_000_u32, 1 => any::<u32>()];
    let change = prop_oneof![4 => Just(None), 1 => (0..200_usize, any::<u8>()).prop_map(Some)];
    prop_oneof![
        1 => (any::<u8>(), 0..10_u8).prop_map(|(order, leg)| Step::Order(order, leg)),
        2 => (leg.clone(), bytes()).prop_map(|(leg, bytes)| Step::Noise(leg, bytes)),
        3 => (leg.clone(), 110..115_u8, any::<u16>(), any::<u32>(), 0..3_u32, bytes())
            .prop_map(|(leg, kind, seq, ts, ssrc, bytes)| Step::Strange(leg, kind, seq, ts, ssrc, bytes)),
        12 => (leg, jump, leap, change).prop_map(|(leg, jump, leap, change)| Step::Real(leg, jump, leap, change)),
        8 => (0..1_500_usize).prop_map(Step::Pull),
        1 => Just(Step::Pull(9_000)),
        2 => (0..7_000_u64).prop_map(Step::Pause),
    ]
}

/// A bank with a real sender for each leg.
struct World {
    bank: Bank,
    stats: Arc<Stats>,
    senders: Vec<Sender>,
    now: Instant,
}

impl World {
    fn new() -> Self {
        let now = clock::now();
        let stats = Arc::new(Stats::default());
        let mut bank = Bank::new(Arc::clone(&stats), now).expect("memory");
        for leg in 0..3 {
            bank.order(BankOrder::Join { leg: LegId(leg), patience: patience(leg) });
        }
        let beginning = Beginning { ssrc: 1, sequence: 65_000, time_stamp: u32::MAX - 9_000 };
        let kinds = [(Codec::Opus, 20_000), (Codec::Opus, 2_500), (Codec::L16, 5_000)];
        let sender = |(codec, ptime_us)| Sender::new(Coding { codec, ptime_us }, 64_000, beginning);
        let senders = kinds.into_iter().map(|kind| sender(kind).expect("possible")).collect();
        Self { bank, stats, senders, now }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Order(order, leg) => self.bank.order(order_of(order, LegId(leg))),
            Step::Noise(leg, bytes) => self.bank.push(LegId(leg), &bytes, self.now),
            Step::Strange(leg, payload_type, sequence, time_stamp, ssrc, bytes) => {
                let header = Header { marker: false, payload_type, sequence, time_stamp, ssrc };
                let packet = [&header.to_bytes()[..], &bytes].concat();
                self.bank.push(LegId(leg), &packet, self.now);
            }
            Step::Real(leg, jump, leap, change) => self.real(leg, jump, leap, change),
            Step::Pull(samples) => self.pull(samples),
            Step::Pause(ms) => self.now += Duration::from_millis(ms),
        }
    }

    fn real(&mut self, leg: u8, jump: u16, leap: u32, change: Option<(usize, u8)>) {
        let sender = &mut self.senders[usize::from(leg)];
        let mut buffer = [0; PACKET_BYTES];
        let frame = vec![0.9; sender.frame_samples()];
        let mut packet = sender.packet(&frame, &mut buffer).expect("right length").to_vec();
        let header = Packet::parse(&packet).expect("ours").header;
        let sequence = header.sequence.wrapping_add(jump);
        let time_stamp = header.time_stamp.wrapping_add(leap);
        packet[2..4].copy_from_slice(&sequence.to_be_bytes());
        packet[4..8].copy_from_slice(&time_stamp.to_be_bytes());
        if let Some((at, value)) = change {
            let last = packet.len() - 1;
            packet[at.min(last)] = value;
        }
        self.bank.push(LegId(leg), &packet, self.now);
    }

    /// Frames of 5 ms, in time.
    fn steady(&mut self, frames: usize) {
        for _ in 0..frames {
            self.real(2, 0, 0, None);
            self.pull(240);
        }
    }

    fn made_up(&self) -> u64 {
        self.stats.leg(LegId(2)).expect("a leg").played.concealed.load(Ordering::Relaxed)
    }

    fn pull(&mut self, samples: usize) {
        let mut out = vec![f32::NAN; samples];
        self.bank.pull(self.now, &mut out);
        assert!(out.iter().all(|sample| sample.abs() <= 1.0), "filled, and within full scale");
        self.now += Duration::from_micros(samples as u64 * 1_000 / 48);
    }
}

/// A leg of any profile whose fastest packets wait at least so many milliseconds.
fn patience(ms: u8) -> Patience {
    let profile = Profile::ALL[usize::from(ms) % Profile::ALL.len()];
    Patience::of(&profile.numbers(), u32::from(ms) * 48)
}

fn order_of(order: u8, leg: LegId) -> BankOrder {
    match order % 5 {
        0 => BankOrder::Join { leg, patience: patience(order) },
        1 => BankOrder::Leave(leg),
        2 => BankOrder::Patience(leg, patience(order)),
        3 => BankOrder::Ring(order > 100),
        _ => BankOrder::Volume(order),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_packets_and_pulls_are_survived(steps in prop::collection::vec(step(), 1..250)) {
        let mut world = World::new();
        for step in steps {
            world.take(step);
        }
    }

    #[test]
    fn a_steady_sender_is_heard_within_a_second_whatever_was_before(
        steps in prop::collection::vec(step(), 1..250),
    ) {
        let mut world = World::new();
        for step in steps.into_iter().filter(|step| !matches!(step, Step::Order(..))) {
            world.take(step);
        }
        world.steady(200);
        let before = world.made_up();
        world.steady(100);
        prop_assert_eq!(world.made_up(), before);
        prop_assert!(world.stats.leg(LegId(2)).expect("a leg").report().level_out_db > -3.0);
    }

    #[test]
    fn a_header_is_read_back_as_it_was_written(
        marker: bool, payload_type in 0..128_u8, sequence: u16, time_stamp: u32, ssrc: u32,
    ) {
        let header = Header { marker, payload_type, sequence, time_stamp, ssrc };
        let bytes = header.to_bytes();
        prop_assert_eq!(Packet::parse(&bytes).map(|packet| packet.header), Ok(header));
    }
}
