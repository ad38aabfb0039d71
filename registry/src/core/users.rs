//! The users of a registry: one name, one connection, one address and port each.

use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::time::Instant;

use heapless::Vec;
use vox_common::wire::keys::{Fingerprint, PublicKey};
use vox_common::wire::limits::MAX_USERS;
use vox_common::wire::names::{DisplayName, Name};
use vox_common::wire::request::Registration;
use vox_common::wire::users::{Entry, Found, Status};

use super::connections::ConnId;
use super::ends::Ends;
use super::rooms::RoomId;

#[derive(Debug, Clone)]
pub(super) struct User {
    pub(super) name: Name,
    pub(super) conn: ConnId,
    pub(super) ends: Ends,
    pub(super) status: Status,
    /// The room that it is in.
    pub(super) room: Option<RoomId>,
    /// Wants to be told of the others.
    pub(super) watching: bool,
    pub(super) port: NonZeroU16,
    /// When it registered.
    pub(super) came: Instant,
    pub(super) key: Option<PublicKey>,
    /// The key again, where it was proved that the user holds it.
    pub(super) proved: Option<PublicKey>,
    /// Of the key; kept, because every listing tells it.
    pub(super) fingerprint: Option<Fingerprint>,
    pub(super) display: Option<DisplayName>,
}

impl User {
    pub(super) fn new(
        conn: ConnId,
        ends: Ends,
        registration: Registration,
        proved: Option<PublicKey>,
        now: Instant,
    ) -> Self {
        let Registration { name, port, key, proof: _, key_proof: _, display } = registration;
        Self {
            name,
            conn,
            ends,
            status: Status::default(),
            room: None,
            watching: false,
            port,
            came: now,
            key,
            proved,
            fingerprint: key.map(|key| key.fingerprint()),
            display,
        }
    }

    /// Where `asker` can call this user.
    pub(super) fn address_for(&self, asker: &Ends) -> SocketAddr {
        SocketAddr::new(self.ends.seen_by(asker), self.port.get())
    }

    /// This user as listed to `asker`.
    pub(super) fn entry_for(&self, asker: &Ends) -> Entry {
        Entry {
            name: self.name.clone(),
            address: self.address_for(asker),
            status: self.status,
            fingerprint: self.fingerprint,
            display: self.display.clone(),
        }
    }

    /// This user in full as told to `asker`.
    pub(super) fn found_for(&self, asker: &Ends) -> Found {
        Found {
            name: self.name.clone(),
            address: self.address_for(asker),
            status: self.status,
            key: self.key,
            display: self.display.clone(),
        }
    }

    /// Whether both take calls at the same place, where only one of them would ever ring. Not said of who proves a key:
    /// behind one router there may be two with the same port.
    pub(super) fn is_in_the_way_of(&self, newcomer: &Self) -> bool {
        newcomer.proved.is_none() && self.port == newcomer.port && self.ends.is_same_host(&newcomer.ends)
    }

    /// Whether this has the name and the key of a newcomer who proves to hold it.
    pub(super) fn is_of_the_holder(&self, newcomer: &Self) -> bool {
        self.name == newcomer.name && newcomer.proved.is_some() && self.key == newcomer.proved
    }

    /// Whether this has the name of a newcomer from the same host.
    pub(super) fn is_from_the_host_of(&self, newcomer: &Self) -> bool {
        self.name == newcomer.name && self.ends.is_same_host(&newcomer.ends)
    }
}

/// All users, in the order in which they came.
#[derive(Debug)]
pub(super) struct Users {
    all: Vec<User, MAX_USERS>,
    /// How often anything about them may have changed.
    changes: u64,
}

impl Users {
    pub(super) const fn new() -> Self {
        Self { all: Vec::new(), changes: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn changes(&self) -> u64 {
        self.changes
    }

    /// Takes a new one. `false`: there is no place.
    pub(super) fn add(&mut self, user: User) -> bool {
        self.changes += 1;
        self.all.push(user).is_ok()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &User> {
        self.all.iter()
    }

    pub(super) fn by_name(&self, name: &Name) -> Option<&User> {
        self.iter().find(|user| user.name == *name)
    }

    pub(super) fn of(&self, conn: ConnId) -> Option<&User> {
        self.iter().find(|user| user.conn == conn)
    }

    pub(super) fn of_mut(&mut self, conn: ConnId) -> Option<&mut User> {
        self.changes += 1;
        self.all.iter_mut().find(|user| user.conn == conn)
    }

    pub(super) fn members(&self, room: RoomId) -> impl Iterator<Item = &User> {
        self.iter().filter(move |user| user.room == Some(room))
    }

    pub(super) fn put_into(&mut self, conn: ConnId, room: Option<RoomId>) {
        if let Some(user) = self.of_mut(conn) {
            user.room = room;
        }
    }

    /// Takes a user out; those behind it move up.
    pub(super) fn remove(&mut self, conn: ConnId) -> Option<User> {
        let index = self.all.iter().position(|user| user.conn == conn)?;
        self.changes += 1;
        Some(self.all.remove(index))
    }
}
