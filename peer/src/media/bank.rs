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
use super::sequence::span;
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
        saturate(part); // what a codec makes of a lie may be a thousand times full scale
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

#[cfg(test)]
mod tests;
