//! Signals: the text datagrams that set up and end a call (docs/PROTOCOL.md, "Calls").

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use heapless::String as Text;

use super::coding::Coding;
use super::limits::SIGNAL_BYTES;
use super::names::{DisplayName, Name};
use super::words;

/// What every signal begins with. `V` is outside every range of RFC 7983.
pub const MAGIC: &str = "VOX1 ";

/// The payload type of redundant audio data, as a word: the only one there is.
const RED: &str = "112";

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
}

/// What a signal says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Say {
    /// Somebody wants to talk. The cookie comes from RETRY.
    Invite(Option<Cookie>, Hello),
    /// The answer to an INVITE without a good cookie; whoever sends it keeps nothing.
    Retry(Cookie),
    /// It rings.
    Ringing(Hello),
    /// The call is taken. The call-id is the sender's own INVITE that this one won over (`yields=`).
    Accept(Hello, Option<CallId>),
    /// The call is not taken.
    Reject(Reason),
    /// Answers ACCEPT and REJECT.
    Confirm,
    /// The caller gives up.
    Cancel(Reason),
    /// One side ends the call.
    Bye(Reason),
    /// Answers CANCEL and BYE.
    ByeOk,
}

/// Who speaks and how: what the security issue seals. On the wire it is base64url of `key=value` words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// The name of the sender.
    pub from: Name,
    /// The name that was called, when it was called by name.
    pub to: Option<Name>,
    /// What people see instead of the sender's name.
    pub display: Option<DisplayName>,
    /// What the sender will send.
    pub sends: Coding,
    /// Whether the sender reads redundant audio data (RFC 2198) under payload type 112.
    pub takes_red: bool,
    /// A call between the same two that the sender has ended, in case its last word was lost.
    pub after: Option<(CallId, Reason)>,
}

/// Why a call was not taken, or ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// A person said no.
    Declined,
    /// There is another call.
    Busy,
    /// Nobody answered in time.
    Timeout,
    /// Do not disturb.
    Dnd,
    /// The callee's policy says no.
    NotAllowed,
    /// Nothing in common to talk in.
    Unsupported,
    /// The caller reached itself.
    Myself,
    /// The name that was called does not live here.
    NotHere,
    /// A person ended it.
    Hangup,
    /// The caller gave up.
    Cancelled,
    /// The other side was not heard any more.
    Lost,
}

/// Every reason and its word.
const REASONS: [(&str, Reason); 11] = [
    ("declined", Reason::Declined),
    ("busy", Reason::Busy),
    ("timeout", Reason::Timeout),
    ("dnd", Reason::Dnd),
    ("not-allowed", Reason::NotAllowed),
    ("unsupported", Reason::Unsupported),
    ("self", Reason::Myself),
    ("not-here", Reason::NotHere),
    ("hangup", Reason::Hangup),
    ("cancelled", Reason::Cancelled),
    ("lost", Reason::Lost),
];

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
    /// Reads one datagram.
    pub fn parse(datagram: &[u8]) -> Result<Self, BadSignal> {
        let words = text_of(datagram)?;
        let (verb, rest) = words::split_first(words);
        let (id, rest) = words::split_first(rest);
        let say = Say::parse(verb, rest)?;
        let id = CallId::parse(id).ok_or(BadSignal::Malformed)?;
        Ok(Self { id, say })
    }
}

