//! Packets, and the lack of them, into samples without clicks.

use super::queue::Payload;
use super::seam::{BLEND, Seam};
use super::substitute::{self, Substitute};
use crate::opus::{self, Decoder, LONGEST_PACKET, OpusError, SHORTEST_FRAME};

/// After a short hole in uncompressed sound the blend is half as long as the hole, but at least 0.5 ms: what is real is
/// better than what is made up.
const SHORTEST_BLEND: usize = 24;

/// What Opus makes up keeps its loudness for so long (60 ms) …
const HELD: usize = 2_880;

/// … and is silence from here on (100 ms).
pub(super) const FADED: usize = 4_800;

/// The same where sound is substituted: 10 and 60 ms (ITU-T G.711 I.2.7).
const HELD_L16: usize = 480;
const FADED_L16: usize = 2_880;

/// The most that is made up in one piece: 10 ms.
const LONGEST_GUESS: usize = 480;

/// Samples played last that may be repeated: 20 ms.
pub(super) const PAST: usize = 960;

/// Room for the longest packet and what is repeated of the past.
const READY: usize = LONGEST_PACKET + PAST;

/// The decoder of one leg, and the samples that it has ready.
pub(super) struct Voice {
    decoder: Decoder,
    /// What the last packet was, and so how its successors are made up.
    pub(super) payload: Payload,
    /// What of it is made up at a time.
    piece: usize,
    pub(super) ready: Box<[f32]>,
    /// The samples of `ready` that have not been played.
    pub(super) start: usize,
    pub(super) end: usize,
    seam: Seam,
    /// Everything played last, made up or not.
    past: Box<[f32; substitute::NEEDED]>,
    /// Makes up uncompressed sound.
    substitute: Substitute,
    /// Samples made up without a break; tells how much they have faded.
    made_up: usize,
}

impl Voice {
    /// Allocates everything that it will ever need.
    pub(super) fn new() -> Result<Self, OpusError> {
        Ok(Self {
            decoder: Decoder::new()?,
            payload: Payload::Opus,
            piece: SHORTEST_FRAME,
            ready: vec![0.0; READY].into_boxed_slice(),
            start: 0,
            end: 0,
            seam: Seam::none(),
            past: Box::new([0.0; substitute::NEEDED]),
            substitute: Substitute::new(),
            made_up: FADED,
        })
    }

    /// Forgets the sender, but for how its sound would have gone on: that is blended into what comes next.
    pub(super) fn restart(&mut self) {
        if self.ready() >= BLEND {
            self.replace_ready();
        } else if self.made_up < FADED {
            self.expect_other();
        }
        self.decoder.reset();
        (self.start, self.end) = (0, 0);
        self.made_up = FADED;
    }

    /// Forgets everything: not a sample of one call is heard in another.
    pub(super) fn clear(&mut self) {
        self.restart();
        self.past.fill(0.0);
        self.seam.forget();
    }

    /// The samples played last.
    pub(super) fn past(&self) -> &[f32; PAST] {
        self.past.last_chunk().expect("more than that is kept")
    }

    /// Whether what was played last was nothing.
    pub(super) fn is_silent(&self) -> bool {
        self.past().iter().all(|sample| *sample == 0.0)
    }

    /// Samples ready to be played.
    pub(super) fn ready(&self) -> usize {
        self.end - self.start
    }

    /// Plays what is ready, as much as fits; returns how much.
    pub(super) fn play(&mut self, out: &mut [f32]) -> usize {
        let count = self.ready().min(out.len());
        out[..count].copy_from_slice(&self.ready[self.start..self.start + count]);
        self.start += count;
        push_back(self.past.as_mut_slice(), &out[..count]);
        count
    }

    /// Decodes a packet, without its first `skipped` samples, in the place of what was ready.
    ///
    /// # Errors
    /// The packet is broken; nothing is ready then.
    pub(super) fn decode(&mut self, payload: Payload, bytes: &[u8], skipped: usize) -> Result<(), OpusError> {
        if !self.joins_by_itself(payload) {
            self.expect_other();
        }
        (self.start, self.end) = (0, 0);
        self.payload = payload;
        let samples = self.decoded(payload, bytes, 0)?;
        (self.start, self.end) = (skipped.min(samples), samples);
        self.seam.rise_from(self.loudness());
        self.made_up = 0;
        self.smooth(self.start);
        Ok(())
    }

    /// Decodes to a place in `ready`; returns how much.
    pub(super) fn decoded(&mut self, payload: Payload, bytes: &[u8], to: usize) -> Result<usize, OpusError> {
        let room = &mut self.ready[to..];
        if payload.is_opus() {
            self.piece = opus::guess_samples(bytes);
        }
        match payload {
            Payload::Opus => self.decoder.decode(bytes, room),
            Payload::OpusSpare => {
                let samples = opus::packet_samples(bytes)?.min(room.len());
                self.decoder.decode_spare(bytes, &mut room[..samples])
            }
            Payload::L16 => Ok(from_big_endian(bytes, room)),
        }
    }

