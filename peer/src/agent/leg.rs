//! One leg of a call: who is at the other end, and how far it has come.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use heapless::{String as Text, Vec};
use vox_common::wire::keys::PublicKey;
use vox_common::wire::limits::CALLEE_BYTES;
use vox_common::wire::names::{DisplayName, Name};
use vox_common::wire::signal::{CallId, Class, Endings, Hello, MediaSealing};

use super::io::{ClientId, Moment};
use super::known::Verdict;
use super::outcome::Outcome;
use super::sealing::{MAX_ATTEMPTS, Seal};
use super::timer::{PATIENCE, RING_REPEAT, Resend, TALK_PATIENCE};
use super::whom::Whom;
use crate::media::orders::{Coding, LegId, Path};
use crate::media::srtp::keys::MediaKeys;
use crate::seal::handshake::Shaken;
use crate::seal::words::FourWords;

/// Addresses that are tried in turn while calling.
pub const MAX_CANDIDATES: usize = 4;

/// How far a leg has come.
#[derive(Debug, Clone)]
pub enum State {
    /// We invite; nothing has come back but RETRY.
    Calling {
        /// Until something comes back.
        resend: Resend,
        /// How many cookies we have followed.
        cookies: u8,
        /// Somebody there says that it has another key: believed when nobody answers who has the right one.
        wrong_key: bool,
    },
    /// It rings there.
    RingingThere(Ringing),
    /// We have given up before it was answered, and say so until somebody hears it.
    Cancelling {
        /// CANCEL is sent again.
        resend: Resend,
        /// How it will have ended.
        outcome: Outcome,
    },
    /// It rings here.
    RingingHere(Ringing),
    /// Both talk.
    Talking {
        /// ACCEPT is sent again until it is confirmed. `None`: it is.
        accept: Option<Resend>,
        /// Lost when nothing is heard until then.
        silent: Instant,
    },
}

/// Who takes a call at this end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// A person, who has begun it or answers it.
    ByHand,
    /// The operator's consent: nobody is asked.
    Automatically,
}

/// The clocks of a leg that rings.
#[derive(Debug, Clone)]
pub struct Ringing {
    /// The next INVITE or RINGING.
    pub repeat: Instant,
    /// Lost when nothing is heard until then.
    pub silent: Instant,
    /// Nobody answers any more.
    pub until: Instant,
}

/// One leg.
#[derive(Debug)]
pub struct Leg {
    /// The call, on the wire.
    pub id: CallId,
    /// Rules about a second leg with the same station look at this class alone.
    pub class: Class,
    /// Its place in the table and in the sound.
    pub place: LegId,
    /// What the user calls the other end: a name, or the host that was typed.
    pub who: Text<CALLEE_BYTES>,
    /// Whose key is remembered of the other end.
    pub whom: Whom,
    /// The name that was called, when it was called by name.
    pub to: Option<Name>,
    /// What the other end calls itself, for people.
    pub display: Option<DisplayName>,
    /// Both ends of its datagrams.
    pub path: Path,
    /// Where else the other end may be; the path is locked once something comes back.
    pub candidates: Vec<SocketAddr, MAX_CANDIDATES>,
    /// The key that the other end must have. `None`: whatever it says first is trusted.
    pub expects: Option<PublicKey>,
    /// What to think of the key that the other end has proved, once it has.
    pub verdict: Option<Verdict>,
    /// What its signals are sealed with.
    pub seal: Seal,
    /// Whether the other end seals its media, once it has said so.
    pub media: Option<MediaSealing>,
    /// Whether we called.
    pub outgoing: bool,
    /// Who takes the call here.
    pub taken: Taken,
    /// The control client that the call ends with.
    pub owner: Option<ClientId>,
    /// The owner only waits for the answer: the call does not end with it.
    pub detached: bool,
    /// The coding of what the other end sends. `None`: it has not said so, or it is not known here.
    pub hears: Option<Coding>,
    /// Whether the other end has said that it reads redundancy.
    pub takes_red: bool,
    /// Our own INVITE that this one won over.
    pub yields: Option<CallId>,
    /// Calls before this one whose ends the other side may have missed.
    pub after: Endings,
    /// When it began.
    pub begun: Moment,
    /// When it was answered.
    pub answered: Option<Instant>,
    /// How far it has come.
    pub state: State,
}

impl Leg {
    /// Whether a signal from there can belong to this leg.
    pub fn is_with(&self, from: SocketAddr) -> bool {
        self.path.remote == from || self.candidates.contains(&from)
    }

    /// A leg that is on its way out is no reason to be busy.
    pub fn is_active(&self) -> bool {
        !matches!(self.state, State::Cancelling { .. })
    }

