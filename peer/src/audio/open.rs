//! Opening a device, of whatever kind, and holding it open.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use vox_common::sys::clock;

use super::beat::Beat;
use super::reader::Reader;
use super::writer::{Writer, rounded};
use super::{Asked, BLOCK, Health, Microphone, Speaker, card};
use crate::config::{InputDevice, OutputDevice, Period};
use crate::media::orders::ThreadGrant;
use crate::media::tones::Tone;

/// No longer period is asked of a card of ours: 5 ms. It is waited for in the microphone, and twice in the loudspeaker.
const LONGEST_OF_OURS: usize = 240;

/// What every device is asked for.
#[derive(Clone)]
pub struct Needs {
    /// Samples in one packet: the pace of devices without a clock, and the longest period of cards where nothing else is
    /// asked for.
    pub frame: usize,
    /// The period of cards.
    pub period: Period,
    /// SCHED_FIFO priority of the device's thread; 0: an ordinary thread.
    pub priority: u8,
    /// Takes what the kernel granted, and wakes whoever looks after devices. Neither waits nor allocates.
    pub tell: Arc<dyn Fn(Option<ThreadGrant>) + Send + Sync>,
}

/// An open device. [`Device::close`] stops it and waits for its threads; so does dropping it.
pub struct Device {
    _running: Running,
    /// How it fares.
    pub health: Arc<Health>,
    /// What was opened, in one sentence for people.
    pub sentence: String,
}

#[expect(dead_code, reason = "held to be dropped, in this order")]
enum Running {
    Card(cpal::Stream),
    Clocked(Beat),
    Reading(Beat, Reader),
    Writing(Beat, Writer),
}

impl Device {
    /// Closes it, while no other card is being opened or closed.
    pub fn close(self) {
        let _alone = card::alone();
        drop(self);
    }
}

impl Needs {
    pub(super) fn report(&self, grant: ThreadGrant) {
        (self.tell)(Some(grant));
    }

    /// Wakes whoever looks after devices.
    pub fn wake(&self) {
        (self.tell)(None);
    }

    /// The same, of a card of this name: one that is named is ours alone, and gives us shorter periods than what may be
    /// a desktop's sound server.
    pub(super) fn of(&self, name: Option<&str>) -> Self {
        let longest = if name.is_some() { LONGEST_OF_OURS } else { usize::MAX };
        Self { frame: self.frame.min(longest), ..self.clone() }
    }

    pub(super) fn takes_any_period(&self) -> bool {
        self.period == Period::Auto
    }

    /// A pace that the scratch of every callee is large enough for.
    fn pace(&self) -> usize {
        self.frame.clamp(1, BLOCK)
    }
}

/// Opens a card for capture. May take seconds; `microphone` is called once for each attempt.
///
/// # Errors
/// One sentence for people: no such device, taken, or not able.
pub fn open_card_input(
    name: Option<&str>,
    needs: &Needs,
    microphone: impl Fn() -> Microphone,
) -> Result<Device, String> {
    let health = Arc::<Health>::default();
    let _alone = card::alone();
    let (stream, sentence) = card::input(name, needs, &health, microphone)?;
    Ok(Device { _running: Running::Card(stream), health, sentence })
}

/// Opens a card for playback. May take seconds; `speaker` is called once for each attempt.
///
/// # Errors
/// As [`open_card_input`].
pub fn open_card_output(
    name: Option<&str>,
    needs: &Needs,
    speaker: impl Fn() -> Speaker,
) -> Result<Device, String> {
    let health = Arc::<Health>::default();
    let _alone = card::alone();
    let (stream, sentence) = card::output(name, needs, &health, speaker)?;
    Ok(Device { _running: Running::Card(stream), health, sentence })
}

/// Opens an input that is no card, or silence in the place of one.
///
/// # Errors
/// The file cannot be read, or there is no room for a thread.
pub fn open_clocked_input(
    input: &InputDevice,
    needs: &Needs,
    mut microphone: Microphone,
) -> Result<Device, String> {
    match input {
        InputDevice::File(path) => read(path, needs, microphone),
        InputDevice::Tone(hertz) => {
            let mut tone = Tone::new(*hertz, TONE_PEAK);
            clocked(needs, format!("a tone of {hertz} Hz"), move |due, samples| {
                tone.fill(samples);
                microphone(due, samples);
            })
        }
        _ => clocked(needs, "silence".into(), move |due, samples| {
            samples.fill(0.0);
            microphone(due, samples);
        }),
    }
}

/// Opens an output that is no card, or nowhere in the place of one.
///
/// # Errors
/// The file cannot be written, or there is no room for a thread.
pub fn open_clocked_output(
    output: &OutputDevice,
    needs: &Needs,
    mut speaker: Speaker,
) -> Result<Device, String> {
    match output {
        OutputDevice::File(path) => write(path, needs, speaker),
        _ => clocked(needs, "nowhere".into(), move |_, samples| speaker(Asked::at(clock::now()), samples)),
    }
}

/// Half of full scale: loud, and far from the edge.
const TONE_PEAK: f32 = 0.5;

fn clocked(
    needs: &Needs,
    sentence: String,
    work: impl FnMut(Instant, &mut [f32]) + Send + 'static,
) -> Result<Device, String> {
    let health = Arc::<Health>::default();
    let beat = beat("clock", needs, &health, work)?;
    Ok(Device { _running: Running::Clocked(beat), health, sentence })
}

fn read(path: &Path, needs: &Needs, mut microphone: Microphone) -> Result<Device, String> {
    let (reader, mut ring) = Reader::open(path)?;
    let health = Arc::<Health>::default();
    let beat = beat("capture", needs, &health, move |due, samples| {
        samples.fill_with(|| ring.pop().unwrap_or(0.0));
        microphone(due, samples);
    })?;
    Ok(Device {
        _running: Running::Reading(beat, reader),
        health,
        sentence: format!("plays {}", path.display()),
    })
}

fn write(path: &Path, needs: &Needs, mut speaker: Speaker) -> Result<Device, String> {
    let (writer, mut ring) = Writer::create(path)?;
    let health = Arc::<Health>::default();
    let of_file = Arc::clone(&health);
    let beat = beat("playback", needs, &health, move |_, samples| {
        speaker(Asked::at(clock::now()), samples);
        for &mut sample in samples {
            let _ = ring.push(rounded(sample));
        }
        if ring.is_abandoned() {
            of_file.stop("the recording has stopped, the log says why");
        }
    })?;
    Ok(Device {
        _running: Running::Writing(beat, writer),
        health,
        sentence: format!("records to {}", path.display()),
    })
}

fn beat(
    what: &'static str,
    needs: &Needs,
    health: &Arc<Health>,
    mut work: impl FnMut(Instant, &mut [f32]) + Send + 'static,
) -> Result<Beat, String> {
    let (pace, health, tell) = (needs.pace(), Arc::clone(health), needs.clone());
    let mut block = [0.0; BLOCK];
    let beat = Beat::start(
        what,
        pace,
        needs.priority,
        move |grant| tell.report(grant),
        move |due| {
            health.called();
            work(due, &mut block[..pace]);
        },
    );
    beat.map_err(|error: io::Error| format!("no room for a thread: {error}"))
}

#[cfg(test)]
mod tests;
