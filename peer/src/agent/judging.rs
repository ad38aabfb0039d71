//! What to think of the key that the other end of a call has proved, and when it is remembered (docs/PROTOCOL.md, "Trust").

use std::fmt::Write;

use vox_common::wire::keys::PublicKey;
use vox_common::wire::limits::MAX_KNOWN_KEYS;
use vox_common::wire::names::Name;
use vox_common::wire::signal::MediaSealing;

use super::calls::{CallOut, CallOutput, Calls};
use super::io::Moment;
use super::known::{Full, Verdict};
use super::leg::{Leg, Taken};
use super::whom::Whom;

/// Places for keys that calls which nobody here took by hand leave free: strangers could fill them all.
const FOR_PEOPLE: usize = MAX_KNOWN_KEYS / 4;

impl Calls {
    /// What to think of somebody whom we call or are called by as `whom`, who says that it is `name`, and has this key.
    ///
    /// Nobody may take a name that is known with another key. But the name that somebody takes says nothing for whoever was
    /// called by another one; it does for who was called by its host.
    pub(super) fn judge(&self, whom: &Whom, name: &Name, key: &PublicKey) -> Verdict {
        let by_name = self.known.judge(&Whom::peer(name), key);
        let is_unlisted = |called: &Name| self.is_unlisted(called, key);
        match self.known.judge(whom, key) {
            verdict @ Verdict::Changed { .. } => verdict,
            _ if !by_name.is_good() => by_name,
            Verdict::New if whom.name().as_ref().is_some_and(is_unlisted) => Verdict::Unlisted,
            Verdict::New if by_name == Verdict::New && is_unlisted(name) => Verdict::Unlisted,
            Verdict::New if whom.name().is_none() => by_name,
            verdict => verdict,
        }
    }

    /// The other end of a leg has proved its key, and says that it is `name`.
    pub(super) fn judge_leg(&mut self, at: usize, name: &Name) {
        let leg = &self.legs[at];
        let verdict = leg.key().map(|key| self.judge(&leg.whom, name, key));
        let address = leg.path.remote.ip();
        verdict.into_iter().for_each(|verdict| self.acquaintances.note(address, verdict));
        self.legs[at].verdict = verdict;
    }

    /// Whether the registry lists, or listed when it was last there, another key.
    pub(super) fn is_unlisted(&self, name: &Name, key: &PublicKey) -> bool {
        let listed = self.book.find(name).and_then(|entry| entry.fingerprint);
        listed.is_some_and(|listed| listed != key.fingerprint())
    }

    /// A call is answered: what was new is remembered from now on.
    pub(super) fn learn(&mut self, now: Moment, at: usize, out: CallOut<'_>) {
        let leg = &mut self.legs[at];
        let (Some(Verdict::New), Some(key)) = (leg.verdict, leg.key().copied()) else { return };
        let is_welcome = leg.taken == Taken::ByHand || self.known.has_room_beside(FOR_PEOPLE);
        match if is_welcome { self.known.learn(&leg.whom, key, now.unix) } else { Err(Full) } {
            Ok(_) => out(CallOutput::Learned(&self.known)),
            Err(Full) => leg.verdict = Some(Verdict::NoRoom),
        }
    }
}

impl Leg {
    /// Whether nobody else can hear what both say. `None`: the other end has not introduced itself.
    pub fn is_sealed(&self) -> Option<bool> {
        self.media.map(|media| media == MediaSealing::Required)
    }

    /// What people are told of the other end once it has proved its key, or named one that cannot be its: ` fingerprint=<fingerprint> trust=<word>`, and while both
    /// talk ` sealed=yes|no words=<four words>`.
    pub(super) fn trust(&self) -> String {
        let Some(verdict) = self.verdict else { return String::new() };
        let key = self.key().map_or_else(String::new, |key| format!(" fingerprint={}", key.fingerprint()));
        let mut text = format!("{key} trust={}", verdict.word());
        if let (true, Some(sealed), Some(words)) = (self.is_talking(), self.is_sealed(), self.words()) {
            let sealed = if sealed { "yes" } else { "no" };
            let _ = write!(text, " sealed={sealed} words={words}");
        }
        text
    }
}
