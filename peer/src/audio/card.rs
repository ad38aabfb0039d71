//! A sound card through cpal: any rate, any sample format, as few channels as it has.
//!
//! What cpal wants one to know: a stream does not start by itself; the slice may be shorter or longer than the
//! period asked for; an error other than an xrun is reported for ever, as fast as the thread can.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use cpal::traits::{DeviceTrait, StreamTrait};
use cpal::{BufferSize, Data, ErrorKind, Stream};
use vox_common::sys::clock;

use super::duty::{Duty, complain};
use super::find::{find, id};
use super::open::Needs;
use super::rate::{FromCard, ToCard};
use super::shape::Shape;
use super::trouble::why;
use super::{Asked, BLOCK, Health, Microphone, RATE, Speaker, format, span};
use crate::media::orders::Direction;
use crate::rt;

/// So many periods are asked for at once before the card starts (cpal keeps two in it). They are silence: there is
/// nothing yet that would not be missing when the third is asked for.
const FILLING: u64 = 2;

/// A longer period is filled in several pieces. In our samples.
const LONGEST_PIECE: usize = 4_096;

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
    let device = find(name, Direction::Out)?;
    let offers = device.supported_output_configs().map_err(|error| says(&device, &why(&error)))?;
    let shape = Shape::pick(offers, &needs.of(name)).ok_or_else(|| says(&device, NOTHING))?;
    start(&device, needs, shape, |shape| play(&device, shape, needs, health, speaker()))
}

/// Opens and starts a card for capture; the sentence says what it does. `microphone` is called for each attempt.
pub(super) fn input(
    name: Option<&str>,
    needs: &Needs,
    health: &Arc<Health>,
    microphone: impl Fn() -> Microphone,
) -> Answer<(Stream, String)> {
    let device = find(name, Direction::In)?;
    let offers = device.supported_input_configs().map_err(|error| says(&device, &why(&error)))?;
    let shape = Shape::pick(offers, &needs.of(name)).ok_or_else(|| says(&device, NOTHING))?;
    start(&device, needs, shape, |shape| capture(&device, shape, needs, health, microphone()))
}

const NOTHING: &str = "it has no rate and sample format that can be converted; its name with plughw: instead of hw: may convert";

fn says(device: &cpal::Device, why: &str) -> String {
    format!("{} cannot be opened: {why}", id(device))
}

/// Builds and starts the stream; where no period was asked for, another may do for one that the card does not take.
fn start(
    device: &cpal::Device,
    needs: &Needs,
    shape: Shape,
    build: impl Fn(Shape) -> Result<Stream, cpal::Error>,
) -> Answer<(Stream, String)> {
    let mut stream = build(shape);
    let (mut asked, mut others) = (shape, shape.with_other_periods().filter(|_| needs.takes_any_period()));
    while is_another_better(&stream, asked)
        && let Some(other) = others.next()
    {
        drop(stream);
        (stream, asked) = (build(other), other);
    }
    let stream = stream.map_err(|error| says(device, &why(&error)))?;
    stream.play().map_err(|error| says(device, &why(&error)))?;
    let period = stream.buffer_size().unwrap_or(0);
    let (name, Shape { rate, channels, format, .. }) = (id(device), shape);
    Ok((stream, format!("{name} opened at {rate} Hz, {channels} channel(s) of {format}, period {period}")))
}

/// Whether a card has refused a period, or has taken one that is more than twice as long: libasound calls both "near".
fn is_another_better(stream: &Result<Stream, cpal::Error>, asked: Shape) -> bool {
    match (stream, asked.buffer) {
        (Err(error), _) => error.kind() == ErrorKind::UnsupportedConfig,
        (Ok(stream), BufferSize::Fixed(frames)) => {
            stream.buffer_size().is_ok_and(|period| period > 2 * frames)
        }
        (Ok(_), BufferSize::Default) => false,
    }
}

