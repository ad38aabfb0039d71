//! Packets come in: understood, admitted, queued, or found to be too late.

use std::time::Instant;

use super::admission::{Place, Verdict};
use super::queue::{Entry, Payload, Pushed};
use super::{Playout, length};
use crate::media::red::{self, Block, Blocks};
use crate::media::rtp::{self, Header, PAYLOAD_BYTES, Packet};
use crate::opus::{self, LONGEST_PACKET};

/// So many pulls in a row with late packets, and none in time, mean that it is we who are wrong.
const LATE_RUN: u32 = 8;

impl Playout {
    /// Takes a datagram that came from this leg's far end at `arrived`.
    pub fn push(&mut self, datagram: &[u8], arrived: Instant) {
        let Some((header, own, copies)) = understood(datagram) else {
            self.counters.refused += 1;
            return;
        };
        let Place { sequence, time_stamp } = match self.admission.judge(header, arrived) {
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
        self.reception.note(header, arrived, self.origin);
        let entry = Entry::new(sequence, time_stamp, own.samples, arrived, own.payload);
        self.admit(entry, own.bytes);
        for copy in copies {
            self.recover(copied(&entry, copy));
        }
        self.recover(spare(&entry, own.bytes));
        self.keep_waiting(arrived);
    }

    /// Takes a frame that has not come by itself from a copy or a spare of it in a later packet. It counts in the
    /// statistics of arrival as if it had taken so long.
    fn recover(&mut self, found: Option<(Entry, &[u8])>) {
        let Some((entry, bytes)) = found.filter(|(entry, _)| self.is_missing(entry)) else { return };
        self.counters.recovered += u64::from(entry.sequence >= self.next_sequence);
        self.admit(entry, bytes);
        let came = self.clock.time_of(entry.arrived);
        self.hold.note(came, came - entry.time_stamp, self.patience.window);
    }

    /// Copies that were of use lately are waited for even if the last few frames did not need them.
    fn keep_waiting(&mut self, arrived: Instant) {
        let came = self.clock.time_of(arrived);
        let worth =
            self.transits.range().and_then(|range| self.hold.worth(came, range.most, self.patience.window));
        if let Some(transit) = worth {
            self.transits.wait_for(came, transit, self.patience.window, self.patience.quantile);
        }
    }

    /// Whether a frame has not come yet, and its number and its time are on the same side of what was played.
    fn is_missing(&self, entry: &Entry) -> bool {
        if entry.sequence < self.next_sequence {
            return !self.has_come(entry.sequence);
        }
        let fits = self.next_sequence == i64::MIN || entry.time_stamp >= self.next_time_stamp;
        fits && !self.queue.contains(entry.sequence)
    }

    /// Whether a packet before those to be played came; of one that is too old, that it did.
    fn has_come(&self, sequence: i64) -> bool {
        let back = u32::try_from(self.next_sequence - 1 - sequence).unwrap_or(u32::MAX);
        1_u128.checked_shl(back).is_none_or(|bit| self.came & bit != 0)
    }

    fn admit(&mut self, entry: Entry, payload: &[u8]) {
        if entry.sequence < self.next_sequence {
            return self.too_late(entry, payload);
        }
        match self.queue.push(entry, payload) {
            Pushed::Waits => self.note(&entry),
            Pushed::OldestDropped => self.counters.dropped += 1,
            Pushed::Duplicate => self.counters.duplicate += 1,
        }
    }

    /// Takes note of how long a frame took to come here.
    ///
    /// What came before the next pull is in time for it: where the pull is late, because the whole machine stood still
    /// or the card did, a frame is not called later than when the pull should have been.
    fn note(&mut self, entry: &Entry) {
        let came = self.clock.time_of(entry.arrived);
        let transit = came - entry.time_stamp;
        let in_time = self.clock.next_pull().filter(|_| self.playing).map_or(came, |pull| came.min(pull));
        let counted = in_time - entry.time_stamp;
        self.transits.note(in_time, counted, self.patience.window, self.patience.quantile);
        self.drift.note(came, transit);
        self.bunches.note(came, entry);
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
        if self.is_late_for_good() {
            self.start_over();
            self.queue.push(entry, payload);
        }
        self.note(&entry);
    }

    /// Takes note of a late packet; whether packets have been late, and none in time, for so long that it is we who
    /// are wrong. Packets that were held up together are one event.
    pub(super) fn is_late_for_good(&mut self) -> bool {
        let played = self.counters.samples;
        if self.late_run == 0 || self.last_late != played {
            self.late_run += 1;
        }
        self.last_late = played;
        self.late_run >= LATE_RUN
    }
}

/// One frame as it came.
struct Frame<'a> {
    payload: Payload,
    samples: i64,
    bytes: &'a [u8],
}

/// A datagram that is RTP with sound in it that we can play: its own frame, and copies of earlier ones.
fn understood(datagram: &[u8]) -> Option<(Header, Frame<'_>, Blocks<'_>)> {
    let Packet { header, payload } = Packet::parse(datagram).ok()?;
    if header.payload_type != rtp::RED {
        return Some((header, frame(header.payload_type, payload)?, Blocks::new()));
    }
    let mut blocks = red::parse(payload).ok()?;
    let own = blocks.pop()?;
    Some((header, frame(own.payload_type, own.bytes)?, blocks))
}

fn frame(payload_type: u8, bytes: &[u8]) -> Option<Frame<'_>> {
    let (payload, samples) = match payload_type {
        rtp::OPUS => (Payload::Opus, opus::packet_samples(bytes).ok()?),
        rtp::L16 if bytes.len().is_multiple_of(2) => (Payload::L16, bytes.len() / 2),
        _ => return None,
    };
    let fits = bytes.len() <= PAYLOAD_BYTES && (1..=LONGEST_PACKET).contains(&samples);
    fits.then_some(Frame { payload, samples: length(samples), bytes })
}

/// Which frame a copy is of: that many frames before the packet that it came in. `None`: it is not a whole number of
/// them, so that nobody can tell.
fn copied<'a>(later: &Entry, copy: Block<'a>) -> Option<(Entry, &'a [u8])> {
    let Frame { payload, samples, bytes } = frame(copy.payload_type, copy.bytes)?;
    let age = i64::from(copy.age);
    let regular = samples == later.samples && age > 0 && age % samples == 0;
    let (sequence, time_stamp) = (later.sequence - age / samples, later.time_stamp - age);
    regular.then(|| (Entry::new(sequence, time_stamp, samples, later.arrived, payload), bytes))
}

/// The frame before a packet, if there is a spare of it inside (RFC 6716 2.1.7).
fn spare<'a>(later: &Entry, bytes: &'a [u8]) -> Option<(Entry, &'a [u8])> {
    let there = later.payload == Payload::Opus && opus::has_spare(bytes);
    let Entry { sequence, time_stamp, samples, arrived, .. } = *later;
    let before = Entry::new(sequence - 1, time_stamp - samples, samples, arrived, Payload::OpusSpare);
    there.then_some((before, bytes))
}
