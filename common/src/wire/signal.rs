//! Signals: the text datagrams that set up and end a call (docs/PROTOCOL.md, "Calls").

mod hello;
mod kind;
mod reason;
mod sealed;

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use heapless::String as Text;

pub use self::hello::{Endings, Hello, MediaSealing};
pub use self::kind::{Class, Kind};
pub use self::reason::Reason;
pub use self::sealed::{SEALED_BYTES, Sealed, TAG_BYTES, Tag};
use super::keys::PublicKey;
use super::limits::SIGNAL_BYTES;
use super::words;

/// What every signal begins with. `V` is outside every range of RFC 7983.
pub const MAGIC: &str = "VOX1 ";

/// An INVITE without a cookie is filled up to this length, so that RETRY, which answers it, is not longer.
const KNOCK_BYTES: usize = 128;

/// What stands before the tag, which is the last word of a signal.
const TAG: &str = " tag=";

/// 128 random bits that name one attempt to call, written as 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub [u8; 16]);

/// A proof that whoever shows it receives at the address it sends from: 1 to 44 bytes of base64url.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cookie(Text<44>);

/// One signal: which call, and what is said about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signal {
    /// The call that it belongs to.
    pub id: CallId,
    /// What is said.
    pub say: Say,
    /// Shows that the other end of the call says it: over all bytes before it. Who may be anybody has none.
    pub tag: Option<Tag>,
}

/// What a signal says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Say {
    /// Somebody asks whether it may call.
    Knock,
    /// The answer to [`Say::Knock`], and to an INVITE without a good cookie, and the key of who answers. It keeps nothing.
    Retry(Cookie, PublicKey),
    /// Somebody wants to talk: the first message of the handshake.
    Invite(Cookie, Sealed),
    /// It rings: the second message.
    Ringing(Sealed),
    /// The call is taken: the same second message. The call-id is the sender's own INVITE that this one won over
    /// (`yields=`).
    Accept(Sealed, Option<CallId>),
    /// The call is not taken. The callee adds the second message, as to BYE.
    Reject(Reason, Option<Sealed>),
    /// The first message was for another key than that of who answers (`reason=wrong-key key=`).
    WrongKey(PublicKey),
    /// Answers ACCEPT and REJECT.
    Confirm,
    /// The caller gives up.
    Cancel(Reason),
    /// One side ends the call. The callee adds the second message: the caller may have heard nothing before.
    Bye(Reason, Option<Sealed>),
    /// Answers CANCEL and BYE.
    ByeOk,
}

/// What makes a datagram no signal. It is dropped and counted, never answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadSignal {
    /// Longer than 1,200 bytes.
    TooLong,
    /// Not `VOX1 `, not UTF-8, or with a control character.
    NotOurs,
    /// A verb that this version does not know.
    UnknownVerb,
    /// A word that must be there is missing, repeated or malformed.
    Malformed,
}

impl Signal {
    /// One that anybody may say.
    pub fn untagged(id: CallId, say: Say) -> Self {
        Self { id, say, tag: None }
    }

    /// Reads one datagram.
    pub fn parse(datagram: &[u8]) -> Result<Self, BadSignal> {
        let (words, tag) = take_tag(text_of(datagram)?)?;
        let (verb, rest) = words::split_first(words);
        let (id, rest) = words::split_first(rest);
        let say = Say::parse(verb, rest)?;
        let id = CallId::parse(id).ok_or(BadSignal::Malformed)?;
        Ok(Self { id, say, tag })
    }

    /// The bytes of a datagram that its tag covers: all before it.
    pub fn tagged(datagram: &[u8]) -> &[u8] {
        let end = datagram.len().saturating_sub(TAG.len() + TAG_BYTES);
        if datagram[end..].starts_with(TAG.as_bytes()) { &datagram[..end] } else { datagram }
    }
}

impl Say {
    /// The second message of the handshake, where it is carried.
    pub fn answer(&self) -> Option<&Sealed> {
        match self {
            Self::Ringing(answer) | Self::Accept(answer, _) => Some(answer),
            Self::Reject(_, answer) | Self::Bye(_, answer) => answer.as_ref(),
            _ => None,
        }
    }

    fn parse(verb: &str, rest: &str) -> Result<Self, BadSignal> {
        Ok(match verb {
            "INVITE" => invite(rest)?,
            "RETRY" => Self::Retry(needed(cookie(rest)?)?, needed(key(rest)?)?),
            "RINGING" => Self::Ringing(needed(sealed(rest)?)?),
            "ACCEPT" => Self::Accept(needed(sealed(rest)?)?, yields(rest)?),
            "REJECT" => reject(rest)?,
            "CONFIRM" => Self::Confirm,
            "CANCEL" => Self::Cancel(reason(rest, Reason::Cancelled)?),
            "BYE" => Self::Bye(reason(rest, Reason::Hangup)?, sealed(rest)?),
            "BYE-OK" => Self::ByeOk,
            _ => return Err(BadSignal::UnknownVerb),
        })
    }
}

