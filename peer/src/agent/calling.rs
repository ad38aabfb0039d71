//! What people do to calls: begin one, take or refuse the one that rings, end it.

use std::net::SocketAddr;

use heapless::{String as Text, Vec};
use vox_common::wire::keys::PublicKey;
use vox_common::wire::limits::CALLEE_BYTES;
use vox_common::wire::names::{DisplayName, Name};
use vox_common::wire::signal::{Class, Endings, Reason};

use super::calls::{CallOut, Calls};
use super::io::{ClientId, Moment};
use super::leg::{Leg, MAX_CANDIDATES, State, Taken};
use super::sealing::Seal;
use super::timer::Resend;
use super::whom::Whom;
use crate::media::orders::Path;
use crate::seal::tag::TagKey;

/// Somebody to call.
#[derive(Debug, Clone)]
pub struct Callee {
    /// What the user calls them.
    pub who: Text<CALLEE_BYTES>,
    /// Whose key is remembered of them.
    pub whom: Whom,
    /// The name, when it was called by name.
    pub to: Option<Name>,
    /// The display name that the registry lists, until the callee introduces itself.
    pub display: Option<DisplayName>,
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

impl Calls {
    /// Begins to call: the first INVITE is due at once. `None`: there is a call already, the callee rings here, or there is no
    /// address to call.
    pub fn place(&mut self, now: Moment, callee: Callee, asker: Caller, out: CallOut<'_>) -> Option<&Leg> {
        let remote = *callee.candidates.first()?;
        if !self.legs.iter().any(|leg| leg.is_ringing_here() && callee.candidates.contains(&leg.path.remote))
        {
            self.displace(now, Class::Call, out);
        }
        if self.current().is_some() {
            return None;
        }
        let place = self.take_place()?;
        let leg = Leg {
            id: self.dice.call_id(),
            class: Class::Call,
            place,
            who: callee.who,
            whom: callee.whom,
            to: callee.to,
            verdict: None,
            display: callee.display,
            path: Path { remote, local: None },
            candidates: callee.candidates,
            expects: callee.key,
            seal: Seal::of_caller(TagKey::new(*self.dice.secret())),
            media: None,
            outgoing: true,
            taken: Taken::ByHand,
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

    /// Whether nobody can be called now.
    pub fn is_taken(&self) -> bool {
        self.current().is_some_and(|leg| !leg.gives_way())
    }

    /// An unanswered caller whose key is not remembered hears that we are busy, and makes room.
    pub(super) fn displace(&mut self, now: Moment, class: Class, out: CallOut<'_>) {
        if let Some(at) = self.legs.iter().position(|leg| leg.class == class && leg.gives_way()) {
            self.refuse_leg(now, at, Reason::Busy, out);
        }
    }

    /// The user takes the call that rings. `None`: none does.
    pub fn answer(&mut self, now: Moment, out: CallOut<'_>) -> Option<&Leg> {
        let at = self.legs.iter().position(Leg::is_ringing_here)?;
        self.accept(now, at, out);
        self.legs.get(at)
    }

    /// The user refuses the call that rings. `false`: none does.
    pub fn reject(&mut self, now: Moment, out: CallOut<'_>) -> bool {
        let ringing = self.legs.iter().position(Leg::is_ringing_here);
        ringing.map(|at| self.refuse_leg(now, at, Reason::Declined, out)).is_some()
    }

    /// The user ends the current call, whatever it is doing. `false`: there is none.
    pub fn hangup(&mut self, now: Moment, out: CallOut<'_>) -> bool {
        let current = self.legs.iter().position(|leg| leg.class == Class::Call && leg.is_active());
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
        while let Some(at) = self.legs.iter().position(Leg::is_active) {
            self.hangup_leg(now, at, out);
        }
        while let Some(State::Cancelling { outcome, .. }) = self.legs.first().map(|leg| &leg.state) {
            self.end(now, 0, *outcome, None, out);
        }
    }

    /// What a new INVITE must say of earlier calls whose ends may not have been heard, the latest first.
    fn unsaid(&self, remote: SocketAddr) -> Endings {
        let leaving = self.legs.iter().filter(|leg| !leg.is_active() && leg.is_with(remote));
        let leaving = leaving.map(|leg| (leg.id, Reason::Cancelled));
        self.closed.unsaid(remote).chain(leaving).take(Endings::new().capacity()).collect()
    }
}
