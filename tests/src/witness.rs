//! What a client of a registry knows of the others by what it was told, and whether that is so.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use vox_common::wire::event::Event;
use vox_common::wire::users::Status;
use vox_registry::core::overview::Overview;

/// How long watchers may not know of somebody who came, nor of a status that it set meanwhile.
const GATHERING: Duration = Duration::from_millis(50);

/// One client.
#[derive(Debug, Default)]
pub struct Witness {
    name: Option<String>,
    /// Who else is there, if it watches.
    others: Option<BTreeMap<String, Status>>,
    /// Its room, and who is in it.
    room: Option<(String, BTreeSet<String>)>,
}

impl Witness {
    /// The name under which it registered.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Learns from a line; `before` is what there was before the registry said it.
    ///
    /// # Panics
    /// It contradicts what was told before.
    pub fn hear(&mut self, line: &str, before: &Overview) {
        self.hear_reply(line, before);
        if let Some(event) = Event::parse(line) {
            self.hear_event(event);
        }
    }

    fn hear_reply(&mut self, line: &str, before: &Overview) {
        match line.split(' ').collect::<Vec<_>>()[..] {
            ["200", "registered", name, _] => self.name = Some(name.into()),
            ["200", "watching"] => self.others = Some(self.others_in(before)),
            ["200", "not", "watching"] => self.others = None,
            ["200", "joined" | "created", room] => {
                let members = members(before, room).chain(self.name.clone());
                self.room = Some((room.into(), members.collect()));
            }
            ["200", "left", _] => self.room = None,
            _ => {}
        }
    }

    fn hear_event(&mut self, event: Event<'_>) {
        match event {
            Event::Joined(entry) => _ = self.watched().insert(entry.name.to_string(), entry.status),
            Event::Left(name) => {
                assert!(self.watched().remove(name.as_str()).is_some(), "{name} was not there");
            }
            Event::Status(name, status) => {
                *self.watched().get_mut(name.as_str()).expect("a status of somebody who is there") = status;
            }
            Event::Entered(room, name) => {
                assert!(self.in_room(room.as_str()).insert(name.to_string()), "{name} was in {room} already");
            }
            Event::Exited(room, name) => {
                assert!(self.in_room(room.as_str()).remove(name.as_str()), "{name} was not in {room}");
            }
            Event::Say { room, from, .. } => {
                assert!(self.in_room(room.as_str()).contains(from.as_str()), "{from} is not in {room}");
            }
            Event::Msg(from, _) | Event::Broadcast(from, _) => {
                assert!(self.name.is_some(), "{from} speaks to somebody who has no name");
            }
            Event::Goodbye(_) => {}
        }
    }

    fn watched(&mut self) -> &mut BTreeMap<String, Status> {
        self.others.as_mut().expect("only those who watch are told")
    }

    fn in_room(&mut self, name: &str) -> &mut BTreeSet<String> {
        let (room, members) = self.room.as_mut().expect("only those in a room are told");
        assert_eq!(room, name, "only those in this room are told");
        members
    }

    /// Whether, if it watches, it knows all who are there and how they are, and nobody else. Of newcomers it will be
    /// told.
    pub fn knows_the_others(&self, now: &Overview) -> bool {
        let Some(others) = &self.others else { return true };
        let there = self.others_in(now);
        let new = now.users.iter().filter(|user| user.there_for < GATHERING);
        let new: BTreeSet<&str> = new.map(|user| user.name.as_str()).collect();
        others.keys().all(|name| there.contains_key(name))
            && there
                .iter()
                .all(|(name, status)| new.contains(name.as_str()) || others.get(name) == Some(status))
    }

    /// Whether, if it is in a room, it knows all who are in it, and nobody else.
    pub fn knows_its_room(&self, now: &Overview) -> bool {
        self.room.as_ref().is_none_or(|(room, known)| members(now, room).collect::<BTreeSet<_>>() == *known)
    }

    fn others_in(&self, overview: &Overview) -> BTreeMap<String, Status> {
        let others = overview.users.iter().filter(|user| Some(user.name.as_str()) != self.name());
        others.map(|user| (user.name.to_string(), user.status)).collect()
    }
}

fn members(overview: &Overview, name: &str) -> impl Iterator<Item = String> {
    let room = overview.rooms.iter().find(|room| room.name.as_str() == name);
    room.into_iter().flat_map(|room| &room.members).map(ToString::to_string)
}
