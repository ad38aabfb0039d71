//! The programs on the control socket: who watches, and who hears what.

use vox_common::wire::limits::MAX_CLIENTS;

use super::io::{ClientId, Out, Output};

/// Which clients watch.
#[derive(Debug, Default)]
pub struct Desk {
    watching: [bool; MAX_CLIENTS],
}

impl Desk {
    /// Answers one client with whole lines; the last end of line is added.
    pub fn answer(client: ClientId, text: &str, out: Out<'_>) {
        out(Output::ToClient(client, &format!("{text}\n")));
    }

    /// From now on the client hears every event.
    pub fn watch(&mut self, client: ClientId) {
        self.set(client, true);
    }

    /// The client is gone; the next one in its place starts anew.
    pub fn forget(&mut self, client: ClientId) {
        self.set(client, false);
    }

    /// Tells an event to everybody who watches, and to the one whom it concerns.
    pub fn tell(&self, concerned: Option<ClientId>, event: &str, out: Out<'_>) {
        let line = format!("{event}\n");
        for client in (0..).take(MAX_CLIENTS).map(ClientId) {
            if self.watching[usize::from(client.0)] || concerned == Some(client) {
                out(Output::ToClient(client, &line));
            }
        }
    }

    fn set(&mut self, client: ClientId, watching: bool) {
        if let Some(place) = self.watching.get_mut(usize::from(client.0)) {
            *place = watching;
        }
    }
}
