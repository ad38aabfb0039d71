//! What one end of a call holds to be believed by the other: the handshake while it runs, then its keys.

use std::fmt;

use vox_common::wire::keys::PublicKey;
use vox_common::wire::signal::{CallId, Cookie, Hello, Say, Sealed, Signal};

use crate::seal::handshake::{Attempt, Invitation, Shaken};
use crate::seal::keys::{End, SignalKeys};
use crate::seal::tag::TagKey;

/// Different cookies that a caller accepts for one call: the callee changes its secret every two minutes, and may be
/// restarted. More than these are somebody's game, and are not followed.
pub const MAX_ATTEMPTS: usize = 8;

/// What the signals of one call are tagged with. Without any key nobody is believed.
#[derive(Debug, Clone)]
pub struct Tags {
    /// Which end is ours.
    end: End,
    /// What the caller sealed into its first message.
    cancel: Option<TagKey>,
    /// What came of the second one.
    keys: Option<SignalKeys>,
}

/// The seal of one leg.
pub struct Seal {
    tags: Tags,
    hands: Hands,
    /// Boxed: a leg is moved out of its table, and what is moved stays behind where it was.
    shaken: Option<Box<Shaken>>,
}

/// The two ends of a handshake.
enum Hands {
    /// We call.
    Caller(Calling),
    /// We are called.
    Callee(Box<Answered>),
}

/// What a caller has begun.
struct Calling {
    /// What the keys for CANCEL are made from.
    cancel: TagKey,
    /// One for each cookie, at most [`MAX_ATTEMPTS`]. The last one is sent, and whichever is answered can be read; that one
    /// is the first from then on.
    attempts: Vec<Attempt>,
}

/// A first message, and the second one.
struct Answered {
    /// What came; repeated, it is a repetition.
    invite: Sealed,
    /// What is answered, however often.
    answer: Sealed,
}

impl Tags {
    /// Of a call that has come to nothing before there was any key for it.
    pub fn none() -> Self {
        Self { end: End::Callee, cancel: None, keys: None }
    }

    /// The datagram that says this, with its tag where it has one.
    pub fn write(&self, id: CallId, say: Say) -> String {
        let key = self.key_for(&say, self.end).cloned();
        let bare = Signal::untagged(id, say);
        match key {
            Some(key) => {
                let tag = key.tag(bare.to_string().as_bytes());
                Signal { tag: Some(tag), ..bare }.to_string()
            }
            None => bare.to_string(),
        }
    }

    /// Whether the other end of the call has said this.
    pub fn believe(&self, signal: &Signal, datagram: &[u8]) -> bool {
        let key = self.key_for(&signal.say, self.end.other());
        let tagged = signal.tag.as_ref().zip(key);
        tagged.is_some_and(|(tag, key)| key.is_tag_of(tag, Signal::tagged(datagram)))
    }

    /// CANCEL, and what the callee answers to it, may be said before the caller has heard anything, and are tagged with
    /// the key that it made for that; all else with the key of the direction.
    fn key_for(&self, say: &Say, speaker: End) -> Option<&TagKey> {
        match (say, speaker) {
            (Say::Knock | Say::Retry(..) | Say::Invite(..) | Say::WrongKey(_), _) => None,
            (Say::Cancel(_), End::Caller) | (Say::ByeOk, End::Callee) => self.cancel.as_ref(),
            _ if speaker == self.end => self.keys.as_ref().map(|keys| &keys.sends),
            _ => self.keys.as_ref().map(|keys| &keys.receives),
        }
    }
}

impl Seal {
    /// Of a call that we begin; `cancel` is made for this one alone.
    pub fn of_caller(cancel: TagKey) -> Self {
        let tags = Tags { end: End::Caller, cancel: None, keys: None };
        Self { tags, hands: Hands::Caller(Calling { cancel, attempts: Vec::new() }), shaken: None }
    }

    /// Of a call that came as this message, and is answered with this hello.
    pub fn of_callee(invite: Sealed, invitation: Invitation, hello: &Hello) -> Self {
        let cancel = Some(invitation.cancel.clone());
        let (answer, shaken) = invitation.answer(hello);
        let tags = Tags { end: End::Callee, cancel, keys: Some(shaken.keys.signals.clone()) };
        Self {
            tags,
            hands: Hands::Callee(Box::new(Answered { invite, answer })),
            shaken: Some(Box::new(shaken)),
        }
    }