fn text_of(datagram: &[u8]) -> Result<&str, BadSignal> {
    if datagram.len() > SIGNAL_BYTES {
        return Err(BadSignal::TooLong);
    }
    let text = std::str::from_utf8(datagram).map_err(|_| BadSignal::NotOurs)?;
    let words = text.strip_prefix(MAGIC).ok_or(BadSignal::NotOurs)?;
    if words.chars().any(char::is_control) { Err(BadSignal::NotOurs) } else { Ok(words) }
}

/// A tag stands at the end and nowhere else, or what it covers would not be all that is said.
fn take_tag(words: &str) -> Result<(&str, Option<Tag>), BadSignal> {
    match words.split_once(TAG) {
        None => Ok((words, None)),
        Some((covered, tag)) => Ok((covered, Some(Tag::parse(tag).ok_or(BadSignal::Malformed)?))),
    }
}

fn value<'a>(words: &'a str, key: &str) -> Result<Option<&'a str>, BadSignal> {
    words::value(words, key).map_err(|_| BadSignal::Malformed)
}

fn needed<T>(value: Option<T>) -> Result<T, BadSignal> {
    value.ok_or(BadSignal::Malformed)
}

/// The value of a word that need not be there, but must be well formed if it is.
fn read<T>(words: &str, key: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>, BadSignal> {
    value(words, key)?.map(|word| needed(parse(word))).transpose()
}

fn cookie(words: &str) -> Result<Option<Cookie>, BadSignal> {
    read(words, "cookie", Cookie::parse)
}

fn key(words: &str) -> Result<Option<PublicKey>, BadSignal> {
    read(words, "key", PublicKey::parse)
}

fn sealed(words: &str) -> Result<Option<Sealed>, BadSignal> {
    read(words, "hello", Sealed::parse)
}

fn yields(words: &str) -> Result<Option<CallId>, BadSignal> {
    read(words, "yields", CallId::parse)
}

/// Without a cookie nothing that is sealed is looked at: it would have to be sealed again.
fn invite(words: &str) -> Result<Say, BadSignal> {
    match cookie(words)? {
        None => Ok(Say::Knock),
        Some(cookie) => Ok(Say::Invite(cookie, needed(sealed(words)?)?)),
    }
}

fn reject(words: &str) -> Result<Say, BadSignal> {
    match (reason(words, Reason::Declined)?, key(words)?) {
        (Reason::WrongKey, Some(key)) => Ok(Say::WrongKey(key)),
        (reason, _) => Ok(Say::Reject(reason, sealed(words)?)),
    }
}

/// A reason that is not known here is as good as the usual one: the call ends all the same.
fn reason(words: &str, usual: Reason) -> Result<Reason, BadSignal> {
    Ok(value(words, "reason")?.and_then(Reason::parse).unwrap_or(usual))
}

impl fmt::Display for Signal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.id;
        out.write_str(MAGIC)?;
        match &self.say {
            Say::Knock => write_knock(id, out)?,
            Say::Retry(cookie, key) => write!(out, "RETRY {id} cookie={} key={key}", cookie.0)?,
            Say::Invite(cookie, hello) => write!(out, "INVITE {id} cookie={} hello={hello}", cookie.0)?,
            Say::Ringing(hello) => write!(out, "RINGING {id} hello={hello}")?,
            Say::Accept(hello, None) => write!(out, "ACCEPT {id} hello={hello}")?,
            Say::Accept(hello, Some(own)) => write!(out, "ACCEPT {id} yields={own} hello={hello}")?,
            Say::Reject(reason, None) => write!(out, "REJECT {id} reason={reason}")?,
            Say::Reject(reason, Some(hello)) => write!(out, "REJECT {id} reason={reason} hello={hello}")?,
            Say::WrongKey(key) => write!(out, "REJECT {id} reason={} key={key}", Reason::WrongKey)?,
            Say::Confirm => write!(out, "CONFIRM {id}")?,
            Say::Cancel(reason) => write!(out, "CANCEL {id} reason={reason}")?,
            Say::Bye(reason, None) => write!(out, "BYE {id} reason={reason}")?,
            Say::Bye(reason, Some(hello)) => write!(out, "BYE {id} reason={reason} hello={hello}")?,
            Say::ByeOk => write!(out, "BYE-OK {id}")?,
        }
        self.tag.map_or(Ok(()), |tag| write!(out, "{TAG}{tag}"))
    }
}

fn write_knock(id: CallId, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    let knock = format!("INVITE {id} pad=");
    let width = KNOCK_BYTES - MAGIC.len();
    write!(out, "{knock:0<width$}")
}

impl CallId {
    /// Reads 32 hexadecimal digits.
    pub fn parse(word: &str) -> Option<Self> {
        let digits = word.as_bytes();
        if digits.len() != 32 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        u128::from_str_radix(word, 16).ok().map(|bits| Self(bits.to_be_bytes()))
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for CallId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl Cookie {
    /// Writes the bytes of a MAC, at most 33.
    pub fn new(mac: &[u8]) -> Option<Self> {
        Self::parse(&URL_SAFE_NO_PAD.encode(mac))
    }

    /// Reads a cookie that came from outside; only its shape is checked.
    pub fn parse(word: &str) -> Option<Self> {
        let base64url = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        let shaped = !word.is_empty() && word.bytes().all(base64url);
        shaped.then(|| Text::try_from(word).ok().map(Self))?
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests;
