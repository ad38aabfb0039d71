//! The dialogues of `transcripts/registry`, with the core and with the real program.

use std::collections::HashMap;

use vox_tests::bed::{Place, Registry, Surroundings};
use vox_tests::transcript::{Party, Transcript};
use vox_tests::wire::{Wire, Wires};
use vox_tests::world::World;

#[test]
fn the_core_keeps_to_every_transcript() {
    for transcript in Transcript::all("registry") {
        let world = World::with(|settings| {
            for (key, value) in transcript.settings() {
                assert_eq!(key, "max-users", "a setting that this test knows");
                settings.max_users = value.parse().unwrap();
            }
        });
        let mut core = Core { world, places: HashMap::new() };
        transcript.hold(&mut core);
        core.has_heard_everything();
    }
}

#[test]
fn the_program_keeps_to_every_transcript() {
    for transcript in Transcript::all("registry") {
        let place = Place::new();
        let registry = Registry::with(&place, &Surroundings::default(), "127.0.0.1", |settings| {
            for (key, value) in transcript.settings() {
                settings.set(key, value.parse::<i64>().unwrap());
            }
        });
        transcript.hold(&mut Wires::new(|_| Wire::tcp(&registry.address())));
    }
}

/// Clients of a core on one machine with it.
struct Core {
    world: World,
    places: HashMap<u16, u16>,
}

impl Core {
    fn place(&mut self, client: u16) -> u16 {
        *self.places.entry(client).or_insert_with(|| self.world.connect("127.0.0.1", "127.0.0.1"))
    }

    fn has_heard_everything(&mut self) {
        for (client, &place) in &self.places {
            assert_eq!(self.world.hear(place), Vec::<String>::new(), "left over for client {client}");
        }
    }
}

impl Party for Core {
    fn say(&mut self, client: u16, line: &str) {
        let place = self.place(client);
        self.world.say(place, line);
    }

    fn hear(&mut self, client: u16) -> Option<String> {
        let place = self.place(client);
        self.world.hear_one(place)
    }

    fn leave(&mut self, client: u16) {
        let place = self.places.remove(&client).expect("a client that came before");
        self.world.close(place);
    }

    fn is_closed(&mut self, client: u16) -> bool {
        let place = self.places.remove(&client).expect("a client that came before");
        !self.world.is_open(place) && self.world.hear_one(place).is_none()
    }
}
