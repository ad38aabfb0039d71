//! INVITE, as the callee sees it (docs/PROTOCOL.md, "Calls"): nothing is kept before its sender has shown that it receives
//! where it sends from, and nothing rings before it has proved its key.

use vox_common::wire::keys::PublicKey;
use vox_common::wire::signal::{CallId, Cookie, Endings, Hello, Reason, Say, Sealed, Signal};

use super::calls::{CallOut, CallOutput, Calls};
use super::io::Moment;
use super::known::Verdict;
use super::leg::{Leg, Ringing, State};
use super::outcome::Outcome;
use super::sealing::Seal;
use super::signals::{answer_no_longer, send_no_longer};
use super::steps::{send, send_accept, send_ringing};
use super::whom::Whom;
use crate::media::orders::{LegId, MediaOrder, Path};
use crate::seal::handshake::{Invitation, Unopened};

/// Somebody who wants to talk, and has proved who it is.
pub(super) struct Guest {
    id: CallId,
    path: Path,
    hello: Hello,
    seal: Seal,
    verdict: Verdict,
}

impl Guest {
    /// Its key, proved.
    pub(super) fn key(&self) -> Option<&PublicKey> {
        self.seal.shaken().map(|shaken| &shaken.key)
    }
}

impl Calls {
    /// An INVITE makes no state before its sender has shown that it receives where it sends from.
    pub(super) fn let_in_later(
        &mut self,
        now: Moment,
        id: CallId,
        path: Path,
        length: usize,
        out: CallOut<'_>,
    ) {
        self.counters.retried += 1;
        let cookie = self.jar.bake(now.at, path.remote, id);
        let retry = Signal::untagged(id, Say::Retry(cookie, *self.identity.public()));
        answer_no_longer(&retry, path, length, out);
    }

    /// An INVITE of `length` bytes, with a cookie and the first message of the handshake.
    pub(super) fn invited(
        &mut self,
        now: Moment,
        id: CallId,
        path: Path,
        (cookie, message): (&Cookie, &Sealed),
        length: usize,
        out: CallOut<'_>,
    ) {
        // What we have sealed for another may be thrown back at us by anybody: it says nothing.
        let own = self.identity.public();
        let is_ours = |leg: &Leg| {
            leg.id == id && leg.is_own_attempt() && leg.seal.is_of(message) && leg.seal.has_tried(own)
        };
        if let Some(at) = self.legs.iter().position(is_ours) {
            return self.end(now, at, Outcome::Myself, None, out);
        }
        if let Some(at) = self.leg_at(id, path.remote) {
            return self.invited_again(now, at, message, out);
        }
        if let Some(closed) = self.closed.find(id, path.remote) {
            let again = Say::Invite(cookie.clone(), message.clone());
            return closed.said(&again, &mut |path, datagram| send_no_longer(datagram, path, length, out));
        }
        if !self.jar.accepts(now.at, path.remote, id, cookie) {
            return self.let_in_later(now, id, path, length, out);
        }
        if self.jar.is_spent(now.at, path.remote, id) || !self.pace.allows(now.at, path.remote.ip()) {
            return self.counters.repeated += 1;
        }
        match Invitation::open(&self.identity, id, cookie, message, &self.dice.secret()) {
            Ok(invitation) => self.opened(now, (id, path), message, invitation, out),
            Err(Unopened::Malformed) => self.counters.malformed += 1,
            Err(Unopened::NotForUs) => {
                let wrong = Signal::untagged(id, Say::WrongKey(*self.identity.public()));
                answer_no_longer(&wrong, path, length, out);
            }
        }
    }

    fn invited_again(&mut self, now: Moment, at: usize, message: &Sealed, out: CallOut<'_>) {
        if self.legs[at].outgoing || !self.legs[at].seal.is_of(message) {
            return self.counters.forged += 1;
        }
        self.legs[at].heard(now.at);
        let leg = &self.legs[at];
        match leg.state {
            State::RingingHere(_) => send_ringing(leg, out),
            State::Talking { accept: Some(_), .. } => send_accept(leg, out),
            _ => {}
        }
    }

    /// The caller has proved its key. It is let in once with this cookie, whatever comes of it.
    fn opened(
        &mut self,
        now: Moment,
        (id, path): (CallId, Path),
        message: &Sealed,
        invitation: Invitation,
        out: CallOut<'_>,
    ) {
        self.jar.spend(now.at, path.remote, id);
        let hello = invitation.hello.clone();
        let verdict = self.judge(&Whom::peer(&hello.from), &hello.from, &invitation.key);
        let seal = Seal::of_callee(message.clone(), invitation, &self.hello(None));
        let guest = Guest { id, path, hello, seal, verdict };
        if self.has_withdrawn(&guest) {
            return self.let_go(now, &guest, out);
        }
        self.settle_before(now, &guest, out);
        self.admit(now, guest, out);
    }

    /// Whether a CANCEL of this caller was here first.
    fn has_withdrawn(&self, guest: &Guest) -> bool {
        self.withdrawn.iter().any(|cancel| {
            let said = Signal::parse(&cancel.datagram);
            (cancel.id, cancel.from) == (guest.id, guest.path.remote)
                && said.is_ok_and(|signal| guest.seal.tags().believe(&signal, &cancel.datagram))
        })
    }

    fn let_go(&mut self, now: Moment, guest: &Guest, out: CallOut<'_>) {
        let tags = guest.seal.tags();
        out(CallOutput::Signal(guest.path, &tags.write(guest.id, Say::ByeOk)));
        self.closed.remember(now.at, guest.id, guest.path, None, tags.clone());
    }

