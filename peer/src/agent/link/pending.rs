//! The requests on their way to the registry, and who waits for the answers, which come in the same order.

use std::time::Instant;

use heapless::Deque;
use vox_common::wire::reply::ReplyLine;
use vox_common::wire::users::Status;

use crate::agent::io::ClientId;
use crate::agent::rooms::Change;

/// Requests on their way. At the brim a control client hears `443`.
const MAX_PENDING: usize = 64;

/// Whose answer comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asker {
    Registration,
    /// Whoever asked does not need to know.
    Nobody,
    Errand(Errand),
    Call,
    Client(ClientId),
    /// Of our status.
    Status(Status),
    /// Of the room that we are in; the control client who said so, if one did.
    Room(Option<ClientId>, Change),
}

/// What a station asks for itself once it is registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Errand {
    /// To be told who comes and goes.
    Watch,
    /// Who is there already.
    List,
}

impl Asker {
    /// The control client who waits.
    pub(super) fn client(&self) -> Option<ClientId> {
        match self {
            Self::Client(client) => Some(*client),
            Self::Room(client, _) => *client,
            _ => None,
        }
    }

    /// Returns true if this answer brings us into a room, or out of it.
    pub(super) fn moves(&self, reply: ReplyLine<'_>) -> bool {
        matches!(self, Self::Room(..)) && reply.is_done()
    }

    /// Without the control client: what its request changes is still learned.
    fn without_client(self) -> Self {
        match self {
            Self::Client(_) => Self::Nobody,
            Self::Room(_, change) => Self::Room(None, change),
            other => other,
        }
    }
}

/// All of them, oldest first.
#[derive(Debug, Default)]
pub(super) struct Pending(Deque<(Asker, Instant), MAX_PENDING>);

impl Pending {
    /// A request goes out. `false`: too many are on their way.
    pub(super) fn add(&mut self, asker: Asker, now: Instant) -> bool {
        self.0.push_back((asker, now)).is_ok()
    }

    /// Whose answer comes now; `more` of it is to come.
    pub(super) fn answered(&mut self, more: bool) -> Option<Asker> {
        if more { self.0.front().map(|(asker, _)| asker.clone()) } else { self.pop() }
    }

    /// Whoever has waited longest, who waits no more.
    pub(super) fn pop(&mut self) -> Option<Asker> {
        self.0.pop_front().map(|(asker, _)| asker)
    }

    /// Since when the oldest waits.
    pub(super) fn since(&self) -> Option<Instant> {
        self.0.front().map(|(_, asked)| *asked)
    }

    /// The answer to the look-up for a call is not the next one's.
    pub(super) fn forget_call(&mut self) {
        for (asker, _) in self.0.iter_mut().filter(|(asker, _)| *asker == Asker::Call) {
            *asker = Asker::Nobody;
        }
    }

    /// A client that is gone gets no answers, and neither does the next one in its place.
    pub(super) fn forget_client(&mut self, client: ClientId) {
        for (asker, _) in self.0.iter_mut().filter(|(asker, _)| asker.client() == Some(client)) {
            *asker = std::mem::replace(asker, Asker::Nobody).without_client();
        }
    }
}
