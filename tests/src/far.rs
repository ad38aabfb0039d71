//! The far end of a station's calls: what a test says is sealed and tagged as by an honest station, as far as the handshake
//! has come.

use std::collections::HashMap;

use vox_common::seal::identity::Identity;
use vox_common::wire::keys::PublicKey;
use vox_common::wire::signal::{CallId, Cookie, Hello, Reason, Say, Sealed, Signal, Tag};
use vox_peer::agent::sealing::Seal;
use vox_peer::seal::handshake::{Attempt, Introduction, Invitation, Shaken};
use vox_peer::seal::tag::TagKey;

/// What the far end says, as it means it.
#[derive(Debug, Clone)]
pub enum Word {
    /// May I call?
    Knock,
    /// Show me this first.
    Retry(Cookie),
    /// I would like to talk.
    Invite(Cookie, Hello),
    /// It rings here.
    Ringing(Hello),
    /// I take the call.
    Accept(Hello, Option<CallId>),
    /// I do not.
    Reject(Reason),
    /// I cannot open this, my key is another.
    WrongKey(PublicKey),
    /// I have heard you.
    Confirm,
    /// I give up.
    Cancel(Reason),
    /// I end the call.
    Bye(Reason),
    /// It has ended.
    ByeOk,
}

/// Somebody with a key who talks with one station.
pub struct Far {
    identity: Identity,
    /// The station's.
    station: PublicKey,
    invites: HashMap<CallId, (Cookie, Sealed)>,
    seals: HashMap<CallId, Seal>,
    /// For what must be random elsewhere.
    counted: u8,
}

impl Far {
    /// Who holds this secret, and knows the station's key.
    pub fn new(secret: [u8; 32], station: PublicKey) -> Self {
        let (invites, seals) = (HashMap::new(), HashMap::new());
        Self { identity: Identity::new(secret), station, invites, seals, counted: 0 }
    }

    /// Its key.
    pub fn key(&self) -> PublicKey {
        *self.identity.public()
    }

    /// What both have of a call.
    pub fn shaken(&self, id: CallId) -> Option<&Shaken> {
        self.seals.get(&id)?.shaken()
    }

    /// Whether the station has said this, of a call that both know.
    pub fn believes(&self, datagram: &[u8]) -> bool {
        let Ok(signal) = Signal::parse(datagram) else { return false };
        self.seals.get(&signal.id).is_some_and(|seal| seal.tags().believe(&signal, datagram))
    }

    /// The station's own INVITE of this call, as it came.
    pub fn echo(&self, id: CallId) -> Option<Vec<u8>> {
        let (cookie, message) = self.invites.get(&id)?.clone();
        Some(Signal::untagged(id, Say::Invite(cookie, message)).to_string().into_bytes())
    }

    /// What the station says of itself in the INVITE of this call.
    pub fn invited_with(&self, id: CallId) -> Option<Hello> {
        let (cookie, message) = self.invites.get(&id)?;
        let opened = Invitation::open(&self.identity, id, cookie, message, &[1; 32]);
        opened.ok().map(|invitation| invitation.hello)
    }

    /// Takes what the station says into account.
    pub fn hear(&mut self, datagram: &[u8]) {
        let Ok(Signal { id, say, .. }) = Signal::parse(datagram) else { return };
        if let Some(answer) = say.answer() {
            self.seals.get_mut(&id).and_then(|seal| seal.finish(answer));
        }
        if let Say::Invite(cookie, message) = say {
            self.invites.insert(id, (cookie, message));
        }
    }

    /// The datagram that says this.
    pub fn say(&mut self, id: CallId, word: Word) -> Vec<u8> {
        let say = match word {
            Word::Knock => Say::Knock,
            Word::Retry(cookie) => Say::Retry(cookie, self.key()),
            Word::Invite(cookie, hello) => self.invite(id, &cookie, &hello),
            Word::Ringing(hello) => Say::Ringing(self.answer(id, &hello)),
            Word::Accept(hello, yields) => Say::Accept(self.answer(id, &hello), yields),
            Word::Reject(reason) => Say::Reject(reason, None),
            Word::WrongKey(key) => Say::WrongKey(key),
            Word::Confirm => Say::Confirm,
            Word::Cancel(reason) => Say::Cancel(reason),
            Word::Bye(reason) => Say::Bye(reason, None),
            Word::ByeOk => Say::ByeOk,
        };
        self.write(id, say).into_bytes()
    }

    fn write(&self, id: CallId, say: Say) -> String {
        match self.seals.get(&id) {
            Some(seal) => seal.tags().write(id, seal.last_word(say)),
            // Nobody believes it.
            None => Signal { id, say, tag: Some(Tag([7; 16])) }.to_string(),
        }
    }

    fn invite(&mut self, id: CallId, cookie: &Cookie, hello: &Hello) -> Say {
        let ephemeral = self.random();
        let Self { identity, station, seals, .. } = self;
        let seal = seals.entry(id).or_insert_with(|| Seal::of_caller(TagKey::new(ephemeral)));
        let cancel = seal.cancel(station).expect("a caller has one");
        seal.attempt(station, cookie, || {
            let introduction = Introduction { hello, cancel: &cancel };
            Attempt::new(identity, *station, id, cookie.clone(), &introduction, &ephemeral)
        });
        seal.invite()
    }

    /// The second message to the station's first one, or something that looks like one.
    fn answer(&mut self, id: CallId, hello: &Hello) -> Sealed {
        let ephemeral = self.random();
        let Self { identity, invites, seals, .. } = self;
        if let Some((cookie, message)) = invites.get(&id).filter(|_| !seals.contains_key(&id)) {
            let opened = Invitation::open(identity, id, cookie, message, &ephemeral);
            let invitation = opened.expect("the station knows our key");
            seals.insert(id, Seal::of_callee(message.clone(), invitation, hello));
        }
        let nothing = || Sealed::new(&[9; 128]).expect("it fits");
        seals.get(&id).and_then(Seal::answer).unwrap_or_else(nothing)
    }

    fn random(&mut self) -> [u8; 32] {
        self.counted += 1;
        let mut bytes = self.key().0;
        bytes[0] = self.counted;
        bytes
    }
}
