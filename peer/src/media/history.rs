//! What the last packets carried, so that copies of it can be sent once more.

/// Frames that are remembered: 160 ms of the shortest that Opus has.
const MOST_FRAMES: usize = 64;

/// A longer frame is not copied: two of them would not fit into a packet.
const LONGEST_FRAME: usize = 720;

/// The frames sent last, in memory that was there before.
pub struct History {
    kept: [Kept; MOST_FRAMES],
    /// How many frames have been kept since [`History::clear`].
    count: usize,
    storage: Box<[u8]>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Kept {
    time_stamp: u32,
    bytes: usize,
}

impl History {
    /// Allocates everything that it will ever need.
    pub fn new() -> Self {
        let storage = vec![0; MOST_FRAMES * LONGEST_FRAME].into_boxed_slice();
        Self { kept: [Kept::default(); MOST_FRAMES], count: 0, storage }
    }

    /// Remembers a frame, and forgets the oldest one. One that is too long leaves a gap.
    pub fn keep(&mut self, time_stamp: u32, frame: &[u8]) {
        let bytes = if frame.len() <= LONGEST_FRAME { frame.len() } else { 0 };
        let at = self.count % MOST_FRAMES;
        self.storage[at * LONGEST_FRAME..][..bytes].copy_from_slice(&frame[..bytes]);
        self.kept[at] = Kept { time_stamp, bytes };
        self.count += 1;
    }

    /// The frame so many frames back, 1 being the last one, with its time stamp.
    pub fn back(&self, frames: usize) -> Option<(u32, &[u8])> {
        let there = (1..=self.count.min(MOST_FRAMES)).contains(&frames);
        let at = there.then(|| (self.count - frames) % MOST_FRAMES)?;
        let Kept { time_stamp, bytes } = self.kept[at];
        (bytes > 0).then(|| (time_stamp, &self.storage[at * LONGEST_FRAME..][..bytes]))
    }

    /// Forgets everything: what comes next does not follow.
    pub fn clear(&mut self) {
        self.count = 0;
    }
}

impl Default for History {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_found_by_how_far_back_they_are() {
        let mut history = History::new();
        assert_eq!(history.back(1), None);
        for number in 0..200_u8 {
            history.keep(number.into(), &[number; 3]);
        }
        assert_eq!(history.back(1), Some((199, [199; 3].as_slice())));
        assert_eq!(history.back(64), Some((136, [136; 3].as_slice())));
        assert_eq!((history.back(65), history.back(0)), (None, None));
        history.keep(0, &[0; LONGEST_FRAME + 1]);
        assert_eq!((history.back(1), history.back(2)), (None, Some((199, [199; 3].as_slice()))));
        history.clear();
        assert_eq!(history.back(1), None);
    }
}
