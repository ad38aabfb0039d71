//! Along the time line: what is played next, and what is made up where nothing is there.

use super::queue::Entry;
use super::voice::FADED;
use super::{Playout, length};

/// A time stamp further ahead than this (and the target) is not a gap but a jump: 200 ms. So is one behind which all
/// that may wait waits: it would be dropped before its time.
const LONGEST_GAP: i64 = 9_600;

impl Playout {
    /// Makes at least one sample ready.
    pub(super) fn refill(&mut self, wanted: usize) {
        let late = loop {
            let Some(&first) = self.queue.first() else { return self.run_dry(wanted) };
            if first.time_stamp < self.position() {
                self.explain(true);
                self.grow();
            }
            let gap = first.time_stamp - self.position();
            let is_jump = gap > self.spread() + LONGEST_GAP || (gap > 0 && self.queue.is_full());
            if is_jump || first.time_stamp < self.next_time_stamp {
                self.voice.expect_other();
                self.tie_to(&first);
            } else if gap > 0 {
                return self.bridge(&first, gap, wanted);
            } else if gap == 0 {
                self.explain(first.sequence != self.next_sequence);
                break 0;
            } else if let Some(late) = self.catch_up(&first) {
                break late;
            }
        };
        self.play_first(late, wanted);
    }

    /// Nothing has come: makes up what may be late, lost, or was never spoken.
    fn run_dry(&mut self, wanted: usize) {
        if self.ahead == 0 {
            self.counters.underruns += 1;
            self.has_starved = true;
        }
        if self.ahead >= length(FADED) {
            self.playing = false;
            return self.voice.silence(wanted);
        }
        self.voice.make_up(wanted);
        let made = self.voice.ready();
        self.ahead += length(made);
        self.unexplained += made as u64;
    }

    /// The next packet is there, and its time has not come.
    fn bridge(&mut self, first: &Entry, gap: i64, wanted: usize) {
        let lost = first.sequence != self.next_sequence;
        self.explain(lost);
        let count = usize::try_from(gap).unwrap_or(wanted).min(wanted.next_multiple_of(self.voice.piece()));
        if lost {
            self.voice.make_up_exactly(count);
            self.counters.concealed += self.voice.ready() as u64;
        } else {
            self.voice.silence(count);
        }
        self.ahead += length(self.voice.ready());
    }

    /// The first packet's time has passed in part: how many samples of it are not to be played. `None`: none of it
    /// was, and it is gone.
    fn catch_up(&mut self, first: &Entry) -> Option<usize> {
        let position = self.position();
        if self.is_late_for_good() {
            self.tie_to(first); // later than may be waited for, but all that there is
            return Some(0);
        }
        if first.end() > position {
            self.voice.expect_other();
            return usize::try_from(position - first.time_stamp).ok();
        }
        self.counters.late += 1;
        let _ = self.queue.pop();
        self.passed(first);
        self.ahead = position - self.next_time_stamp;
        None
    }

    /// Decodes the first packet, without the `late` samples at its beginning.
    fn play_first(&mut self, late: usize, wanted: usize) {
        let Some(first) = self.queue.pop() else { return self.run_dry(wanted) };
        let decoded = self.voice.decode(first.payload, self.queue.payload(&first), late);
        if decoded.is_err() || self.voice.ready() == 0 {
            self.counters.refused += 1;
            self.pass_to(first.sequence); // as if it had not come
            return self.run_dry(wanted);
        }
        self.passed(&first);
        self.frame = first.samples;
        if late == 0 {
            self.late_run = 0;
            self.jump();
        }
    }

    /// The time line goes on after this packet.
    pub(super) fn passed(&mut self, entry: &Entry) {
        self.pass_to(entry.sequence + 1);
        self.came |= 1;
        self.next_time_stamp = entry.end();
        self.ahead = 0;
    }

    /// What was made up is now known to have been lost, or to have been silence.
    pub(super) fn explain(&mut self, lost: bool) {
        let samples = std::mem::take(&mut self.unexplained);
        if lost {
            self.counters.concealed += samples;
        }
    }

    /// The time line goes on at this packet.
    pub(super) fn tie_to(&mut self, first: &Entry) {
        self.pass_to(first.sequence);
        self.next_time_stamp = first.time_stamp;
        self.ahead = 0;
    }

    /// Moves on to a sequence number; those passed over did not come.
    fn pass_to(&mut self, sequence: i64) {
        let step = u32::try_from(sequence.saturating_sub(self.next_sequence)).unwrap_or(u32::MAX);
        self.came = self.came.checked_shl(step).unwrap_or(0);
        self.next_sequence = sequence;
    }
}
