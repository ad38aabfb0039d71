//! What signals do to calls (docs/PROTOCOL.md, "Calls"). INVITE, as the callee sees it, is in `inviting.rs`.
//!
//! RETRY and wrong-key may come from anybody on the way, and change nothing that a genuine answer would not put right;
//! everything else counts only with the tag of the other end.

use std::net::SocketAddr;

use vox_common::wire::keys::PublicKey;
use vox_common::wire::signal::{CallId, Cookie, Reason, Say, Signal};

use super::calls::{CallOut, CallOutput, Calls, Withdrawn};
use super::closed::Ended;
use super::inviting::Invite;
use super::io::Moment;
use super::known::Verdict;
use super::leg::{Leg, Ringing, State};
use super::outcome::Outcome;
use super::sealing::Tags;
use super::steps::{send, send_invite};
use super::stranger::Stranger;
use super::timer::Resend;
use crate::media::orders::{MediaOrder, Path};
use crate::seal::handshake::{Attempt, Introduction};

impl Calls {
    /// Takes one datagram that begins like a signal.
    pub fn datagram(&mut self, now: Moment, path: Path, bytes: &[u8], out: CallOut<'_>) {
        let Ok(signal) = Signal::parse(bytes) else {
            self.counters.malformed += 1;
            return;
        };
        self.counters.received += 1;
        let id = signal.id;
        let reply = self.reply_class(now.at, path.remote);
        let stranger = Stranger { id, path, length: bytes.len(), reply };
        match &signal.say {
            Say::Knock => self.let_in_later(now, stranger, out),
            Say::Invite(cookie, message) => self.invited(now, Invite { stranger, cookie, message }, out),
            Say::Retry(cookie, key) => self.retry(now, id, path, (cookie, key), out),
            Say::WrongKey(key) => self.wrong_key(now, id, path, key),
            _ => self.told(now, stranger, &signal, bytes, out),
        }
    }