    /// The caller says how earlier calls ended, in case we have not heard it yet.
    fn settle_before(&mut self, now: Moment, guest: &Guest, out: CallOut<'_>) {
        for (id, reason) in &guest.hello.after {
            let told =
                |leg: &Leg| leg.id == *id && leg.is_with(guest.path.remote) && leg.key() == guest.key();
            if let Some(at) = self.legs.iter().position(told) {
                self.end(now, at, Outcome::of_after(*reason), None, out);
            }
        }
    }

    fn admit(&mut self, now: Moment, guest: Guest, out: CallOut<'_>) {
        if guest.hello.to.as_ref().is_some_and(|to| *to != self.me.name) {
            return self.turn_away(now, guest, Reason::NotHere, Outcome::NotHere, out);
        }
        if !guest.verdict.is_good() {
            return self.turn_away(now, guest, Reason::WrongKey, Outcome::WrongKey, out);
        }
        if guest.hello.media != self.me.media {
            return self.turn_away(now, guest, Reason::Unsupported, Outcome::Unsealed, out);
        }
        if let Some(at) = self.legs.iter().position(|leg| is_crossing(leg, &guest)) {
            return self.glare(now, at, guest, out);
        }
        let is_stale = |leg: &Leg| leg.key() == guest.key() && (leg.is_talking() || leg.is_ringing_here());
        if let Some(at) = self.legs.iter().position(is_stale) {
            self.end(now, at, Outcome::Lost, Some(Say::Bye(Reason::Lost, None)), out);
        }
        match self.objection(&guest) {
            Some(reason) => self.turn_away(now, guest, reason, Outcome::of_reject(reason), out),
            None => self.ring(now, guest, out),
        }
    }

    fn objection(&self, guest: &Guest) -> Option<Reason> {
        if !self.policy.allow.admits(&guest.hello.from, guest.verdict) {
            Some(Reason::NotAllowed)
        } else if self.current().is_some() || self.legs.is_full() {
            Some(Reason::Busy)
        } else if self.dnd {
            Some(Reason::Dnd)
        } else {
            None
        }
    }

    /// Both invite each other: the lower call-id stands, the other ends in silence, and they talk.
    fn glare(&mut self, now: Moment, at: usize, guest: Guest, out: CallOut<'_>) {
        let leg = &mut self.legs[at];
        let Guest { id, path, hello, seal, verdict } = guest;
        if leg.id < id {
            return self.closed.remember(now.at, id, path, None, seal.tags().clone());
        }
        let own = std::mem::replace(&mut leg.id, id);
        let before = std::mem::replace(&mut leg.seal, seal);
        self.closed.remember(now.at, own, leg.path, None, before.tags().clone());
        leg.yields = Some(own);
        leg.verdict = Some(verdict);
        leg.outgoing = false;
        leg.introduce(&hello);
        leg.lock(path);
        self.accept(now, at, out);
    }

    /// A call that is not let in: told to the caller until it is confirmed, and to the user. Its leg never has a
    /// place in the table.
    fn turn_away(&mut self, now: Moment, guest: Guest, reason: Reason, outcome: Outcome, out: CallOut<'_>) {
        let leg = self.incoming(now, LegId(u8::MAX), guest);
        let word = leg.seal.last_word(Say::Reject(reason, None));
        send(&leg, word.clone(), out);
        self.closed.remember(now.at, leg.id, leg.path, Some(word), leg.seal.tags().clone());
        out(CallOutput::Ended(&leg, outcome));
    }

    fn ring(&mut self, now: Moment, guest: Guest, out: CallOut<'_>) {
        let place = self.take_place().expect("the table was not full");
        let leg = self.incoming(now, place, guest);
        out(CallOutput::Changed(&leg));
        self.legs.push(leg).expect("the table was not full");
        let at = self.legs.len() - 1;
        if self.policy.auto_answer {
            return self.accept(now, at, out);
        }
        out(CallOutput::Media(MediaOrder::Ring(true)));
        send_ringing(&self.legs[at], out);
    }

    /// The leg of somebody who invites us, as it begins.
    fn incoming(&self, now: Moment, place: LegId, guest: Guest) -> Leg {
        let Guest { id, path, hello, seal, verdict } = guest;
        Leg {
            id,
            place,
            who: heapless::String::try_from(hello.from.as_str()).expect("a name fits"),
            whom: Whom::peer(&hello.from),
            to: None,
            verdict: Some(verdict),
            display: hello.display,
            path,
            candidates: heapless::Vec::new(),
            expects: seal.shaken().map(|shaken| shaken.key),
            seal,
            media: Some(hello.media),
            outgoing: false,
            owner: None,
            detached: false,
            hears: Some(hello.sends),
            takes_red: hello.takes_red,
            yields: None,
            after: Endings::new(),
            begun: now,
            answered: None,
            state: State::RingingHere(Ringing::begin(now.at, self.policy.ring_timeout)),
        }
    }
}

/// We are inviting each other: the same address, and the name and the key that we expect there, or that has rung there.
fn is_crossing(leg: &Leg, guest: &Guest) -> bool {
    let expected = leg.expects.as_ref().or(leg.key());
    let is_expected = expected.is_none_or(|expected| guest.key() == Some(expected));
    let is_named = leg.to.as_ref().is_none_or(|to| *to == guest.hello.from);
    leg.is_inviting() && leg.is_with(guest.path.remote) && is_expected && is_named
}
