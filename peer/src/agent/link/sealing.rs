//! Whether the lines to the registry are sealed, and whether its key is the one that is known.

use std::fmt;

use vox_common::wire::keys::PublicKey;

use crate::agent::known::Known;

/// `[registry] sealed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sealing {
    /// Where the registry offers it; where it never has, lines are plain, which is told.
    #[default]
    Preferred,
    /// Or the station does without the registry.
    Required,
    /// Never, for those who want to read along.
    Off,
}

impl Sealing {
    /// Reads the word in the configuration.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "preferred" => Some(Self::Preferred),
            "required" => Some(Self::Required),
            "off" => Some(Self::Off),
            _ => None,
        }
    }
}

/// What is remembered of the registry's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Memory {
    /// Nothing: this is the first time.
    #[default]
    Nothing,
    /// This is the one.
    Key(PublicKey),
    /// There was one, but the file is damaged.
    Damaged,
}

impl From<Option<&Known>> for Memory {
    fn from(known: Option<&Known>) -> Self {
        known.map_or(Self::Nothing, |known| known.key.map_or(Self::Damaged, Self::Key))
    }
}

/// How to go on after a greeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plan {
    /// Seal with this key before anything else is said.
    Seal(PublicKey),
    /// Speak in plain; to the holder of this key, if one was told.
    Plain(Option<PublicKey>),
}

/// Why a registry is not believed. Its sentence says what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mistrust {
    /// It tells another key than it had.
    Changed { known: PublicKey, told: PublicKey },
    /// It tells none, and had one.
    Withdrawn { known: PublicKey },
    /// It had one, but the file of known keys is damaged.
    Forgotten,
    /// It never told one, and the operator wants lines sealed.
    NotOffered,
}

impl Plan {
    /// What to make of a greeting that tells this key, or none.
    pub(super) fn of(sealing: Sealing, memory: Memory, told: Option<PublicKey>) -> Result<Self, Mistrust> {
        match (memory, told) {
            (Memory::Damaged, _) => Err(Mistrust::Forgotten),
            (Memory::Key(known), Some(told)) if known != told => Err(Mistrust::Changed { known, told }),
            _ if sealing == Sealing::Off => Ok(Self::Plain(told)),
            (_, Some(told)) => Ok(Self::Seal(told)),
            (Memory::Key(known), None) => Err(Mistrust::Withdrawn { known }),
            (Memory::Nothing, None) if sealing == Sealing::Required => Err(Mistrust::NotOffered),
            (Memory::Nothing, None) => Ok(Self::Plain(None)),
        }
    }
}

impl Mistrust {
    /// For people, who know the registry by this address.
    pub(super) fn sentence(self, address: &str) -> impl fmt::Display {
        let forget = format!("`vox-peer forget {address}`");
        match self {
            Self::Changed { known, told } => {
                let [known, told] = [known, told].map(|key| key.fingerprint());
                format!(
                    "the registry's key has changed from {known} to {told}: somebody may pretend to be it; if it was made anew, {forget}"
                )
            }
            Self::Withdrawn { known } => {
                let known = known.fingerprint();
                format!(
                    "the registry offers no key, but had {known}: somebody may pretend to be it; if it was replaced, {forget}"
                )
            }
            Self::Forgotten => format!("what was remembered of the registry's key is damaged, {forget}"),
            Self::NotOffered => {
                "the registry does not seal its lines, and registry.sealed is \"required\"".to_owned()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Sealing::{Off, Preferred, Required};
    use super::*;

    #[test]
    fn a_registry_is_believed_by_its_key_and_never_by_less_than_it_had() {
        let [one, other] = [[1; 32], [2; 32]].map(PublicKey);
        let changed = Err(Mistrust::Changed { known: one, told: other });
        let known = Memory::Key(one);
        for (memory, told, plans) in [
            (
                Memory::Nothing,
                None,
                [Ok(Plan::Plain(None)), Err(Mistrust::NotOffered), Ok(Plan::Plain(None))],
            ),
            (
                Memory::Nothing,
                Some(one),
                [Ok(Plan::Seal(one)), Ok(Plan::Seal(one)), Ok(Plan::Plain(Some(one)))],
            ),
            (known, Some(one), [Ok(Plan::Seal(one)), Ok(Plan::Seal(one)), Ok(Plan::Plain(Some(one)))]),
            (known, Some(other), [changed; 3]),
            (
                known,
                None,
                [
                    Err(Mistrust::Withdrawn { known: one }),
                    Err(Mistrust::Withdrawn { known: one }),
                    Ok(Plan::Plain(None)),
                ],
            ),
            (Memory::Damaged, Some(one), [Err(Mistrust::Forgotten); 3]),
            (Memory::Damaged, None, [Err(Mistrust::Forgotten); 3]),
        ] {
            let made = [Preferred, Required, Off].map(|sealing| Plan::of(sealing, memory, told));
            assert_eq!(made, plans, "{memory:?} {told:?}");
        }
    }
}
