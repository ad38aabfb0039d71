//! What a user tells of itself with REGISTER.

use std::fmt;
use std::num::NonZeroU16;

use crate::wire::keys::{KEY_BYTES, PublicKey};
use crate::wire::limits::{LINE_BYTES, NAME_BYTES};
use crate::wire::names::{DisplayName, Name};
use crate::wire::proof::{PROOF_BYTES, Proof};
use crate::wire::refusal::Refusal;
use crate::wire::users::{DISPLAY_WORD_BYTES, write_display};
use crate::wire::verb::Verb;
use crate::wire::words::{self, split_first};

/// The longest request that is not free text.
pub(super) const REGISTER_BYTES: usize = "REGISTER ".len()
    + NAME_BYTES
    + " 65535".len()
    + " key=".len()
    + KEY_BYTES
    + " proof=".len()
    + PROOF_BYTES
    + " key-proof=".len()
    + PROOF_BYTES
    + DISPLAY_WORD_BYTES
    + 1;
const _: () = assert!(REGISTER_BYTES <= LINE_BYTES);

/// What a user tells of itself. The address is not among it: that is what the registry sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// The name that others call.
    pub name: Name,
    /// The UDP port for calls.
    pub port: NonZeroU16,
    /// The key for calls.
    pub key: Option<PublicKey>,
    /// That the user knows the registry's secret.
    pub proof: Option<Proof>,
    /// That the user holds the key.
    pub key_proof: Option<Proof>,
    /// What people see instead of the name.
    pub display: Option<DisplayName>,
}

impl Registration {
    /// Reads what stands behind REGISTER.
    ///
    /// # Errors
    /// The [`Refusal`] to answer.
    pub(super) fn parse(rest: &str) -> Result<Self, Refusal> {
        let (name, rest) = split_first(rest);
        let (port, options) = split_first(rest);
        if port.is_empty() || !options.split(' ').all(|word| word.is_empty() || word.contains('=')) {
            return Err(Refusal::Usage(Verb::Register));
        }
        Ok(Self {
            name: Name::parse(name).map_err(|_| Refusal::BadName)?,
            port: port.parse().map_err(|_| Refusal::BadPort)?,
            key: option(options, "key", PublicKey::parse, Refusal::BadKey)?,
            proof: option(options, "proof", Proof::parse, Refusal::BadProof)?,
            key_proof: option(options, "key-proof", Proof::parse, Refusal::BadKeyProof)?,
            display: option(options, "display", DisplayName::from_word, Refusal::BadDisplay)?,
        })
    }
}

impl fmt::Display for Registration {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.name, self.port)?;
        if let Some(key) = self.key {
            write!(out, " key={key}")?;
        }
        if let Some(proof) = self.proof {
            write!(out, " proof={proof}")?;
        }
        if let Some(proof) = self.key_proof {
            write!(out, " key-proof={proof}")?;
        }
        write_display(self.display.as_ref(), out)
    }
}

fn option<T>(
    options: &str,
    key: &str,
    parse: impl Fn(&str) -> Option<T>,
    bad: Refusal,
) -> Result<Option<T>, Refusal> {
    match words::value(options, key).map_err(|_| Refusal::RepeatedKey)? {
        Some(word) => parse(word).ok_or(bad).map(Some),
        None => Ok(None),
    }
}
