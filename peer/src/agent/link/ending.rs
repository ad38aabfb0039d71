//! The end of a connection to the registry: who is told why, and for how long it is left alone.

use std::time::Instant;

use vox_common::wire::event::Farewell;
use vox_common::wire::reply::ReplyLine;

use super::brake::Brake;
use super::news::{LinkNews, LinkOut};
use super::pending::Asker;
use super::{LONGEST_PAUSE, Link, State};
use crate::agent::dice::Dice;

impl Link {
    /// The connection could not be made, or has ended.
    pub fn disconnected(&mut self, now: Instant, why: &str, dice: &mut Dice, out: LinkOut<'_>) {
        if !std::mem::take(&mut self.leaving) && !matches!(self.state, State::Unwanted | State::Waiting(_)) {
            self.fall(now, why, dice, out);
        }
    }

    /// The connection is gone: what belonged to it is forgotten, and a pause begins.
    fn fall(&mut self, now: Instant, why: &str, dice: &mut Dice, out: LinkOut<'_>) {
        let farewell = self.farewell.take();
        if farewell.is_some_and(is_meant_for_us) {
            self.pause = LONGEST_PAUSE;
        }
        self.state = State::Waiting(now + dice.jitter(self.pause));
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        self.registered = None;
        self.offering = None;
        self.sealed_with = None;
        self.brake = Brake::default();
        self.rooms.lost_link();
        self.disappoint(why, out);
        self.reason = match farewell {
            Some(farewell) => format!("the registry said goodbye: {}", farewell.words()),
            None => why.to_owned(),
        };
        out(LinkNews::Down(&self.reason));
    }

    /// Whoever waits for an answer will not get it.
    fn disappoint(&mut self, why: &str, out: LinkOut<'_>) {
        while let Some(asker) = self.pending.pop() {
            if asker == Asker::Call {
                out(LinkNews::LookedUp(ReplyLine { code: 443, more: false, text: why }));
            } else if let Some(client) = asker.client() {
                out(LinkNews::Answer(client, "443 the registry went away, try again"));
            }
        }
    }

    /// Ends the connection from this side: the reason is ours, whatever the shell says of it afterwards.
    pub(super) fn give_up(&mut self, now: Instant, why: &str, dice: &mut Dice, out: LinkOut<'_>) {
        out(LinkNews::Disconnect);
        self.leaving = true;
        self.fall(now, why, dice, out);
    }
}

/// An administrator, or another station under our name, wants us gone: coming back at once would be a fight.
fn is_meant_for_us(farewell: Farewell) -> bool {
    matches!(farewell, Farewell::Kicked | Farewell::Banned | Farewell::Replaced)
}
