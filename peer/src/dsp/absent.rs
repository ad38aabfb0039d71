//! Stands in for `processing` in a build without the feature `dsp`: there is nothing that could be switched on.

use std::time::Duration;

use super::FRAME;
use super::tasks::Tasks;

/// Nobody has one.
pub enum Processing {}

impl Processing {
    /// There is none.
    pub fn new(_: Tasks) -> Option<Self> {
        None
    }

    /// Never called.
    pub fn hear(&mut self, _: &[f32; FRAME]) {
        match *self {}
    }

    /// Never called.
    pub fn work(&mut self, _: &mut [f32; FRAME]) {
        match *self {}
    }

    /// Never called.
    pub fn delay(&self) -> Duration {
        match *self {}
    }
}