impl Say {
    fn parse(verb: &str, rest: &str) -> Result<Self, BadSignal> {
        Ok(match verb {
            "INVITE" => Self::Invite(cookie(rest)?, hello(rest)?),
            "RETRY" => Self::Retry(cookie(rest)?.ok_or(BadSignal::Malformed)?),
            "RINGING" => Self::Ringing(hello(rest)?),
            "ACCEPT" => Self::Accept(hello(rest)?, yields(rest)?),
            "REJECT" => Self::Reject(reason(rest, Reason::Declined)?),
            "CONFIRM" => Self::Confirm,
            "CANCEL" => Self::Cancel(reason(rest, Reason::Cancelled)?),
            "BYE" => Self::Bye(reason(rest, Reason::Hangup)?),
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

fn value<'a>(words: &'a str, key: &str) -> Result<Option<&'a str>, BadSignal> {
    words::value(words, key).map_err(|_| BadSignal::Malformed)
}

fn cookie(words: &str) -> Result<Option<Cookie>, BadSignal> {
    value(words, "cookie")?.map(|word| Cookie::parse(word).ok_or(BadSignal::Malformed)).transpose()
}

fn yields(words: &str) -> Result<Option<CallId>, BadSignal> {
    value(words, "yields")?.map(|word| CallId::parse(word).ok_or(BadSignal::Malformed)).transpose()
}

/// A reason that is not known here is as good as the usual one: the call ends all the same.
fn reason(words: &str, usual: Reason) -> Result<Reason, BadSignal> {
    Ok(value(words, "reason")?.and_then(Reason::parse).unwrap_or(usual))
}

fn hello(words: &str) -> Result<Hello, BadSignal> {
    let sealed = value(words, "hello")?.ok_or(BadSignal::Malformed)?;
    let bytes = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| BadSignal::Malformed)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| BadSignal::Malformed)?;
    Hello::parse(text)
}

impl Hello {
    fn parse(words: &str) -> Result<Self, BadSignal> {
        let needed = |key| value(words, key)?.ok_or(BadSignal::Malformed);
        let name = |word| Name::parse(word).map_err(|_| BadSignal::Malformed);
        let display = |word| DisplayName::from_word(word).ok_or(BadSignal::Malformed);
        let after = |word| parse_after(word).ok_or(BadSignal::Malformed);
        Ok(Self {
            from: name(needed("from")?)?,
            to: value(words, "to")?.map(name).transpose()?,
            display: value(words, "display")?.map(display).transpose()?,
            sends: Coding::parse(needed("codec")?, needed("ptime")?, value(words, "ptime-us")?)
                .ok_or(BadSignal::Malformed)?,
            takes_red: value(words, "red")? == Some(RED),
            after: value(words, "after")?.map(after).transpose()?,
        })
    }
}

fn parse_after(word: &str) -> Option<(CallId, Reason)> {
    let (id, reason) = word.split_once(',')?;
    Some((CallId::parse(id)?, Reason::parse(reason)?))
}

impl fmt::Display for Hello {
    /// The words before they are packed.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "from={} kind=voice {}", self.from, self.sends)?;
        if self.takes_red {
            write!(out, " red={RED}")?;
        }
        if let Some(to) = &self.to {
            write!(out, " to={to}")?;
        }
        if let Some(display) = &self.display {
            write!(out, " display={}", display.to_word())?;
        }
        if let Some((id, reason)) = &self.after {
            write!(out, " after={id},{reason}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.id;
        out.write_str(MAGIC)?;
        match &self.say {
            Say::Invite(None, hello) => write!(out, "INVITE {id} hello={}", packed(hello)),
            Say::Invite(Some(cookie), hello) => {
                write!(out, "INVITE {id} cookie={} hello={}", cookie.0, packed(hello))
            }
            Say::Retry(cookie) => write!(out, "RETRY {id} cookie={}", cookie.0),
            Say::Ringing(hello) => write!(out, "RINGING {id} hello={}", packed(hello)),
            Say::Accept(hello, None) => write!(out, "ACCEPT {id} hello={}", packed(hello)),
            Say::Accept(hello, Some(own)) => write!(out, "ACCEPT {id} yields={own} hello={}", packed(hello)),
            Say::Reject(reason) => write!(out, "REJECT {id} reason={reason}"),
            Say::Confirm => write!(out, "CONFIRM {id}"),
            Say::Cancel(reason) => write!(out, "CANCEL {id} reason={reason}"),
            Say::Bye(reason) => write!(out, "BYE {id} reason={reason}"),
            Say::ByeOk => write!(out, "BYE-OK {id}"),
        }
    }
}

fn packed(hello: &Hello) -> String {
    URL_SAFE_NO_PAD.encode(hello.to_string())
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

impl Reason {
    /// Reads the word of a reason.
    pub fn parse(word: &str) -> Option<Self> {
        REASONS.into_iter().find(|(known, _)| *known == word).map(|(_, reason)| reason)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, _) = REASONS.into_iter().find(|(_, known)| known == self).expect("every reason is listed");
        out.write_str(word)
    }
}

#[cfg(test)]
mod tests;
