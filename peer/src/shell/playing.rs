//! What the loudspeaker's thread calls: packets and orders into the bank, sound out of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rtrb::{Consumer, Producer, RingBuffer};
use vox_common::sys::clock;

use super::captured::Captured;
use super::try_cell::TryCell;
use super::udp::Arrival;
use crate::audio::{Asked, BLOCK, Speaker};
use crate::media::bank::{Bank, BankOrder};
use crate::media::stats::Stats;
use crate::opus::OpusError;

/// Orders that may wait for the next period.
const ORDERS_WAITING: usize = 64;

/// The bank and what flows into it: with one loudspeaker at a time.
pub(crate) struct Playing {
    bank: Bank,
    orders: Consumer<BankOrder>,
    packets: Consumer<Arrival>,
    /// Where what is played is left for `dsp`.
    played: Option<Producer<Captured>>,
}

/// All that is heard, for one loudspeaker after the other.
#[derive(Clone)]
pub(crate) struct Loudspeaker {
    playing: Arc<TryCell<Playing>>,
    /// Periods that were silent because another device was still at it.
    missed: Arc<AtomicU64>,
}

impl Loudspeaker {
    /// Makes everything that playing will need.
    ///
    /// # Errors
    /// There is no room for the decoders.
    pub(crate) fn new(
        stats: Arc<Stats>,
        packets: Consumer<Arrival>,
        played: Option<Producer<Captured>>,
    ) -> Result<(Self, Producer<BankOrder>), OpusError> {
        let (order_in, orders) = RingBuffer::new(ORDERS_WAITING);
        let bank = Bank::new(stats, clock::now())?;
        let playing = Arc::new(TryCell::new(Playing { bank, orders, packets, played }));
        Ok((Self { playing, missed: Arc::default() }, order_in))
    }

    /// What a device calls that plays for good; from its first call on the stand-in is silent.
    pub(crate) fn speaker(&self, stand_in_ends: Arc<AtomicBool>) -> Speaker {
        let this = self.clone();
        Box::new(move |asked, out| {
            stand_in_ends.store(true, Ordering::Relaxed);
            this.fill(asked, out);
        })
    }

    /// What the clock calls while a card is being opened: the call goes on, nobody hears it.
    pub(crate) fn stand_in(&self, ends: Arc<AtomicBool>) -> Speaker {
        let this = self.clone();
        Box::new(move |asked, out| {
            if !ends.load(Ordering::Relaxed) {
                this.fill(asked, out);
            }
        })
    }

    fn fill(&self, asked: Asked, out: &mut [f32]) {
        if self.playing.with(|playing| playing.fill(asked, out)).is_none() {
            out.fill(0.0);
            self.missed.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Carries out what is ordered while no device is open, and forgets packets that came too late for the last.
    pub(crate) fn obey(&self) {
        self.playing.with(Playing::take_in);
    }

    /// The same long after the last device: nothing that was fading then is to be heard from the next.
    pub(crate) fn obey_unheard(&self) {
        self.playing.with(|playing| {
            playing.take_in();
            playing.bank.hush();
        });
    }

    /// Periods that were silent because another device was still at it.
    pub(crate) fn missed(&self) -> u64 {
        self.missed.load(Ordering::Relaxed)
    }
}

impl Playing {
    fn fill(&mut self, asked: Asked, out: &mut [f32]) {
        self.take_in();
        self.bank.note_playback(asked.heard.saturating_duration_since(asked.now));
        self.bank.pull(asked.now, out);
        self.leave(asked, out);
    }

    /// What the loudspeaker is given may come back through the microphone: never before it was given, whatever the
    /// driver says of when it is heard. Nobody takes it while no call runs.
    fn leave(&mut self, asked: Asked, out: &[f32]) {
        let Some(ring) = &mut self.played else { return };
        for (n, piece) in out.chunks(BLOCK).enumerate() {
            if let Some(block) = Captured::new(asked.after(n * BLOCK).now, piece) {
                let _ = ring.push(block);
            }
        }
    }

    /// What comes meanwhile waits for the next period: whoever sends faster than this takes in must not hold up the
    /// card.
    fn take_in(&mut self) {
        while let Ok(order) = self.orders.pop() {
            self.bank.order(order);
        }
        for _ in 0..self.packets.slots() {
            let Ok(packet) = self.packets.pop() else { return };
            self.bank.push(packet.leg, packet.bytes(), packet.arrived);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::media::orders::LegId;
    use crate::media::playout::Patience;
    use crate::media::profile::Profile;
    use crate::media::rtp::{Header, L16};

    const LEG: LegId = LegId(0);
    const WAITING: usize = 16;

    /// The producer gives up after so many.
    const FLOOD: u64 = 20_000;

    fn packet(sequence: u64) -> Arrival {
        let sequence = u16::try_from(sequence % 60_000).unwrap_or(0);
        let time_stamp = u32::from(sequence) * 24;
        let header = Header { marker: false, payload_type: L16, sequence, time_stamp, ssrc: 1 };
        let bytes = [&header.to_bytes()[..], &[1; 48]].concat();
        Arrival::new(LEG, clock::now(), &bytes).expect("short")
    }

    /// Sends faster than anybody can take in; counts what found room.
    fn flood(mut packets: Producer<Arrival>, sent: &AtomicU64) {
        while sent.load(Ordering::Relaxed) < FLOOD && !packets.is_abandoned() {
            if packets.slots() > 0 && packets.push(packet(sent.load(Ordering::Relaxed))).is_ok() {
                sent.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    #[test]
    fn a_flood_that_never_ceases_does_not_hold_up_the_card() {
        let (packets_in, packets) = RingBuffer::new(WAITING);
        let (loudspeaker, mut orders) = Loudspeaker::new(Arc::default(), packets, None).expect("memory");
        let patience = Patience::of(&Profile::Lan.numbers(), 0);
        orders.push(BankOrder::Join { leg: LEG, patience }).expect("room for one");
        let sent = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&sent);
        let flooding = thread::spawn(move || flood(packets_in, &counted));
        while sent.load(Ordering::Relaxed) < WAITING as u64 {
            thread::yield_now();
        }
        loudspeaker.fill(Asked::at(clock::now()), &mut [0.0; 60]);
        let most = 2 * WAITING as u64;
        let sent_until_then = sent.load(Ordering::Relaxed);
        drop(loudspeaker);
        flooding.join().expect("it only sends");
        assert!(sent_until_then <= most, "{sent_until_then} were taken in or wait");
    }
}
