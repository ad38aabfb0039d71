//! Whether both sides agree on how a call ended.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use vox_common::wire::signal::CallId;

/// How one side told of the end.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ending {
    /// It was the caller.
    pub outgoing: bool,
    /// The word of the outcome.
    pub reason: String,
}

impl Ending {
    /// Reads the words behind `* CALL `. `None`: the call has not ended.
    pub fn parse(words: &str) -> Option<(CallId, Self)> {
        let mut words = words.split(' ');
        let id = CallId::parse(words.next()?)?;
        (words.next()? == "ended").then_some(())?;
        let rest: Vec<_> = words.collect();
        let reason = rest.iter().find_map(|word| word.strip_prefix("reason="))?.to_owned();
        Some((id, Self { outgoing: rest.contains(&"direction=out"), reason }))
    }
}

/// Endings that mean the same, first the caller's, then the callee's.
const AGREED: [(&str, &str); 15] = [
    ("hangup", "far-hangup"),
    ("far-hangup", "hangup"),
    // Both hung up before they heard of the other.
    ("hangup", "hangup"),
    ("declined", "declined"),
    ("busy", "busy"),
    ("no-answer", "no-answer"),
    ("cancelled", "cancelled"),
    ("dnd", "dnd"),
    ("not-here", "not-here"),
    ("unsealed", "unsealed"),
    ("key-refused", "wrong-key"),
    ("lost", "lost"),
    // The callee never let the call in.
    ("unreachable", ""),
    ("cancelled", ""),
    ("self", ""),
];

/// Silence after which each side may think what it likes.
pub const SILENCE: Duration = Duration::from_millis(5_900);

/// How often each pair of endings was seen.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Pairs(pub BTreeMap<(String, String), u32>);

impl Pairs {
    /// Counts a pair.
    pub fn count(&mut self, pair: (String, String)) {
        *self.0.entry(pair).or_default() += 1;
    }

    /// Adds what another thread has counted.
    pub fn add(&mut self, other: Self) {
        for (pair, count) in other.0 {
            *self.0.entry(pair).or_default() += count;
        }
    }
}

impl fmt::Display for Pairs {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "| caller | callee | calls |\n|---|---|---|")?;
        self.0
            .iter()
            .try_for_each(|((caller, callee), count)| writeln!(out, "| {caller} | {callee} | {count} |"))
    }
}

/// Whether the two endings of one call agree.
pub fn agree(caller: &str, callee: &str) -> bool {
    AGREED.contains(&(caller, callee))
}

/// Something that got through: when, and of which call where it is a signal. Sound belongs to the call of its time.
pub type Delivery = (Instant, Option<CallId>);

/// Whether nothing of a call was delivered for so long, anywhere between the two times, that anything may be said.
pub fn is_excused(id: CallId, delivered: &[Delivery], from: Instant, until: Instant) -> bool {
    let of_this = delivered.iter().filter(|(_, of)| of.is_none_or(|of| of == id)).map(|(at, _)| *at);
    let inside = of_this.filter(|at| (from..=until).contains(at));
    let mut last = from;
    for at in inside.chain([until]) {
        if at - last >= SILENCE {
            return true;
        }
        last = at;
    }
    false
}