    /// Whether we invite and nobody has answered yet.
    pub fn is_inviting(&self) -> bool {
        matches!(self.state, State::Calling { .. } | State::RingingThere(_))
    }

    /// Whether we have called and nobody has answered, though we may have given up already.
    pub fn is_own_attempt(&self) -> bool {
        self.outgoing && !self.is_talking()
    }

    /// Whether it waits for a person here.
    pub fn is_ringing_here(&self) -> bool {
        matches!(self.state, State::RingingHere(_))
    }

    /// Whether it was answered.
    pub fn is_talking(&self) -> bool {
        matches!(self.state, State::Talking { .. })
    }

    /// Whether a person here has called, or taken the call.
    pub fn is_by_hand(&self) -> bool {
        self.outgoing || self.is_talking() && self.taken == Taken::ByHand
    }

    /// Whether somebody whose key is not remembered waits for a person here: known callers and people here come first.
    pub fn gives_way(&self) -> bool {
        self.is_ringing_here() && !self.verdict.is_some_and(Verdict::is_known)
    }

    /// The word for its state, as `status` and `* CALL` show it.
    pub fn state_word(&self) -> &'static str {
        match self.state {
            State::Calling { .. } => "calling",
            State::RingingThere(_) => "ringing-there",
            State::RingingHere(_) => "ringing-here",
            State::Talking { .. } => "talking",
            State::Cancelling { .. } => "ending",
        }
    }

    /// The other end has answered from there: it stays there.
    pub fn lock(&mut self, path: Path) {
        self.path = path;
        self.candidates.clear();
    }

    /// The next address to try, in turn.
    pub fn next_candidate(&mut self) {
        let at = self.candidates.iter().position(|candidate| *candidate == self.path.remote);
        let next = at.map_or(0, |at| at + 1) % self.candidates.len().max(1);
        self.path.remote = self.candidates.get(next).copied().unwrap_or(self.path.remote);
    }

    /// Whether somebody plays games with cookies: no more of them are followed.
    pub fn has_followed_enough(&self) -> bool {
        matches!(self.state, State::Calling { cookies, .. } if usize::from(cookies) >= MAX_ATTEMPTS)
    }

    /// The key that the other end has proved to hold.
    pub fn key(&self) -> Option<&PublicKey> {
        self.seal.shaken().map(|shaken| &shaken.key)
    }

    /// What both ends can read to each other.
    pub fn words(&self) -> Option<FourWords> {
        self.seal.shaken().map(Shaken::words)
    }

    /// What its media is sealed with. `None`: both ends have said that it is not.
    pub fn media_keys(&self) -> Option<MediaKeys> {
        let shaken = self.seal.shaken().filter(|_| self.media != Some(MediaSealing::Off));
        shaken.map(|shaken| shaken.keys.media.clone())
    }

    /// ` display=<word>`, where the other end has a display name.
    pub fn display_word(&self) -> String {
        self.display.as_ref().map_or_else(String::new, |name| format!(" display={}", name.to_word()))
    }

    /// What the other end says of itself.
    pub fn introduce(&mut self, hello: &Hello) {
        self.hears = hello.sends;
        self.takes_red = hello.takes_red;
        self.media = Some(hello.media);
        self.display.clone_from(&hello.display);
        if self.to.is_none() {
            self.who = Text::try_from(hello.from.as_str()).expect("a name fits");
        }
    }

    /// A signal came from the other end. Somebody may have recorded it: a call that stands lives by its sound alone.
    pub fn heard(&mut self, now: Instant) {
        match &mut self.state {
            State::RingingThere(ringing) | State::RingingHere(ringing) => ringing.silent = now + PATIENCE,
            State::Calling { resend, .. } => resend.hope(now),
            // Who gives up has six seconds, whatever the other side says.
            State::Talking { .. } | State::Cancelling { .. } => {}
        }
    }

    /// Valid sound came from the other end.
    pub fn sounds(&mut self, now: Instant) {
        if let State::Talking { silent, .. } = &mut self.state {
            *silent = now + TALK_PATIENCE;
        }
    }

    /// When it must be looked at again.
    pub fn deadline(&self) -> Instant {
        match &self.state {
            State::Calling { resend, .. } | State::Cancelling { resend, .. } => resend.deadline(),
            State::RingingThere(ringing) | State::RingingHere(ringing) => ringing.deadline(),
            State::Talking { accept, silent } => {
                accept.as_ref().map_or(*silent, |accept| accept.deadline().min(*silent))
            }
        }
    }
}

impl Ringing {
    /// Begins to ring.
    pub fn begin(now: Instant, timeout: Duration) -> Self {
        Self { repeat: now + RING_REPEAT, silent: now + PATIENCE, until: now + timeout }
    }

    fn deadline(&self) -> Instant {
        self.repeat.min(self.silent).min(self.until)
    }
}
