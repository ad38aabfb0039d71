//! A sound card through cpal: 48 kHz, as few channels as it has, any of three sample formats.
//!
//! What cpal wants one to know: a stream does not start by itself; the slice may be shorter or longer than the
//! period asked for; an error other than an xrun is reported for ever, as fast as the thread can.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{
    BufferSize, DeviceId, ErrorKind, FromSample, HostId, Sample, SampleFormat, SizedSample, Stream,
    StreamConfig, SupportedStreamConfigRange,
};
use vox_common::sys::clock;

use super::format::{mix_down, spread};
use super::open::Needs;
use super::{Asked, BLOCK, Health, Microphone, RATE, Speaker, span};
use crate::rt;

/// A card that reports an error again and again is slowed down to this until somebody closes it.
const BETWEEN_ERRORS: Duration = Duration::from_millis(20);

/// So many periods are asked for at once before the card starts (cpal keeps two in it). They are silence: there is
/// nothing yet that would not be missing when the third is asked for.
const FILLING: u64 = 2;

/// A longer period is filled in several pieces.
const LONGEST_PERIOD: usize = 4_096;

/// How a card is asked to work.
#[derive(Clone, Copy)]
struct Shape {
    channels: u16,
    format: SampleFormat,
    buffer: BufferSize,
}

type Answer<T> = Result<T, String>;

/// Plugins of libasound do not survive being opened or closed twice at a time: libjack's clients then hang. Only the
/// short-lived threads that open and close cards wait here.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Keeps every other card from being opened or closed.
pub(super) fn alone() -> MutexGuard<'static, ()> {
    ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Opens and starts a card for playback; the sentence says what it does. `speaker` is called for each attempt.
pub(super) fn output(
    name: Option<&str>,
    needs: &Needs,
    health: &Arc<Health>,
    speaker: impl Fn() -> Speaker,
) -> Answer<(Stream, String)> {
    let device = find(name)?;
    let shape = pick(device.supported_output_configs(), needs).map_err(|why| says(&device, &why))?;
    start(&device, needs, shape, |shape| match shape.format {
        SampleFormat::I16 => play::<i16>(&device, shape, needs, health, speaker()),
        SampleFormat::I32 => play::<i32>(&device, shape, needs, health, speaker()),
        _ => play::<f32>(&device, shape, needs, health, speaker()),
    })
}

/// Opens and starts a card for capture; the sentence says what it does. `microphone` is called for each attempt.
pub(super) fn input(
    name: Option<&str>,
    needs: &Needs,
    health: &Arc<Health>,
    microphone: impl Fn() -> Microphone,
) -> Answer<(Stream, String)> {
    let device = find(name)?;
    let shape = pick(device.supported_input_configs(), needs).map_err(|why| says(&device, &why))?;
    start(&device, needs, shape, |shape| match shape.format {
        SampleFormat::I16 => capture::<i16>(&device, shape, needs, health, microphone()),
        SampleFormat::I32 => capture::<i32>(&device, shape, needs, health, microphone()),
        _ => capture::<f32>(&device, shape, needs, health, microphone()),
    })
}

fn find(name: Option<&str>) -> Answer<cpal::Device> {
    let host = cpal::host_from_id(HostId::Alsa).map_err(|error| error.to_string())?;
    let found = match name {
        None => host.default_output_device(),
        Some(name) => host.device_by_id(&DeviceId::new(HostId::Alsa, name)),
    };
    found.ok_or_else(|| format!("no such sound device: {}", name.unwrap_or("default")))
}

fn says(device: &cpal::Device, why: &str) -> String {
    let name = device.id().map(|id| id.id().to_owned()).unwrap_or_default();
    format!("{name} cannot be opened: {}", why.trim_end_matches('.'))
}

/// The best of what the card offers at 48 kHz: one channel before two before more, and no more bits than needed.
fn pick(
    offers: Result<impl Iterator<Item = SupportedStreamConfigRange>, cpal::Error>,
    needs: &Needs,
) -> Answer<Shape> {
    let fits = |offer: &SupportedStreamConfigRange| {
        (offer.min_sample_rate()..=offer.max_sample_rate()).contains(&RATE)
    };
    let rank = |format| {
        [SampleFormat::F32, SampleFormat::I32, SampleFormat::I16].iter().position(|&one| one == format)
    };
    let ranked = |offer: SupportedStreamConfigRange| {
        Some((offer.channels(), rank(offer.sample_format())?, offer.sample_format()))
    };
    let offers = offers.map_err(|error| error.to_string())?;
    let (channels, _, format) =
        offers.filter(fits).filter_map(ranked).min_by_key(|&(channels, rank, _)| (channels, rank)).ok_or(
            "it has no 48000 Hz with 16 or 32 bits; its name with plughw: instead of hw: may convert",
        )?;
    Ok(Shape { channels, format, buffer: BufferSize::Fixed(needs.period()) })
}

