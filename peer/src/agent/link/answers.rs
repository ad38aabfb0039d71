//! What each answer of the registry means to whoever asked.

use std::time::Instant;

use vox_common::wire::refusal::Refusal;
use vox_common::wire::reply::ReplyLine;
use vox_common::wire::users::{Entry, Status};

use super::pending::{Asker, Errand};
use super::{Dice, FIRST_PAUSE, Link, LinkNews, LinkOut, clause, refusal};
use crate::agent::rooms::{Change, Next};

impl Link {
    /// One line of an answer; the next one belongs to whoever has waited longest.
    pub(super) fn answered(
        &mut self,
        now: Instant,
        reply: ReplyLine<'_>,
        line: &str,
        dice: &mut Dice,
        out: LinkOut<'_>,
    ) {
        let Some(asker) = self.pending.answered(reply.more) else { return };
        match asker.client() {
            Some(client) if asker.moves(reply) => out(LinkNews::Moved(client, line)),
            Some(client) => out(LinkNews::Answer(client, line)),
            None => {}
        }
        if reply.is_done() {
            self.brake.ease();
        }
        let hasty = reply.code == Refusal::SlowDown.code();
        match asker {
            Asker::Registration if reply.is_done() => self.registered_as(now, reply.text, out),
            Asker::Registration => self.give_up(now, &refusal(reply), dice, out),
            Asker::Errand(errand) if hasty => self.brake.pull(now, Some(errand), dice),
            Asker::Errand(Errand::List) => listed(reply, out),
            Asker::Call => out(LinkNews::LookedUp(reply)),
            Asker::Status(status) if reply.is_done() => self.status_taken(status, out),
            Asker::Status(..) if hasty => {
                self.status = None;
                self.brake.pull(now, None, dice);
            }
            Asker::Room(_, change) if reply.is_done() => self.rooms.changed(change),
            Asker::Room(None, change) => self.not_let_back(now, &change, reply, out),
            Asker::Room(Some(_), _) | Asker::Client(_) if hasty => self.brake.pull(now, None, dice),
            _ => {}
        }
    }

    fn registered_as(&mut self, now: Instant, text: &str, out: LinkOut<'_>) {
        let address = text.rsplit(' ').next().unwrap_or_default().to_owned();
        self.registered = Some((now, address));
        self.reason.clear();
        self.pause = FIRST_PAUSE;
        self.status = Some(Status::Idle);
        out(LinkNews::Registered(text, self.sealed_with));
        self.run(now, Errand::Watch, out);
        self.run(now, Errand::List, out);
        if let Some(change) = self.rooms.registered(now) {
            self.go(now, change, out);
        }
    }

    fn status_taken(&mut self, status: Status, out: LinkOut<'_>) {
        self.status.get_or_insert(status);
        out(LinkNews::StatusIs(status));
    }

    fn not_let_back(&mut self, now: Instant, change: &Change, reply: ReplyLine<'_>, out: LinkOut<'_>) {
        match self.rooms.refused(now, change, reply) {
            Next::Wait => {}
            Next::Try(change) => self.go(now, change, out),
            Next::Lost(room) => out(LinkNews::LostRoom(room, clause(reply))),
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
