//! A hundred thousand random operations against the core of the registry, and after each of them all that must hold.
//! `SEED=` repeats what chance did.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write;
use std::time::Duration;

use vox_common::wire::keys::PublicKey;
use vox_registry::core::Access;
use vox_registry::core::overview::Overview;
use vox_tests::sim::net::Chance;
use vox_tests::torture::chance;
use vox_tests::witness::Witness;
use vox_tests::world::World;

const OPERATIONS: usize = 100_000;
/// So few that tables are full again and again.
const MAX_USERS: usize = 7;
const MAX_ROOMS: usize = 3;
const CLIENTS: usize = 24;
const NAMES: u64 = 16;
/// Operations that are told when something is wrong.
const STORY: usize = 30;

/// The world, and what each client knows of it by what it was told.
struct Trial {
    world: World,
    chance: Chance,
    people: BTreeMap<u16, Witness>,
    before: Overview,
    access: Access,
    /// To which key a name belongs, where names belong to keys.
    owners: BTreeMap<String, String>,
    /// For whoever has to find out what went wrong.
    last: VecDeque<String>,
}

#[test]
fn a_hundred_thousand_random_operations_break_nothing() {
    Trial::new(Access::Open).run(OPERATIONS);
}

#[test]
fn where_names_belong_to_keys_nobody_ever_takes_another_ones() {
    Trial::new(Access::Keys).run(OPERATIONS / 4);
}

impl Trial {
    fn new(access: Access) -> Self {
        let world = World::with(|settings| {
            settings.max_users = MAX_USERS;
            settings.max_rooms = MAX_ROOMS;
            settings.access = access.clone();
        });
        let (before, people, last) = (world.overview(), BTreeMap::new(), VecDeque::new());
        Self { world, chance: chance(), people, before, access, owners: BTreeMap::new(), last }
    }

    fn run(mut self, operations: usize) {
        for _ in 0..operations {
            let operation = self.operate();
            self.last.push_back(operation);
            if self.last.len() > STORY {
                self.last.pop_front();
            }
            self.check();
        }
    }

    /// Does something, and lets everybody learn of it; what it was.
    fn operate(&mut self) -> String {
        self.before = self.world.overview();
        match self.chance.below(100) {
            0..10 => self.connect(),
            10..12 => self.vanish(),
            12 => self.deafen(),
            13..20 => self.pass(),
            20 => self.administer(),
            _ => self.say(),
        }
    }

    fn connect(&mut self) -> String {
        if self.people.len() == CLIENTS {
            return self.vanish();
        }
        let from = self.pick(&["127.0.0.1", "10.0.0.7", "10.0.0.8", "::ffff:10.0.0.8", "2001:db8::7"]);
        let to = if from.starts_with("127") { "127.0.0.1" } else { "10.0.0.1" };
        let client = self.world.connect(from, to);
        self.people.insert(client, Witness::default());
        self.learn();
        format!("{client} connects from {from}")
    }

    fn vanish(&mut self) -> String {
        let Some(client) = self.somebody() else { return "nobody vanishes".into() };
        self.world.close(client);
        self.learn();
        format!("{client} vanishes")
    }

    fn deafen(&mut self) -> String {
        let Some(client) = self.somebody() else { return "nobody goes deaf".into() };
        self.world.deafen(client);
        format!("{client} goes deaf")
    }

    fn pass(&mut self) -> String {
        let longest = self.pick(&["20", "200", "60000"]).parse().expect("a number");
        let length = Duration::from_millis(self.chance.below(longest));
        self.world.pass(length);
        self.learn();
        format!("{length:?} pass")
    }

    fn administer(&mut self) -> String {
        let line = match self.chance.below(8) {
            0..3 => format!("KICK {}", self.name()),
            3 => format!("BAN {}", self.name()),
            4 => "BAN 10.0.0.7".into(),
            5 => return self.forgive(),
            6 => return self.forget(),
            _ => "USERS".into(),
        };
        let answer = self.world.administer(&line);
        assert!(!answer.is_empty(), "{line} is answered");
        self.learn();
        format!("administrator: {line}")
    }

