//! How the page sees the registry: it asks the owner, who answers when it comes to it.

use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::Duration;

use vox_common::sys::clock;

use crate::page::Snapshot;
use crate::shell::mail::Mail;

/// How long the owner may take to say what there is to see. Longer: `503`.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(super) struct Sight {
    owner: SyncSender<Mail>,
    /// What was seen since the last [`Sight::forget`].
    seen: Option<Snapshot>,
}

impl Sight {
    pub(super) fn new(owner: SyncSender<Mail>) -> Self {
        Self { owner, seen: None }
    }

    /// What there is to see, asked once for all who are answered at the same time. `None`: there was no answer.
    pub(super) fn look(&mut self) -> Option<&Snapshot> {
        if self.seen.is_none() {
            self.seen = self.ask();
        }
        self.seen.as_ref()
    }

    /// Gives the memory back: what was seen may be large, and the next look far away.
    pub(super) fn forget(&mut self) {
        self.seen = None;
    }

    fn ask(&self) -> Option<Snapshot> {
        let (answer, overview) = sync_channel(1);
        self.owner.send(Mail::Look(answer)).ok()?;
        let overview = overview.recv_timeout(PATIENCE).ok()?;
        Some(Snapshot { overview, taken: clock::since_1970(clock::wall()) })
    }
}
