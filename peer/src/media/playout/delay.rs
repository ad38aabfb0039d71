//! How long packets wait: where the time line begins, and how the delay is kept where it belongs.

use super::queue::{Entry, MOST_WAITING};
use super::splice::Splice;
use super::steer::Stand;
use super::varispeed::AHEAD;
use super::{Playout, length};

/// More waiting than this beyond the target is skipped at once: 250 ms.
const FAR_BEHIND: i64 = 12_000;

/// Packets decoded at one place at most, for the sake of a splice.
const MOST_DECODED: usize = 6;

/// What a window shows of a tail is not the whole of it: where packets are late by more than 10 ms, a thirtieth of
/// what is beyond that is added.
const SHORT: i64 = 480;
const TAIL: i64 = 30;

/// After a splice, sound is left alone for 20 ms.
const REST: i64 = 960;

/// The shortest and the longest lag of a splice: 0.7 and 15 ms.
const LAGS: (usize, usize) = (32, 720);

/// Too short a delay is mended by up to 5 ms more than it is short, where that is a better place.
const MORE: usize = 240;

/// How alike two places must be to be joined, at first …
const ALIKE: f32 = 0.85;

/// … and how soon any will do: 200 ms.
const ANY: f32 = 9_600.0;

impl Playout {
    /// Ties the time line to the card when a packet has waited as long as is needed; returns how much silence comes
    /// before.
    ///
    /// The newest packet that has waited long enough is the last one played in this pull: no other beginning has
    /// less delay.
    pub(super) fn begin(&mut self, time: i64, wanted: i64) -> usize {
        let Some(end) = self.ripe(time) else { return usize::MAX };
        self.skip_to(end, wanted);
        let Some(&first) = self.queue.first() else { return usize::MAX };
        self.explain(first.sequence != self.next_sequence);
        (self.playing, self.has_starved) = (true, false);
        self.tie_to(&first);
        if self.voice.is_silent() {
            self.varispeed.disengage();
        }
        let held = if self.varispeed.is_engaged() { AHEAD } else { 0 };
        usize::try_from(wanted - (end - first.time_stamp)).unwrap_or(0) + held
    }

    /// The end of the newest packet that has waited as long as is needed, or of the oldest if there is no room to
    /// wait for longer.
    fn ripe(&self, time: i64) -> Option<i64> {
        let needed = self.needed();
        let newest = self.queue.newest_first().find(|entry| time - entry.time_stamp >= needed);
        newest.or(self.queue.first().filter(|_| self.queue.is_full())).map(Entry::end)
    }

    /// The delay without which too many packets would be late.
    fn needed(&self) -> i64 {
        self.transits.range().map_or(0, |range| {
            let most = self.patience.most.min(self.room()).max(self.patience.least);
            let (least, most) = (range.least + self.patience.least, range.least + most);
            let tail = (range.most - range.least - SHORT).max(0) / TAIL;
            (range.most + tail).clamp(least, most)
        })
    }

    /// The longest wait that the queue has room for, with a quarter to spare: what is dropped at its brim is not waited
    /// for.
    fn room(&self) -> i64 {
        let frame = self.queue.last().map_or(self.frame, |last| last.samples);
        frame * length(MOST_WAITING) * 3 / 4
    }

    /// Before a pull: compares when packets come with when they are played, and decides what to do about it.
    pub(super) fn steer(&mut self, time: i64) {
        let stand = self.stand(time);
        let course = stand.course(self.drift.slower());
        self.delay = self.transits.range().map_or(0, |range| stand.delay - range.least);
        self.short = (-course.excess).max(0);
        self.excess = if course.jumps { course.excess } else { 0 };
        self.sought = if course.jumps || self.sought < 0 { self.sought + stand.period } else { 0 };
        #[expect(clippy::float_cmp, reason = "1 is said exactly where nothing is to be done")]
        if !course.jumps && course.speed != 1.0 && !stand.engaged {
            self.varispeed.engage(self.voice.past());
        }
        self.varispeed.set_speed(course.speed);
    }

