//! INVITE, as the callee sees it (docs/PROTOCOL.md, "Calls"): nothing is kept before its sender has shown that it receives
//! where it sends from. What becomes of it once it has proved its key is in `admitting.rs`.

use vox_common::wire::signal::{Cookie, Say, Sealed};

use super::calls::{CallOut, Calls};
use super::io::Moment;
use super::leg::{Leg, State};
use super::outcome::Outcome;
use super::steps::{send_accept, send_ringing};
use super::stranger::Stranger;
use crate::seal::handshake::{Invitation, Unopened};

/// An INVITE as it came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Invite<'a> {
    /// Whose it is; nothing about it is proved.
    pub(super) stranger: Stranger,
    /// That it receives where it sends from, perhaps.
    pub(super) cookie: &'a Cookie,
    /// The first message of the handshake.
    pub(super) message: &'a Sealed,
}

impl Calls {
    /// An INVITE makes no state before its sender has shown that it receives where it sends from.
    pub(super) fn let_in_later(&mut self, now: Moment, stranger: Stranger, out: CallOut<'_>) {
        self.counters.retried += 1;
        let cookie = self.jars.of(stranger).bake(now.at, stranger.path.remote, stranger.id);
        stranger.answer(Say::Retry(cookie, *self.identity.public()), out);
    }

    /// An INVITE with a cookie and the first message of the handshake.
    pub(super) fn invited(&mut self, now: Moment, invite: Invite<'_>, out: CallOut<'_>) {
        let Stranger { id, path, .. } = invite.stranger;
        if let Some(at) = self.own_attempt(invite) {
            self.end(now, at, Outcome::Myself, None, out);
        } else if let Some(at) = self.leg_at(id, path.remote) {
            self.invited_again(now, at, invite.message, out);
        } else if let Some(closed) = self.closed.find(id, path.remote) {
            closed.repeat(&mut |path, word| Stranger { path, ..invite.stranger }.send(word, out));
        } else if !self.jars.of(invite.stranger).accepts(now.at, path.remote, id, invite.cookie) {
            self.let_in_later(now, invite.stranger, out);
        } else if self.may_be_opened(now, invite.stranger) {
            self.open(now, invite, out);
        } else {
            self.counters.repeated += 1;
        }
    }

    /// The attempt of ours that has come back to ourselves. What we have sealed for another may be thrown back at us by
    /// anybody: it says nothing.
    fn own_attempt(&self, invite: Invite<'_>) -> Option<usize> {
        let own = self.identity.public();
        let is_ours = |leg: &Leg| leg.id == invite.stranger.id && leg.is_own_attempt();
        let is_for_us = |leg: &Leg| leg.seal.is_of(invite.message) && leg.seal.has_tried(own);
        self.legs.iter().position(|leg| is_ours(leg) && is_for_us(leg))
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

    /// A call is let in once with its cookie, and nobody makes us compute all the time.
    fn may_be_opened(&mut self, now: Moment, stranger: Stranger) -> bool {
        let Stranger { id, path, .. } = stranger;
        !self.jars.of_mut(stranger).is_spent(now.at, path.remote, id)
            && self.paces.of_mut(stranger).allows(now.at, path.remote.ip())
    }

    fn open(&mut self, now: Moment, invite: Invite<'_>, out: CallOut<'_>) {
        let Invite { stranger, cookie, message } = invite;
        match Invitation::open(&self.identity, stranger.id, cookie, message, &self.dice.secret()) {
            Ok(invitation) => self.opened(now, invite, invitation, out),
            Err(Unopened::Malformed) => self.counters.malformed += 1,
            Err(Unopened::NotForUs) => stranger.answer(Say::WrongKey(*self.identity.public()), out),
        }
    }
}
