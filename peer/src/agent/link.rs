//! The registration: connect, seal, register, watch, list, back into the room; and again, later and later, when the registry
//! goes away.

mod answers;
mod brake;
mod ending;
mod greeting;
mod news;
mod pending;
mod requests;
mod sealing;

use std::time::{Duration, Instant};

use vox_common::seal::identity::Identity;
use vox_common::seal::secure::Offering;
use vox_common::wire::event::{Event, Farewell, Heard};
use vox_common::wire::keys::PublicKey;
use vox_common::wire::proof::Secret;
use vox_common::wire::reply::ReplyLine;
use vox_common::wire::request::{Registration, Request};
use vox_common::wire::users::Status;

use self::brake::Brake;
use self::greeting::Greeted;
pub use self::news::{LinkNews, LinkOut};
use self::pending::{Asker, Pending};
pub use self::sealing::{Memory, Sealing};
use super::dice::Dice;
use super::rooms::{Membership, Room};
use super::timer::earlier;

/// First pause after a failure; it doubles from there.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// Longest pause: a registry that comes back is found within this time.
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// A registry that answers nothing for this long is as good as gone.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// A registry that has said nothing for this long is asked whether it lives.
const QUIET: Duration = Duration::from_secs(20);

/// What is repeated of a refusal: fits a line of ours however it is encoded. None of the registry's own is as long.
const CLAUSE_CHARS: usize = 80;

const SILENT: &str = "the registry does not answer";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// There is no registry in the configuration.
    Unwanted,
    /// A pause until then.
    Waiting(Instant),
    /// The shell is at it.
    Connecting,
    /// The greeting must come until then.
    Greeting(Instant),
    /// The answer to our offer to seal must come until then.
    Securing(Instant),
    /// Requests go to and fro.
    Open,
}

/// What a link goes by.
#[derive(Debug)]
pub struct LinkSettings {
    /// What the registry is told, but for proofs.
    pub registration: Registration,
    /// What they are made with.
    pub identity: Identity,
    /// Whether lines are sealed.
    pub sealing: Sealing,
    /// Where the registry is, as people write it.
    pub address: String,
}

/// The registry's connection, as the agent sees it.
#[derive(Debug)]
pub struct Link {
    settings: LinkSettings,
    /// Proves that we may register, where the registry asks for it.
    secret: Option<Secret>,
    state: State,
    /// What is remembered of the registry's key.
    memory: Memory,
    /// How the registry has greeted us on this connection.
    greeted: Option<Greeted>,
    /// What we have offered to seal with, until that is answered.
    offering: Option<Offering>,
    /// The registry's key with which the lines of this connection are sealed. `None`: they are plain.
    sealed_with: Option<PublicKey>,
    pending: Pending,
    brake: Brake,
    rooms: Membership,
    pause: Duration,
    last_heard: Instant,
    registered: Option<(Instant, String)>,
    reason: String,
    /// Why the registry said that it would end the connection.
    farewell: Option<Farewell>,
    /// We have ended a connection ourselves, and the shell has yet to say that it is gone.
    leaving: bool,
    /// What the registry was told last of our status. `None`: it did not listen.
    status: Option<Status>,
}

impl Link {
    /// A link that has yet to begin, which is due at once.
    pub fn new(settings: LinkSettings, secret: Option<Secret>, now: Instant) -> Self {
        Self { secret, state: State::Waiting(now), ..Self::unwanted(settings, now) }
    }

    /// No link: there is no registry in the configuration.
    pub fn unwanted(settings: LinkSettings, now: Instant) -> Self {
        Self {
            settings,
            secret: None,
            state: State::Unwanted,
            memory: Memory::Nothing,
            greeted: None,
            offering: None,
            sealed_with: None,
            pending: Pending::default(),
            brake: Brake::default(),
            rooms: Membership::default(),
            pause: FIRST_PAUSE,
            last_heard: now,
            registered: None,
            reason: "not connected yet".to_owned(),
            farewell: None,
            leaving: false,
            status: None,
        }
    }

