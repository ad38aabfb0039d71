//! What a leg does next, and what its other end hears of it.

use vox_common::wire::signal::{Reason, Say};

use super::calls::{CallOut, CallOutput, Calls};
use super::closed::Ended;
use super::io::Moment;
use super::known::Verdict;
use super::leg::{Leg, State};
use super::outcome::Outcome;
use super::timer::{Resend, TALK_PATIENCE};
use crate::media::orders::MediaOrder;

impl Calls {
    /// The call of the callee is taken: the devices open, and sound is sent once the caller is proved to be there.
    pub(super) fn accept(&mut self, now: Moment, at: usize, out: CallOut<'_>) {
        self.talk(now, at, Some(Resend::after(now.at)), out);
        send_accept(&self.legs[at], out);
    }

    pub(super) fn talk(&mut self, now: Moment, at: usize, accept: Option<Resend>, out: CallOut<'_>) {
        let sends = self.me.sends;
        let leg = &mut self.legs[at];
        if leg.is_ringing_here() {
            out(CallOutput::Media(MediaOrder::Ring(false)));
        }
        leg.state = State::Talking { accept, silent: now.at + TALK_PATIENCE };
        leg.answered = Some(now.at);
        out(CallOutput::Media(MediaOrder::Start {
            leg: leg.place,
            path: leg.path,
            sends,
            takes_red: leg.takes_red,
            keys: leg.media_keys(),
        }));
        self.learn(now, at, out);
        out(CallOutput::Changed(&self.legs[at]));
    }

    /// The far end is proved to be at its address: sound may go there.
    pub(super) fn confirmed(&mut self, at: usize, out: CallOut<'_>) {
        let leg = &mut self.legs[at];
        if let State::Talking { accept: accept @ Some(_), .. } = &mut leg.state {
            *accept = None;
            out(CallOutput::Media(MediaOrder::Send(leg.place)));
        }
    }

    pub(super) fn refuse_leg(&mut self, now: Moment, at: usize, reason: Reason, out: CallOut<'_>) {
        self.end(now, at, Outcome::of_reject(reason), Some(Say::Reject(reason, None)), out);
    }

    pub(super) fn hangup_leg(&mut self, now: Moment, at: usize, out: CallOut<'_>) {
        let leg = &self.legs[at];
        match leg.state {
            // Nobody has let the call in: there is nobody to tell.
            State::Calling { .. } if !leg.seal.is_begun() => self.end(now, at, Outcome::Cancelled, None, out),
            State::Calling { .. } | State::RingingThere(_) => self.cancel(now, at, Outcome::Cancelled, out),
            State::RingingHere(_) => self.refuse_leg(now, at, Reason::Declined, out),
            State::Talking { .. } => {
                self.end(now, at, Outcome::Hangup, Some(Say::Bye(Reason::Hangup, None)), out);
            }
            State::Cancelling { .. } => {}
        }
    }

    /// The caller gives up; the leg stays until the callee has heard it, so that both agree on how it ended.
    pub(super) fn cancel(&mut self, now: Moment, at: usize, outcome: Outcome, out: CallOut<'_>) {
        let leg = &mut self.legs[at];
        leg.state = State::Cancelling { resend: Resend::after(now.at), outcome };
        out(CallOutput::Changed(leg));
        send_cancel(leg, outcome, out);
    }

    /// Takes a leg out of the table, with a last word to the other side where there is one.
    pub(super) fn end(
        &mut self,
        now: Moment,
        at: usize,
        outcome: Outcome,
        word: Option<Say>,
        out: CallOut<'_>,
    ) {
        let leg = self.legs.swap_remove(at);
        let word = word.map(|word| leg.seal.last_word(word));
        if let Some(word) = word.clone() {
            send(&leg, word, out);
        }
        self.closed.remember(now.at, ended(&leg, word));
        match leg.state {
            State::RingingHere(_) => out(CallOutput::Media(MediaOrder::Ring(false))),
            State::Talking { .. } => out(CallOutput::Media(MediaOrder::Stop(leg.place))),
            _ => {}
        }
        out(CallOutput::Ended(&leg, outcome));
    }
}

/// A leg as it is remembered once it has ended.
pub(super) fn ended(leg: &Leg, word: Option<Say>) -> Ended {
    let with_known = leg.outgoing || leg.verdict.is_some_and(Verdict::is_known);
    Ended { id: leg.id, path: leg.path, word, tags: leg.seal.tags().clone(), with_known }
}

/// Sends a signal of a leg to its other end.
pub(super) fn send(leg: &Leg, say: Say, out: CallOut<'_>) {
    out(CallOutput::Signal(leg.path, &leg.seal.tags().write(leg.id, say)));
}

/// What we say until the callee answers.
pub(super) fn send_invite(leg: &Leg, out: CallOut<'_>) {
    send(leg, leg.seal.invite(), out);
}

/// It rings here: the same bytes however often.
pub(super) fn send_ringing(leg: &Leg, out: CallOut<'_>) {
    leg.seal.answer().into_iter().for_each(|answer| send(leg, Say::Ringing(answer), out));
}

/// The call is taken: the same bytes however often.
pub(super) fn send_accept(leg: &Leg, out: CallOut<'_>) {
    leg.seal.answer().into_iter().for_each(|answer| send(leg, Say::Accept(answer, leg.yields), out));
}

/// Tells the callee that the caller gave up, and why.
pub(super) fn send_cancel(leg: &Leg, outcome: Outcome, out: CallOut<'_>) {
    let reason = if outcome == Outcome::NoAnswer { Reason::Timeout } else { Reason::Cancelled };
    send(leg, Say::Cancel(reason), out);
}
