//! Cards that are being closed, one after the other, each on a thread of its own: that may take seconds.

use std::thread::{Builder, JoinHandle};

use super::STACK_BYTES;
use crate::audio::Device;

/// The card that is being closed last, if one is.
#[derive(Default)]
pub(super) struct Closing(Option<JoinHandle<()>>);

impl Closing {
    /// Closes a card after those that are being closed already.
    pub(super) fn add(&mut self, device: Device) {
        let before = self.take();
        let work = move || {
            before.wait();
            device.close();
        };
        self.0 = Builder::new().name("close".into()).stack_size(STACK_BYTES).spawn(work).ok();
    }

    /// What is being closed, to be waited for elsewhere.
    pub(super) fn take(&mut self) -> Self {
        Self(self.0.take())
    }

    pub(super) fn wait(self) {
        if let Some(closing) = self.0 {
            let _ = closing.join();
        }
    }
}
