//! What people and fate do.

use super::net::Chance;

/// One deed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// Somebody calls the other, or itself, by name or by address.
    Call {
        /// Who calls.
        by: usize,
        /// How the other is named.
        how: Way,
    },
    /// Somebody takes the call.
    Answer(usize),
    /// Somebody refuses the call.
    Reject(usize),
    /// Somebody hangs up.
    Hangup(usize),
    /// Somebody does not want to be disturbed, or does again.
    Dnd(usize, bool),
    /// The program that called is gone.
    DropCaller(usize),
    /// A station is killed and started again.
    Restart(usize),
    /// The registry is killed; it comes back.
    RegistryDies,
    /// The registry is started again.
    RegistryReturns,
    /// Nothing gets through any more, or does again.
    Dead(bool),
}

/// How somebody is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// By name, which needs the registry once.
    Name,
    /// By address.
    Address,
    /// By the caller's own address.
    Myself,
}

/// The length of a story, before everybody hangs up.
pub const STORY_MS: u64 = 20_000;

/// Deeds with their times, in order.
pub fn write(chance: &mut Chance) -> Vec<(u64, Deed)> {
    let count = 2 + chance.below(8);
    let mut deeds: Vec<_> = (0..count).flat_map(|_| act(chance)).collect();
    if chance.permille(300) {
        let at = 2000 + chance.below(3000);
        // Both call each other within a few milliseconds.
        deeds.push((at, Deed::Call { by: 0, how: Way::Address }));
        deeds.push((at + chance.below(60), Deed::Call { by: 1, how: Way::Address }));
    }
    deeds.retain(|(at, _)| *at < STORY_MS);
    deeds.sort_by_key(|(at, _)| *at);
    deeds
}

fn act(chance: &mut Chance) -> Vec<(u64, Deed)> {
    let at = 1000 + chance.below(STORY_MS - 2000);
    let who = usize::from(chance.permille(500));
    let later = at + chance.below(5000);
    match chance.below(16) {
        0..=4 => vec![(at, Deed::Call { by: who, how: Way::Name }), (later, answer(1 - who, chance))],
        5..=7 => vec![(at, Deed::Call { by: who, how: Way::Address }), (later, answer(1 - who, chance))],
        8 => vec![(at, Deed::Call { by: who, how: Way::Myself })],
        9 => vec![(at, Deed::Hangup(who))],
        // A call that is given up and made again at once.
        10 => {
            let call = Deed::Call { by: who, how: Way::Address };
            vec![(at, call), (later, Deed::Hangup(who)), (later + chance.below(50), call)]
        }
        11 => vec![(at, Deed::Restart(who))],
        12 => vec![(at, Deed::RegistryDies), (later, Deed::RegistryReturns)],
        13 => vec![(at, Deed::Dead(true)), (at + chance.below(9000), Deed::Dead(false))],
        14 => vec![(at, Deed::Dnd(who, true)), (later, Deed::Dnd(who, false))],
        _ => vec![(at, Deed::DropCaller(who))],
    }
}

fn answer(who: usize, chance: &mut Chance) -> Deed {
    match chance.below(4) {
        0 => Deed::Reject(who),
        1 => Deed::Hangup(1 - who),
        _ => Deed::Answer(who),
    }
}