    fn forgive(&mut self) -> String {
        for name in (0..NAMES).map(|n| format!("user{n}")).chain(["10.0.0.7".into()]) {
            self.world.administer(&format!("UNBAN {name}"));
        }
        "all bans are lifted".into()
    }

    /// A name may be taken with another key.
    fn forget(&mut self) -> String {
        let name = self.name();
        let answer = self.world.administer(&format!("FORGET {name}"));
        let was_owned = self.owners.remove(&name).is_some();
        assert_eq!(answer[0].starts_with("200 "), was_owned, "{}after these: FORGET {name}", self.story());
        format!("administrator: FORGET {name} → {answer:?}")
    }

    fn say(&mut self) -> String {
        let Some(client) = self.somebody() else { return "nobody speaks".into() };
        let line = self.line();
        self.world.say(client, &line);
        let answer = self.world.heard(client);
        self.is_right(client, &line, &answer);
        self.is_its_own(&line, &answer);
        self.hear(client, &answer);
        self.learn();
        format!("{client}: {line} → {answer:?}")
    }

    fn line(&mut self) -> String {
        let (name, room, n) = (self.name(), format!("room{}", self.chance.below(5)), self.chance.below(8));
        match self.chance.below(20) {
            0..5 => {
                format!("REGISTER {name} {} key={}", 6000 + n, self.key())
            }
            5 => format!("STATUS {}", self.pick(&["idle", "busy", "away", "dnd"])),
            6..8 => "WATCH on".into(),
            8 => "WATCH off".into(),
            9..11 => format!("CREATE {room} {}", 1 + n / 2),
            11..14 => format!("JOIN {room}"),
            14 => "LEAVE".into(),
            15 => format!("SAY {n}"),
            16 => format!("MSG {name} {n}"),
            17 => format!("BROADCAST {n}"),
            18 => self.pick(&["LIST", "ROOMS", "MEMBERS", "STATS", "PING", "HELP", "DANCE", ""]).into(),
            _ => "QUIT".into(),
        }
    }

    fn key(&mut self) -> PublicKey {
        PublicKey([[1, 2, 3][usize::try_from(self.chance.below(3)).expect("below three")]; 32])
    }

    fn name(&mut self) -> String {
        format!("user{}", self.chance.below(NAMES))
    }

    fn somebody(&mut self) -> Option<u16> {
        let which = self.chance.below(self.people.len().max(1) as u64);
        self.people.keys().nth(usize::try_from(which).expect("below a length")).copied()
    }

