//! How long packets wait: where the time line begins, when the delay grows, and when it shrinks.

use std::time::Instant;

use super::queue::Entry;
use super::{Playout, length};
use crate::media::sequence::samples_between;

/// Late packets within this time of each other make the delay grow: 1 s.
const OFTEN: u64 = 48_000;

/// So much (1 ms) is left of the least wait when delay is taken away.
const MARGIN: i64 = 48;

/// More waiting than this beyond the target is skipped at once: 250 ms.
const FAR_BEHIND: i64 = 12_000;

/// Frames taken out at one place at most; each costs the time of a decoding.
const MOST_DROPPED: u32 = 4;

impl Playout {
    /// Ties the time line to the card when a packet has waited as long as the target says; returns how much silence
    /// comes before.
    ///
    /// The newest packet that has waited long enough is the last one played in this pull: no other beginning has
    /// less delay.
    pub(super) fn begin(&mut self, now: Instant, wanted: i64) -> usize {
        let Some(end) = self.ripe(now) else { return usize::MAX };
        self.skip_to(end, wanted);
        let Some(&first) = self.queue.first() else { return usize::MAX };
        self.explain(first.sequence != self.next_sequence);
        self.playing = true;
        self.tie_to(&first);
        self.waits.restart(self.counters.samples);
        usize::try_from(wanted - (end - first.time_stamp)).unwrap_or(0)
    }

    /// The end of the newest packet that has waited as long as the target says, or of the oldest if there is no room
    /// to wait for longer.
    fn ripe(&self, now: Instant) -> Option<i64> {
        let waited = |entry: &&Entry| samples_between(entry.arrived, now) >= self.target;
        let newest = self.queue.newest_first().find(waited);
        newest.or(self.queue.first().filter(|_| self.queue.is_full())).map(Entry::end)
    }

    /// Whether so much waits that the usual way of shrinking would take too long.
    pub(super) fn is_far_behind(&self, wanted: i64) -> bool {
        self.depth - wanted > self.target + FAR_BEHIND
    }

    /// Skips what has become far too old.
    pub(super) fn leap(&mut self, wanted: i64) {
        self.voice.expect_other();
        let end = self.queue.last().map_or(0, Entry::end);
        self.skip_to(end, wanted + self.target);
        if let Some(&first) = self.queue.first() {
            self.tie_to(&first);
        }
        self.waits.restart(self.counters.samples);
    }

    /// Drops the oldest packets as long as `kept` samples up to `end` remain without them.
    fn skip_to(&mut self, end: i64, kept: i64) {
        while self.queue.second().is_some_and(|second| end - second.time_stamp >= kept.max(1)) {
            self.counters.dropped += 1;
            let _ = self.queue.pop();
        }
    }

    /// Lets the delay grow by making up sound that has no place on the time line.
    pub(super) fn grow(&mut self) {
        let before = self.growing;
        self.voice.make_up(usize::try_from(before).unwrap_or(1));
        let made = length(self.voice.ready());
        self.growing = (before - made).max(0);
        self.counters.concealed += made.unsigned_abs();
        self.waits.restart(self.counters.samples);
    }

    /// Plays the next packet in the place of the one that is ready, if the delay is to shrink and it is there.
    pub(super) fn shrink(&mut self) {
        let follows =
            |first: &Entry, at: (i64, i64)| (first.sequence, first.time_stamp) == at && first.samples > 0;
        let mut bound = MOST_DROPPED;
        while self.shrinking > 0 && bound > 0 {
            let at = (self.next_sequence, self.next_time_stamp);
            let Some(&first) = self.queue.first().filter(|first| follows(first, at)) else { return };
            bound -= 1;
            self.shrinking -= 1;
            self.counters.dropped += 1;
            let _ = self.queue.pop();
            self.voice.replace_ready();
            if self.voice.decode(first.payload, self.queue.payload(&first), 0).is_err() {
                self.voice.silence(1);
            }
            self.passed(&first);
        }
    }

    /// Takes note of a late packet. Whether there was another one not long ago, but before this pull: packets that
    /// were held up together are one event.
    pub(super) fn is_late_often(&mut self) -> bool {
        let before = self.last_late.replace(self.counters.samples);
        self.waits.note(0);
        before.is_some_and(|before| (1..OFTEN).contains(&(self.counters.samples - before)))
    }

    /// At the end of a second: takes away delay that no packet needed.
    pub(super) fn balance(&mut self) {
        self.transits.turn(self.counters.samples);
        let Some(waits) = self.waits.turn(self.counters.samples) else { return };
        let spare = waits.least.min(waits.most - self.target) - MARGIN;
        if spare >= self.frame {
            self.shrinking = u32::try_from(spare / self.frame).unwrap_or(0);
            self.waits.restart(self.counters.samples);
        }
    }
}
