//! A registry and sixteen clients that say and do anything: every line has one answer, nobody who behaves notices, and
//! what is listed is so.

use std::collections::BTreeSet;
use std::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use vox_common::wire::event::Heard;
use vox_common::wire::keys::PublicKey;
use vox_common::wire::limits::LINE_BYTES;
use vox_common::wire::users::Entry;
use vox_registry::core::Access;

use crate::world::{WorldWithin, tables};

const CLIENTS: usize = 16;
const MOST_OPS: usize = 100;

/// Requests of users, of which the arguments are to be chosen.
const LINES: [&str; 22] = [
    "REGISTER {name} 600{digit}",
    "REGISTER {name} 600{digit} key={key} display=N%20{digit}",
    "LIST",
    "LIST {name}",
    "LOOKUP {name}",
    "STATUS busy",
    "STATUS idle",
    "WATCH on",
    "WATCH off",
    "MSG {name} two words",
    "BROADCAST to all",
    "ECHO two words",
    "CREATE {name} {digit}",
    "JOIN {name}",
    "LEAVE",
    "ROOMS",
    "MEMBERS {name}",
    "SAY hello",
    "STATS",
    "PING",
    "HELP",
    "QUIT",
];

const ORDERS: [&str; 8] = [
    "STATUS",
    "USERS",
    "KICK {name}",
    "BAN {name}",
    "UNBAN {name}",
    "BANS",
    "BAN 127.0.0.{digit}",
    "FORGET {name}",
];

#[derive(Debug, Clone, Copy, Arbitrary)]
enum Op<'a> {
    Connect,
    Ask { client: u8, line: u8, with: u8 },
    Say { client: u8, line: &'a str },
    Vanish(u8),
    Deafen(u8),
    Pass { ms: u16 },
    Order { line: u8, with: u8 },
    Administer(&'a str),
}

struct Crowd<'t> {
    world: WorldWithin<'t>,
    clients: Vec<u16>,
    deaf: BTreeSet<u16>,
    /// Behaves.
    bystander: u16,
}

/// A list of operations, behind who may register.
pub fn holds(bytes: &[u8]) {
    let mut dice = Unstructured::new(bytes);
    let Ok(with_keys) = dice.arbitrary::<bool>() else { return };
    let Ok(ops) = dice.arbitrary::<Vec<Op<'_>>>() else { return };
    let mut tables = tables();
    let mut world = WorldWithin::within(&mut tables, |settings| {
        settings.access = if with_keys { Access::Keys } else { Access::Open };
    });
    let bystander = world.connect("192.0.2.9", "192.0.2.1");
    let mut crowd = Crowd { world, clients: Vec::new(), deaf: BTreeSet::new(), bystander };
    crowd.world.hear(bystander);
    for op in ops.into_iter().take(MOST_OPS) {
        crowd.perform(op);
        crowd.is_sound();
    }
}

fn filled(line: &str, with: u8) -> String {
    let name = ["a", "bob", "carol", "d-1"][usize::from(with % 4)];
    let digit = (b'0' + with / 4 % 8).to_string();
    let key = PublicKey([with / 4 % 4; 32]).to_string();
    line.replace("{name}", name).replace("{digit}", &digit).replace("{key}", &key)
}

impl Crowd<'_> {
    fn perform(&mut self, op: Op<'_>) {
        match op {
            Op::Connect if self.clients.len() < CLIENTS => self.clients.push(self.world.local()),
            Op::Ask { client, line, with } => {
                self.ask(client, &filled(LINES[usize::from(line) % LINES.len()], with));
            }
            Op::Say { client, line } => self.ask(client, line),
            Op::Vanish(client) => self.at(client).map_or((), |client| self.world.close(client)),
            Op::Deafen(client) => {
                if let Some(client) = self.at(client) {
                    self.deaf.insert(client);
                    self.world.deafen(client);
                }
            }
            Op::Pass { ms } => self.world.pass(Duration::from_millis(ms.into())),
            Op::Order { line, with } => self.order(&filled(ORDERS[usize::from(line) % ORDERS.len()], with)),
            Op::Administer(line) if is_line(line) && !line.to_uppercase().contains("STOP") => {
                self.order(line);
            }
            Op::Connect | Op::Administer(_) => {}
        }
        let world = &self.world;
        self.clients.retain(|&client| world.is_open(client));
        self.deaf.retain(|&client| world.is_open(client));
    }

    fn at(&self, client: u8) -> Option<u16> {
        self.clients.get(usize::from(client)).copied()
    }

    /// One answer for each line, among whatever events, each line of them of the protocol.
    fn ask(&mut self, client: u8, line: &str) {
        let Some(client) = self.at(client).filter(|_| is_line(line)) else { return };
        self.world.heard(client);
        let heard = self.world.ask(client, line);
        let answers = heard.iter().filter(|line| match Heard::parse(line) {
            Heard::Reply(reply) => !reply.more,
            Heard::Event(_) => false,
            Heard::Unknown => panic!("{line:?} is not of the protocol"),
        });
        let expected = usize::from(!self.deaf.contains(&client));
        assert_eq!(answers.count(), expected, "to {line:?}: {heard:?}");
        assert!(heard.iter().all(|line| line.len() < LINE_BYTES));
    }

    fn order(&mut self, line: &str) {
        let answers = self.world.administer(line);
        let last = answers.last().expect("every order is answered");
        assert!(last.as_bytes().get(3) == Some(&b' '), "{last:?} to {line:?}");
    }

    fn is_sound(&mut self) {
        assert_eq!(self.world.ask(self.bystander, "PING"), ["200 pong"], "who behaves does not notice");
        let listing = self.world.ask(self.bystander, "LIST");
        let users: Vec<Entry> =
            listing.iter().filter_map(|line| Entry::parse(line.strip_prefix("210-")?)).collect();
        let names: BTreeSet<_> = users.iter().map(|user| user.name.as_str()).collect();
        assert_eq!(names.len(), users.len(), "one name, one user: {listing:?}");
        assert!(users.len() <= self.clients.len(), "more users than connections: {listing:?}");
    }
}

fn is_line(line: &str) -> bool {
    line.len() < LINE_BYTES && !line.chars().any(char::is_control)
}