fn play(
    device: &cpal::Device,
    shape: Shape,
    needs: &Needs,
    health: &Arc<Health>,
    speaker: Speaker,
) -> Result<Stream, cpal::Error> {
    let mut playback = Playback::new(shape, speaker);
    let mut duty = Duty::new("playback", needs, health);
    let callback = move |data: &mut Data, info: &cpal::OutputCallbackInfo| {
        let frames = data.len() / playback.channels;
        if duty.begin() >= FILLING {
            let _audio = rt::on_the_audio_path();
            playback.fill(asked(clock::now(), info.timestamp()), data, frames);
        }
        duty.end(shape.samples(frames));
    };
    device.build_output_stream_raw(shape.config(), shape.format, callback, complain(health, needs), None)
}

/// What the card holds already is heard first.
fn asked(now: Instant, stamp: cpal::OutputStreamTimestamp) -> Asked {
    Asked { now, heard: now + stamp.playback.duration_since(stamp.callback) }
}

/// From a speaker to a card.
struct Playback {
    channels: usize,
    mono: Vec<f32>,
    /// Where the card has another rate.
    rate: Option<ToCard>,
    speaker: Speaker,
}

impl Playback {
    fn new(shape: Shape, speaker: Speaker) -> Self {
        let piece = shape.frames(LONGEST_PIECE);
        let rate = (shape.rate != RATE).then(|| ToCard::new(shape.rate, piece));
        Self { channels: usize::from(shape.channels), mono: vec![0.0; piece], rate, speaker }
    }

    fn fill(&mut self, mut asked: Asked, data: &mut Data, frames: usize) {
        if let Some(rate) = &self.rate {
            asked.heard += rate.delay();
        }
        for from in (0..frames).step_by(self.mono.len()) {
            let piece = self.mono.len().min(frames - from);
            let mono = &mut self.mono[..piece];
            let mut speaker = |ours: &mut [f32]| {
                (self.speaker)(asked, ours);
                asked = asked.after(ours.len());
            };
            match &mut self.rate {
                Some(rate) => rate.fill(mono, speaker),
                None => speaker(mono),
            }
            format::write(mono, data, from, self.channels);
        }
    }
}

fn capture(
    device: &cpal::Device,
    shape: Shape,
    needs: &Needs,
    health: &Arc<Health>,
    microphone: Microphone,
) -> Result<Stream, cpal::Error> {
    let mut capture = Capture::new(shape, microphone);
    let mut duty = Duty::new("capture", needs, health);
    let callback = move |data: &Data, info: &cpal::InputCallbackInfo| {
        let frames = data.len() / capture.channels;
        duty.begin();
        {
            let _audio = rt::on_the_audio_path();
            capture.take(before(clock::now(), info.timestamp()), data, frames);
        }
        duty.end(shape.samples(frames));
    };
    device.build_input_stream_raw(shape.config(), shape.format, callback, complain(health, needs), None)
}

fn before(now: Instant, stamp: cpal::InputStreamTimestamp) -> Instant {
    now.checked_sub(stamp.callback.duration_since(stamp.capture)).unwrap_or(now)
}

/// From a card to a microphone.
struct Capture {
    channels: usize,
    mono: Vec<f32>,
    /// Where the card has another rate.
    rate: Option<FromCard>,
    microphone: Microphone,
}

impl Capture {
    fn new(shape: Shape, microphone: Microphone) -> Self {
        let piece = shape.frames(BLOCK);
        let rate = (shape.rate != RATE).then(|| FromCard::new(shape.rate, piece));
        Self { channels: usize::from(shape.channels), mono: vec![0.0; piece], rate, microphone }
    }

    /// The first frame was captured at `captured`.
    fn take(&mut self, mut captured: Instant, data: &Data, frames: usize) {
        if let Some(rate) = &self.rate {
            captured = captured.checked_sub(rate.delay()).unwrap_or(captured);
        }
        for from in (0..frames).step_by(self.mono.len()) {
            let piece = self.mono.len().min(frames - from);
            let mono = &mut self.mono[..piece];
            format::read(data, from, self.channels, mono);
            let ours = match &mut self.rate {
                Some(rate) => rate.take(mono),
                None => mono,
            };
            for block in ours.chunks(BLOCK) {
                (self.microphone)(captured, block);
                captured += span(block.len());
            }
        }
    }
}
