//! Packets, and the lack of them, into samples without clicks.

use super::queue::Payload;
use crate::opus::{self, Decoder, LONGEST_PACKET, OpusError, SHORTEST_FRAME};

/// Two pieces of sound that do not fit together are blended over this many samples: 2.5 ms.
pub(super) const BLEND: usize = SHORTEST_FRAME;

/// Made-up sound keeps its loudness for so long (60 ms) …
const HELD: usize = 2_880;

/// … and is silence from here on (100 ms).
pub(super) const FADED: usize = 4_800;

/// The most that is made up in one piece: 10 ms.
const LONGEST_GUESS: usize = 480;

/// Samples played last that are kept: 20 ms.
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
    /// How the sound would have gone on, where the next packet is not what follows.
    onward: [f32; BLEND],
    blends: bool,
    /// The last samples played, for making up uncompressed sound.
    played: [f32; LONGEST_GUESS],
    /// Everything played last, made up or not.
    past: [f32; PAST],
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
            onward: [0.0; BLEND],
            blends: false,
            played: [0.0; LONGEST_GUESS],
            past: [0.0; PAST],
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
        self.played.fill(0.0);
        (self.start, self.end) = (0, 0);
        self.made_up = FADED;
    }

    /// Forgets everything: not a sample of one call is heard in another.
    pub(super) fn clear(&mut self) {
        self.restart();
        self.onward.fill(0.0);
        self.past.fill(0.0);
        self.blends = false;
    }

    /// The samples played last.
    pub(super) fn past(&self) -> &[f32; PAST] {
        &self.past
    }

    /// Whether what was played last was nothing.
    pub(super) fn is_silent(&self) -> bool {
        self.past.iter().all(|sample| *sample == 0.0)
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
        self.remember(&out[..count]);
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
        self.fade_in();
        self.blend();
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
        (self.start, self.end) = (0, made);
    }

    /// Makes up exactly `wanted` samples (at most 10 ms of them), although Opus makes multiples of 2.5 or 10 ms: the
    /// rest is blended into what comes next.
    pub(super) fn make_up_exactly(&mut self, wanted: usize) {
        self.make_up(wanted);
        let count = wanted.clamp(1, LONGEST_GUESS);
        let rest = (self.ready() - count).min(BLEND);
        if rest > 0 {
            self.onward.fill(0.0);
            self.onward[..rest].copy_from_slice(&self.ready[count..count + rest]);
            self.blends = true;
            self.end = count;
        }
    }

    /// Silence in the place of what was ready, after a short fade.
    pub(super) fn silence(&mut self, wanted: usize) {
        let count = wanted.clamp(1, LONGEST_GUESS);
        if self.made_up < FADED {
            self.expect_other();
        }
        self.ready[..count.max(BLEND)].fill(0.0);
        (self.start, self.end) = (0, count);
        self.blend();
        self.made_up = FADED;
    }

    /// What comes next is not what follows: it will be blended with how the sound would have gone on.
    pub(super) fn expect_other(&mut self) {
        let made_up = self.made_up;
        self.guess(BLEND);
        self.made_up = made_up; // the guess fades out by blending
        self.onward.copy_from_slice(&self.ready[..BLEND]);
        self.blends = true;
        (self.start, self.end) = (0, 0);
    }

    /// What is ready is not played, but what comes next is blended with its beginning.
    pub(super) fn replace_ready(&mut self) {
        if self.ready() >= BLEND {
            self.onward.copy_from_slice(&self.ready[self.start..self.start + BLEND]);
            self.blends = true;
        }
        (self.start, self.end) = (0, 0);
    }

    /// Whether the next packet's sound begins where the last sound ended. An Opus decoder sees to that even after
    /// what it has made up.
    fn joins_by_itself(&self, payload: Payload) -> bool {
        let follows = payload.is_like(self.payload) && (payload.is_opus() || self.made_up == 0);
        follows || self.blends
    }

    /// Fills the beginning of `ready` with made-up sound.
    fn guess(&mut self, samples: usize) {
        let guess = &mut self.ready[..samples];
        if self.made_up >= FADED {
            guess.fill(0.0);
        } else if !self.payload.is_opus() {
            mirror(&self.played, self.made_up, guess);
        } else if self.decoder.conceal(guess).is_err() {
            guess.fill(0.0);
        }
        for sample in guess {
            *sample *= loudness(self.made_up);
            self.made_up += 1;
        }
    }

    /// After made-up sound that had faded, what is real comes in from there.
    fn fade_in(&mut self) {
        let (from, end) = (loudness(self.made_up), self.end);
        self.made_up = 0;
        if from < 1.0 {
            for (at, sample) in self.ready[self.start..end].iter_mut().take(BLEND).enumerate() {
                *sample *= from + (1.0 - from) * share(at);
            }
        }
    }

    fn blend(&mut self) {
        if !std::mem::take(&mut self.blends) {
            return;
        }
        for (at, (sample, onward)) in
            self.ready[self.start..self.end].iter_mut().zip(&self.onward).enumerate()
        {
            *sample = share(at) * *sample + (1.0 - share(at)) * onward;
        }
    }

    fn remember(&mut self, samples: &[f32]) {
        push_back(&mut self.past, samples);
        if self.payload.is_opus() || self.made_up > 0 {
            return; // Opus remembers by itself, and a guess is not made of guesses
        }
        push_back(&mut self.played, samples);
    }
}

