//! What signals do to calls (docs/PROTOCOL.md, "Calls").

use std::net::SocketAddr;

use vox_common::wire::signal::{CallId, Cookie, Hello, Reason, Say, Signal};

use super::calls::{CallOut, CallOutput, Calls, send};
use super::io::Moment;
use super::leg::{Leg, Ringing, State};
use super::outcome::Outcome;
use super::timer::Resend;
use crate::media::orders::{LegId, MediaOrder, Path};

/// Different cookies that a caller accepts for one call: the callee changes its secret every two minutes, and
/// may be restarted. More than these are somebody's game.
const MAX_COOKIES: u8 = 8;

/// An INVITE with a good cookie.
struct Invitation {
    id: CallId,
    path: Path,
    hello: Hello,
}

impl Calls {
    /// Takes one datagram that begins like a signal.
    pub fn datagram(&mut self, now: Moment, path: Path, bytes: &[u8], out: CallOut<'_>) {
        let Ok(signal) = Signal::parse(bytes) else {
            self.counters.malformed += 1;
            return;
        };
        self.counters.received += 1;
        match signal.say {
            Say::Invite(cookie, hello) => {
                let invitation = Invitation { id: signal.id, path, hello };
                self.knock(now, &invitation, cookie.as_ref(), bytes.len(), out);
            }
            say => match self.leg_at(signal.id, path.remote) {
                Some(at) => self.said(now, at, path, say, out),
                None => self.said_of_no_leg(&Signal { id: signal.id, say }, path, bytes.len(), out),
            },
        }
    }

    /// The network says that nobody listens there.
    pub fn unreachable(&mut self, now: Moment, remote: SocketAddr, out: CallOut<'_>) {
        let tried = |leg: &Leg| leg.is_own_attempt() && leg.is_with(remote);
        if let Some(at) = self.legs.iter().position(tried) {
            self.give_up_candidate(now, at, remote, out);
        }
    }

    /// Drops one address of a leg, and with the last one the leg.
    fn give_up_candidate(&mut self, now: Moment, at: usize, remote: SocketAddr, out: CallOut<'_>) {
        let leg = &mut self.legs[at];
        leg.candidates.retain(|candidate| *candidate != remote);
        let outcome = match (&leg.state, leg.candidates.first()) {
            (State::Calling { .. }, Some(next)) => {
                leg.path.remote = *next;
                return self.invite(&self.legs[at], out);
            }
            (State::Calling { .. }, None) => Outcome::Unreachable,
            (State::Cancelling { outcome, .. }, _) => *outcome,
            // It has rung there: whoever it was is gone.
            _ => Outcome::Lost,
        };
        self.end(now, at, outcome, None, out);
    }

    fn leg_at(&self, id: CallId, from: SocketAddr) -> Option<usize> {
        self.legs.iter().position(|leg| leg.id == id && leg.is_with(from))
    }

    /// An INVITE makes no state before its sender has shown that it receives where it sends from.
    fn knock(
        &mut self,
        now: Moment,
        invitation: &Invitation,
        cookie: Option<&Cookie>,
        length: usize,
        out: CallOut<'_>,
    ) {
        let Invitation { id, path, .. } = *invitation;
        if cookie.is_some_and(|cookie| self.jar.accepts(now.at, path.remote, id, cookie)) {
            return self.invited(now, invitation, out);
        }
        self.counters.retried += 1;
        let retry = Signal { id, say: Say::Retry(self.jar.bake(now.at, path.remote, id)) };
        answer_no_longer(&retry, path, length, out);
    }

    fn invited(&mut self, now: Moment, invitation: &Invitation, out: CallOut<'_>) {
        let Invitation { id, path, hello } = invitation;
        if let Some(at) = self.legs.iter().position(|leg| leg.id == *id && leg.is_own_attempt()) {
            return self.end(now, at, Outcome::Myself, None, out);
        }
        if let Some(at) = self.leg_at(*id, path.remote) {
            return self.invited_again(now, at, out);
        }
        if let Some(closed) = self.closed.find(*id, path.remote) {
            return closed.said(&Say::Invite(None, hello.clone()), &mut |path, signal| {
                out(CallOutput::Signal(path, signal));
            });
        }
        if self.withdrawn.contains(&(*id, path.remote)) {
            return;
        }
        self.settle_before(now, invitation, out);
        self.admit(now, invitation, out);
    }

    fn invited_again(&mut self, now: Moment, at: usize, out: CallOut<'_>) {
        self.legs[at].heard(now.at);
        let leg = &self.legs[at];
        match leg.state {
            State::RingingHere(_) => send(leg, Say::Ringing(self.hello(None)), out),
            State::Talking { accept: Some(_), .. } => self.send_accept(leg, out),
            _ => {}
        }
    }

