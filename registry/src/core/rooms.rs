//! The rooms of a registry. Who is in which is a matter of the users: a count that is not kept cannot be wrong.

use heapless::Vec;
use vox_common::wire::limits::MAX_ROOMS;
use vox_common::wire::names::Name;

/// A room, by a number that is never given twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RoomId(u64);

#[derive(Debug, Clone)]
pub(super) struct Room {
    pub(super) id: RoomId,
    pub(super) name: Name,
    /// As many members as may be.
    pub(super) capacity: usize,
}

/// All rooms, in the order in which they were made. Each has a member, or it would not be there.
#[derive(Debug)]
pub(super) struct Rooms {
    rooms: Vec<Room, MAX_ROOMS>,
    made: u64,
}

impl Rooms {
    pub(super) const fn new() -> Self {
        Self { rooms: Vec::new(), made: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.rooms.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Room> {
        self.rooms.iter()
    }

    pub(super) fn by_name(&self, name: &Name) -> Option<&Room> {
        self.iter().find(|room| room.name == *name)
    }

    pub(super) fn by_id(&self, id: RoomId) -> Option<&Room> {
        self.iter().find(|room| room.id == id)
    }

    /// Makes a room. `None`: there is no place.
    pub(super) fn make(&mut self, name: Name, capacity: usize) -> Option<RoomId> {
        self.made += 1;
        let id = RoomId(self.made);
        self.rooms.push(Room { id, name, capacity }).ok().map(|()| id)
    }

    /// Ends a room; those behind it move up.
    pub(super) fn end(&mut self, id: RoomId) {
        self.rooms.retain(|room| room.id != id);
    }
}
