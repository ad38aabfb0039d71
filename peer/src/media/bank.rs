//! Everything that is heard: the playouts of all legs, the ring, and the volume, in one preallocated lump that the
//! playback callback owns while it runs.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use vox_common::wire::limits::MAX_LEGS;

use super::loudness::{Gain, Meter, mix, saturate};
use super::mouth_to_ear::Average;
use super::orders::LegId;
use super::playout::{Patience, Playout};
use super::stats::{PlayedStats, Stats};
use super::tones::Ring;
use crate::opus::OpusError;

/// A pull of more samples (85 ms) is made in several.
const LONGEST_PULL: usize = 4_096;

/// What the playback callback is told through a ring.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum BankOrder {
    /// A leg begins to be heard. Its place forgets whoever was there before.
    Join {
        /// The leg.
        leg: LegId,
        /// What it waits for.
        patience: Patience,
    },
    /// A leg is no longer heard.
    Leave(LegId),
    /// A leg waits for something else.
    Patience(LegId, Patience),
    /// The ring sounds, or stops.
    Ring(bool),
    /// Loudness of the legs in percent, 0 to 200. The ring keeps its own.
    Volume(u8),
}

/// All playouts of a station.
pub struct Bank {
    seats: [Seat; MAX_LEGS],
    ring: Ring,
    volume: Gain,
    /// What the loudspeaker holds when it asks for more.
    playback: Average,
    stats: Arc<Stats>,
    part: Box<[f32; LONGEST_PULL]>,
    sum: Box<[f32; LONGEST_PULL]>,
}

struct Seat {
    playout: Playout,
    meter: Meter,
    gain: Gain,
    taken: bool,
    /// The leg is gone, and its sound fades.
    leaving: bool,
    /// From the fastest packets' arrival until they are given to the card.
    waits: Average,
}

impl Bank {
    /// Allocates all that will ever be needed for [`MAX_LEGS`] legs. `origin` is any time in the past.
    pub fn new(stats: Arc<Stats>, origin: Instant) -> Result<Self, OpusError> {
        let mut all = heapless::Vec::<Seat, MAX_LEGS>::new();
        while !all.is_full() {
            let _ = all.push(Seat::new(origin)?);
        }
        Ok(Self {
            seats: all.into_array().unwrap_or_else(|_| unreachable!("filled to the brim above")),
            ring: Ring::default(),
            volume: Gain::new(100),
            playback: Average::default(),
            stats,
            part: Box::new([0.0; LONGEST_PULL]),
            sum: Box::new([0.0; LONGEST_PULL]),
        })
    }

    /// Does as told. An order for a place that does not exist does nothing.
    pub fn order(&mut self, order: BankOrder) {
        match order {
            BankOrder::Join { leg, patience } => self.join(leg, patience),
            BankOrder::Leave(leg) => self.seat(leg, Seat::leave),
            BankOrder::Patience(leg, patience) => self.seat(leg, |seat| seat.playout.set_patience(patience)),
            BankOrder::Ring(on) => self.ring.sound(on),
            BankOrder::Volume(percent) => self.volume.set(percent),
        }
    }

    /// Takes a datagram of a leg that came at `arrived`. Of a leg that has not joined it is nothing.
    pub fn push(&mut self, leg: LegId, datagram: &[u8], arrived: Instant) {
        self.seat(leg, |seat| {
            if seat.taken {
                seat.playout.push(datagram, arrived);
            }
        });
    }

    /// What is pulled next will be heard so much later, because the loudspeaker holds as much already.
    pub fn note_playback(&mut self, held: Duration) {
        self.playback.note(held);
    }

    /// Nobody listens: whoever was leaving is gone.
    pub fn hush(&mut self) {
        for seat in self.seats.iter_mut().filter(|seat| seat.leaving) {
            seat.taken = false;
        }
    }

    /// Fills `out`, of any length, with what is to be heard from `now` on, within −1 to 1.
    pub fn pull(&mut self, mut now: Instant, out: &mut [f32]) {
        for out in out.chunks_mut(LONGEST_PULL) {
            let sum = &mut self.sum[..out.len()];
            sum.fill(0.0);
            for (seat, stats) in self.seats.iter_mut().zip(self.stats.all()).filter(|(seat, _)| seat.taken) {
                let part = &mut self.part[..out.len()];
                seat.pull(now, part);
                seat.publish(&stats.played);
                stats.own.jitter_buffer.set(seat.waits.get());
                stats.own.playback.set(self.playback.get());
                mix(sum, part);
            }
            self.volume.apply(sum);
            self.ring.mix_into(sum);
            saturate(sum);
            out.copy_from_slice(sum);
            now += span(out.len());
        }
    }

    fn join(&mut self, leg: LegId, patience: Patience) {
        self.seat(leg, |seat| {
            seat.playout.clear();
            seat.playout.set_patience(patience);
            (seat.meter, seat.gain) = (Meter::default(), Gain::new(100));
            seat.waits = Average::default();
            (seat.taken, seat.leaving) = (true, false);
        });
    }

    fn seat(&mut self, leg: LegId, act: impl FnOnce(&mut Seat)) {
        if let Some(seat) = self.seats.get_mut(usize::from(leg.0)) {
            act(seat);
        }
    }
}

impl Seat {
    fn new(origin: Instant) -> Result<Self, OpusError> {
        let playout = Playout::new(origin)?;
        Ok(Self {
            playout,
            meter: Meter::default(),
            gain: Gain::new(100),
            taken: false,
            leaving: false,
            waits: Average::default(),
        })
    }

    fn leave(&mut self) {
        self.leaving = true;
        self.gain.set(0);
    }

    fn pull(&mut self, now: Instant, part: &mut [f32]) {
        self.playout.pull(now, part);
        if self.playout.counts().is_some() {
            self.waits.note(span(usize::try_from(self.playout.delay()).unwrap_or(0)));
        }
        self.gain.apply(part);
        self.meter.note(part);
        self.taken = !(self.leaving && self.gain.is_silent());
    }

    fn publish(&self, stats: &PlayedStats) {
        let counters = self.playout.counters();
        stats.late.store(counters.late, Relaxed);
        stats.duplicate.store(counters.duplicate, Relaxed);
        stats.refused.store(counters.refused, Relaxed);
        stats.samples.store(counters.samples, Relaxed);
        stats.concealed.store(counters.concealed, Relaxed);
        stats.dropped.store(counters.dropped, Relaxed);
        stats.underruns.store(counters.underruns, Relaxed);
        stats.depth.store(u32::try_from(self.playout.depth()).unwrap_or(0), Relaxed);
        stats.spread.store(u32::try_from(self.playout.spread()).unwrap_or(0), Relaxed);
        stats.level.set(self.meter.db());
        stats.drift_ppm.set(-self.playout.slower_ppm());
        stats.note_counts(&self.playout.counts().unwrap_or_default());
    }
}

fn span(samples: usize) -> Duration {
    Duration::from_nanos(samples as u64 * 1_000_000_000 / 48_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::orders::{Codec, Coding};
    use crate::media::profile::Profile;
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
}
