//! What is heard of legs that join, leave and are turned down, and what is told of them.

use super::*;
use crate::media::orders::{Codec, Coding};
use crate::media::profile::Profile;
use crate::media::rtp::{Header, OPUS};
use crate::media::sender::{Beginning, PACKET_BYTES, Sender};

const LEG: LegId = LegId(7);
const OTHER: LegId = LegId(0);

/// A bank and a sender of a constant.
struct Rig {
    bank: Bank,
    stats: Arc<Stats>,
    sender: Sender,
    now: Instant,
}

impl Rig {
    fn new() -> Self {
        let (now, stats) = (vox_common::sys::clock::now(), Arc::new(Stats::default()));
        let bank = Bank::new(Arc::clone(&stats), now).unwrap();
        let coding = Coding { codec: Codec::L16, ptime_us: 5_000 };
        let beginning = Beginning { ssrc: 1, sequence: 0, time_stamp: 0 };
        Self { bank, stats, sender: Sender::new(coding, 64_000, beginning).unwrap(), now }
    }

    /// One frame to each of these legs, and what is heard then.
    fn frame(&mut self, legs: &[LegId]) -> [f32; 240] {
        let (mut buffer, mut out) = ([0; PACKET_BYTES], [9.0; 240]);
        let packet = self.sender.packet(&[0.8; 240], &mut buffer).unwrap();
        for &leg in legs {
            self.bank.push(leg, packet, self.now);
        }
        self.bank.pull(self.now, &mut out);
        self.now += Duration::from_millis(5);
        out
    }
}

fn join(leg: LegId) -> BankOrder {
    let patience = Patience::of(&Profile::Lan.numbers(), 0);
    BankOrder::Join { leg, patience: Patience { least: 0, ..patience } }
}

#[test]
fn only_legs_that_joined_are_heard_and_their_sum_is_within_full_scale() {
    let mut rig = Rig::new();
    assert!(rig.frame(&[LEG]).iter().all(|sample| *sample == 0.0));
    rig.bank.order(join(LEG));
    rig.frame(&[LEG]);
    assert!(rig.frame(&[LEG, LegId(8)]).iter().all(|sample| (sample - 0.8).abs() < 0.001));
    rig.bank.order(join(OTHER));
    rig.frame(&[LEG, OTHER]);
    assert!(rig.frame(&[LEG, OTHER]).iter().all(|sample| (sample - 1.0).abs() < 1e-6));
    assert_eq!(rig.stats.leg(LEG).unwrap().report().packets_received, 4);
}

#[test]
fn opus_that_was_made_up_to_be_loud_is_told_as_full_scale_at_most() {
    let (mut rig, mut dice) = (Rig::new(), 1_u32);
    rig.bank.order(join(LEG));
    for number in 0..400_u16 {
        let time_stamp = u32::from(number) * 240;
        let header = Header { marker: false, payload_type: OPUS, sequence: number, time_stamp, ssrc: 1 };
        let noise = (0..80).map(|_| {
            dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            dice.to_be_bytes()[0]
        });
        // 5 ms of full-band CELT (RFC 6716 table 2).
        let packet: Vec<u8> = header.to_bytes().into_iter().chain([29 << 3]).chain(noise).collect();
        rig.bank.push(LEG, &packet, rig.now);
        rig.frame(&[]);
    }
    let level = rig.stats.leg(LEG).unwrap().report().level_out_db;
    assert!(level <= 0.0, "{level} dBFS");
}

#[test]
fn who_leaves_fades_out_and_is_gone() {
    let mut rig = Rig::new();
    rig.bank.order(join(LEG));
    rig.frame(&[LEG]);
    rig.bank.order(BankOrder::Leave(LEG));
    let end = rig.frame(&[LEG]);
    assert!(end.windows(2).all(|pair| (pair[1] - pair[0]).abs() < 0.005));
    rig.frame(&[LEG]);
    assert!(rig.frame(&[LEG]).iter().all(|sample| *sample == 0.0));
    assert!(!rig.bank.seats[7].taken);
}

#[test]
fn who_left_when_nobody_listened_is_not_heard_later() {
    let mut rig = Rig::new();
    rig.bank.order(join(LEG));
    rig.frame(&[LEG]);
    rig.bank.order(BankOrder::Leave(LEG));
    rig.bank.hush();
    assert!(rig.frame(&[LEG]).iter().all(|sample| *sample == 0.0));
}

#[test]
fn who_joins_has_received_nothing_whoever_sat_there_before() {
    let mut rig = Rig::new();
    rig.bank.order(join(LEG));
    rig.frame(&[LEG]);
    rig.stats.leg(LEG).unwrap().clear();
    rig.frame(&[LEG]);
    rig.bank.order(join(LEG));
    rig.frame(&[]);
    assert_eq!(rig.stats.leg(LEG).unwrap().report().packets_received, 0);
}

#[test]
fn what_a_leg_waits_and_what_the_loudspeaker_holds_is_told_and_forgotten_with_the_leg() {
    let mut rig = Rig::new();
    let own = |rig: &Rig| rig.stats.leg(LEG).unwrap().report().own;
    rig.bank.order(join(LEG));
    rig.frame(&[]);
    assert_eq!((own(&rig).jitter_buffer, own(&rig).playback), (None, None), "nothing has come");
    rig.bank.note_playback(Duration::from_millis(7));
    for _ in 0..100 {
        rig.frame(&[LEG]);
    }
    let waits = own(&rig).jitter_buffer.expect("packets come").as_micros();
    assert!(waits <= 5_000, "{waits}");
    assert_eq!(own(&rig).playback, Some(Duration::from_millis(7)));
    rig.bank.order(join(LEG));
    rig.frame(&[]);
    assert_eq!(own(&rig).jitter_buffer, None, "another leg");
}

#[test]
fn a_far_clock_that_is_faster_is_told_in_positive_millionths() {
    let mut rig = Rig::new();
    rig.bank.order(join(LEG));
    let (mut buffer, mut out, mut sent) = ([0; PACKET_BYTES], [0.0; 240], rig.now);
    for _ in 0..6_000 {
        while sent <= rig.now {
            let packet = rig.sender.packet(&[0.8; 240], &mut buffer).unwrap();
            rig.bank.push(LEG, packet, sent);
            sent += Duration::from_millis(5);
        }
        rig.bank.pull(rig.now, &mut out);
        rig.now += Duration::from_micros(5_001);
    }
    let drift = rig.stats.leg(LEG).unwrap().report().drift_ppm;
    assert!((190.0..210.0).contains(&drift), "{drift}");
}

#[test]
fn volume_does_not_touch_the_ring() {
    let mut rig = Rig::new();
    rig.bank.order(BankOrder::Volume(0));
    rig.bank.order(BankOrder::Ring(true));
    assert!((0..4).any(|_| rig.frame(&[]).iter().any(|sample| sample.abs() > 0.2)));
}
