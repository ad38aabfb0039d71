//! Every way in which a registry says no: the codes and sentences of the wire, in one list.

use std::fmt;

use super::limits::{LINE_BYTES, MAX_USERS};
use super::verb::Verb;

/// Why a request is not served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Not the words that this verb takes.
    Usage(Verb),
    /// More than 900 bytes of free text.
    TextTooLong,
    /// `key=` with something else than a key.
    BadKey,
    /// `display=` with something that is not shown.
    BadDisplay,
    /// `proof=` with something else than a proof.
    BadProof,
    /// `key-proof=` with something else than a proof.
    BadKeyProof,
    /// SECURE with something else than the first message of a handshake.
    BadOffer,
    /// A message without a text.
    NoText,
    /// The same `key=` twice.
    RepeatedKey,
    /// Only for users.
    RegisterFirst,
    /// One name per connection.
    AlreadyRegistered,
    /// A connection is sealed once, before it has a name.
    TooLateToSecure,
    /// Not welcome here: no proof, a wrong one, another's name, or banned.
    NotLetIn(Bar),
    /// Nobody of that name is there.
    NoSuchUser,
    /// No room of that name is there.
    NoSuchRoom,
    /// Somebody has that name.
    NameTaken,
    /// Another user takes calls there.
    AddressTaken,
    /// The registry itself listens there.
    OwnPort,
    /// The user asked for itself.
    Yourself,
    /// A room has that name.
    RoomExists,
    /// The user is in that room already.
    InThatRoom,
    /// The user is in no room.
    InNoRoom,
    /// A line of more than 1,024 bytes.
    LineTooLong,
    /// A line that is not UTF-8, or with a control character.
    NotText,
    /// As many users or connections as may be.
    RegistryFull,
    /// As many rooms as may be.
    NoPlaceForRoom,
    /// As many members as the room may have.
    RoomFull,
    /// More requests than may be in so short a time.
    SlowDown,
    /// As many connections from one address as may be.
    CrowdedAddress,
    /// Not a name.
    BadName,
    /// Not a port.
    BadPort,
    /// Not a number of members.
    BadCapacity,
    /// Not a verb.
    UnknownVerb,
    /// The request came while the registry ended.
    ShuttingDown,
}

/// What keeps somebody out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bar {
    /// An administrator's ban of the name or the address.
    Banned,
    /// The registry asks for a secret, and no proof of it was given.
    ProofNeeded,
    /// The proof is of another secret, nonce, name, port, key or display name.
    WrongProof,
    /// The registry binds names to keys, and no key was given.
    KeyNeeded,
    /// The registry binds names to keys, and that whoever tells the key holds it was not proved.
    KeyProofNeeded,
    /// The proof is not by the holder of that key, or of another nonce, name, port or display name.
    WrongKeyProof,
    /// The registry wants its lines sealed.
    SecureFirst,
    /// What SECURE brought is for another key or another connection.
    WrongOffer,
    /// The name is bound to another key.
    WrongKey,
    /// As many names are bound as may be.
    NamesFull,
    /// What was kept of names is damaged: whose this one is nobody knows.
    NamesDamaged,
}

impl Bar {
    const fn sentence(self) -> &'static str {
        match self {
            Self::Banned => "not let in: banned",
            Self::ProofNeeded => "not let in: proof= of the registry's secret is needed",
            Self::WrongProof => "not let in: the proof is not of this registry's secret",
            Self::KeyNeeded => "not let in: key= is needed",
            Self::KeyProofNeeded => {
                "not let in: that you hold the key is to be proved, by SECURE or by key-proof="
            }
            Self::WrongKeyProof => "not let in: the proof is not of that key",
            Self::SecureFirst => "not let in: SECURE is needed first",
            Self::WrongOffer => "not let in: that message is not for this registry's key and this connection",
            Self::WrongKey => "not let in: the name belongs to another key",
            Self::NamesFull => "not let in: no more names are taken",
            Self::NamesDamaged => "not let in: what was kept of names is damaged, tell an administrator",
        }
    }
}

impl Refusal {
    /// The three digits.
    pub const fn code(self) -> u16 {
        self.parts().0
    }

    /// What to tell a person. For [`Refusal::Usage`] the usage itself follows it.
    pub const fn sentence(self) -> &'static str {
        self.parts().1
    }

    const fn parts(self) -> (u16, &'static str) {
        match self {
            Self::Usage(_) => (400, "say it like this:"),
            Self::TextTooLong => (400, "a text is at most 900 bytes"),
            Self::BadKey => (400, "key= takes 43 characters of base64url"),
            Self::BadDisplay => (400, "display= takes 1 to 64 printable characters, percent-encoded"),
            Self::BadProof => (400, "proof= takes 43 characters of base64url"),
            Self::BadKeyProof => (400, "key-proof= takes 43 characters of base64url"),
            Self::BadOffer => (400, "SECURE takes 128 characters of base64url"),
            Self::NoText => (400, "say something"),
            Self::RepeatedKey => (400, "say each key= only once"),
            Self::RegisterFirst => (401, "register first"),
            Self::AlreadyRegistered => (402, "already registered"),
            Self::TooLateToSecure => (402, "SECURE comes before REGISTER, and once"),
            Self::NotLetIn(bar) => (403, bar.sentence()),
            Self::NoSuchUser => (404, "no such user"),
            Self::NoSuchRoom => (405, "no such room"),
            Self::NameTaken => (409, "name is taken"),
            Self::AddressTaken => (410, "that address and port are taken"),
            Self::OwnPort => (411, "that is the registry's own port"),
            Self::Yourself => (412, "that is yourself"),
            Self::RoomExists => (413, "room exists"),
            Self::InThatRoom => (414, "already in it"),
            Self::InNoRoom => (415, "in no room"),
            Self::LineTooLong => (416, "line too long, it may have 1024 bytes"),
            Self::NotText => (417, "not UTF-8, or a control character"),
            Self::RegistryFull => (420, "registry full"),
            Self::NoPlaceForRoom => (421, "no room for another room"),
            Self::RoomFull => (422, "room full"),
            Self::SlowDown => (429, "slow down"),
            Self::CrowdedAddress => (429, "slow down, too many connections from your address"),
            Self::BadName => (430, "bad name, it is 1 to 32 of a-z 0-9 . _ - and begins with a letter"),
            Self::BadPort => (431, "bad port, it is a number from 1 to 65535"),
            Self::BadCapacity => (432, "bad capacity, it is a number from 1 to 512"),
            Self::UnknownVerb => (501, "unknown verb, HELP lists them"),
            Self::ShuttingDown => (503, "shutting down"),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (code, sentence) = self.parts();
        write!(out, "{code} {sentence}")?;
        if let Self::Usage(verb) = self { write!(out, " {}", verb.usage()) } else { Ok(()) }
    }
}

const _: () = assert!(MAX_USERS == 512, "the sentence of BadCapacity says so");
const _: () = assert!("400 say it like this: ".len() + Verb::Register.usage().len() < LINE_BYTES);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_a_code_and_a_sentence() {
        assert_eq!(Refusal::NameTaken.to_string(), "409 name is taken");
        assert_eq!(Refusal::Usage(Verb::Lookup).to_string(), "400 say it like this: LOOKUP <name>");
    }
}
