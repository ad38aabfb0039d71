//! Control requests, one by one.

use std::fmt::Write;

use vox_common::wire::control::{Request, Way, usages};
use vox_common::wire::names::Name;
use vox_common::wire::request::Request as Ask;
use vox_common::wire::users::{Entry, Status};

use super::Agent;
use super::calling::Caller;
use super::calls::{CallOut, Calls};
use super::desk::Desk;
use super::io::{ClientId, Kept, Moment, Out, Output};
use super::leg::Leg;
use super::registry::link_out;
use crate::media::orders::{Direction, MediaOrder};

const HUNG_UP: &str = "200 hung up";
const NO_CALL: &str = "442 no such call";
const NO_REGISTRY: &str = "443 no registry now, see `vox-peer status`";

impl Agent {
    pub(super) fn control(&mut self, now: Moment, client: ClientId, line: Result<&str, &str>, out: Out<'_>) {
        let request = match line {
            Ok(line) => Request::parse(line),
            Err(refusal) => return Desk::answer(client, refusal, out),
        };
        match request {
            Ok(request) => self.serve(now, client, request, out),
            Err(refusal) => Desk::answer(client, &refusal, out),
        }
    }

    fn serve(&mut self, now: Moment, client: ClientId, request: Request<'_>, out: Out<'_>) {
        match request {
            Request::Call(who, detached) => self.call(now, &who, Caller { client, detached }, out),
            Request::Answer => self.answer(now, client, out),
            Request::Reject => self.act(now, client, "200 rejected", out, Calls::reject),
            Request::Hangup if self.give_up_placing(out) => Desk::answer(client, HUNG_UP, out),
            Request::Hangup => self.act(now, client, HUNG_UP, out, Calls::hangup),
            Request::Mute(on) => self.mute(client, on, out),
            Request::Volume(way, percent) => self.volume(client, way, percent, out),
            Request::Status => Desk::answer(client, &self.status(now), out),
            Request::Users => Desk::answer(client, &self.users(now), out),
            Request::Lookup(name) => self.look_up(now, client, name, out),
            Request::History => self.show_history(now, client, out),
            Request::Messages => self.show_messages(now, client, out),
            Request::Key(None) => self.show_own_key(client, out),
            Request::Key(Some(who)) => self.show_key(client, &who, out),
            Request::Keys => self.show_keys(now, client, out),
            Request::Forget(who) => self.forget_key(client, &who, out),
            Request::Verify(who) => self.verify_key(now, client, &who, out),
            Request::Devices => self.front.desk.ask_devices(client, out),
            Request::PassedOn(Ask::Leave) => self.leave(now, client, out),
            Request::PassedOn(request) => self.ask_registry(now, client, &request, out),
            Request::SetStatus(status) => self.set_status(now, client, status, out),
            Request::Watch => self.watch(client, out),
            Request::Help => Desk::answer(client, &help(), out),
        }
    }

