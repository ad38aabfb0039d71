//! What happened last, for those who look at the page.

use std::fmt::{self, Write};
use std::time::Instant;

use heapless::{HistoryBuf, String};

/// Events that are kept. At the brim the oldest is forgotten.
const EVENTS: usize = 32;

/// Bytes of one event; the rest of a longer one is left out.
const EVENT_BYTES: usize = 192;

/// One event and its time.
#[derive(Debug, Clone)]
pub(super) struct PastEvent {
    pub(super) happened: Instant,
    pub(super) text: String<EVENT_BYTES>,
}

/// The last events.
#[derive(Debug)]
pub(super) struct Events {
    last: HistoryBuf<PastEvent, EVENTS>,
    /// How many there were.
    added: u64,
}

impl Events {
    pub(super) const fn new() -> Self {
        Self { last: HistoryBuf::new(), added: 0 }
    }

    pub(super) fn add(&mut self, happened: Instant, event: &impl fmt::Display) {
        let mut text = Clipped(String::new());
        write!(text, "{event}").expect("what does not fit is left out");
        self.last.write(PastEvent { happened, text: text.0 });
        self.added += 1;
    }

    pub(super) fn added(&self) -> u64 {
        self.added
    }

    /// Oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &PastEvent> {
        self.last.oldest_ordered()
    }
}

/// A string that takes what fits.
struct Clipped(String<EVENT_BYTES>);

impl Write for Clipped {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let _ = text.chars().try_for_each(|character| self.0.push(character));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten_and_a_long_one_is_clipped() {
        let mut events = Events::new();
        let now = vox_common::sys::clock::now();
        (0..=EVENTS).for_each(|n| events.add(now, &format!("{n} {}", "é".repeat(EVENT_BYTES))));
        assert_eq!(events.iter().count(), EVENTS);
        let oldest = &events.iter().next().unwrap().text;
        assert!(oldest.starts_with("1 é") && oldest.len() >= EVENT_BYTES - 2);
    }
}
