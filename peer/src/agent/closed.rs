//! Ended calls: the last word is repeated until it is confirmed, and the call-id is remembered for a minute.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use heapless::Vec;
use vox_common::wire::signal::{CallId, Reason, Say, Signal};

use super::sealing::Tags;
use super::timer::{Due, Resend, earlier};
use crate::media::orders::Path;

/// A call-id is remembered this long, so that what arrives late does not ring.
const MEMORY: Duration = Duration::from_secs(60);

/// Ended calls in memory. When all places are taken, the oldest with a stranger is forgotten, and the oldest of all where
/// there is none.
const MAX_CLOSED: usize = 64;

/// One ended call.
#[derive(Debug, Clone)]
pub struct Closed {
    id: CallId,
    path: Path,
    /// REJECT, CANCEL or BYE of ours. `None`: there was nothing to say.
    word: Option<Say>,
    /// Until it is confirmed.
    resend: Option<Resend>,
    forget: Instant,
    tags: Tags,
    /// The other end was called by us, or has a remembered key.
    with_known: bool,
}

/// A call that has just ended.
#[derive(Debug)]
pub struct Ended {
    /// The call.
    pub id: CallId,
    /// Both ends of its datagrams.
    pub path: Path,
    /// Our last word, which has just been sent.
    pub word: Option<Say>,
    /// What its signals are tagged with.
    pub tags: Tags,
    /// The other end was called by us, or has a remembered key.
    pub with_known: bool,
}

/// All ended calls that are still in memory, oldest first.
#[derive(Debug, Default)]
pub struct ClosedCalls(Vec<Closed, MAX_CLOSED>);

impl ClosedCalls {
    /// Remembers an ended call whose last word (if any) has just been sent.
    pub fn remember(&mut self, now: Instant, ended: Ended) {
        if self.0.is_full() {
            self.0.remove(self.0.iter().position(|closed| !closed.with_known).unwrap_or(0));
        }
        let Ended { id, path, word, tags, with_known } = ended;
        let resend = word.is_some().then(|| Resend::after(now));
        let closed = Closed { id, path, word, resend, forget: now + MEMORY, tags, with_known };
        self.0.push(closed).expect("room was made");
    }

    /// The ended call with that id, as far as the sender took part in it.
    pub fn find(&mut self, id: CallId, from: SocketAddr) -> Option<&mut Closed> {
        self.0.iter_mut().find(|closed| closed.id == id && closed.path.remote == from)
    }

    /// What a new INVITE to the same station says of calls whose last words are not confirmed yet, the latest first.
    pub fn unsaid(&self, remote: SocketAddr) -> impl Iterator<Item = (CallId, Reason)> {
        let unsaid = move |closed: &&Closed| closed.path.remote == remote && closed.resend.is_some();
        self.0.iter().rev().filter(unsaid).filter_map(|closed| match closed.word {
            Some(Say::Reject(reason, _) | Say::Cancel(reason) | Say::Bye(reason, _)) => {
                Some((closed.id, reason))
            }
            _ => None,
        })
    }

    /// Repeats the last words that are due, and forgets what is old.
    pub fn expire(&mut self, now: Instant, out: &mut dyn FnMut(Path, &str)) {
        self.0.retain(|closed| now < closed.forget);
        for closed in &mut self.0 {
            match closed.resend.as_mut().map(|resend| resend.due(now)) {
                Some(Due::Again) => closed.repeat(out),
                Some(Due::GiveUp) => closed.confirmed(),
                Some(Due::Wait) | None => {}
            }
        }
    }

    /// When to look again.
    pub fn deadline(&self) -> Option<Instant> {
        let due = |closed: &Closed| closed.resend.map_or(closed.forget, |resend| resend.deadline());
        self.0.iter().map(due).fold(None, |soonest, due| earlier(soonest, Some(due)))
    }
}

impl Closed {
    /// Whether the other end of the call has said this.
    pub fn believe(&self, signal: &Signal, datagram: &[u8]) -> bool {
        self.tags.believe(signal, datagram)
    }

    /// Answers what comes for an ended call. While our last word is not confirmed, repeating it is the answer.
    pub fn said(&mut self, say: &Say, out: &mut dyn FnMut(Path, &str)) {
        match say {
            // A CONFIRM of our ACCEPT may come after our BYE, and says nothing of it.
            Say::Confirm if !matches!(self.word, Some(Say::Reject(..))) => {}
            Say::Confirm | Say::ByeOk => self.confirmed(),
            Say::Bye(..) => {
                self.confirmed();
                self.answer(Say::ByeOk, out);
            }
            Say::Reject(..) => {
                self.confirmed();
                self.answer(Say::Confirm, out);
            }
            Say::Cancel(_) if self.resend.is_none() => self.answer(Say::ByeOk, out),
            Say::Cancel(_) | Say::Invite(..) | Say::Ringing(_) | Say::Accept(..) => self.repeat(out),
            Say::Knock | Say::Retry(..) | Say::WrongKey(_) => {}
        }
    }

    fn confirmed(&mut self) {
        self.resend = None;
    }

    /// Our last word again, while it is not confirmed.
    pub fn repeat(&self, out: &mut dyn FnMut(Path, &str)) {
        if let (Some(word), Some(_)) = (&self.word, self.resend) {
            self.answer(word.clone(), out);
        }
    }

    fn answer(&self, say: Say, out: &mut dyn FnMut(Path, &str)) {
        out(self.path, &self.tags.write(self.id, say));
    }
}