    fn act(
        &mut self,
        now: Moment,
        client: ClientId,
        done: &str,
        out: Out<'_>,
        act: impl FnOnce(&mut Calls, Moment, CallOut<'_>) -> bool,
    ) {
        let Self { calls, front, .. } = self;
        let acted = act(calls, now, &mut |output| front.perform(now, output, out));
        Desk::answer(client, if acted { done } else { NO_CALL }, out);
    }

    /// Whoever answers is told whom they talk to, and what there is to compare.
    fn answer(&mut self, now: Moment, client: ClientId, out: Out<'_>) {
        let Self { calls, front, .. } = self;
        let taken = calls.answer(now, &mut |output| front.perform(now, output, out));
        let told =
            |leg: &Leg| format!("200 answered {} {}{}{}", leg.who, leg.id, leg.display_word(), leg.trust());
        let answer = taken.map(told);
        Desk::answer(client, answer.as_deref().unwrap_or(NO_CALL), out);
    }

    fn mute(&mut self, client: ClientId, on: bool, out: Out<'_>) {
        if self.calls.current().is_none() {
            return Desk::answer(client, NO_CALL, out);
        }
        self.front.board.muted = on;
        out(Output::Media(MediaOrder::Mute(on)));
        Desk::answer(client, if on { "200 muted" } else { "200 not muted" }, out);
    }

    fn volume(&mut self, client: ClientId, way: Way, percent: u8, out: Out<'_>) {
        let direction = match way {
            Way::In => Direction::In,
            Way::Out => Direction::Out,
        };
        self.front.board.set_volume(direction, percent);
        out(Output::Media(MediaOrder::Volume(direction, percent)));
        self.keep_choices_and_answer(client, &format!("200 volume is {percent} %"), out);
    }

    /// Idle, away and dnd are the user's; busy comes by itself with a call, and may be chosen too. The registry is told
    /// at once, or when it is back.
    fn set_status(&mut self, now: Moment, client: ClientId, status: Status, out: Out<'_>) {
        self.status = status;
        self.calls.set_dnd(status == Status::Dnd);
        let effective = self.effective_status();
        self.link.tell_status(now.at, effective, &mut link_out(out));
        let answer = if self.calls.current().is_some() {
            format!("200 status is {status} once the call has ended")
        } else if self.registry_address.is_none() || self.link.has_told(status) {
            format!("200 status is {status}")
        } else if self.is_registered() {
            format!("429 slow down: the status is {status} here, and is told in a moment")
        } else {
            format!("443 no registry now: the status is {status} here, and is told when it is back")
        };
        self.keep_choices_and_answer(client, &answer, out);
    }

    fn watch(&mut self, client: ClientId, out: Out<'_>) {
        self.front.desk.watch(client);
        Desk::answer(client, "200 watching", out);
    }

    fn ask_registry(&mut self, now: Moment, client: ClientId, request: &Ask<'_>, out: Out<'_>) {
        if !self.link.ask(now.at, client, request, &mut link_out(out)) {
            Desk::answer(client, NO_REGISTRY, out);
        }
    }

    /// The registry knows best; while it is away, the address book answers.
    fn look_up(&mut self, now: Moment, client: ClientId, name: Name, out: Out<'_>) {
        if self.link.registered().is_some() {
            return self.ask_registry(now, client, &Ask::Lookup(name), out);
        }
        match self.calls.book.find(&name) {
            Some(Entry { name, address, status, .. }) => {
                Desk::answer(client, &format!("211 {name} {address} {status}"), out);
            }
            None => Desk::answer(client, NO_REGISTRY, out),
        }
    }

    fn users(&self, now: Moment) -> String {
        let mut text = String::new();
        let mut count = 0;
        for entry in self.calls.book.users() {
            let _ = writeln!(text, "210-{entry}");
            count += 1;
        }
        let _ = write!(text, "210 {count} users");
        if let Some(since) = self.calls.book.stale_since() {
            let _ = write!(text, " as of {} s ago", now.at.saturating_duration_since(since).as_secs());
        }
        text
    }

    fn show_history(&mut self, now: Moment, client: ClientId, out: Out<'_>) {
        let calls = self.front.history.calls();
        let mut text = calls.fold(String::new(), |text, call| text + &format!("231-{call}\n"));
        let remark = self.front.disk.remark(Kept::History.file(), now.at);
        let _ = write!(text, "231 {} calls{remark}", self.front.history.calls().count());
        Desk::answer(client, &text, out);
        if self.front.history.looked_at() {
            out(Output::Keep(Kept::History, &self.front.history.to_string()));
        }
    }

    fn show_messages(&mut self, now: Moment, client: ClientId, out: Out<'_>) {
        let messages = self.front.messages.kept();
        let mut text = messages.fold(String::new(), |text, message| text + &format!("233-{message}\n"));
        let remark = self.front.disk.remark(Kept::Messages.file(), now.at);
        let _ = write!(text, "233 {} messages{remark}", self.front.messages.kept().count());
        Desk::answer(client, &text, out);
        if self.front.messages.looked_at() {
            out(Output::Keep(Kept::Messages, &self.front.messages.to_string()));
        }
    }

    /// Whoever leaves a room while the registry is away does not want to come back with it.
    fn leave(&mut self, now: Moment, client: ClientId, out: Out<'_>) {
        let stays_out = self.link.stay_out();
        match stays_out.filter(|_| self.link.registered().is_none()) {
            Some(room) => {
                let answer = format!("443 no registry now: {room} is not joined again when it is back");
                self.keep_choices_and_answer(client, &answer, out);
            }
            None => self.ask_registry(now, client, &Ask::Leave, out),
        }
    }
}

fn help() -> String {
    usages().fold(String::new(), |text, usage| text + &format!("214-{usage}\n")) + "214 end"
}
