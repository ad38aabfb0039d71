//! From the greeting to REGISTER: whom we speak to, and whether anybody else can read it.

use std::time::Instant;

use vox_common::seal::possession::Possession;
use vox_common::seal::secure;
use vox_common::wire::keys::PublicKey;
use vox_common::wire::reply::{Greeting, Nonce, ReplyLine};
use vox_common::wire::request::Request;
use vox_common::wire::secure::Answer;

use super::pending::Asker;
use super::sealing::Plan;
use super::{ANSWER_TIMEOUT, Dice, Link, LinkNews, LinkOut, State, refusal};

const NO_REGISTRY: &str = "what listens there is no vox-registry";
const NOT_ITS_KEY: &str = "the registry tells a key that it does not hold: somebody pretends to be it";

/// What the registry has said of itself.
#[derive(Debug, Clone, Copy)]
pub(super) struct Greeted {
    nonce: Nonce,
    key: Option<PublicKey>,
}

impl Link {
    pub(super) fn greeted(&mut self, now: Instant, reply: ReplyLine<'_>, dice: &mut Dice, out: LinkOut<'_>) {
        match (reply.code, Greeting::parse(reply.text)) {
            (220, Some(Greeting { nonce, key, .. })) => {
                self.begin(now, Greeted { nonce, key }, dice, out);
            }
            (code, _) if is_refused_at_the_door(code) => {
                self.give_up(now, &refusal(reply), dice, out);
            }
            _ => self.give_up(now, NO_REGISTRY, dice, out),
        }
    }

    fn begin(&mut self, now: Instant, greeted: Greeted, dice: &mut Dice, out: LinkOut<'_>) {
        self.greeted = Some(greeted);
        match Plan::of(self.settings.sealing, self.memory, greeted.key) {
            Ok(Plan::Seal(key)) => self.offer(now, &key, &greeted.nonce, dice, out),
            Ok(Plan::Plain(_)) => self.register(now, out),
            Err(mistrust) => {
                let sentence = mistrust.sentence(&self.settings.address).to_string();
                self.give_up(now, &sentence, dice, out);
            }
        }
    }

    fn offer(&mut self, now: Instant, key: &PublicKey, nonce: &Nonce, dice: &mut Dice, out: LinkOut<'_>) {
        let Some((offering, offer)) = secure::offer(&self.settings.identity, key, nonce, &dice.secret())
        else {
            return self.give_up(now, NOT_ITS_KEY, dice, out);
        };
        self.offering = Some(offering);
        self.state = State::Securing(now + ANSWER_TIMEOUT);
        out(LinkNews::Send(&Request::Secure(offer).to_string()));
    }

    /// The answer to our offer.
    pub(super) fn secured(&mut self, now: Instant, reply: ReplyLine<'_>, dice: &mut Dice, out: LinkOut<'_>) {
        let Some(offering) = self.offering.take().filter(|_| reply.is_done()) else {
            return self.give_up(now, &refusal(reply), dice, out);
        };
        let answer = reply.text.strip_prefix("secure ").and_then(Answer::parse);
        let Some((sealer, opener)) = answer.and_then(|answer| offering.answered(&answer)) else {
            return self.give_up(now, NOT_ITS_KEY, dice, out);
        };
        self.sealed_with = self.greeted.and_then(|greeted| greeted.key);
        out(LinkNews::Seal(sealer, opener));
        self.register(now, out);
    }

    /// Sealing proves that we hold our key; in plain it takes a word of its own.
    fn register(&mut self, now: Instant, out: LinkOut<'_>) {
        let Some(Greeted { nonce, key }) = self.greeted else { return };
        self.state = State::Open;
        let mut registration = self.settings.registration.clone();
        registration.proof = self.secret.as_ref().map(|secret| secret.prove(&nonce, &registration));
        if self.sealed_with.is_none() {
            let possession = key.and_then(|key| Possession::of(&self.settings.identity, &key));
            registration.key_proof = possession.map(|possession| possession.prove(&nonce, &registration));
        }
        self.send(now, Asker::Registration, &Request::Register(registration), out);
    }
}

/// What may be said instead of a greeting: not let in, full, slow down, shutting down.
fn is_refused_at_the_door(code: u16) -> bool {
    [403, 420, 429, 503].contains(&code)
}
