//! A WAV file as a microphone: read, mixed down and resampled ahead of time by a thread `file`.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use hound::{SampleFormat, WavReader};
use rtrb::{Consumer, Producer, RingBuffer};
use vox_common::sys::thread::spawn;

use super::RATE;
use super::resample::Resampled;

/// Samples read ahead: half a second.
const AHEAD: usize = 24_000;

/// How often the thread looks for room.
const ROUND: Duration = Duration::from_millis(100);

type Sound = Box<dyn Iterator<Item = f32> + Send>;

/// The thread that reads. Dropping it ends it.
pub(super) struct Reader {
    stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Reader {
    /// Opens the file and reads its beginning, so that the sound is there when the first sample is asked for.
    pub(super) fn open(path: &Path) -> Result<(Self, Consumer<f32>), String> {
        let mut sound = sound(path).map_err(|why| format!("cannot play {}: {why}", path.display()))?;
        let (mut ring, samples) = RingBuffer::new(AHEAD);
        fill(&mut sound, &mut ring);
        let stopping = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&stopping);
        let thread = spawn("file", move || run(sound, ring, &stop)).map_err(|error| error.to_string())?;
        Ok((Self { stopping, thread: Some(thread) }, samples))
    }
}

fn run(mut sound: Sound, mut ring: Producer<f32>, stop: &AtomicBool) {
    while !stop.load(Ordering::Acquire) && fill(&mut sound, &mut ring) {
        thread::park_timeout(ROUND);
    }
}

/// `false`: the sound has ended.
fn fill(sound: &mut Sound, ring: &mut Producer<f32>) -> bool {
    while ring.slots() > 0 {
        let Some(sample) = sound.next() else { return false };
        let _ = ring.push(sample);
    }
    true
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

fn sound(path: &Path) -> Result<Sound, String> {
    let file = WavReader::open(path).map_err(|error| error.to_string())?;
    let rate = file.spec().sample_rate;
    let mono = mono(file)?;
    if rate == RATE {
        return Ok(mono);
    }
    let resampled = Resampled::new(mono, rate).ok_or_else(|| format!("{rate} Hz is no rate"))?;
    Ok(Box::new(resampled))
}

fn mono(file: WavReader<BufReader<File>>) -> Result<Sound, String> {
    let spec = file.spec();
    let channels = usize::from(spec.channels).max(1);
    match (spec.sample_format, spec.bits_per_sample) {
        (SampleFormat::Float, 32) => Ok(mixed(file.into_samples::<f32>().map_while(Result::ok), channels)),
        (SampleFormat::Int, bits @ 1..=32) => {
            let scale = (-f32::from(bits - 1)).exp2();
            #[expect(
                clippy::cast_precision_loss,
                reason = "the 24 bits of an f32 are more than anybody hears"
            )]
            let samples =
                file.into_samples::<i32>().map_while(Result::ok).map(move |sample| sample as f32 * scale);
            Ok(mixed(samples, channels))
        }
        (_, bits) => Err(format!("samples of {bits} bits are not understood")),
    }
}

fn mixed(mut samples: impl Iterator<Item = f32> + Send + 'static, channels: usize) -> Sound {
    #[expect(clippy::cast_precision_loss, reason = "few channels")]
    let share = 1.0 / channels as f32;
    Box::new(std::iter::from_fn(move || {
        let first = samples.next()?;
        Some(share * (first + samples.by_ref().take(channels - 1).sum::<f32>()))
    }))
}