    /// What signals are tagged with, also after the leg has ended.
    pub fn tags(&self) -> &Tags {
        &self.tags
    }

    /// What a CANCEL to whoever holds that key will be tagged with: another one for each, so that who was asked in vain
    /// cannot take back what another has answered.
    pub fn cancel(&self, with: &PublicKey) -> Option<TagKey> {
        if let Hands::Caller(calling) = &self.hands { Some(calling.cancel.for_key(with)) } else { None }
    }

    /// What both ends have once the callee has answered.
    pub fn shaken(&self) -> Option<&Shaken> {
        self.shaken.as_deref()
    }

    /// What the caller says until it is answered, and while it rings.
    pub fn invite(&self) -> Say {
        let attempts = self.attempts();
        let meant = if self.shaken.is_some() { attempts.first() } else { attempts.last() };
        meant.map_or(Say::Knock, Attempt::invite)
    }

    /// The second message. `None`: we are the caller.
    pub fn answer(&self) -> Option<Sealed> {
        if let Hands::Callee(answered) = &self.hands { Some(answered.answer.clone()) } else { None }
    }

    /// What a callee says last has the second message with it: the caller may have heard nothing before.
    pub fn last_word(&self, word: Say) -> Say {
        match word {
            Say::Reject(reason, None) => Say::Reject(reason, self.answer()),
            Say::Bye(reason, None) => Say::Bye(reason, self.answer()),
            word => word,
        }
    }

    /// Whether a first message that came is the one that we have answered, or one that we sent ourselves.
    pub fn is_of(&self, message: &Sealed) -> bool {
        match &self.hands {
            Hands::Caller(calling) => calling.attempts.iter().any(|attempt| attempt.message() == message),
            Hands::Callee(answered) => answered.invite == *message,
        }
    }

    /// Whether we have tried, or are trying, that key.
    pub fn has_tried(&self, key: &PublicKey) -> bool {
        self.attempts().iter().any(|attempt| attempt.with() == key)
    }

    /// Whether somebody has let us in so far that there is anything to take back.
    pub fn is_begun(&self) -> bool {
        !self.attempts().is_empty()
    }

    /// What to say to whoever wants to see that cookie, which may be a callee that was restarted while it rang there.
    /// `make`s an attempt where there is none. `None`: it is being said, there were too many, or none can be made.
    pub fn attempt(
        &mut self,
        with: &PublicKey,
        cookie: &Cookie,
        make: impl FnOnce() -> Option<Attempt>,
    ) -> Option<Say> {
        let is_said = self.invite();
        let Hands::Caller(Calling { cancel, attempts }) = &mut self.hands else { return None };
        let attempt = match attempts.iter().position(|attempt| attempt.is_for(with, cookie)) {
            Some(at) if attempts[at].invite() == is_said => return None,
            // What is answered stays the first.
            Some(at) => attempts.remove(at),
            None if attempts.len() == MAX_ATTEMPTS => return None,
            None => make()?,
        };
        self.tags.cancel = Some(cancel.for_key(with));
        attempts.push(attempt);
        attempts.last().map(Attempt::invite)
    }

    /// Reads the callee's second message; whoever wrote it holds the key that we have tried, and says this. `None`: it
    /// answers no attempt of ours, or has been read already.
    pub fn finish(&mut self, answer: &Sealed) -> Option<Hello> {
        let Hands::Caller(Calling { cancel, attempts }) = &mut self.hands else { return None };
        let read = |(at, attempt): (usize, &mut Attempt)| Some((at, attempt.finish(answer)?));
        let (at, (hello, shaken)) = attempts.iter_mut().enumerate().find_map(read)?;
        attempts.swap(0, at);
        attempts.truncate(1);
        self.tags.cancel = Some(cancel.for_key(&shaken.key));
        self.tags.keys = Some(shaken.keys.signals.clone());
        self.shaken = Some(Box::new(shaken));
        Some(hello)
    }

    fn attempts(&self) -> &[Attempt] {
        if let Hands::Caller(calling) = &self.hands { &calling.attempts } else { &[] }
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Seal")
            .field("tags", &self.tags)
            .field("shaken", &self.shaken)
            .finish_non_exhaustive()
    }
}