/// Keeps the latest samples.
fn push_back(kept: &mut [f32], samples: &[f32]) {
    let new = samples.len().min(kept.len());
    kept.copy_within(new.., 0);
    let old = kept.len() - new;
    kept[old..].copy_from_slice(&samples[samples.len() - new..]);
}

/// How much of the new there is at a place in a blend.
pub(super) fn share(at: usize) -> f32 {
    #[expect(clippy::cast_precision_loss, reason = "below 120")]
    let share = (at as f32 + 0.5) / BLEND as f32;
    share.min(1.0)
}

/// How loud made-up sound is after so many samples of it.
fn loudness(made_up: usize) -> f32 {
    #[expect(clippy::cast_precision_loss, reason = "below 4,800")]
    let loudness = 1.0 - made_up.saturating_sub(HELD) as f32 / (FADED - HELD) as f32;
    loudness.max(0.0)
}

fn from_big_endian(bytes: &[u8], samples: &mut [f32]) -> usize {
    let pairs = bytes.chunks_exact(2);
    let count = pairs.len().min(samples.len());
    for (sample, two) in samples.iter_mut().zip(pairs) {
        *sample = f32::from(i16::from_be_bytes([two[0], two[1]])) / 32_768.0;
    }
    count
}

/// The past backwards, forwards, backwards: whatever it is, there is no step in it.
fn mirror(past: &[f32; LONGEST_GUESS], from: usize, guess: &mut [f32]) {
    for (at, sample) in guess.iter_mut().enumerate() {
        let place = (from + at) % (2 * LONGEST_GUESS);
        let back = if place < LONGEST_GUESS { place } else { 2 * LONGEST_GUESS - 1 - place };
        *sample = past[LONGEST_GUESS - 1 - back];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The largest step of a 200 Hz sine at 0.5 is 0.0131.
    fn steepest(samples: &[f32]) -> f32 {
        samples.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max)
    }

    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "small numbers")]
    fn l16(from: usize, count: usize) -> Vec<u8> {
        let sine = (from..from + count).map(|n| (n as f32 * 200.0 / 48_000.0 * std::f32::consts::TAU).sin());
        sine.flat_map(|sample| ((sample * 16_384.0) as i16).to_be_bytes()).collect()
    }

    fn played(voice: &mut Voice) -> Vec<f32> {
        let mut out = vec![0.0; voice.ready()];
        voice.play(&mut out);
        out
    }

    #[test]
    fn uncompressed_sound_fades_in_is_made_up_without_a_step_and_fades_out() {
        let mut voice = Voice::new().unwrap();
        let mut sound = Vec::new();
        for frame in 0..4 {
            voice.decode(Payload::L16, &l16(frame * 480, 480), 0).unwrap();
            sound.extend(played(&mut voice));
        }
        for _ in 0..50 {
            voice.make_up(100);
            sound.extend(played(&mut voice));
        }
        assert_eq!(sound.len(), 4 * 480 + 50 * 100);
        assert!(steepest(&sound) < 0.02, "{}", steepest(&sound));
        assert!(sound[1_920..4_800].iter().any(|s| s.abs() > 0.4));
        assert!(sound[1_920 + FADED..].iter().all(|s| *s == 0.0));
    }

    #[test]
    fn what_does_not_follow_is_blended() {
        let mut voice = Voice::new().unwrap();
        let mut sound = Vec::new();
        for (at, frame) in [0, 1, 2, 4, 9].into_iter().enumerate() {
            if at == 3 {
                voice.decode(Payload::L16, &l16(3 * 300, 300), 0).unwrap();
                voice.replace_ready(); // frame 3 is dropped
            } else if at == 4 {
                voice.expect_other();
            }
            voice.decode(Payload::L16, &l16(frame * 300, 300), if at == 4 { 60 } else { 0 }).unwrap();
            sound.extend(played(&mut voice));
        }
        assert_eq!(sound.len(), 5 * 300 - 60);
        assert!(steepest(&sound) < 0.03, "{}", steepest(&sound));
    }

    #[test]
    fn known_silence_fades_within_a_blend() {
        let mut voice = Voice::new().unwrap();
        voice.decode(Payload::L16, &l16(0, 480), 0).unwrap();
        let mut sound = played(&mut voice);
        voice.silence(240);
        sound.extend(played(&mut voice));
        assert!(steepest(&sound) < 0.02 && sound[480 + BLEND..].iter().all(|s| *s == 0.0));
    }
}
