//! The registration: connect, register, watch, list; and again, later and later, when the registry goes away.

use std::time::{Duration, Instant};

use heapless::Deque;
use vox_common::wire::event::{Event, Farewell, Heard};
use vox_common::wire::reply::{Greeting, ReplyLine};
use vox_common::wire::request::{Registration, Request};
use vox_common::wire::users::{Entry, Status};

use super::dice::Dice;
use super::io::ClientId;

/// First pause after a failure; it doubles from there.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// Longest pause: a registry that comes back is found within this time.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// A registry that answers nothing for this long is as good as gone.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// A registry that has said nothing for this long is asked whether it lives.
const QUIET: Duration = Duration::from_secs(20);

/// Requests on their way. At the brim a control client hears `443`.
const MAX_PENDING: usize = 64;

/// Whose answer comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asker {
    Registration,
    Housekeeping,
    Book,
    Call,
    Client(ClientId),
    Status(Option<ClientId>, Status),
}

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
    /// Requests go to and fro.
    Open,
}

/// What the link wants done, and what the agent learns from it.
#[derive(Debug)]
pub enum LinkNews<'a> {
    /// Connect now.
    Connect,
    /// End the connection.
    Disconnect,
    /// Send this line.
    Send(&'a str),
    /// We are registered; the registry's words.
    Registered(&'a str),
    /// The registry went away, and why.
    Down(&'a str),
    /// A listing begins.
    ListBegins,
    /// One line of it.
    Listed(Entry),
    /// It is complete.
    ListEnds,
    /// Somebody came, went or changed status; and the line as it was written.
    Event(Event<'a>, &'a str),
    /// A line for a control client.
    Answer(ClientId, &'a str),
    /// The answer to the look-up for a call.
    LookedUp(ReplyLine<'a>),
    /// The registry has taken our status.
    StatusIs(Status),
}

/// Where the link puts its news.
pub type LinkOut<'a> = &'a mut dyn FnMut(LinkNews<'_>);

/// The registry's connection, as the agent sees it.
#[derive(Debug)]
pub struct Link {
    registration: Registration,
    state: State,
    pending: Deque<(Asker, Instant), MAX_PENDING>,
    pause: Duration,
    last_heard: Instant,
    registered: Option<(Instant, String)>,
    reason: String,
    /// Why the registry said that it would end the connection.
    farewell: Option<Farewell>,
    /// We have ended a connection ourselves, and the shell has yet to say that it is gone.
    leaving: bool,
    /// What the registry was told last of our status.
    status: Status,
}

impl Link {
    /// A link that has not begun; `wanted`: the configuration names a registry.
    pub fn new(registration: Registration, wanted: bool, now: Instant) -> Self {
        let state = if wanted { State::Waiting(now) } else { State::Unwanted };
        Self {
            registration,
            state,
            pending: Deque::new(),
            pause: FIRST_PAUSE,
            last_heard: now,
            registered: None,
            reason: "not connected yet".to_owned(),
            farewell: None,
            leaving: false,
            status: Status::Idle,
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

    /// Why it is down.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// When it will be tried again.
    pub fn retries_at(&self) -> Option<Instant> {
        if let State::Waiting(until) = self.state { Some(until) } else { None }
    }

    /// The connection stands; the greeting must follow.
    pub fn connected(&mut self, now: Instant) {
        self.pending.clear();
        self.leaving = false;
        self.last_heard = now;
        self.state = State::Greeting(now + ANSWER_TIMEOUT);
    }

    /// The connection could not be made, or has ended.
    pub fn disconnected(&mut self, now: Instant, why: &str, dice: &mut Dice, out: LinkOut<'_>) {
        if !std::mem::take(&mut self.leaving) && !matches!(self.state, State::Unwanted | State::Waiting(_)) {
            self.fall(now, why, dice, out);
        }
    }

    fn fall(&mut self, now: Instant, why: &str, dice: &mut Dice, out: LinkOut<'_>) {
        let farewell = self.farewell.take();
        if farewell.is_some_and(is_meant_for_us) {
            self.pause = LONGEST_PAUSE;
        }
        self.state = State::Waiting(now + dice.jitter(self.pause));
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        self.registered = None;
        self.disappoint(why, out);
        self.reason = match farewell {
            Some(farewell) => format!("the registry said goodbye: {}", farewell.words()),
            None => why.to_owned(),
        };
        out(LinkNews::Down(&self.reason));
    }

    /// Whoever waits for an answer will not get it.
    fn disappoint(&mut self, why: &str, out: LinkOut<'_>) {
        while let Some((asker, _)) = self.pending.pop_front() {
            match asker {
                Asker::Client(client) | Asker::Status(Some(client), _) => {
                    out(LinkNews::Answer(client, "443 the registry went away, try again"));
                }
                Asker::Call => {
                    out(LinkNews::LookedUp(ReplyLine { code: 443, more: false, text: why }));
                }
                Asker::Registration | Asker::Housekeeping | Asker::Book | Asker::Status(None, _) => {}
            }
        }
    }

    /// One line from the registry.
    pub fn line(&mut self, now: Instant, line: &str, dice: &mut Dice, out: LinkOut<'_>) {
        self.last_heard = now;
        match (self.state, Heard::parse(line)) {
            (State::Greeting(_), Heard::Reply(reply)) => self.greeted(now, reply, dice, out),
            (State::Open, Heard::Reply(reply)) => self.answered(now, reply, line, dice, out),
            (State::Open, Heard::Event(Event::Goodbye(why))) => {
                self.farewell = Some(why);
            }
            (State::Open, Heard::Event(event)) => out(LinkNews::Event(event, line)),
            _ => {}
        }
    }

    fn greeted(&mut self, now: Instant, reply: ReplyLine<'_>, dice: &mut Dice, out: LinkOut<'_>) {
        if reply.code != 220 || Greeting::parse(reply.text).is_none() {
            let why = match reply.code {
                420 => format!("the registry refuses: {}", reply.text),
                _ => "what listens there is no vox-registry".to_owned(),
            };
            return self.give_up(now, &why, dice, out);
        }
        self.state = State::Open;
        let request = Request::Register(self.registration.clone());
        self.send(now, Asker::Registration, &request, out);
    }

    fn answered(
        &mut self,
        now: Instant,
        reply: ReplyLine<'_>,
        line: &str,
        dice: &mut Dice,
        out: LinkOut<'_>,
    ) {
        let asker = self.pending.front().map(|(asker, _)| *asker);
        if !reply.more {
            self.pending.pop_front();
        }
        match asker {
            Some(Asker::Registration) if reply.is_done() => self.registered_as(now, reply.text, out),
            Some(Asker::Registration) => {
                let why = format!("the registry refuses: {}", reply.text);
                self.give_up(now, &why, dice, out);
            }
            Some(Asker::Book) => listed(reply, out),
            Some(Asker::Call) => out(LinkNews::LookedUp(reply)),
            Some(Asker::Client(client)) => out(LinkNews::Answer(client, line)),
            Some(Asker::Status(client, status)) => {
                if reply.is_done() {
                    out(LinkNews::StatusIs(status));
                }
                client.into_iter().for_each(|client| out(LinkNews::Answer(client, line)));
            }
            Some(Asker::Housekeeping) | None => {}
        }
    }

    fn registered_as(&mut self, now: Instant, text: &str, out: LinkOut<'_>) {
        let address = text.rsplit(' ').next().unwrap_or_default().to_owned();
        self.registered = Some((now, address));
        self.reason.clear();
        self.pause = FIRST_PAUSE;
        self.status = Status::Idle;
        out(LinkNews::Registered(text));
        self.send(now, Asker::Housekeeping, &Request::Watch(true), out);
        out(LinkNews::ListBegins);
        self.send(now, Asker::Book, &Request::List(""), out);
    }

    /// Ends the connection from this side: the reason is ours, whatever the shell says of it afterwards.
    fn give_up(&mut self, now: Instant, why: &str, dice: &mut Dice, out: LinkOut<'_>) {
        out(LinkNews::Disconnect);
        self.leaving = true;
        self.fall(now, why, dice, out);
    }

    /// Tells the registry our status, when it is another than it knows.
    pub fn tell_status(&mut self, now: Instant, status: Status, out: LinkOut<'_>) {
        if self.status != status {
            self.send_status(now, None, status, out);
        }
    }

    /// Tells the registry our status because a control client said so. `false`: there is no registry now.
    pub fn set_status(&mut self, now: Instant, client: ClientId, status: Status, out: LinkOut<'_>) -> bool {
        self.send_status(now, Some(client), status, out)
    }

    fn send_status(
        &mut self,
        now: Instant,
        client: Option<ClientId>,
        status: Status,
        out: LinkOut<'_>,
    ) -> bool {
        let asker = Asker::Status(client, status);
        let sent = self.registered.is_some() && self.send(now, asker, &Request::Status(status), out);
        if sent {
            self.status = status;
        }
        sent
    }

    /// Asks on behalf of a control client. `false`: there is no registry now.
    pub fn ask(&mut self, now: Instant, client: ClientId, request: &Request<'_>, out: LinkOut<'_>) -> bool {
        self.registered.is_some() && self.send(now, Asker::Client(client), request, out)
    }

    /// Asks where somebody is who is to be called. `false`: there is no registry now.
    pub fn look_up(&mut self, now: Instant, request: &Request<'_>, out: LinkOut<'_>) -> bool {
        self.registered.is_some() && self.send(now, Asker::Call, request, out)
    }

    /// Nobody is to be called any more: the answer to the look-up is not the next one's.
    pub fn forget_call(&mut self) {
        for (asker, _) in self.pending.iter_mut().filter(|(asker, _)| *asker == Asker::Call) {
            *asker = Asker::Housekeeping;
        }
    }

    /// A client that is gone gets no answers, and neither does the next one in its place.
    pub fn forget_client(&mut self, client: ClientId) {
        for (asker, _) in &mut self.pending {
            match *asker {
                Asker::Client(of) if of == client => *asker = Asker::Housekeeping,
                Asker::Status(Some(of), status) if of == client => *asker = Asker::Status(None, status),
                _ => {}
            }
        }
    }

    fn send(&mut self, now: Instant, asker: Asker, request: &Request<'_>, out: LinkOut<'_>) -> bool {
        let room = self.pending.push_back((asker, now)).is_ok();
        if room {
            out(LinkNews::Send(&request.to_string()));
        }
        room
    }

    /// When to look again.
    pub fn deadline(&self) -> Option<Instant> {
        match self.state {
            State::Unwanted | State::Connecting => None,
            State::Waiting(until) | State::Greeting(until) => Some(until),
            State::Open => Some(match self.pending.front() {
                Some((_, asked)) => self.last_heard.max(*asked) + ANSWER_TIMEOUT,
                None => self.last_heard + QUIET,
            }),
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
            State::Open if self.pending.is_empty() => {
                self.send(now, Asker::Housekeeping, &Request::Ping(""), out);
            }
            _ => self.give_up(now, "the registry does not answer", dice, out),
        }
    }
}

fn listed(reply: ReplyLine<'_>, out: LinkOut<'_>) {
    match Entry::parse(reply.text) {
        Some(entry) if reply.more => out(LinkNews::Listed(entry)),
        // Whoever is refused the listing has learned nothing.
        _ if !reply.more && reply.is_done() => out(LinkNews::ListEnds),
        _ => {}
    }
}

/// An administrator, or another station under our name, wants us gone: coming back at once would be a fight.
fn is_meant_for_us(farewell: Farewell) -> bool {
    matches!(farewell, Farewell::Kicked | Farewell::Banned | Farewell::Replaced)
}

#[cfg(test)]
mod tests;
