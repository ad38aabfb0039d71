//! Users and administrators of a core on one machine with it, for transcripts.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use crate::transcript::Party;
use crate::world::World;

/// A registry says its last words for less than this.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// Everybody in a dialogue with a core.
pub struct People {
    world: World,
    /// Clients below this number are administrators.
    first_user: u16,
    places: HashMap<u16, u16>,
    answers: HashMap<u16, VecDeque<String>>,
}

impl People {
    /// Nobody yet; clients from `first_user` on will be users, those below administrators.
    pub fn new(world: World, first_user: u16) -> Self {
        Self { world, first_user, places: HashMap::new(), answers: HashMap::new() }
    }

    /// # Panics
    /// Somebody was told what the dialogue does not know.
    pub fn have_heard_everything(&mut self) {
        for (client, &place) in &self.places {
            assert_eq!(self.world.hear(place), Vec::<String>::new(), "left over for client {client}");
        }
        assert!(self.answers.values().all(VecDeque::is_empty), "left over: {:?}", self.answers);
    }

    fn is_user(&self, client: u16) -> bool {
        client >= self.first_user
    }

    fn place(&mut self, client: u16) -> u16 {
        *self.places.entry(client).or_insert_with(|| self.world.connect("127.0.0.1", "127.0.0.1"))
    }
}

impl Party for People {
    fn say(&mut self, client: u16, line: &str) {
        if self.is_user(client) {
            let place = self.place(client);
            self.world.say(place, line);
        } else {
            let answer = self.world.administer(line);
            self.answers.entry(client).or_default().extend(answer);
        }
    }

    fn hear(&mut self, client: u16) -> Option<String> {
        if self.is_user(client) {
            let place = self.place(client);
            self.world.hear_one(place)
        } else {
            self.answers.entry(client).or_default().pop_front()
        }
    }

    fn leave(&mut self, client: u16) {
        let place = self.places.remove(&client).expect("a client that came before");
        self.world.close(place);
    }

    fn is_closed(&mut self, client: u16) -> bool {
        let Some(place) = self.places.remove(&client) else {
            return self.world.registry().is_finished();
        };
        if self.world.is_open(place) {
            self.world.pass(LAST_WORDS);
        }
        !self.world.is_open(place) && self.world.hear_one(place).is_none()
    }
}
