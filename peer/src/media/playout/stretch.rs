//! What is ready, made longer or shorter where it is like itself.

use std::ops::RangeInclusive;

use super::queue::Payload;
use super::seam::{BLEND, share};
use super::splice::{self, Splice};
use super::voice::{PAST, Voice};
use crate::opus::{LONGEST_PACKET, OpusError};

impl Voice {
    /// Decodes the packet that follows and keeps what was ready.
    ///
    /// # Errors
    /// The packet is broken, or of another kind; nothing has changed then.
    pub(super) fn decode_more(&mut self, payload: Payload, bytes: &[u8]) -> Result<(), OpusError> {
        if !payload.is_like(self.payload) {
            return Err(OpusError::InvalidPacket);
        }
        self.move_to_front();
        let end = self.end;
        self.end += self.decoded(payload, bytes, end)?;
        self.smooth(end);
        Ok(())
    }

    /// Whether a packet of so many samples fits behind what is ready.
    pub(super) fn has_room_for(&self, samples: i64) -> bool {
        usize::try_from(samples)
            .is_ok_and(|samples| samples <= LONGEST_PACKET - self.ready().min(LONGEST_PACKET))
    }

    /// Whether enough is ready for so much to be left out.
    pub(super) fn can_shorten_by(&self, lag: usize) -> bool {
        self.ready() >= lag + BLEND
    }

    /// Where something can be left out.
    pub(super) fn find_shorter(&self, lags: RangeInclusive<usize>) -> Option<Splice> {
        splice::forward(&self.ready[self.start..self.end], BLEND.min(self.ready()), lags)
    }

    /// Leaves out `lag` samples.
    pub(super) fn shorten(&mut self, lag: usize) {
        let overlap = BLEND.min(self.ready() - lag);
        for at in self.start..self.start + overlap {
            let weight = share(at - self.start, BLEND);
            self.ready[at + lag] = weight * self.ready[at + lag] + (1.0 - weight) * self.ready[at];
        }
        self.start += lag;
    }

    /// Where something can be repeated.
    pub(super) fn find_longer(&self, lags: RangeInclusive<usize>) -> Option<Splice> {
        let (sound, overlap) = self.around();
        splice::backward(&sound[..PAST + overlap], PAST, overlap, lags)
    }

    /// Repeats the last `lag` samples before what is ready.
    pub(super) fn lengthen(&mut self, lag: usize) {
        let (sound, overlap) = self.around();
        self.move_to_front();
        self.ready.copy_within(..self.end, lag);
        self.end += lag;
        for at in 0..lag.max(overlap) {
            let again = sound[PAST - lag + at];
            self.ready[at] = match sound.get(PAST + at).filter(|_| at < overlap) {
                Some(onward) => share(at, BLEND) * again + (1.0 - share(at, BLEND)) * onward,
                None => again,
            };
        }
    }

    /// What was played and the beginning of what is ready in one piece, and how long that beginning is.
    fn around(&self) -> ([f32; PAST + BLEND], usize) {
        let mut sound = [0.0; PAST + BLEND];
        let overlap = self.ready().min(BLEND);
        sound[..PAST].copy_from_slice(self.past());
        sound[PAST..PAST + overlap].copy_from_slice(&self.ready[self.start..self.start + overlap]);
        (sound, overlap)
    }

    fn move_to_front(&mut self) {
        self.ready.copy_within(self.start..self.end, 0);
        (self.start, self.end) = (0, self.ready());
    }
}
