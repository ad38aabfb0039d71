//! The table of legs, and what people do to calls. Signals are in `signals.rs`, time in `expiry.rs`, what follows in `steps.rs`.

use std::net::SocketAddr;
use std::time::Instant;

use heapless::{HistoryBuf, String as Text, Vec};
use vox_common::seal::identity::Identity;
use vox_common::wire::coding::Coding;
use vox_common::wire::keys::PublicKey;
use vox_common::wire::limits::{DISPLAY_BYTES, MAX_LEGS};
use vox_common::wire::names::{DisplayName, Name};
use vox_common::wire::signal::{CallId, Endings, Hello, MediaSealing, Reason};

use super::book::AddressBook;
use super::closed::ClosedCalls;
use super::cookie::CookieJar;
use super::dice::Dice;
use super::io::{ClientId, Moment, Policy};
use super::known::KnownKeys;
use super::leg::{Leg, MAX_CANDIDATES, State};
use super::outcome::Outcome;
use super::pace::Pace;
use super::sealing::Seal;
use super::timer::{Resend, earlier};
use super::whom::Whom;
use crate::media::orders::{LegId, MediaOrder, Path};
use crate::seal::tag::TagKey;

/// Who this station is to others.
#[derive(Debug, Clone)]
pub struct Me {
    /// Its name.
    pub name: Name,
    /// What people see instead.
    pub display: Option<DisplayName>,
    /// What it sends.
    pub sends: Coding,
    /// Whether it seals its media.
    pub media: MediaSealing,
}

/// Somebody to call.
#[derive(Debug, Clone)]
pub struct Callee {
    /// What the user calls them.
    pub who: Text<DISPLAY_BYTES>,
    /// Whose key is remembered of them.
    pub whom: Whom,
    /// The name, when it was called by name.
    pub to: Option<Name>,
    /// Where they may be, best first; at least one.
    pub candidates: Vec<SocketAddr, MAX_CANDIDATES>,
    /// The key that they are known by. `None`: not known, the first one is trusted.
    pub key: Option<PublicKey>,
}

/// Who asks for a call, and whether it ends with them.
#[derive(Debug, Clone, Copy)]
pub struct Caller {
    /// The control client.
    pub client: ClientId,
    /// The call goes on without the client.
    pub detached: bool,
}

