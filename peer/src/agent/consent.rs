//! The operator's consent to each kind of INVITE (`[consent]`).

use vox_common::wire::names::Name;
use vox_common::wire::signal::Kind;

use super::known::Verdict;

/// The rule for each kind that may be asked of this station.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// Calls.
    pub voice: Rule,
    /// Measurements of the path (`kind=test`).
    pub test: Rule,
}

/// The rule for one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// A person here decides: it rings.
    Ask,
    /// Taken at once, whoever asks.
    Allow,
    /// Never.
    Refuse,
    /// Taken at once from those who have these names, at most [`MAX_ALLOWED`](vox_common::wire::limits::MAX_ALLOWED), under
    /// a key that is remembered: a name alone can be taken by anybody. Others are asked about.
    Names(Box<[Name]>),
}

/// The answer to one INVITE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Taken at once.
    Accept,
    /// A person here decides.
    Ring,
    /// The operator does not want it.
    NotAllowed,
    /// This version does not serve it.
    Unsupported,
}

impl Default for Consent {
    /// Calls ring; nobody measures.
    fn default() -> Self {
        Self { voice: Rule::Ask, test: Rule::Refuse }
    }
}

impl Consent {
    /// The answer to a kind of INVITE from somebody of this name, whose key was judged like this.
    pub fn answer(&self, kind: Kind, name: &Name, verdict: Verdict) -> Answer {
        match kind {
            Kind::Voice => self.voice.answer(name, verdict),
            Kind::Test => match self.test.answer(name, verdict) {
                Answer::Accept => Answer::Unsupported,
                // Nobody can be asked about it.
                _ => Answer::NotAllowed,
            },
            Kind::Announce
            | Kind::Listen
            | Kind::Preview
            | Kind::Page
            | Kind::Room
            | Kind::Order
            | Kind::Unknown => Answer::Unsupported,
        }
    }
}

impl Rule {
    fn answer(&self, name: &Name, verdict: Verdict) -> Answer {
        match self {
            Self::Allow => Answer::Accept,
            Self::Refuse => Answer::NotAllowed,
            Self::Names(names) if verdict.is_known() && names.contains(name) => Answer::Accept,
            Self::Ask | Self::Names(_) => Answer::Ring,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: Verdict = Verdict::Known { verified: false };

    fn names(words: &[&str]) -> Rule {
        Rule::Names(words.iter().map(|word| Name::parse(word).unwrap()).collect())
    }

    #[test]
    fn a_rule_decides_by_kind_name_and_remembered_key() {
        let bob = Name::parse("bob").unwrap();
        for (rule, verdict, voice, test) in [
            (Rule::Ask, KNOWN, Answer::Ring, Answer::NotAllowed),
            (Rule::Allow, Verdict::New, Answer::Accept, Answer::Unsupported),
            (Rule::Refuse, KNOWN, Answer::NotAllowed, Answer::NotAllowed),
            (names(&["bob"]), KNOWN, Answer::Accept, Answer::Unsupported),
            (names(&["bob"]), Verdict::Known { verified: true }, Answer::Accept, Answer::Unsupported),
            (names(&["bob"]), Verdict::New, Answer::Ring, Answer::NotAllowed),
            (names(&["bob"]), Verdict::NoRoom, Answer::Ring, Answer::NotAllowed),
            (names(&["zoe"]), KNOWN, Answer::Ring, Answer::NotAllowed),
            (names(&[]), KNOWN, Answer::Ring, Answer::NotAllowed),
        ] {
            let consent = Consent { voice: rule.clone(), test: rule };
            assert_eq!(consent.answer(Kind::Voice, &bob, verdict), voice, "{consent:?} {verdict:?}");
            assert_eq!(consent.answer(Kind::Test, &bob, verdict), test, "{consent:?} {verdict:?}");
        }
    }

    #[test]
    fn a_kind_that_is_not_served_never_rings() {
        let bob = Name::parse("bob").unwrap();
        let open = Consent { voice: Rule::Allow, test: Rule::Allow };
        let kinds = ["announce", "listen", "preview", "page", "room", "order", "hologram", ""];
        for kind in kinds.map(Kind::parse) {
            assert_eq!(open.answer(kind, &bob, KNOWN), Answer::Unsupported, "{kind}");
        }
    }
}
