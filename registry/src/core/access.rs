//! Who may register: everybody, those who know a secret, or those to whom a name belongs.

use vox_common::wire::admin::Ban;
use vox_common::wire::proof::Secret;
use vox_common::wire::refusal::{Bar, Refusal};
use vox_common::wire::reply::Nonce;
use vox_common::wire::request::{Registration, Request};
use vox_common::wire::verb::Verb;

use super::ends::Ends;
use super::{ConnId, Registry};

/// `[access] mode`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    Open,
    /// Whoever proves to know the secret.
    Secret(Secret),
    /// Whoever comes with the key with which the name was taken first.
    Keys,
}

impl Access {
    /// The word in the configuration.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Secret(_) => "secret",
            Self::Keys => "keys",
        }
    }

    /// What may be asked before REGISTER. Strangers learn who is there only where everybody is let in.
    fn is_for_strangers(&self, verb: Verb) -> bool {
        match verb {
            Verb::Help | Verb::Ping | Verb::Echo | Verb::Register | Verb::Quit => true,
            Verb::List | Verb::Lookup | Verb::Rooms | Verb::Stats => *self == Self::Open,
            _ => false,
        }
    }
}

impl Registry<'_> {
    /// Whether this connection may ask for that.
    pub(super) fn may_ask(&self, conn: ConnId, request: &Request<'_>) -> Result<(), Refusal> {
        let is_user = self.tables.users.of(conn).is_some();
        let may = is_user || self.settings.access.is_for_strangers(request.verb());
        if may { Ok(()) } else { Err(Refusal::RegisterFirst) }
    }

    /// Whether this registration is welcome, whatever others have taken.
    pub(super) fn let_in(
        &self,
        ends: &Ends,
        nonce: &Nonce,
        registration: &Registration,
    ) -> Result<(), Refusal> {
        let bans = &self.tables.bans;
        if bans.contains(&Ban::Name(registration.name.clone())) || bans.contains(&Ban::Address(ends.from())) {
            return Err(Refusal::NotLetIn(Bar::Banned));
        }
        match &self.settings.access {
            Access::Open => Ok(()),
            Access::Secret(secret) => proved(secret, nonce, registration),
            Access::Keys => self.tables.names.may_take(registration),
        }
        .map_err(Refusal::NotLetIn)
    }
}

fn proved(secret: &Secret, nonce: &Nonce, registration: &Registration) -> Result<(), Bar> {
    let proof = registration.proof.as_ref().ok_or(Bar::ProofNeeded)?;
    if secret.is_proved_by(proof, nonce, registration) { Ok(()) } else { Err(Bar::WrongProof) }
}