/// What the table of legs wants done.
#[derive(Debug)]
pub enum CallOutput<'a> {
    /// Send this datagram.
    Signal(Path, &'a str),
    /// An order to the sound.
    Media(MediaOrder),
    /// A leg has come to another state.
    Changed(&'a Leg),
    /// Another key is remembered.
    Learned(&'a KnownKeys),
    /// A leg has ended and is no longer in the table.
    Ended(&'a Leg, Outcome),
}

/// Where the table puts what it wants done.
pub type CallOut<'a> = &'a mut dyn FnMut(CallOutput<'_>);

/// Signals that were dropped, by reason.
#[derive(Debug, Default, Clone, Copy)]
pub struct SignalCounters {
    /// Signals taken in.
    pub received: u64,
    /// Datagrams that are no signal.
    pub malformed: u64,
    /// INVITEs that were answered with RETRY.
    pub retried: u64,
    /// Signals for calls that nobody knows.
    pub unknown: u64,
    /// Signals that the other end of the call has not said.
    pub forged: u64,
    /// INVITEs that were let in before, and those that came too fast.
    pub repeated: u64,
}

/// Withdrawn calls in memory.
const MAX_WITHDRAWN: usize = 16;

/// A CANCEL with all its words.
const CANCEL_BYTES: usize = 128;

/// All calls of this station.
pub struct Calls {
    pub(super) me: Me,
    pub(super) policy: Policy,
    /// The keys of those who were talked to.
    pub(super) known: KnownKeys,
    /// Where people are, and by which keys the registry lists them.
    pub(super) book: AddressBook,
    pub(super) dnd: bool,
    pub(super) legs: Vec<Leg, MAX_LEGS>,
    pub(super) closed: ClosedCalls,
    pub(super) identity: Identity,
    pub(super) jar: CookieJar,
    pub(super) pace: Pace,
    pub(super) counters: SignalCounters,
    /// Calls that were cancelled before their INVITE came. Beside the ended ones, which strangers must not flush;
    /// at the brim the oldest is forgotten, and its INVITE would ring until the caller is not heard.
    pub(super) withdrawn: HistoryBuf<Withdrawn, MAX_WITHDRAWN>,
    /// Where the next leg gets its place: late news of a leg that has ended must not be taken for another's.
    next_place: u8,
    pub(super) dice: Dice,
}

/// A CANCEL of a call that is not known yet: whether it is believed is decided when its INVITE comes.
#[derive(Debug, Clone)]
pub(super) struct Withdrawn {
    pub(super) id: CallId,
    pub(super) from: SocketAddr,
    pub(super) datagram: Vec<u8, CANCEL_BYTES>,
}

impl Calls {
    /// No calls yet.
    pub fn new(
        me: Me,
        identity: Identity,
        policy: Policy,
        known: KnownKeys,
        book: AddressBook,
        mut dice: Dice,
        now: Instant,
    ) -> Self {
        let jar = CookieJar::new(dice.secret(), now);
        let pace = Pace::new(dice.secret());
        let counters = SignalCounters::default();
        Self {
            me,
            policy,
            known,
            book,
            dnd: false,
            legs: Vec::new(),
            closed: ClosedCalls::default(),
            identity,
            jar,
            pace,
            counters,
            withdrawn: HistoryBuf::new(),
            next_place: 0,
            dice,
        }
    }

    /// All legs, in no order.
    pub fn legs(&self) -> &[Leg] {
        &self.legs
    }

    /// The one call of now; a second one is refused.
    pub fn current(&self) -> Option<&Leg> {
        self.legs.iter().find(|leg| leg.is_active())
    }

    /// What became of the signals that came.
    pub fn counters(&self) -> SignalCounters {
        self.counters
    }

    /// Who this station is.
    pub fn me(&self) -> &Me {
        &self.me
    }

    /// Another policy holds for what comes.
    pub fn set_policy(&mut self, policy: Policy) {
        self.policy = policy;
    }

    /// Whether callers are told not to disturb.
    pub fn set_dnd(&mut self, dnd: bool) {
        self.dnd = dnd;
    }

    /// Begins to call: the first INVITE is due at once. `None`: there is a call already, or no address to call.
    pub fn place(&mut self, now: Moment, callee: Callee, asker: Caller) -> Option<&Leg> {
        let remote = *callee.candidates.first()?;
        if self.current().is_some() {
            return None;
        }
        let place = self.take_place()?;
        let leg = Leg {
            id: self.dice.call_id(),
            place,
            who: callee.who,
            whom: callee.whom,
            to: callee.to,
            verdict: None,
            display: None,
            path: Path { remote, local: None },
            candidates: callee.candidates,
            expects: callee.key,
            seal: Seal::of_caller(TagKey::new(*self.dice.secret())),
            media: None,
            outgoing: true,
            owner: Some(asker.client),
            detached: asker.detached,
            hears: None,
            takes_red: false,
            yields: None,
            after: self.unsaid(remote),
            begun: now,
            answered: None,
            state: State::Calling { resend: Resend::at_once(now.at), cookies: 0, wrong_key: false },
        };
        self.legs.push(leg).expect("a place was free");
        self.legs.last()
    }

    /// The user takes the call that rings. `false`: none does.
    pub fn answer(&mut self, now: Moment, out: CallOut<'_>) -> bool {
        let ringing = self.legs.iter().position(Leg::is_ringing_here);
        ringing.map(|at| self.accept(now, at, out)).is_some()
    }

    /// The user refuses the call that rings. `false`: none does.
    pub fn reject(&mut self, now: Moment, out: CallOut<'_>) -> bool {
        let ringing = self.legs.iter().position(Leg::is_ringing_here);
        ringing.map(|at| self.refuse_leg(now, at, Reason::Declined, out)).is_some()
    }

    /// The user ends the current call, whatever it is doing. `false`: there is none.
    pub fn hangup(&mut self, now: Moment, out: CallOut<'_>) -> bool {
        let current = self.legs.iter().position(Leg::is_active);
        current.map(|at| self.hangup_leg(now, at, out)).is_some()
    }

    /// A control client is gone, and with it the calls that it did not detach from.
    pub fn client_gone(&mut self, now: Moment, client: ClientId, out: CallOut<'_>) {
        let owned = |leg: &Leg| leg.owner == Some(client);
        while let Some(at) = self.legs.iter().position(owned) {
            self.legs[at].owner = None;
            if !self.legs[at].detached {
                self.hangup_leg(now, at, out);
            }
        }
    }

    /// The daemon ends: everybody is told once, and nobody is waited for.
    pub fn stop(&mut self, now: Moment, out: CallOut<'_>) {
        while self.hangup(now, out) {}
        while let Some(State::Cancelling { outcome, .. }) = self.legs.first().map(|leg| &leg.state) {
            self.end(now, 0, *outcome, None, out);
        }
    }

    /// Valid sound came for a leg: it is alive, and that is as good as CONFIRM.
    pub fn media_heard(&mut self, now: Moment, place: LegId, out: CallOut<'_>) {
        if let Some(at) = self.legs.iter().position(|leg| leg.place == place) {
            self.legs[at].sounds(now.at);
            self.confirmed(at, out);
        }
    }

    /// When time itself must be told to the table.
    pub fn deadline(&self) -> Option<Instant> {
        let legs = self.legs.iter().map(Leg::deadline).min();
        earlier(legs, self.closed.deadline())
    }

    /// A place in the sound that no leg has, and none has had for as long as possible.
    pub(super) fn take_place(&mut self) -> Option<LegId> {
        let taken = |place: &u8| self.legs.iter().any(|leg| leg.place.0 == *place);
        let places = (0..).take(MAX_LEGS).cycle().skip(self.next_place.into()).take(MAX_LEGS);
        let place = places.into_iter().find(|place| !taken(place))?;
        self.next_place = place + 1;
        Some(LegId(place))
    }

    /// What a new INVITE must say of earlier calls whose ends may not have been heard, the latest first.
    fn unsaid(&self, remote: SocketAddr) -> Endings {
        let leaving = self.legs.iter().filter(|leg| !leg.is_active() && leg.is_with(remote));
        let leaving = leaving.map(|leg| (leg.id, Reason::Cancelled));
        self.closed.unsaid(remote).chain(leaving).take(Endings::new().capacity()).collect()
    }

    pub(super) fn hello(&self, leg: Option<&Leg>) -> Hello {
        Hello {
            from: self.me.name.clone(),
            to: leg.filter(|leg| leg.outgoing).and_then(|leg| leg.to.clone()),
            display: self.me.display.clone(),
            sends: self.me.sends,
            takes_red: true,
            media: self.me.media,
            after: leg.map_or_else(Endings::new, |leg| leg.after.clone()),
        }
    }
}
