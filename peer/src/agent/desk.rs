//! The programs on the control socket: who watches, and who hears what.

use vox_common::wire::limits::MAX_CLIENTS;

use super::io::{ClientId, Out, Output};

/// Which clients watch, and which wait.
#[derive(Debug, Default)]
pub struct Desk {
    watching: [bool; MAX_CLIENTS],
    /// Which clients wait for the devices.
    listing: [bool; MAX_CLIENTS],
}

impl Desk {
    /// Answers one client with whole lines; the last end of line is added.
    pub fn answer(client: ClientId, text: &str, out: Out<'_>) {
        out(Output::ToClient(client, &format!("{text}\n")));
    }

    /// From now on the client hears every event.
    pub fn watch(&mut self, client: ClientId) {
        set(&mut self.watching, client, true);
    }

    /// The client is gone; the next one in its place starts anew.
    pub fn forget(&mut self, client: ClientId) {
        set(&mut self.watching, client, false);
        set(&mut self.listing, client, false);
    }

    /// The client has asked for the devices.
    pub fn ask_devices(&mut self, client: ClientId, out: Out<'_>) {
        set(&mut self.listing, client, true);
        out(Output::ListDevices(client));
    }

    /// The devices of this machine, if the client who asked is still there.
    pub fn devices(&mut self, client: ClientId, text: &str, out: Out<'_>) {
        if set(&mut self.listing, client, false) {
            Self::answer(client, text, out);
        }
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
}

/// Notes something of a client; what was noted before.
fn set(noted: &mut [bool; MAX_CLIENTS], client: ClientId, now: bool) -> bool {
    noted.get_mut(usize::from(client.0)).is_some_and(|place| std::mem::replace(place, now))
}
