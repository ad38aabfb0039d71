//! A caller who has proved its key (docs/PROTOCOL.md, "Calls"): whether it rings here.

use vox_common::wire::keys::PublicKey;
use vox_common::wire::signal::{CallId, Class, Endings, Hello, Kind, Reason, Say, Signal};

use super::calls::{CallOut, CallOutput, Calls};
use super::closed::Ended;
use super::consent::Answer;
use super::inviting::Invite;
use super::io::Moment;
use super::known::Verdict;
use super::leg::{Leg, Ringing, State, Taken};
use super::outcome::Outcome;
use super::sealing::Seal;
use super::steps::{ended, send, send_ringing};
use super::stranger::Stranger;
use super::whom::Whom;
use crate::media::orders::{LegId, MediaOrder, Path};
use crate::seal::handshake::Invitation;

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

    /// As it is remembered without a leg.
    fn ended(&self) -> Ended {
        let (tags, with_known) = (self.seal.tags().clone(), self.verdict.is_known());
        Ended { id: self.id, path: self.path, word: None, tags, with_known }
    }

    /// The class of the leg that it asks for.
    fn class(&self) -> Class {
        self.hello.kind.class()
    }

    /// A call without a codec that is known here.
    fn is_mute(&self) -> bool {
        self.hello.kind == Kind::Voice && self.hello.sends.is_none()
    }
}

impl Calls {
    /// The caller has proved its key. It is let in once with this cookie, whatever comes of it.
    pub(super) fn opened(
        &mut self,
        now: Moment,
        invite: Invite<'_>,
        invitation: Invitation,
        out: CallOut<'_>,
    ) {
        let Stranger { id, path, .. } = invite.stranger;
        self.jars.of_mut(invite.stranger).spend(now.at, path.remote, id);
        let hello = invitation.hello.clone();
        let verdict = self.judge(&Whom::peer(&hello.from), &hello.from, &invitation.key);
        self.acquaintances.note(path.remote.ip(), verdict);
        let seal = Seal::of_callee(invite.message.clone(), invitation, &self.hello(None));
        let guest = Guest { id, path, hello, seal, verdict };
        if self.legs.iter().any(|leg| leg.id == id && leg.key() != guest.key()) {
            // Whoever watches knows a call by its id: nobody else's is told of under the same one.
            return self.counters.forged += 1;
        }
        if self.has_withdrawn(invite.stranger, &guest) {
            return self.let_go(now, &guest, out);
        }
        self.settle_before(now, &guest, out);
        self.admit(now, guest, out);
    }

    /// Whether a CANCEL of this caller was here first.
    fn has_withdrawn(&self, stranger: Stranger, guest: &Guest) -> bool {
        self.withdrawn.of(stranger).iter().any(|cancel| {
            let said = Signal::parse(&cancel.datagram);
            (cancel.id, cancel.from) == (guest.id, guest.path.remote)
                && said.is_ok_and(|signal| guest.seal.tags().believe(&signal, &cancel.datagram))
        })
    }

    fn let_go(&mut self, now: Moment, guest: &Guest, out: CallOut<'_>) {
        let tags = guest.seal.tags();
        out(CallOutput::Signal(guest.path, &tags.write(guest.id, Say::ByeOk)));
        self.closed.remember(now.at, guest.ended());
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
        let answer = self.policy.consent.answer(guest.hello.kind, &guest.hello.from, guest.verdict);
        if let Some((reason, outcome)) = self.misfit(&guest, answer) {
            return self.turn_away(now, guest, reason, outcome, out);
        }
        if let Some(at) = self.legs.iter().position(|leg| is_crossing(leg, &guest)) {
            return self.glare(now, at, guest, out);
        }
        self.end_stale(now, &guest, out);
        self.make_way(now, &guest, answer, out);
        match self.objection(&guest, answer) {
            Some(reason) => self.turn_away(now, guest, reason, Outcome::of_reject(reason), out),
            None => self.ring(now, guest, answer, out),
        }
    }

    /// Why there cannot be a call with somebody like that, whatever this station is doing.
    fn misfit(&self, guest: &Guest, answer: Answer) -> Option<(Reason, Outcome)> {
        if guest.hello.to.as_ref().is_some_and(|to| *to != self.me.name) {
            Some((Reason::NotHere, Outcome::NotHere))
        } else if !guest.verdict.is_good() {
            Some((Reason::WrongKey, Outcome::WrongKey))
        } else if answer == Answer::Unsupported || guest.is_mute() {
            Some((Reason::Unsupported, Outcome::Unsupported))
        } else if answer == Answer::NotAllowed && guest.hello.kind != Kind::Voice {
            // Whoever asks for something else may well be in a call with us.
            Some((Reason::NotAllowed, Outcome::NotAllowed))
        } else if guest.hello.media != self.me.media {
            Some((Reason::Unsupported, Outcome::Unsealed))
        } else {
            None
        }
    }

    /// A station that calls anew was restarted: it is no longer in the leg of that class that it had with us.
    fn end_stale(&mut self, now: Moment, guest: &Guest, out: CallOut<'_>) {
        let is_of_it = |leg: &Leg| leg.class == guest.class() && leg.key() == guest.key();
        let is_stale = |leg: &Leg| is_of_it(leg) && (leg.is_talking() || leg.is_ringing_here());
        if let Some(at) = self.legs.iter().position(is_stale) {
            self.end(now, at, Outcome::Lost, Some(Say::Bye(Reason::Lost, None)), out);
        }
    }

    /// A caller whose key is remembered, and who would ring, displaces one whose key is not.
    fn make_way(&mut self, now: Moment, guest: &Guest, answer: Answer, out: CallOut<'_>) {
        if guest.verdict.is_known() && self.is_allowed(guest, answer) && !self.dnd {
            self.displace(now, guest.class(), out);
        }
    }

    fn is_allowed(&self, guest: &Guest, answer: Answer) -> bool {
        answer != Answer::NotAllowed && self.policy.allow.admits(&guest.hello.from, guest.verdict)
    }

    /// Why there is no call now.
    fn objection(&self, guest: &Guest, answer: Answer) -> Option<Reason> {
        if !self.is_allowed(guest, answer) {
            Some(Reason::NotAllowed)
        } else if self.active(guest.class()).is_some() || self.legs.is_full() {
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
            let ended = Ended { id, path, word: None, tags: seal.tags().clone(), with_known: true };
            return self.closed.remember(now.at, ended);
        }
        let own = std::mem::replace(&mut leg.id, id);
        let tags = std::mem::replace(&mut leg.seal, seal).tags().clone();
        self.closed.remember(now.at, Ended { id: own, path: leg.path, word: None, tags, with_known: true });
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
        self.closed.remember(now.at, ended(&leg, Some(word)));
        out(CallOutput::Ended(&leg, outcome));
    }

    fn ring(&mut self, now: Moment, guest: Guest, answer: Answer, out: CallOut<'_>) {
        let place = self.take_place().expect("the table was not full");
        let leg = self.incoming(now, place, guest);
        out(CallOutput::Changed(&leg));
        self.legs.push(leg).expect("the table was not full");
        let at = self.legs.len() - 1;
        if answer == Answer::Accept {
            self.legs[at].taken = Taken::Automatically;
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
            class: hello.kind.class(),
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
            taken: Taken::ByHand,
            owner: None,
            detached: false,
            hears: hello.sends,
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
    leg.class == guest.class()
        && leg.is_inviting()
        && leg.is_with(guest.path.remote)
        && is_expected
        && is_named
}