    /// `up`, `down`, or `none` without a registry in the configuration.
    pub fn word(&self) -> &'static str {
        match (self.state, &self.registered) {
            (State::Unwanted, _) => "none",
            (_, Some(_)) => "up",
            (_, None) => "down",
        }
    }

    /// Since when we are registered, and the address that others are given.
    pub fn registered(&self) -> Option<(Instant, &str)> {
        self.registered.as_ref().map(|(since, address)| (*since, address.as_str()))
    }

    /// The registry's key, where the lines to it are sealed with it.
    pub fn sealed_with(&self) -> Option<&PublicKey> {
        self.sealed_with.as_ref()
    }

    /// Why it is down.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// When it will be tried again.
    pub fn retries_at(&self) -> Option<Instant> {
        if let State::Waiting(until) = self.state { Some(until) } else { None }
    }

    /// The room that we are in, or on the way back to.
    pub fn rooms(&self) -> &Membership {
        &self.rooms
    }

    /// After a restart of this station: the room that it was in before is joined once it is registered.
    pub fn return_to(&mut self, room: Room) {
        self.rooms.return_to(room);
    }

    /// The operator has given another secret: a registry that refused the old one is tried at once.
    pub fn set_secret(&mut self, now: Instant, secret: Option<Secret>) {
        let changed = self.secret != secret;
        self.secret = secret;
        if changed && let State::Waiting(until) = &mut self.state {
            *until = now;
        }
    }

    /// The connection stands, to a registry of whose key this is remembered; the greeting must follow.
    pub fn connected(&mut self, now: Instant, memory: Memory) {
        self.memory = memory;
        self.greeted = None;
        self.pending = Pending::default();
        self.leaving = false;
        self.last_heard = now;
        self.state = State::Greeting(now + ANSWER_TIMEOUT);
    }

    /// One line from the registry.
    pub fn line(&mut self, now: Instant, line: &str, dice: &mut Dice, out: LinkOut<'_>) {
        self.last_heard = now;
        match (self.state, Heard::parse(line)) {
            (State::Greeting(_), Heard::Reply(reply)) => self.greeted(now, reply, dice, out),
            (State::Securing(_), Heard::Reply(reply)) => self.secured(now, reply, dice, out),
            (State::Open, Heard::Reply(reply)) => self.answered(now, reply, line, dice, out),
            (State::Greeting(_) | State::Securing(_) | State::Open, Heard::Event(Event::Goodbye(why))) => {
                self.farewell = Some(why);
            }
            (State::Open, Heard::Event(event)) => out(LinkNews::Event(event, line)),
            _ => {}
        }
    }

    /// When to look again.
    pub fn deadline(&self) -> Option<Instant> {
        match self.state {
            State::Unwanted | State::Connecting => None,
            State::Waiting(until) | State::Greeting(until) | State::Securing(until) => Some(until),
            State::Open => {
                earlier(Some(self.patience()), earlier(self.brake.deadline(), self.rooms.deadline()))
            }
        }
    }

    /// Until when the registry may say nothing.
    fn patience(&self) -> Instant {
        match self.pending.since() {
            Some(asked) => self.last_heard.max(asked) + ANSWER_TIMEOUT,
            None => self.last_heard + QUIET,
        }
    }

    /// Does what is due.
    pub fn expire(&mut self, now: Instant, dice: &mut Dice, out: LinkOut<'_>) {
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return;
        }
        match self.state {
            State::Waiting(_) => {
                self.state = State::Connecting;
                out(LinkNews::Connect);
            }
            State::Open => {
                self.ask_again(now, out);
                self.watch_over(now, dice, out);
            }
            _ => self.give_up(now, SILENT, dice, out),
        }
    }

    /// A registry that is silent is asked whether it lives; one that does not answer is left.
    fn watch_over(&mut self, now: Instant, dice: &mut Dice, out: LinkOut<'_>) {
        if now < self.patience() {
            return;
        }
        match self.pending.since() {
            None => _ = self.send(now, Asker::Nobody, &Request::Ping(""), out),
            Some(_) => self.give_up(now, SILENT, dice, out),
        }
    }
}

fn refusal(reply: ReplyLine<'_>) -> String {
    format!("the registry refuses: {}", clause(reply))
}

/// The registry's words, as far as they fit into a line of ours.
fn clause(reply: ReplyLine<'_>) -> &str {
    let end = reply.text.char_indices().nth(CLAUSE_CHARS).map_or(reply.text.len(), |(end, _)| end);
    &reply.text[..end]
}

#[cfg(test)]
mod tests;
