//! A WAV file as a loudspeaker: 48 kHz, mono, 16 bits, written by a thread `file`.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use hound::{SampleFormat, WavSpec, WavWriter};
use rtrb::{Consumer, Producer, RingBuffer};
use vox_common::sys::thread::spawn;

use super::RATE;

/// Samples that may wait for a slow disk: one second. More are lost.
const BEHIND: usize = 48_000;

/// How often the file is brought up to date: it can be played at any time, and lacks at most this much.
const ROUND: Duration = Duration::from_millis(100);

const SPEC: WavSpec =
    WavSpec { channels: 1, sample_rate: RATE, bits_per_sample: 16, sample_format: SampleFormat::Int };

type Wav = WavWriter<BufWriter<File>>;

/// The thread that writes. Dropping it writes everything that was given, and completes the file.
pub(super) struct Writer {
    stopping: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Begins the file anew.
    pub(super) fn create(path: &Path) -> Result<(Self, Producer<i16>), String> {
        let says = |why: String| format!("cannot record to {}: {why}", path.display());
        let mut file = WavWriter::create(path, SPEC).map_err(|error| says(error.to_string()))?;
        file.flush().map_err(|error| says(error.to_string()))?;
        let (samples, ring) = RingBuffer::new(BEHIND);
        let stopping = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&stopping);
        let work = move || complain(run(file, ring, &stop));
        let thread = spawn("file", work).map_err(|error| says(error.to_string()))?;
        Ok((Self { stopping, thread: Some(thread) }, samples))
    }
}

fn run(mut file: Wav, mut ring: Consumer<i16>, stop: &AtomicBool) -> hound::Result<()> {
    loop {
        // Asked before the last look into the ring: what was given before the end is written.
        let last = stop.load(Ordering::Acquire);
        while let Ok(sample) = ring.pop() {
            file.write_sample(sample)?;
        }
        if last {
            return file.finalize();
        }
        file.flush()?;
        thread::park_timeout(ROUND);
    }
}

fn complain(written: hound::Result<()>) {
    if let Err(error) = written {
        log::warn!("the recording of this call stops here: {error}");
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

/// A sample as the file holds it.
pub(super) fn rounded(sample: f32) -> i16 {
    #[expect(clippy::cast_possible_truncation, reason = "a cast of a float saturates")]
    let whole = (sample * 32_768.0).round() as i16;
    whole
}
