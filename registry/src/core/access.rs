//! Who may register: everybody, those who know a secret, or those to whom a name belongs.

use vox_common::seal::possession::Possession;
use vox_common::wire::admin::Ban;
use vox_common::wire::keys::PublicKey;
use vox_common::wire::proof::Secret;
use vox_common::wire::refusal::{Bar, Refusal};
use vox_common::wire::reply::Nonce;
use vox_common::wire::request::{Registration, Request};
use vox_common::wire::verb::Verb;

use super::connections::Bond;
use super::ends::Ends;
use super::{ConnId, Registry};

/// `[access] mode`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    Open,
    /// Whoever proves to know the secret.
    Secret(Secret),
    /// Whoever holds the key with which the name was taken first.
    Keys,
}

/// `[access] sealed`: whether lines must be sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sealing {
    /// Whoever likes may.
    Offered,
    /// Whoever registers must.
    Required,
}

impl Sealing {
    /// The word in the configuration.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Offered => "offered",
            Self::Required => "required",
        }
    }

    /// Reads the word in the configuration.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Offered, Self::Required].into_iter().find(|sealing| sealing.word() == word)
    }
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
            Verb::Help | Verb::Ping | Verb::Echo | Verb::Secure | Verb::Register | Verb::Quit => true,
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

    /// Whether this registration is welcome, whatever others have taken; and which key it has proved to hold.
    pub(super) fn let_in(
        &self,
        ends: &Ends,
        bond: &Bond,
        registration: &Registration,
    ) -> Result<Option<PublicKey>, Bar> {
        let bans = &self.tables.bans;
        if bans.contains(&Ban::Name(registration.name.clone())) || bans.contains(&Ban::Address(ends.from())) {
            return Err(Bar::Banned);
        }
        if self.settings.sealing == Sealing::Required && bond.sealed_by.is_none() {
            return Err(Bar::SecureFirst);
        }
        let key = self.proved_key(bond, registration)?;
        match &self.settings.access {
            Access::Open => {}
            Access::Secret(secret) => check_secret(secret, &bond.nonce, registration)?,
            Access::Keys => self.tables.names.may_take(registration, key)?,
        }
        Ok(key)
    }

    /// The key that whoever registers has proved to hold: by sealing with it, or over the nonce.
    fn proved_key(&self, bond: &Bond, registration: &Registration) -> Result<Option<PublicKey>, Bar> {
        let (Some(key), proof) = (registration.key, registration.key_proof.as_ref()) else {
            return if registration.key_proof.is_some() { Err(Bar::WrongKeyProof) } else { Ok(None) };
        };
        if bond.sealed_by == Some(key) {
            return Ok(Some(key));
        }
        let Some(proof) = proof else { return Ok(None) };
        let possession = self.identity.as_deref().and_then(|identity| Possession::of(identity, &key));
        let is_proved = possession.is_some_and(|it| it.is_proved_by(proof, &bond.nonce, registration));
        if is_proved { Ok(Some(key)) } else { Err(Bar::WrongKeyProof) }
    }
}

fn check_secret(secret: &Secret, nonce: &Nonce, registration: &Registration) -> Result<(), Bar> {
    let proof = registration.proof.as_ref().ok_or(Bar::ProofNeeded)?;
    if secret.is_proved_by(proof, nonce, registration) { Ok(()) } else { Err(Bar::WrongProof) }
}
