//! What there is to see of a registry at one moment: for the page and for administrators.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use vox_common::wire::keys::Fingerprint;
use vox_common::wire::names::{DisplayName, Name};
use vox_common::wire::users::Status;

use super::Registry;
use super::counters::Counters;
use super::events::PastEvent;
use super::rooms::Room;
use super::users::User;

/// A registry at one moment, in memory of its own: whoever asked may take its time with it.
#[derive(Debug, Clone)]
pub struct Overview {
    /// What the greeting calls this registry.
    pub name: Name,
    /// Since it started.
    pub uptime: Duration,
    /// Connections, registered or not.
    pub connections: usize,
    /// As many users as may be.
    pub max_users: usize,
    /// As many rooms as may be.
    pub max_rooms: usize,
    /// Who is there, in the order in which they came.
    pub users: Vec<UserView>,
    /// The rooms, in the order in which they were made.
    pub rooms: Vec<RoomView>,
    /// What was counted since the start.
    pub counters: Counters,
    /// What happened last, oldest first.
    pub events: Vec<EventView>,
}

/// One user.
#[derive(Debug, Clone)]
pub struct UserView {
    /// The name that others call.
    pub name: Name,
    /// What people see instead of it.
    pub display: Option<DisplayName>,
    /// Where it takes calls, as the registry sees it.
    pub address: SocketAddr,
    /// Whether calls are welcome.
    pub status: Status,
    /// Of its key.
    pub fingerprint: Option<Fingerprint>,
    /// How long it has been there.
    pub there_for: Duration,
}

/// One room.
#[derive(Debug, Clone)]
pub struct RoomView {
    /// What it is called.
    pub name: Name,
    /// As many members as may be.
    pub capacity: usize,
    /// Who is in it.
    pub members: Vec<Name>,
}

/// Something that happened.
#[derive(Debug, Clone)]
pub struct EventView {
    /// How long ago.
    pub ago: Duration,
    /// As a sentence and `key=value`, like in the log.
    pub text: String,
}

impl Registry<'_> {
    /// What there is to see now.
    pub fn overview(&self, now: Instant) -> Overview {
        let ago = |then| now.saturating_duration_since(then);
        let event =
            |event: &PastEvent| EventView { ago: ago(event.happened), text: event.text.as_str().into() };
        Overview {
            name: self.settings.name.clone(),
            uptime: ago(self.started),
            connections: self.tables.connections.len(),
            max_users: self.settings.max_users,
            max_rooms: self.settings.max_rooms,
            users: self.tables.users.iter().map(|user| view(user, ago(user.came))).collect(),
            rooms: self.tables.rooms.iter().map(|room| self.view_room(room)).collect(),
            counters: self.counters,
            events: self.tables.events.iter().map(event).collect(),
        }
    }

    fn view_room(&self, room: &Room) -> RoomView {
        let members = self.tables.users.members(room.id).map(|user| user.name.clone()).collect();
        RoomView { name: room.name.clone(), capacity: room.capacity, members }
    }
}

fn view(user: &User, there_for: Duration) -> UserView {
    UserView {
        name: user.name.clone(),
        display: user.display.clone(),
        address: user.address_for(&user.ends),
        status: user.status,
        fingerprint: user.fingerprint,
        there_for,
    }
}
