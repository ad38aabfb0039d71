//! The last calls, kept over restarts, and how many of them were missed since somebody looked.

use std::fmt;
use std::net::SocketAddr;

use heapless::{String as Text, Vec};
use vox_common::wire::keys::Fingerprint;
use vox_common::wire::limits::{CALLEE_BYTES, HISTORY_CALLS};
use vox_common::wire::signal::CallId;
use vox_common::wire::words::value;

use super::known::Verdict;
use super::leg::Leg;
use super::outcome::Outcome;

/// So many calls in vain of one origin may push out others.
const OF_ONE_ORIGIN: usize = HISTORY_CALLS / 4;

/// One call of the past, as one line:
/// `<unix seconds> in|out <name> <address> <outcome> talked-s=<n> call=<id> [fingerprint=<fingerprint> trust=<word>] [sealed=yes|no]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastCall {
    begun_unix: u64,
    outgoing: bool,
    who: Text<CALLEE_BYTES>,
    remote: SocketAddr,
    outcome: Text<16>,
    talked_s: u64,
    id: CallId,
    /// The key that the other end had proved, and what was thought of it.
    trust: Option<(Fingerprint, Text<8>)>,
    /// Whether nobody else could listen. `None`: nobody talked, or it was before calls were sealed.
    sealed: Option<bool>,
}

/// The last [`HISTORY_CALLS`] calls, oldest first. At the brim the oldest is forgotten, or the oldest call in vain of the
/// origin that has most of them, where these are more than a quarter: they are not to push out the others.
#[derive(Debug, Default)]
pub struct History {
    calls: Vec<PastCall, HISTORY_CALLS>,
    missed: u32,
}

impl PastCall {
    /// A call that has ended.
    pub fn of(leg: &Leg, outcome: Outcome, talked_s: u64) -> Self {
        Self {
            begun_unix: leg.begun.unix,
            outgoing: leg.outgoing,
            who: leg.who.clone(),
            remote: leg.path.remote,
            outcome: heapless::format!("{outcome}").expect("every outcome is short"),
            talked_s,
            id: leg.id,
            trust: leg.key().zip(leg.verdict).map(|(key, verdict)| {
                (key.fingerprint(), Text::try_from(verdict.word()).expect("every word is short"))
            }),
            sealed: leg.is_sealed().filter(|_| leg.answered.is_some()),
        }
    }

    /// Reads one line. `None`: somebody else wrote it.
    pub fn parse(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let key = value(line, "fingerprint").ok()?.and_then(Fingerprint::parse);
        let trust = value(line, "trust").ok()?.and_then(|word| Text::try_from(word).ok());
        let sealed = value(line, "sealed").ok()?;
        Some(Self {
            begun_unix: words.next()?.parse().ok()?,
            outgoing: match words.next()? {
                "in" => false,
                "out" => true,
                _ => return None,
            },
            who: Text::try_from(words.next()?).ok()?,
            remote: words.next()?.parse().ok()?,
            outcome: Text::try_from(words.next()?).ok()?,
            talked_s: words.next()?.strip_prefix("talked-s=")?.parse().ok()?,
            id: CallId::parse(words.next()?.strip_prefix("call=")?)?,
            trust: key.zip(trust),
            sealed: sealed.map(|sealed| sealed == "yes"),
        })
    }
}

/// Those who together may fill no more than a quarter of the history with calls that nobody answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// Everybody whose key was not known here: a stranger can have as many keys as he likes.
    Strangers,
    /// Whoever holds this key.
    Known(Fingerprint),
}

impl PastCall {
    /// Who rang or wanted to. `None`: somebody answered, or it was us who rang.
    fn in_vain(&self) -> Option<Origin> {
        if self.outgoing || self.sealed.is_some() {
            return None;
        }
        let known = [true, false].map(|verified| Verdict::Known { verified }.word());
        let is_known = |(_, trust): &&(_, Text<8>)| known.contains(&trust.as_str());
        let key = self.trust.as_ref().filter(is_known);
        Some(key.map_or(Origin::Strangers, |(key, _)| Origin::Known(*key)))
    }
}

impl fmt::Display for PastCall {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { begun_unix, outgoing, who, remote, outcome, talked_s, id, trust, sealed } = self;
        let direction = if *outgoing { "out" } else { "in" };
        write!(out, "{begun_unix} {direction} {who} {remote} {outcome} talked-s={talked_s} call={id}")?;
        if let Some((key, trust)) = trust {
            write!(out, " fingerprint={key} trust={trust}")?;
        }
        sealed.map_or(Ok(()), |sealed| write!(out, " sealed={}", if sealed { "yes" } else { "no" }))
    }
}

impl History {
    /// Reads the text of a history file; lines that are not ours are left out.
    pub fn parse(text: &str) -> Self {
        let missed = text.lines().find_map(|line| line.strip_prefix("missed ")?.parse().ok());
        let mut history = Self { calls: Vec::new(), missed: missed.unwrap_or(0) };
        text.lines().filter_map(PastCall::parse).for_each(|call| history.add(call));
        history
    }

