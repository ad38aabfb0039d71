//! What is asked of the registry: for control clients, for calls, and for the station itself.

use std::time::Instant;

use vox_common::wire::names::Name;
use vox_common::wire::refusal::Refusal;
use vox_common::wire::request::Request;
use vox_common::wire::users::Status;

use super::pending::{Asker, Errand};
use super::{Link, LinkNews, LinkOut};
use crate::agent::io::ClientId;
use crate::agent::rooms::Change;

impl Link {
    /// Tells the registry our status, when it is another than it knows.
    pub fn tell_status(&mut self, now: Instant, status: Status, out: LinkOut<'_>) {
        let is_new = self.registered.is_some() && self.status != Some(status) && !self.is_hurried();
        if is_new && self.send(now, Asker::Status(status), &Request::Status(status), out) {
            self.status = Some(status);
        }
    }

    /// What the registry was told of our status. `None`: there is none now, or it did not listen.
    pub fn told_status(&self) -> Option<Status> {
        self.status.filter(|_| self.registered.is_some())
    }

    /// Returns true if the registry was told this status last.
    pub fn has_told(&self, status: Status) -> bool {
        self.told_status() == Some(status)
    }

    /// Asks on behalf of a control client. `false`: there is no registry now.
    ///
    /// Whoever asks on when the registry has just said "slow down" hears that from us: the registry would end the
    /// connection, and the whole station would be gone for the haste of one program.
    pub fn ask(&mut self, now: Instant, client: ClientId, request: &Request<'_>, out: LinkOut<'_>) -> bool {
        if self.registered.is_none() {
            return false;
        }
        let asker = match Change::of(request) {
            Some(change) => Asker::Room(Some(client), change),
            None => Asker::Client(client),
        };
        if self.is_hurried() || !self.send(now, asker, request, out) {
            out(LinkNews::Answer(client, &Refusal::SlowDown.to_string()));
        }
        true
    }

    /// The registry has just said "slow down".
    fn is_hurried(&self) -> bool {
        self.brake.is_on()
    }

    /// Asks where somebody is who is to be called. `false`: there is no registry now.
    pub fn look_up(&mut self, now: Instant, request: &Request<'_>, out: LinkOut<'_>) -> bool {
        self.registered.is_some() && self.send(now, Asker::Call, request, out)
    }

    /// Nobody is to be called any more.
    pub fn forget_call(&mut self) {
        self.pending.forget_call();
    }

    /// A client is gone.
    pub fn forget_client(&mut self, client: ClientId) {
        self.pending.forget_client(client);
    }

    /// The user wants to be in no room: where we were on the way back to one, that is not done. Tells which.
    pub fn stay_out(&mut self) -> Option<Name> {
        self.rooms.forget_way()
    }

    /// Asks what the station itself needs to know.
    pub(super) fn run(&mut self, now: Instant, errand: Errand, out: LinkOut<'_>) {
        let request = match errand {
            Errand::Watch => Request::Watch(true),
            Errand::List => {
                out(LinkNews::ListBegins);
                Request::List("")
            }
        };
        self.send(now, Asker::Errand(errand), &request, out);
    }

    /// Goes where we were before the registry was away.
    pub(super) fn go(&mut self, now: Instant, change: Change, out: LinkOut<'_>) {
        let request = change.request();
        self.send(now, Asker::Room(None, change), &request, out);
    }

    /// What the registry was in too much of a hurry for, and what has waited for others.
    pub(super) fn ask_again(&mut self, now: Instant, out: LinkOut<'_>) {
        for errand in self.brake.expire(now) {
            self.run(now, errand, out);
        }
        if let Some(change) = self.rooms.expire(now) {
            self.go(now, change, out);
        }
    }

    /// Sends one request. `false`: too many are on their way.
    pub(super) fn send(
        &mut self,
        now: Instant,
        asker: Asker,
        request: &Request<'_>,
        out: LinkOut<'_>,
    ) -> bool {
        let room = self.pending.add(asker, now);
        if room {
            out(LinkNews::Send(&request.to_string()));
        }
        room
    }
}
