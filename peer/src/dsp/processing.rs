//! WebRTC's audio processing, as the crate `sonora` has it: AEC3, noise suppression, AGC2; full band, one channel.

use std::time::Duration;

use sonora::config::{
    AdaptiveDigital, EchoCanceller, GainController2, MaxProcessingRate, NoiseSuppression, Pipeline,
};
use sonora::{AudioProcessing, Config, StreamConfig};

use super::FRAME;
use super::low_cut::LowCut;
use super::tasks::Tasks;
use crate::audio::{RATE, span};

/// Samples by which bands and blocks of AEC3 delay the sound, and …
const ECHO_DELAY: usize = 430;

/// … those of noise suppression alone, and …
const NOISE_DELAY: usize = 334;

/// … both together: the split into bands is shared.
const BOTH_DELAY: usize = 718;

/// What is done to frame after frame. Allocates for each: not for threads that may not.
pub struct Processing {
    inner: AudioProcessing,
    delay: Duration,
    low_cut: Option<LowCut>,
}

impl Processing {
    /// `None`: nothing is to be done.
    pub fn new(tasks: Tasks) -> Option<Self> {
        let (rate, delay) = (StreamConfig::new(RATE, 1), span(delay(tasks)));
        let build = AudioProcessing::builder().config(config(tasks)).capture_config(rate).render_config(rate);
        let low_cut = tasks.echo_cancel.then(LowCut::default);
        (!tasks.is_none()).then(|| Self { inner: build.build(), delay, low_cut })
    }

    /// What the loudspeaker played while the frame was captured that is worked on next.
    pub fn hear(&mut self, played: &[f32; FRAME]) {
        let mut unused = [0.0; FRAME];
        // It fails for frames of another length only.
        let _ = self.inner.process_render_f32(&[played], &mut [&mut unused]);
    }

    /// Works on what was captured. The frame then holds what was captured [`delay`](Self::delay) before.
    pub fn work(&mut self, frame: &mut [f32; FRAME]) {
        self.low_cut.iter_mut().for_each(|low_cut| low_cut.work(frame));
        let captured = *frame;
        // The reference is aligned; how much later the echo comes is found out.
        let _ = self.inner.set_stream_delay_ms(0);
        let _ = self.inner.process_capture_f32(&[&captured], &mut [frame]);
    }

    /// How much later the sound leaves than it came, beside the wait for a whole frame.
    pub fn delay(&self) -> Duration {
        self.delay
    }
}

fn delay(tasks: Tasks) -> usize {
    match (tasks.echo_cancel, tasks.noise_suppress) {
        (true, true) => BOTH_DELAY,
        (true, false) => ECHO_DELAY,
        (false, true) => NOISE_DELAY,
        (false, false) => 0,
    }
}

fn config(tasks: Tasks) -> Config {
    let gain =
        GainController2 { adaptive_digital: Some(AdaptiveDigital::default()), ..GainController2::default() };
    // Its own high-pass takes much of what voices are: PESQ 3.6 instead of 4.6 where nothing is played. Ours does not.
    let echo = EchoCanceller { enforce_high_pass_filtering: false, ..EchoCanceller::default() };
    Config {
        pipeline: Pipeline {
            maximum_internal_processing_rate: MaxProcessingRate::Rate48kHz,
            multi_channel_render: false,
            multi_channel_capture: false,
            ..Pipeline::default()
        },
        echo_canceller: tasks.echo_cancel.then_some(echo),
        noise_suppression: tasks.noise_suppress.then(NoiseSuppression::default),
        gain_controller2: tasks.gain_control.then_some(gain),
        ..Config::default()
    }
}
