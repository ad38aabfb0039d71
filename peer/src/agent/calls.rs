//! The table of legs. What people do to calls is in `calling.rs`, what signals do in `signals.rs`, what time does in
//! `expiry.rs`, what follows in `steps.rs`.

use std::net::SocketAddr;
use std::time::Instant;

use heapless::{HistoryBuf, Vec};
use vox_common::rate_limit::RateLimit;
use vox_common::seal::identity::Identity;
use vox_common::wire::coding::Coding;
use vox_common::wire::limits::MAX_LEGS;
use vox_common::wire::names::{DisplayName, Name};
use vox_common::wire::signal::{CallId, Class, Endings, Hello, Kind, MediaSealing};

use super::acquaintances::{Acquaintances, Shares};
use super::book::AddressBook;
use super::closed::ClosedCalls;
use super::cookie::CookieJar;
use super::dice::Dice;
use super::io::{Moment, Policy};
use super::known::KnownKeys;
use super::leg::Leg;
use super::outcome::Outcome;
use super::pace::Pace;
use super::stranger::ReplyClass;
use super::timer::earlier;
use crate::media::orders::{LegId, MediaOrder, Path};

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

/// What the table of legs wants done.
#[derive(Debug)]
pub enum CallOutput<'a> {
    /// Send this datagram.
    Signal(Path, &'a str),
    /// The same, unless other datagrams wait to be sent.
    SignalWhenIdle(Path, &'a str),
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
    /// Signals of senders who had proved nothing, beyond [`REPLIES_PER_SECOND`].
    pub unanswered: u64,
}

/// Answers in a second to senders who have proved nothing, of whom nobody is known. Beyond: none, and it is counted;
/// whoever meant it asks again.
pub const REPLIES_PER_SECOND: u32 = 100;

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
    pub(super) jars: Shares<CookieJar>,
    pub(super) paces: Shares<Pace>,
    /// Answers to senders who have proved nothing.
    replies: RateLimit,
    pub(super) acquaintances: Acquaintances,
    pub(super) counters: SignalCounters,
    /// Calls that were cancelled before their INVITE came. Beside the ended ones, which strangers must not flush;
    /// at the brim the oldest is forgotten, and its INVITE would ring until the caller is not heard.
    pub(super) withdrawn: Shares<HistoryBuf<Withdrawn, MAX_WITHDRAWN>>,
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
        let jars = Shares::new(|| CookieJar::new(dice.secret(), now));
        let paces = Shares::new(|| Pace::new(dice.secret()));
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
            jars,
            paces,
            replies: RateLimit::per_second(REPLIES_PER_SECOND),
            acquaintances: Acquaintances::default(),
            counters,
            withdrawn: Shares::new(HistoryBuf::new),
            next_place: 0,
            dice,
        }
    }

    /// All legs, in no order.
    pub fn legs(&self) -> &[Leg] {
        &self.legs
    }

    /// The one call of now; a second one is refused. Legs of other classes run beside it.
    pub fn current(&self) -> Option<&Leg> {
        self.active(Class::Call)
    }

    /// The leg of a class that is not on its way out.
    pub(super) fn active(&self, class: Class) -> Option<&Leg> {
        self.legs.iter().find(|leg| leg.class == class && leg.is_active())
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

    /// Valid sound came for a leg: it is alive, and that is as good as CONFIRM.
    pub fn media_heard(&mut self, now: Moment, place: LegId, out: CallOut<'_>) {
        if let Some(at) = self.legs.iter().position(|leg| leg.place == place) {
            self.legs[at].sounds(now.at);
            self.confirmed(at, out);
        }
    }

    /// Whether a sender who has proved nothing is answered.
    pub(super) fn reply_class(&mut self, now: Instant, remote: SocketAddr) -> ReplyClass {
        if self.is_acquainted(remote) {
            ReplyClass::Known
        } else if self.replies.admit(now) {
            ReplyClass::WhenIdle
        } else {
            self.counters.unanswered += 1;
            ReplyClass::None
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

    pub(super) fn hello(&self, leg: Option<&Leg>) -> Hello {
        Hello {
            from: self.me.name.clone(),
            kind: Kind::Voice,
            to: leg.filter(|leg| leg.outgoing).and_then(|leg| leg.to.clone()),
            display: self.me.display.clone(),
            sends: Some(self.me.sends),
            takes_red: true,
            media: self.me.media,
            after: leg.map_or_else(Endings::new, |leg| leg.after.clone()),
        }
    }
}
