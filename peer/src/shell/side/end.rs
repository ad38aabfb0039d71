//! What a direction is, and how its devices are opened: a card, something without a clock, or what stands in for both.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::Thread;

use crate::audio::{self, Device, Needs};
use crate::config::{InputDevice, OutputDevice};
use crate::shell::captured::CaptureRing;
use crate::shell::playing::Loudspeaker;

/// An open device, or one sentence for people.
pub(super) type Answer = Result<Device, String>;

/// What a direction needs to be opened again and again.
#[derive(Clone)]
pub(crate) enum End {
    /// A microphone, and the thread that it wakes.
    In(InputDevice, CaptureRing, Option<Thread>),
    /// A loudspeaker.
    Out(OutputDevice, Loudspeaker),
}

impl End {
    pub(super) fn is_card(&self) -> bool {
        matches!(
            self,
            Self::In(InputDevice::Default | InputDevice::Named(_), ..)
                | Self::Out(OutputDevice::Default | OutputDevice::Named(_), _)
        )
    }

    pub(super) fn open_clocked(&self, needs: &Needs, ends: &Arc<AtomicBool>) -> Answer {
        match self {
            Self::In(input, ring, sender) => {
                audio::open_clocked_input(input, needs, ring.microphone(sender.clone(), Arc::clone(ends)))
            }
            Self::Out(output, loudspeaker) => {
                audio::open_clocked_output(output, needs, loudspeaker.speaker(Arc::clone(ends)))
            }
        }
    }

    pub(super) fn stand_in(&self, needs: &Needs, ends: &Arc<AtomicBool>) -> Answer {
        match self {
            Self::In(_, ring, sender) => {
                let microphone = ring.stand_in(sender.clone(), Arc::clone(ends));
                audio::open_clocked_input(&InputDevice::Silence, needs, microphone)
            }
            Self::Out(_, loudspeaker) => {
                let speaker = loudspeaker.stand_in(Arc::clone(ends));
                audio::open_clocked_output(&OutputDevice::Null, needs, speaker)
            }
        }
    }

    pub(super) fn open_card(&self, needs: &Needs, ends: &Arc<AtomicBool>) -> Answer {
        match self {
            Self::In(input, ring, sender) => {
                let name = if let InputDevice::Named(name) = input { Some(name.as_str()) } else { None };
                audio::open_card_input(name, needs, || ring.microphone(sender.clone(), Arc::clone(ends)))
            }
            Self::Out(output, loudspeaker) => {
                let name = if let OutputDevice::Named(name) = output { Some(name.as_str()) } else { None };
                audio::open_card_output(name, needs, || loudspeaker.speaker(Arc::clone(ends)))
            }
        }
    }
}
