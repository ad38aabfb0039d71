//! The registry has told us to slow down: nothing is asked for a second or two, then for longer.

use std::time::{Duration, Instant};

use heapless::Vec;

use super::pending::Errand;
use super::{Dice, LONGEST_PAUSE};

/// The first wait is between half of this and all of it.
const FIRST_WAIT: Duration = Duration::from_secs(2);

/// What waits, and until when.
#[derive(Debug)]
pub(super) struct Brake {
    until: Option<Instant>,
    wait: Duration,
    owed: Vec<Errand, 2>,
}

impl Default for Brake {
    fn default() -> Self {
        Self { until: None, wait: FIRST_WAIT, owed: Vec::new() }
    }
}

impl Brake {
    /// A request was refused in haste; an errand is run again later.
    pub(super) fn pull(&mut self, now: Instant, errand: Option<Errand>, dice: &mut Dice) {
        if let Some(errand) = errand.filter(|errand| !self.owed.contains(errand)) {
            self.owed.push(errand).expect("there is room for each of them");
        }
        if self.until.is_none() {
            self.until = Some(now + dice.jitter(self.wait));
            self.wait = (2 * self.wait).min(LONGEST_PAUSE);
        }
    }

    /// A request was served.
    pub(super) fn ease(&mut self) {
        if self.until.is_none() {
            self.wait = FIRST_WAIT;
        }
    }

    /// Nothing may be asked now.
    pub(super) fn is_on(&self) -> bool {
        self.until.is_some()
    }

    /// When to look again.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.until
    }

    /// What may be asked again now.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<Errand, 2> {
        match self.until.take_if(|until| *until <= now) {
            Some(_) => std::mem::take(&mut self.owed),
            None => Vec::new(),
        }
    }
}