    /// The caller says how an earlier call ended, in case we have not heard it yet.
    fn settle_before(&mut self, now: Moment, invitation: &Invitation, out: CallOut<'_>) {
        if let Some((id, reason)) = invitation.hello.after
            && let Some(at) = self.leg_at(id, invitation.path.remote)
        {
            self.end(now, at, Outcome::of_after(reason), None, out);
        }
    }

    fn admit(&mut self, now: Moment, invitation: &Invitation, out: CallOut<'_>) {
        let remote = invitation.path.remote;
        if invitation.hello.to.as_ref().is_some_and(|to| *to != self.me.name) {
            return self.turn_away(now, invitation, Reason::NotHere, out);
        }
        if let Some(at) = self.legs.iter().position(|leg| leg.is_inviting() && leg.is_with(remote)) {
            return self.glare(now, at, invitation, out);
        }
        let stale = |leg: &Leg| leg.path.remote == remote && (leg.is_talking() || leg.is_ringing_here());
        if let Some(at) = self.legs.iter().position(stale) {
            self.end(now, at, Outcome::Lost, Some(Say::Bye(Reason::Lost)), out);
        }
        match self.objection() {
            Some(reason) => self.turn_away(now, invitation, reason, out),
            None => self.ring(now, invitation, out),
        }
    }

    fn objection(&self) -> Option<Reason> {
        if self.current().is_some() || self.legs.is_full() {
            Some(Reason::Busy)
        } else if self.dnd {
            Some(Reason::Dnd)
        } else {
            None
        }
    }

    /// Both invite each other: the lower call-id stands, the other ends in silence, and they talk.
    fn glare(&mut self, now: Moment, at: usize, invitation: &Invitation, out: CallOut<'_>) {
        let own = self.legs[at].id;
        if own < invitation.id {
            return self.closed.remember(now.at, invitation.id, invitation.path, None);
        }
        let leg = &mut self.legs[at];
        self.closed.remember(now.at, own, leg.path, None);
        leg.id = invitation.id;
        leg.yields = Some(own);
        leg.outgoing = false;
        leg.introduce(&invitation.hello);
        leg.lock(invitation.path);
        self.accept(now, at, out);
    }

    /// A call that is not let in: told to the caller until it is confirmed, and to the user. Its leg never has a
    /// place in the table.
    fn turn_away(&mut self, now: Moment, invitation: &Invitation, reason: Reason, out: CallOut<'_>) {
        let leg = self.incoming(now, LegId(u8::MAX), invitation);
        send(&leg, Say::Reject(reason), out);
        self.closed.remember(now.at, leg.id, leg.path, Some(Say::Reject(reason)));
        out(CallOutput::Ended(&leg, Outcome::of_reject(reason)));
    }

    fn ring(&mut self, now: Moment, invitation: &Invitation, out: CallOut<'_>) {
        let place = self.take_place().expect("the table was not full");
        let leg = self.incoming(now, place, invitation);
        out(CallOutput::Changed(&leg));
        self.legs.push(leg).expect("the table was not full");
        let at = self.legs.len() - 1;
        if self.policy.auto_answer {
            return self.accept(now, at, out);
        }
        out(CallOutput::Media(MediaOrder::Ring(true)));
        send(&self.legs[at], Say::Ringing(self.hello(None)), out);
    }

    /// The leg of somebody who invites us, as it begins.
    fn incoming(&self, now: Moment, place: LegId, invitation: &Invitation) -> Leg {
        let Invitation { id, path, hello } = invitation;
        Leg {
            id: *id,
            place,
            who: heapless::String::try_from(hello.from.as_str()).expect("a name fits"),
            to: None,
            display: hello.display.clone(),
            path: *path,
            candidates: heapless::Vec::new(),
            cookie: None,
            outgoing: false,
            owner: None,
            detached: false,
            hears: Some(hello.sends),
            takes_red: hello.takes_red,
            yields: None,
            after: None,
            begun: now,
            answered: None,
            state: State::RingingHere(Ringing::begin(now.at, self.policy.ring_timeout)),
        }
    }

    fn said(&mut self, now: Moment, at: usize, path: Path, say: Say, out: CallOut<'_>) {
        self.legs[at].heard(now.at);
        match say {
            Say::Retry(cookie) => self.retry(now, at, path, cookie, out),
            Say::Ringing(hello) => self.ringing_there(now, at, path, &hello, out),
            Say::Accept(hello, yields) => self.accepted(now, at, path, &hello, yields, out),
            Say::Reject(reason) => self.rejected(now, at, reason, out),
            Say::Confirm => self.confirmed(at, out),
            Say::Cancel(reason) => self.cancelled(now, at, reason, out),
            Say::Bye(reason) => self.bye(now, at, reason, out),
            Say::ByeOk => self.bye_ok(now, at, out),
            Say::Invite(..) => {}
        }
    }

