//! Packets that wait for their time, in the order of their sequence numbers, in memory that was there before.

use std::time::Instant;

use crate::media::rtp::PAYLOAD_BYTES;

/// Packets that may wait: 160 ms of the shortest frames, 1.28 s of 10 ms. At the brim the oldest is dropped.
pub(super) const MOST_WAITING: usize = 128;

/// How a payload is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Payload {
    /// One Opus packet.
    Opus,
    /// An Opus packet of which only the spare of the one before it is meant.
    OpusSpare,
    /// Big-endian samples.
    L16,
}

impl Payload {
    /// Whether the sound of one goes on in that of the other by itself.
    pub(super) fn is_like(self, other: Self) -> bool {
        self.is_opus() == other.is_opus()
    }

    /// Whether an Opus decoder makes its sound.
    pub(super) fn is_opus(self) -> bool {
        self != Self::L16
    }
}

/// One packet that waits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    /// Extended sequence number.
    pub(super) sequence: i64,
    /// Extended time stamp of its first sample.
    pub(super) time_stamp: i64,
    /// Sound in it.
    pub(super) samples: i64,
    /// When the kernel received it.
    pub(super) arrived: Instant,
    /// How it is coded.
    pub(super) payload: Payload,
    bytes: usize,
    place: u8,
}

impl Entry {
    /// A packet as its header tells of it.
    pub(super) fn new(
        sequence: i64,
        time_stamp: i64,
        samples: i64,
        arrived: Instant,
        payload: Payload,
    ) -> Self {
        Self { sequence, time_stamp, samples, arrived, payload, bytes: 0, place: 0 }
    }

    /// The time stamp after its last sample.
    pub(super) fn end(&self) -> i64 {
        self.time_stamp + self.samples
    }
}

/// What became of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pushed {
    /// It waits.
    Waits,
    /// It waits, and the oldest was dropped for it.
    OldestDropped,
    /// It is there already.
    Duplicate,
}

/// The waiting packets.
pub(super) struct Queue {
    /// In ascending order of sequence numbers, no two the same.
    entries: heapless::Vec<Entry, MOST_WAITING>,
    /// Places of `storage` that no entry uses; the one used last is taken first, so that little memory is touched.
    free: heapless::Vec<u8, MOST_WAITING>,
    storage: Box<[u8]>,
}

const _: () = assert!(MOST_WAITING <= 256, "places are bytes");

impl Queue {
    /// Allocates everything that it will ever need.
    pub(super) fn new() -> Self {
        let mut queue = Self {
            entries: heapless::Vec::new(),
            free: heapless::Vec::new(),
            storage: vec![0; MOST_WAITING * PAYLOAD_BYTES].into_boxed_slice(),
        };
        queue.clear();
        queue
    }

    /// Takes a packet in. `payload` is at most [`PAYLOAD_BYTES`] long (what is beyond is cut).
    pub(super) fn push(&mut self, entry: Entry, payload: &[u8]) -> Pushed {
        let found = self.entries.binary_search_by_key(&entry.sequence, |waiting| waiting.sequence);
        let Err(mut at) = found else { return Pushed::Duplicate };
        let full = self.entries.is_full();
        if full {
            if at == 0 {
                return Pushed::OldestDropped; // it is the oldest itself
            }
            self.pop();
            at -= 1;
        }
        let Some(place) = self.free.pop() else { return Pushed::Duplicate };
        let bytes = payload.len().min(PAYLOAD_BYTES);
        self.storage[start(place)..start(place) + bytes].copy_from_slice(&payload[..bytes]);
        let _ = self.entries.insert(at, Entry { bytes, place, ..entry });
        if full { Pushed::OldestDropped } else { Pushed::Waits }
    }

    /// Whether the packet of this number waits.
    pub(super) fn contains(&self, sequence: i64) -> bool {
        self.entries.binary_search_by_key(&sequence, |waiting| waiting.sequence).is_ok()
    }

    /// The next packet to play.
    pub(super) fn first(&self) -> Option<&Entry> {
        self.entries.first()
    }

    /// The one after it.
    pub(super) fn second(&self) -> Option<&Entry> {
        self.entries.get(1)
    }

    /// The newest packet.
    pub(super) fn last(&self) -> Option<&Entry> {
        self.entries.last()
    }

    /// All packets, the newest first.
    pub(super) fn newest_first(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().rev()
    }

    /// Whether the next packet makes the oldest go.
    pub(super) fn is_full(&self) -> bool {
        self.entries.is_full()
    }

    /// Takes the first packet out. Its bytes stay where they are until the next push.
    pub(super) fn pop(&mut self) -> Option<Entry> {
        if self.entries.is_empty() {
            return None;
        }
        let entry = self.entries.remove(0);
        let _ = self.free.push(entry.place);
        Some(entry)
    }

    /// The payload of a packet that was just taken out.
    pub(super) fn payload(&self, entry: &Entry) -> &[u8] {
        &self.storage[start(entry.place)..start(entry.place) + entry.bytes]
    }

    /// Forgets all packets.
    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.free.clear();
        for place in (0..MOST_WAITING).rev() {
            let _ = self.free.push(u8::try_from(place).unwrap_or(u8::MAX));
        }
    }
}

fn start(place: u8) -> usize {
    usize::from(place) * PAYLOAD_BYTES
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(sequence: i64) -> Entry {
        Entry::new(sequence, sequence * 480, 480, vox_common::sys::clock::now(), Payload::L16)
    }

    fn drained(queue: &mut Queue) -> Vec<(i64, Vec<u8>)> {
        let mut all = Vec::new();
        while let Some(entry) = queue.pop() {
            all.push((entry.sequence, queue.payload(&entry).to_vec()));
        }
        all
    }

    #[test]
    fn packets_come_out_in_order_with_their_bytes() {
        let mut queue = Queue::new();
        for sequence in [5_u8, 3, 9, 4] {
            assert_eq!(queue.push(entry(sequence.into()), &[sequence; 3]), Pushed::Waits);
        }
        assert_eq!(queue.push(entry(3), &[0]), Pushed::Duplicate);
        let wanted = [3_u8, 4, 5, 9].map(|sequence| (i64::from(sequence), vec![sequence; 3]));
        assert_eq!(drained(&mut queue), wanted);
    }

    #[test]
    fn at_the_brim_the_oldest_goes() {
        let mut queue = Queue::new();
        for sequence in 0..200 {
            queue.push(entry(sequence), &sequence.to_be_bytes());
        }
        assert_eq!(queue.push(entry(1), &[]), Pushed::OldestDropped);
        assert_eq!((queue.entries.len(), queue.first().unwrap().sequence), (MOST_WAITING, 72));
        for (sequence, bytes) in drained(&mut queue) {
            assert_eq!(bytes, sequence.to_be_bytes());
        }
    }
}