    /// The network says that nobody listens there.
    pub fn unreachable(&mut self, now: Moment, remote: SocketAddr, out: CallOut<'_>) {
        // Anybody may say so in the network's name: not of somebody who has answered with the right key.
        let tried = |leg: &Leg| leg.is_own_attempt() && leg.is_with(remote) && leg.key().is_none();
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
                return send_invite(&self.legs[at], out);
            }
            (State::Calling { .. }, None) => Outcome::Unreachable,
            (State::Cancelling { outcome, .. }, _) => *outcome,
            // Nobody else is told of here.
            _ => return,
        };
        self.end(now, at, outcome, None, out);
    }

    pub(super) fn leg_at(&self, id: CallId, from: SocketAddr) -> Option<usize> {
        self.legs.iter().position(|leg| leg.id == id && leg.is_with(from))
    }

    /// The callee, or somebody on the way, wants a cookie to be shown, and names its key.
    fn retry(
        &mut self,
        now: Moment,
        id: CallId,
        path: Path,
        (cookie, key): (&Cookie, &PublicKey),
        out: CallOut<'_>,
    ) {
        let Some(at) = self.leg_at(id, path.remote) else { return self.counters.unknown += 1 };
        if !self.legs[at].is_inviting() || self.legs[at].has_followed_enough() {
            return;
        }
        if self.names_a_stranger(&self.legs[at], key) {
            self.legs[at].verdict = Some(Verdict::Unlisted);
            return self.wrong_key(now, id, path, key);
        }
        let Some(invite) = self.attempt(at, cookie, key) else { return };
        let leg = &mut self.legs[at];
        if let State::Calling { resend, cookies, wrong_key } = &mut leg.state {
            (*resend, *cookies, *wrong_key) = (Resend::after(now.at), *cookies + 1, false);
            leg.lock(path);
            leg.verdict = None;
        }
        send(leg, invite, out);
    }

    /// Whether it would be told to somebody else than the registry lists who calls whom: nothing is sealed for that key.
    fn names_a_stranger(&self, leg: &Leg, key: &PublicKey) -> bool {
        let is_open = leg.expects.is_none() && leg.key().is_none();
        is_open && leg.to.as_ref().is_some_and(|to| self.is_unlisted(to, key))
    }

    /// Seals an INVITE for the key that the callee is known by, or has shown already, or else for the one that it has just
    /// named.
    fn attempt(&mut self, at: usize, cookie: &Cookie, named: &PublicKey) -> Option<Say> {
        let (ephemeral, hello) = (self.dice.secret(), self.hello(Some(&self.legs[at])));
        let leg = &mut self.legs[at];
        let with = *leg.expects.as_ref().or(leg.key()).unwrap_or(named);
        let (id, identity) = (leg.id, &self.identity);
        let cancel = leg.seal.cancel(&with)?;
        leg.seal.attempt(&with, cookie, || {
            let introduction = Introduction { hello: &hello, cancel: &cancel };
            Attempt::new(identity, with, id, cookie.clone(), &introduction, &ephemeral)
        })
    }

    /// Somebody there cannot open what we have sealed. The callee may be another than it was, or somebody on the way
    /// would like us to think so: whoever holds the right key still has a moment to answer.
    fn wrong_key(&mut self, now: Moment, id: CallId, path: Path, key: &PublicKey) {
        let Some(at) = self.leg_at(id, path.remote) else { return self.counters.unknown += 1 };
        let leg = &mut self.legs[at];
        let is_news = !leg.seal.has_tried(key);
        if let State::Calling { resend, wrong_key, .. } = &mut leg.state
            && is_news
        {
            *wrong_key = true;
            resend.despair(now.at);
        }
    }

    /// Something is said that only the other end of the call may say.
    fn told(&mut self, now: Moment, stranger: Stranger, signal: &Signal, bytes: &[u8], out: CallOut<'_>) {
        let path = stranger.path;
        if let Some(at) = self.leg_at(signal.id, path.remote) {
            if self.believe(at, signal, bytes) {
                return self.said(now, at, path, &signal.say, out);
            }
        } else if let Some(closed) = self.closed.find(signal.id, path.remote) {
            if closed.believe(signal, bytes) {
                return closed.said(&signal.say, &mut |path, datagram| {
                    out(CallOutput::Signal(path, datagram));
                });
            }
        } else {
            return self.said_of_no_leg(signal, stranger, bytes, out);
        }
        self.counters.forged += 1;
    }

    /// The callee's first answer proves its key and makes those that its tag is checked with.
    fn believe(&mut self, at: usize, signal: &Signal, bytes: &[u8]) -> bool {
        let leg = &mut self.legs[at];
        if leg.seal.tags().believe(signal, bytes) {
            return true;
        }
        let Some(hello) = signal.say.answer().and_then(|answer| leg.seal.finish(answer)) else {
            return false;
        };
        leg.introduce(&hello);
        self.judge_leg(at, &hello.from);
        self.legs[at].seal.tags().believe(signal, bytes)
    }

    fn said(&mut self, now: Moment, at: usize, path: Path, say: &Say, out: CallOut<'_>) {
        self.legs[at].heard(now.at);
        match *say {
            Say::Ringing(_) => self.ringing_there(now, at, path, out),
            Say::Accept(_, yields) => self.accepted(now, at, path, yields, out),
            Say::Reject(reason, _) => self.rejected(now, at, reason, out),
            Say::Confirm => self.confirmed(at, out),
            Say::Cancel(reason) => self.cancelled(now, at, reason, out),
            Say::Bye(reason, _) => self.bye(now, at, reason, out),
            Say::ByeOk => self.bye_ok(now, at, out),
            Say::Knock | Say::Retry(..) | Say::Invite(..) | Say::WrongKey(_) => {}
        }
    }

    fn ringing_there(&mut self, now: Moment, at: usize, path: Path, out: CallOut<'_>) {
        if !matches!(self.legs[at].state, State::Calling { .. }) {
            return;
        }
        if let Some(outcome) = self.objection_to(&self.legs[at]) {
            return self.cancel(now, at, outcome, out);
        }
        let leg = &mut self.legs[at];
        leg.lock(path);
        leg.state = State::RingingThere(Ringing::begin(now.at, self.policy.ring_timeout));
        out(CallOutput::Changed(leg));
    }

    fn accepted(&mut self, now: Moment, at: usize, path: Path, yields: Option<CallId>, out: CallOut<'_>) {
        let is_first = self.legs[at].is_inviting();
        if is_first {
            if let Some(outcome) = self.objection_to(&self.legs[at]) {
                return self.cancel(now, at, outcome, out);
            }
            self.legs[at].lock(path);
            let place = self.legs[at].place;
            self.talk(now, at, None, out);
            out(CallOutput::Media(MediaOrder::Send(place)));
        }
        let leg = &self.legs[at];
        if leg.outgoing && leg.is_talking() {
            send(leg, Say::Confirm, out);
        }
        if let Some(yielded) = yields.filter(|_| is_first) {
            self.yielded(now, yielded, path, out);
        }
    }

    /// Why we do not want to talk to whoever has answered.
    fn objection_to(&self, leg: &Leg) -> Option<Outcome> {
        if leg.verdict.is_some_and(|verdict| !verdict.is_good()) {
            Some(Outcome::WrongKey)
        } else if self.is_at_odds(leg) {
            Some(Outcome::Unsealed)
        } else {
            leg.hears.is_none().then_some(Outcome::Unsupported)
        }
    }

    /// Whether the other end would talk to us, but not as we do: sealed, or not.
    fn is_at_odds(&self, leg: &Leg) -> bool {
        leg.media.is_some_and(|media| media != self.me.media)
    }

    /// The other side's own INVITE has lost against ours: should it still come, it does not ring.
    fn yielded(&mut self, now: Moment, id: CallId, path: Path, out: CallOut<'_>) {
        match self.leg_at(id, path.remote) {
            Some(at) if self.legs[at].is_ringing_here() => self.end(now, at, Outcome::Cancelled, None, out),
            None if self.closed.find(id, path.remote).is_none() => {
                let ended = Ended { id, path, word: None, tags: Tags::none(), with_known: true };
                self.closed.remember(now.at, ended);
            }
            _ => {}
        }
    }

    fn rejected(&mut self, now: Moment, at: usize, reason: Reason, out: CallOut<'_>) {
        let leg = &self.legs[at];
        if !leg.outgoing || leg.is_talking() {
            return;
        }
        let outcome = match reason {
            Reason::Unsupported if self.is_at_odds(leg) => Outcome::Unsealed,
            reason => Outcome::of_reject(reason),
        };
        send(leg, Say::Confirm, out);
        self.end(now, at, outcome, None, out);
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

    /// Of a call that nobody knows. Without a key for it nothing that is answered can be believed either; but what ends a
    /// call comes to rest, and a CANCEL may be earlier than its INVITE.
    fn said_of_no_leg(&mut self, signal: &Signal, stranger: Stranger, bytes: &[u8], out: CallOut<'_>) {
        self.counters.unknown += 1;
        let (id, from) = (signal.id, stranger.path.remote);
        if let (Say::Cancel(_), Ok(datagram)) = (&signal.say, heapless::Vec::from_slice(bytes)) {
            self.withdrawn.of_mut(stranger).write(Withdrawn { id, from, datagram });
        }
        if let Say::Cancel(_) | Say::Bye(..) = signal.say {
            stranger.answer(Say::ByeOk, out);
        }
    }
}