    fn pick(&mut self, words: &[&'static str]) -> &'static str {
        words[usize::try_from(self.chance.below(words.len() as u64)).expect("below a length")]
    }
}

/// What is told.
impl Trial {
    /// Everybody hears what there is to hear, and whoever was let go is forgotten.
    fn learn(&mut self) {
        let clients: Vec<u16> = self.people.keys().copied().collect();
        for client in clients {
            let heard = self.world.heard(client);
            self.hear(client, &heard);
        }
        let world = &self.world;
        self.people.retain(|&client, _| world.is_open(client));
    }

    fn hear(&mut self, client: u16, lines: &[String]) {
        let person = self.people.get_mut(&client).expect("one of ours");
        lines.iter().for_each(|line| person.hear(line, &self.before));
    }

    /// The answer is right for what there was before: above all, what is full refuses, and nothing else does.
    fn is_right(&self, client: u16, line: &str, answer: &[String]) {
        let Overview { users, rooms, .. } = &self.before;
        let Some(code) = answer.first().and_then(|line| line.get(..3)) else { return };
        let word = line.split(' ').nth(1).unwrap_or_default();
        let is_user = |name: &str| users.iter().any(|user| user.name.as_str() == name);
        let room = rooms.iter().find(|room| room.name.as_str() == word);
        let is_full = room.is_some_and(|room| room.members.len() >= room.capacity);
        let own = self.people[&client].name();
        let verb = line.split(' ').next().unwrap_or_default();
        let must = match (verb, code) {
            ("REGISTER", "200") => own.is_none() && users.len() < MAX_USERS && !is_user(word),
            ("REGISTER", "402") => own.is_some(),
            ("REGISTER", "420") => users.len() == MAX_USERS,
            ("CREATE", "413") | ("JOIN", "414") => room.is_some(),
            ("CREATE", "421") => rooms.len() == MAX_ROOMS,
            ("JOIN", "200") => room.is_some() && !is_full,
            ("CREATE", "200") | ("JOIN", "405") => room.is_none(),
            ("JOIN", "422") => is_full,
            ("REGISTER", "409") | ("MSG", "200") => is_user(word),
            ("STATUS" | "WATCH" | "LEAVE" | "SAY" | "MSG" | "BROADCAST" | "CREATE" | "JOIN", "401") => {
                own.is_none()
            }
            _ => true,
        };
        assert!(must, "{}after these, {client}: {line} → {answer:?}\n{users:?}\n{rooms:?}", self.story());
    }

    /// Whoever has taken a name comes with the key with which it was taken first.
    fn is_its_own(&mut self, line: &str, answer: &[String]) {
        let taken = answer.first().is_some_and(|line| line.starts_with("200 registered "));
        let [_, name, _, key] = line.split(' ').collect::<Vec<_>>()[..] else { return };
        if taken && self.access == Access::Keys {
            let before = self.owners.insert(name.into(), key.into());
            let is_right = before.is_none_or(|before| before == key);
            assert!(is_right, "{}after these: {line} → {answer:?}", self.story());
        }
    }

    fn story(&self) -> String {
        self.last.iter().fold(String::new(), |mut story, operation| {
            let _ = writeln!(story, "{operation}");
            story
        })
    }
}

/// What must hold.
impl Trial {
    fn check(&self) {
        let now = self.world.overview();
        let wrong = [
            ("a name twice, or one whose connection is gone", !self.names_are_right(&now)),
            ("an address and port twice", !are_unique(now.users.iter().map(|user| user.address))),
            ("more users or rooms than may be", now.users.len() > MAX_USERS || now.rooms.len() > MAX_ROOMS),
            ("a room that is empty, too full or there twice", !rooms_are_right(&now)),
            ("a member who is no user, or in two rooms", !members_are_right(&now)),
            (
                "a watcher who was told something else",
                !self.people.values().all(|person| person.knows_the_others(&now)),
            ),
            (
                "a member who was told something else",
                !self.people.values().all(|person| person.knows_its_room(&now)),
            ),
        ];
        for (what, is_wrong) in wrong {
            assert!(!is_wrong, "there is {what}, after\n{}\n{now:?}", self.story());
        }
    }

    fn names_are_right(&self, now: &Overview) -> bool {
        let named: BTreeSet<&str> = self.people.values().filter_map(Witness::name).collect();
        let listed: BTreeSet<&str> = now.users.iter().map(|user| user.name.as_str()).collect();
        listed.len() == now.users.len() && listed == named
    }
}

fn rooms_are_right(now: &Overview) -> bool {
    are_unique(now.rooms.iter().map(|room| room.name.as_str()))
        && now.rooms.iter().all(|room| (1..=room.capacity).contains(&room.members.len()))
}

fn members_are_right(now: &Overview) -> bool {
    let members = || now.rooms.iter().flat_map(|room| &room.members);
    are_unique(members()) && members().all(|member| now.users.iter().any(|user| user.name == *member))
}

fn are_unique<T: Ord>(things: impl Iterator<Item = T>) -> bool {
    let mut seen = BTreeSet::new();
    let mut things = things;
    things.all(|thing| seen.insert(thing))
}