/// Builds and starts the stream; where no period was asked for, one that the card does not take may be its own.
fn start(
    device: &cpal::Device,
    needs: &Needs,
    shape: Shape,
    build: impl Fn(Shape) -> Result<Stream, cpal::Error>,
) -> Answer<(Stream, String)> {
    let own = Shape { buffer: BufferSize::Default, ..shape };
    let stream = match build(shape) {
        Err(error) if needs.takes_any_period() && error.kind() == ErrorKind::UnsupportedConfig => build(own),
        answer => answer,
    };
    let stream = stream.map_err(|error| says(device, &error.to_string()))?;
    stream.play().map_err(|error| says(device, &error.to_string()))?;
    let period = stream.buffer_size().unwrap_or(0);
    let name = device.id().map(|id| id.id().to_owned()).unwrap_or_default();
    let Shape { channels, format, .. } = shape;
    Ok((stream, format!("{name} opened at {RATE} Hz, {channels} channel(s) of {format}, period {period}")))
}

impl Shape {
    fn config(self) -> StreamConfig {
        StreamConfig { channels: self.channels, sample_rate: RATE, buffer_size: self.buffer }
    }
}

fn play<T: SizedSample + FromSample<f32>>(
    device: &cpal::Device,
    shape: Shape,
    needs: &Needs,
    health: &Arc<Health>,
    mut speaker: Speaker,
) -> Result<Stream, cpal::Error> {
    let channels = usize::from(shape.channels);
    let mut thread = CardThread::new("playback", needs, health);
    let mut mono = Box::new([0.0; LONGEST_PERIOD]);
    let callback = move |samples: &mut [T], info: &cpal::OutputCallbackInfo| {
        if thread.called() < FILLING {
            return;
        }
        let mut asked = asked(clock::now(), info.timestamp());
        for frames in samples.chunks_mut(LONGEST_PERIOD * channels) {
            let mono = &mut mono[..frames.len() / channels];
            speaker(asked, mono);
            spread(mono, channels, frames);
            asked = asked.after(mono.len());
        }
    };
    device.build_output_stream(shape.config(), callback, complain(health, needs), None)
}

fn capture<T: SizedSample + Sample>(
    device: &cpal::Device,
    shape: Shape,
    needs: &Needs,
    health: &Arc<Health>,
    mut microphone: Microphone,
) -> Result<Stream, cpal::Error>
where
    f32: FromSample<T>,
{
    let channels = usize::from(shape.channels);
    let mut thread = CardThread::new("capture", needs, health);
    let mut mono = [0.0; BLOCK];
    let callback = move |samples: &[T], info: &cpal::InputCallbackInfo| {
        thread.called();
        let mut captured = before(clock::now(), info.timestamp());
        for frames in samples.chunks(BLOCK * channels) {
            let mono = &mut mono[..frames.len() / channels];
            mix_down(frames, channels, mono);
            microphone(captured, mono);
            captured += span(mono.len());
        }
    };
    device.build_input_stream(shape.config(), callback, complain(health, needs), None)
}

fn before(now: Instant, stamp: cpal::InputStreamTimestamp) -> Instant {
    now.checked_sub(stamp.callback.duration_since(stamp.capture)).unwrap_or(now)
}

/// What the card holds already is heard first.
fn asked(now: Instant, stamp: cpal::OutputStreamTimestamp) -> Asked {
    Asked { now, heard: now + stamp.playback.duration_since(stamp.callback) }
}

/// What a callback does besides its work.
struct CardThread {
    name: &'static str,
    calls: u64,
    needs: Needs,
    health: Arc<Health>,
}

impl CardThread {
    fn new(name: &'static str, needs: &Needs, health: &Arc<Health>) -> Self {
        Self { name, calls: 0, needs: needs.clone(), health: Arc::clone(health) }
    }

    /// cpal owns the thread: the first callback is the first chance to be on it. Tells how often it was called before.
    fn called(&mut self) -> u64 {
        let before = self.calls;
        self.calls += 1;
        if before == 0 {
            self.needs.report(rt::schedule(self.name, self.needs.priority));
            rt::flush_denormals();
        }
        self.health.called();
        before
    }
}

/// Counts xruns, which cpal mends; anything else means that the stream must be opened again, by another thread.
fn complain(health: &Arc<Health>, needs: &Needs) -> impl FnMut(cpal::Error) + Send + 'static {
    let (health, needs) = (Arc::clone(health), needs.clone());
    move |error| match error.kind() {
        ErrorKind::Xrun => health.ran_dry(),
        ErrorKind::RealtimeDenied | ErrorKind::DeviceChanged => (),
        _ => {
            health.fail(|| error.to_string());
            needs.wake();
            thread::park_timeout(BETWEEN_ERRORS);
        }
    }
}