    /// Adds a call.
    pub fn add(&mut self, call: PastCall) {
        if self.calls.is_full() {
            self.calls.remove(self.expendable(&call));
        }
        self.calls.push(call).expect("one was forgotten");
    }

    /// The place of the call that makes room for this one.
    fn expendable(&self, new: &PastCall) -> usize {
        let has =
            |origin| self.calls.iter().chain([new]).filter(|call| call.in_vain() == Some(origin)).count();
        let most = self.calls.iter().filter_map(PastCall::in_vain).map(has).max().unwrap_or(0);
        let oldest =
            || self.calls.iter().position(|call| call.in_vain().is_some_and(|origin| has(origin) == most));
        (most > OF_ONE_ORIGIN).then(oldest).flatten().unwrap_or(0)
    }

    /// Adds a call that somebody made and that was not answered.
    pub fn add_missed(&mut self, call: PastCall) {
        self.add(call);
        self.missed = self.missed.saturating_add(1);
    }

    /// Calls, oldest first.
    pub fn calls(&self) -> impl Iterator<Item = &PastCall> {
        self.calls.iter()
    }

    /// Missed since somebody looked.
    pub fn missed(&self) -> u32 {
        self.missed
    }

    /// Somebody has looked. `true`: that changed something.
    pub fn looked_at(&mut self) -> bool {
        std::mem::take(&mut self.missed) > 0
    }
}

impl fmt::Display for History {
    /// The text of the history file.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "missed {}", self.missed)?;
        self.calls().try_for_each(|call| writeln!(out, "{call}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(n: u64) -> PastCall {
        let line =
            format!("{n} in bob 192.0.2.7:6000 no-answer talked-s=0 call=000102030405060708090a0b0c0d0e0f");
        PastCall::parse(&line).expect("complete")
    }

    #[test]
    fn what_was_kept_is_read_back_and_the_oldest_is_forgotten() {
        let mut history = History::default();
        (0..50).for_each(|n| {
            history.add_missed(call(2 * n));
            history.add(call(2 * n + 1));
        });
        let again = History::parse(&history.to_string());
        assert_eq!(again.to_string(), history.to_string());
        assert_eq!(again.calls().count(), HISTORY_CALLS);
        assert_eq!(again.calls().next(), Some(&call(36)));
        assert_eq!(again.missed(), 50);
    }

    #[test]
    fn strangers_who_ring_in_vain_do_not_push_out_the_calls_of_others() {
        let talked = call(0).to_string().replace("talked-s=0", "talked-s=9") + " sealed=yes";
        let mut history = History::parse(&talked);
        (1..1_000).for_each(|n| history.add_missed(call(n)));
        let kept: Vec<u64, HISTORY_CALLS> = history.calls().map(|call| call.begun_unix).collect();
        assert_eq!((kept[0], kept[1], kept.len()), (0, 937, HISTORY_CALLS));
        let outgoing = |n: u64| PastCall { outgoing: true, ..call(n) };
        (1_000..1_200).for_each(|n| history.add(outgoing(n)));
        let strangers = history.calls().filter(|call| call.in_vain().is_some());
        assert_eq!(strangers.map(|call| call.begun_unix).collect::<Vec<_, HISTORY_CALLS>>()[..], [0; 0]);
    }

    #[test]
    fn somebody_known_who_rings_in_vain_does_not_push_out_the_calls_of_others() {
        let key = Fingerprint::parse("SHA256:Zmh6rfhivXdsj8GLjp-OIAiXFIVu4jOzkCpZHQ1fKSU").expect("complete");
        let known = Text::try_from("known").expect("a word");
        let flooder = |n| PastCall { trust: Some((key, known.clone())), ..call(n) };
        let mut history = History::default();
        (0..16).for_each(|n| history.add_missed(call(n)));
        (16..1_000).for_each(|n| history.add_missed(flooder(n)));
        let strangers = history.calls().filter(|call| call.in_vain() == Some(Origin::Strangers));
        assert_eq!(strangers.count(), 16);
    }

    #[test]
    fn what_was_thought_of_a_key_is_read_back() {
        let bare = call(7).to_string();
        let key = "fingerprint=SHA256:Zmh6rfhivXdsj8GLjp-OIAiXFIVu4jOzkCpZHQ1fKSU";
        for line in
            [format!("{bare} {key} trust=verified sealed=yes"), format!("{bare} {key} trust=changed"), bare]
        {
            assert_eq!(PastCall::parse(&line).map(|call| call.to_string()), Some(line));
        }
    }

    #[test]
    fn a_damaged_file_loses_only_its_damaged_lines() {
        let text = format!("missed x\n{}\n\0\0\0 garbage\n{}\n1 in", call(1), call(2));
        assert_eq!(History::parse(&text).calls().count(), 2);
    }
}
