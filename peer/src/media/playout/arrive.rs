//! Packets come in: understood, admitted, queued, or found to be too late.

use std::time::Instant;

use super::admission::{Place, Verdict};
use super::queue::{Entry, Payload, Pushed};
use super::{Playout, length};
use crate::media::rtp::{self, PAYLOAD_BYTES, Packet};
use crate::media::sequence::samples_between;
use crate::opus::{self, LONGEST_PACKET};

/// The delay grows by at most this for one packet out of order: 60 ms.
const LONGEST_WAIT: i64 = 2_880;

/// So many late packets in a row, and none in time, mean that it is we who are wrong.
const LATE_RUN: u32 = 8;

impl Playout {
    /// Takes a datagram that came from this leg's far end at `arrived`.
    pub fn push(&mut self, datagram: &[u8], arrived: Instant) {
        let Some((packet, payload, samples)) = understood(datagram) else {
            self.counters.refused += 1;
            return;
        };
        let Place { sequence, time_stamp } = match self.admission.judge(packet.header, arrived) {
            Verdict::Belongs(place) => place,
            Verdict::Restarts(place) => {
                self.start_over();
                place
            }
            Verdict::Strange => {
                self.counters.refused += 1;
                return;
            }
        };
        self.reception.note(packet.header, arrived, self.origin);
        self.transits.note(samples_between(self.origin, arrived) - time_stamp);
        self.admit(Entry::new(sequence, time_stamp, samples, arrived, payload), packet.payload);
    }

    fn admit(&mut self, entry: Entry, payload: &[u8]) {
        if entry.sequence < self.next_sequence {
            return self.too_late(entry, payload);
        }
        self.late_run = 0;
        match self.queue.push(entry, payload) {
            Pushed::Waits => {}
            Pushed::OldestDropped => self.counters.dropped += 1,
            Pushed::Duplicate => self.counters.duplicate += 1,
        }
    }

    /// A packet of which the successor was played already: a duplicate, or one that lost a race.
    fn too_late(&mut self, entry: Entry, payload: &[u8]) {
        let back = u32::try_from(self.next_sequence - 1 - entry.sequence).unwrap_or(u32::MAX);
        let bit = 1_u128.checked_shl(back).unwrap_or(0); // older than all bits: late, and who knows
        if self.came & bit != 0 {
            self.counters.duplicate += 1;
            return;
        }
        self.came |= bit;
        self.counters.late += 1;
        self.late_run += 1;
        if self.late_run >= LATE_RUN {
            self.start_over();
            self.queue.push(entry, payload);
            return;
        }
        if self.is_late_often() {
            let lateness = self.position() - length(self.voice.ready()) - entry.time_stamp;
            self.growing = self.growing.max(lateness.clamp(0, LONGEST_WAIT));
        }
    }
}

/// A datagram that is RTP with sound in it that we can play: how it is coded, and how many samples it holds.
fn understood(datagram: &[u8]) -> Option<(Packet<'_>, Payload, i64)> {
    let packet = Packet::parse(datagram).ok()?;
    let bytes = packet.payload;
    let (payload, samples) = match packet.header.payload_type {
        rtp::OPUS => (Payload::Opus, opus::packet_samples(bytes).ok()?),
        rtp::L16 if bytes.len().is_multiple_of(2) => (Payload::L16, bytes.len() / 2),
        _ => return None,
    };
    let fits = bytes.len() <= PAYLOAD_BYTES && (1..=LONGEST_PACKET).contains(&samples);
    fits.then_some((packet, payload, length(samples)))
}