    fn retry(&mut self, now: Moment, at: usize, path: Path, cookie: Cookie, out: CallOut<'_>) {
        let leg = &mut self.legs[at];
        if leg.cookie.as_ref() == Some(&cookie) {
            return;
        }
        match &mut leg.state {
            State::Calling { resend, cookies } if *cookies < MAX_COOKIES => {
                *cookies += 1;
                *resend = Resend::after(now.at);
                leg.lock(path);
            }
            State::RingingThere(_) => {}
            _ => return,
        }
        leg.cookie = Some(cookie);
        self.invite(&self.legs[at], out);
    }

    fn ringing_there(&mut self, now: Moment, at: usize, path: Path, hello: &Hello, out: CallOut<'_>) {
        let leg = &mut self.legs[at];
        if matches!(leg.state, State::Calling { .. }) {
            leg.lock(path);
            leg.introduce(hello);
            leg.state = State::RingingThere(Ringing::begin(now.at, self.policy.ring_timeout));
            out(CallOutput::Changed(leg));
        }
    }

    fn accepted(
        &mut self,
        now: Moment,
        at: usize,
        path: Path,
        hello: &Hello,
        yields: Option<CallId>,
        out: CallOut<'_>,
    ) {
        let leg = &mut self.legs[at];
        if leg.is_inviting() {
            leg.lock(path);
            leg.introduce(hello);
            let place = leg.place;
            self.talk(now, at, None, out);
            out(CallOutput::Media(MediaOrder::Send(place)));
        }
        let leg = &self.legs[at];
        if leg.outgoing && leg.is_talking() {
            send(leg, Say::Confirm, out);
        }
        if let Some(yielded) = yields {
            self.yielded(now, yielded, path, out);
        }
    }

    /// The other side's own INVITE has lost against ours: should it still come, it does not ring.
    fn yielded(&mut self, now: Moment, id: CallId, path: Path, out: CallOut<'_>) {
        match self.leg_at(id, path.remote) {
            Some(at) => self.end(now, at, Outcome::Cancelled, None, out),
            None if self.closed.find(id, path.remote).is_none() => {
                self.closed.remember(now.at, id, path, None);
            }
            None => {}
        }
    }

    fn rejected(&mut self, now: Moment, at: usize, reason: Reason, out: CallOut<'_>) {
        let leg = &self.legs[at];
        if leg.outgoing && !leg.is_talking() {
            send(leg, Say::Confirm, out);
            self.end(now, at, Outcome::of_reject(reason), None, out);
        }
    }

    fn cancelled(&mut self, now: Moment, at: usize, reason: Reason, out: CallOut<'_>) {
        let leg = &self.legs[at];
        if !leg.outgoing {
            send(leg, Say::ByeOk, out);
            self.end(now, at, Outcome::of_cancel(reason), None, out);
        }
    }

    fn bye(&mut self, now: Moment, at: usize, reason: Reason, out: CallOut<'_>) {
        send(&self.legs[at], Say::ByeOk, out);
        self.end(now, at, Outcome::of_bye(reason), None, out);
    }

    fn bye_ok(&mut self, now: Moment, at: usize, out: CallOut<'_>) {
        if let State::Cancelling { outcome, .. } = self.legs[at].state {
            self.end(now, at, outcome, None, out);
        }
    }

    /// Signals for ended or unknown calls: answered so that the other side comes to rest, never at greater length.
    fn said_of_no_leg(&mut self, signal: &Signal, path: Path, length: usize, out: CallOut<'_>) {
        let id = signal.id;
        if let Some(closed) = self.closed.find(id, path.remote) {
            return closed.said(&signal.say, &mut |path, signal| out(CallOutput::Signal(path, signal)));
        }
        self.counters.unknown += 1;
        if let Say::Cancel(_) = signal.say {
            self.withdrawn.write((id, path.remote));
        }
        let say = match signal.say {
            Say::Cancel(_) | Say::Bye(_) => Say::ByeOk,
            Say::Ringing(_) | Say::Accept(..) => Say::Bye(Reason::Lost),
            Say::Reject(_) => Say::Confirm,
            _ => return,
        };
        answer_no_longer(&Signal { id, say }, path, length, out);
    }
}

/// Answers a stranger, but never with more bytes than came.
fn answer_no_longer(signal: &Signal, path: Path, length: usize, out: CallOut<'_>) {
    if signal.to_string().len() <= length {
        out(CallOutput::Signal(path, signal));
    }
}