    fn stand(&self, time: i64) -> Stand {
        let position = self.position() - self.unplayed();
        let periods = self.periods.range();
        let (start, frame) = self.bunches.order().unwrap_or((self.next_time_stamp, self.frame));
        Stand {
            delay: time - position,
            needed: self.needed(),
            spread: self.spread(),
            to_frame: start - position,
            frame,
            is_known: self.bunches.are_known() || self.has_starved,
            period: periods.map_or(1, |periods| periods.most.max(1)),
            steady: periods.is_some_and(|periods| periods.least == periods.most),
            engaged: self.varispeed.is_engaged(),
        }
    }

    /// Whether so much waits that the usual way of shrinking would take too long. What was decoded is played before:
    /// a sender that leaps ahead again and again would otherwise have 120 ms decoded for each pull.
    pub(super) fn is_far_behind(&self, wanted: i64) -> bool {
        let waits = self.depth - wanted > self.spread() + self.patience.least + FAR_BEHIND;
        waits && length(self.voice.ready()) < wanted
    }

    /// Skips what has become far too old.
    pub(super) fn leap(&mut self, wanted: i64) {
        self.voice.expect_other();
        let end = self.queue.last().map_or(0, Entry::end);
        self.skip_to(end, wanted + self.spread() + self.patience.least);
        if let Some(&first) = self.queue.first() {
            self.tie_to(&first);
        }
    }

    /// Drops the oldest packets as long as `kept` samples up to `end` remain without them.
    fn skip_to(&mut self, end: i64, kept: i64) {
        while self.queue.second().is_some_and(|second| end - second.time_stamp >= kept.max(1)) {
            self.counters.dropped += 1;
            let _ = self.queue.pop();
        }
    }

    /// Sound that waits for a packet anyhow takes up what the delay is short by.
    pub(super) fn grow(&mut self) {
        let grown = self.short.min(self.ahead).max(0);
        self.ahead -= grown;
        self.short -= grown;
        self.excess = (self.excess + grown).min(0);
    }

    /// Leaves out or repeats a little of what is ready, if the delay is to jump and there is a place for it.
    pub(super) fn jump(&mut self) {
        if self.excess == 0 || self.sought <= 0 {
            return;
        }
        let spliced = if self.excess > 0 { self.shorten() } else { self.lengthen() };
        self.counters.stretched += spliced.unsigned_abs();
        self.excess -= spliced;
        self.short = (self.short + spliced.min(0)).max(0);
        if spliced != 0 {
            self.sought = -REST;
        }
    }

    fn shorten(&mut self) -> i64 {
        let most = usize::try_from(self.excess).unwrap_or(0).min(LAGS.1);
        self.decode_up_to(most);
        let splice = self.voice.find_shorter(LAGS.0.min(most)..=most);
        let Some(splice) = splice.filter(|splice| self.is_alike(splice)) else { return 0 };
        self.voice.shorten(splice.lag);
        length(splice.lag)
    }

    fn lengthen(&mut self) -> i64 {
        let least = usize::try_from(-self.excess).unwrap_or(0).clamp(LAGS.0, LAGS.1 / 2);
        let most = usize::try_from(-self.excess).map_or(0, |short| short + MORE).min(LAGS.1);
        let splice = self.voice.find_longer(least..=most);
        let Some(splice) = splice.filter(|splice| self.is_alike(splice)) else { return 0 };
        self.voice.lengthen(splice.lag);
        -length(splice.lag)
    }

    /// The longer a place has been looked for, the less it must be alike.
    fn is_alike(&self, splice: &Splice) -> bool {
        #[expect(clippy::cast_precision_loss, reason = "some seconds at most")]
        let sought = self.sought as f32;
        splice.likeness >= ALIKE * (1.0 - sought / ANY)
    }

    /// Decodes the packets that follow, until a splice with this lag is possible.
    fn decode_up_to(&mut self, lag: usize) {
        for _ in 0..MOST_DECODED {
            let at = (self.next_sequence, self.next_time_stamp);
            let follows = |first: &&Entry| (first.sequence, first.time_stamp) == at;
            let Some(&first) = self.queue.first().filter(follows) else { return };
            if self.voice.can_shorten_by(lag) || !self.voice.has_room_for(first.samples) {
                return;
            }
            let _ = self.queue.pop();
            if self.voice.decode_more(first.payload, self.queue.payload(&first)).is_err() {
                self.counters.refused += 1;
                return; // as if it had not come: it will be made up
            }
            self.passed(&first);
        }
    }
}