    /// In how many samples at a time it is best made up.
    pub(super) fn piece(&self) -> usize {
        self.piece
    }

    /// Makes up `wanted` samples, or a few more, but at most 10 ms of them, in the place of what was ready.
    pub(super) fn make_up(&mut self, wanted: usize) {
        let count = wanted.clamp(1, LONGEST_GUESS);
        let made = match self.payload {
            Payload::Opus | Payload::OpusSpare => count.next_multiple_of(self.piece),
            Payload::L16 => count,
        };
        self.guess(made);
        self.seam.forget(); // it goes on from what was played
        (self.start, self.end) = (0, made);
    }

    /// Makes up exactly `wanted` samples (at most 10 ms of them), although Opus makes multiples of 2.5 or 10 ms: the
    /// rest is blended into what comes next.
    pub(super) fn make_up_exactly(&mut self, wanted: usize) {
        self.make_up(wanted);
        let count = wanted.clamp(1, LONGEST_GUESS);
        let rest = (self.ready() - count).min(BLEND);
        if rest > 0 {
            self.seam.expect(&self.ready[count..count + rest], BLEND);
            self.end = count;
        }
    }

    /// Silence in the place of what was ready, after a short fade.
    pub(super) fn silence(&mut self, wanted: usize) {
        let count = wanted.clamp(1, LONGEST_GUESS);
        if self.made_up < FADED {
            self.expect_other();
        }
        self.ready[..count].fill(0.0);
        (self.start, self.end) = (0, count);
        self.smooth(0);
        self.made_up = FADED;
    }

    /// What comes next is not what follows: it will be blended with how the sound would have gone on.
    pub(super) fn expect_other(&mut self) {
        let made_up = self.made_up;
        self.guess(BLEND);
        if made_up >= FADED {
            (self.start, self.end) = (0, BLEND);
            self.smooth(0); // silence that has just begun is not silent yet
        }
        self.made_up = made_up; // the guess fades out by blending
        let is_short = self.payload == Payload::L16 && made_up > 0;
        let blend = if is_short { (made_up / 2).clamp(SHORTEST_BLEND, BLEND) } else { BLEND };
        self.seam.expect(&self.ready[..BLEND], blend);
        (self.start, self.end) = (0, 0);
    }

    /// What is ready is not played, but what comes next is blended with its beginning.
    pub(super) fn replace_ready(&mut self) {
        if self.ready() >= BLEND {
            self.seam.expect(&self.ready[self.start..self.start + BLEND], BLEND);
        }
        (self.start, self.end) = (0, 0);
    }

    /// Whether the next packet's sound begins where the last sound ended. An Opus decoder sees to that even after
    /// what it has made up.
    fn joins_by_itself(&self, payload: Payload) -> bool {
        let follows = payload.is_like(self.payload) && (payload.is_opus() || self.made_up == 0);
        follows || self.seam.is_next()
    }

    /// Fills the beginning of `ready` with made-up sound.
    fn guess(&mut self, samples: usize) {
        let guess = &mut self.ready[..samples];
        if self.made_up >= FADED {
            guess.fill(0.0);
        } else if self.payload == Payload::L16 {
            if self.made_up == 0 {
                self.substitute.begin(&self.past);
            }
            self.substitute.fill(guess);
        } else if self.decoder.conceal(guess).is_err() {
            guess.fill(0.0);
        }
        for at in 0..samples {
            self.ready[at] *= self.loudness();
            self.made_up += 1;
        }
    }

    /// How loud made-up sound is by now.
    fn loudness(&self) -> f32 {
        let (held, faded) = if self.payload.is_opus() { (HELD, FADED) } else { (HELD_L16, FADED_L16) };
        #[expect(clippy::cast_precision_loss, reason = "below 4,800")]
        let loudness = 1.0 - self.made_up.saturating_sub(held) as f32 / (faded - held) as f32;
        loudness.max(0.0)
    }

    /// What is ready from `from` on rises and is blended as far as it is not yet.
    pub(super) fn smooth(&mut self, from: usize) {
        self.seam.smooth(&mut self.ready[from..self.end]);
    }
}

/// Keeps the latest samples.
fn push_back(kept: &mut [f32], samples: &[f32]) {
    let new = samples.len().min(kept.len());
    kept.copy_within(new.., 0);
    let old = kept.len() - new;
    kept[old..].copy_from_slice(&samples[samples.len() - new..]);
}

fn from_big_endian(bytes: &[u8], samples: &mut [f32]) -> usize {
    let pairs = bytes.chunks_exact(2);
    let count = pairs.len().min(samples.len());
    for (sample, two) in samples.iter_mut().zip(pairs) {
        *sample = f32::from(i16::from_be_bytes([two[0], two[1]])) / 32_768.0;
    }
    count
}

#[cfg(test)]
mod tests;
