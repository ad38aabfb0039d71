//! What the registry answers, and what its clients make of it (DESIGN sections 4 and 5).

use std::fmt;
use std::net::SocketAddr;

use super::keys::PublicKey;
use super::limits::{LINE_BYTES, NAME_BYTES, TEXT_BYTES};
use super::names::Name;
use super::refusal::Refusal;
use super::secure::Answer;
use super::users::{ADDRESS_BYTES, ENTRY_BYTES, Entry, FOUND_BYTES, Found, Status};
use super::verb::Verb;
use super::words::{self, split_first};

const CODE: usize = "200 ".len();
const _: () = assert!(CODE + "pong ".len() + TEXT_BYTES < LINE_BYTES);
const _: () = assert!(CODE + "registered ".len() + NAME_BYTES + 1 + ADDRESS_BYTES < LINE_BYTES);
const _: () = assert!(CODE + ENTRY_BYTES < LINE_BYTES);
const _: () = assert!(CODE + FOUND_BYTES < LINE_BYTES);
const _: () = assert!(CODE + NAME_BYTES + " 512/512".len() < LINE_BYTES);

/// A line of the longest listing, with its LF.
pub const LISTED_USER_BYTES: usize = CODE + ENTRY_BYTES + 1;

/// One line of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply<'a> {
    /// The first line of a connection.
    Greeting(Greeting<'a>),
    /// The last line in plain: whatever follows is sealed.
    Secure(&'a Answer),
    /// The name is the connection's now.
    Registered(&'a Name, SocketAddr),
    /// The status is this now.
    Status(Status),
    /// Events are on or off now.
    Watching(bool),
    /// One user has the text.
    Delivered,
    /// So many users have the text.
    DeliveredTo(usize),
    /// The room is there, and the user in it.
    Created(&'a Name),
    /// The user is in the room.
    Joined(&'a Name),
    /// The user is not in the room any more.
    Left(&'a Name),
    /// One of several rooms: its name, members and capacity.
    Room(&'a Name, usize, usize),
    /// The end of the rooms: how many they were.
    Rooms(usize),
    /// One of several members.
    Member(&'a Name),
    /// The end of the members: how many they were.
    Members(usize),
    /// So many others in the room have the text.
    SaidTo(usize),
    /// One of several counters.
    Counter(&'a str, u64),
    /// The end of STATS.
    StatsEnd,
    /// The registry lives.
    Pong(&'a str),
    /// The text again.
    Echo(&'a str),
    /// One of several users.
    User(&'a Entry),
    /// The end of a listing: how many they were.
    Users(usize),
    /// The user that was asked for.
    Found(&'a Found),
    /// One of several verbs.
    Help(Verb),
    /// The end of HELP.
    HelpEnd,
    /// The last line before the connection closes; `None` to somebody who never registered.
    Goodbye(Option<&'a Name>),
    /// No.
    Refused(Refusal),
}

impl fmt::Display for Reply<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Greeting(greeting) => write!(out, "220 {greeting}"),
            Self::Secure(answer) => write!(out, "200 secure {answer}"),
            Self::Registered(name, address) => write!(out, "200 registered {name} {address}"),
            Self::Status(status) => write!(out, "200 status is {status}"),
            Self::Watching(on) => out.write_str(if *on { "200 watching" } else { "200 not watching" }),
            Self::Delivered => out.write_str("200 delivered"),
            Self::DeliveredTo(count) => write!(out, "200 delivered to {count}"),
            Self::Created(room) => write!(out, "200 created {room}"),
            Self::Joined(room) => write!(out, "200 joined {room}"),
            Self::Left(room) => write!(out, "200 left {room}"),
            Self::Room(room, members, capacity) => write!(out, "212-{room} {members}/{capacity}"),
            Self::Rooms(count) => write!(out, "212 {count} rooms"),
            Self::Member(name) => write!(out, "213-{name}"),
            Self::Members(count) => write!(out, "213 {count} members"),
            Self::SaidTo(count) => write!(out, "200 said to {count}"),
            Self::Counter(word, value) => write!(out, "215-{word} {value}"),
            Self::StatsEnd => out.write_str("215 end"),
            Self::Pong("") => out.write_str("200 pong"),
            Self::Pong(text) => write!(out, "200 pong {text}"),
            Self::Echo(text) => write!(out, "200 {text}"),
            Self::User(entry) => write!(out, "210-{entry}"),
            Self::Users(count) => write!(out, "210 {count} users"),
            Self::Found(found) => write!(out, "211 {found}"),
            Self::Help(verb) => write!(out, "214-{}: {}", verb.usage(), verb.explanation()),
            Self::HelpEnd => out.write_str("214 end"),
            Self::Goodbye(Some(name)) => write!(out, "221 goodbye {name}"),
            Self::Goodbye(None) => out.write_str("221 goodbye"),
            Self::Refused(refusal) => write!(out, "{refusal}"),
        }
    }
}

/// `vox-registry <version> <registry-name> <nonce> [key=<key>]`: who speaks, and what a proof has to cover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Greeting<'a> {
    /// Of the program, as in its package.
    pub version: &'a str,
    /// Of this registry, from its configuration.
    pub name: &'a str,
    /// 128 random bits, of this connection only.
    pub nonce: Nonce,
    /// Of this registry. `None`: it does not know SECURE, or has no place to keep a key.
    pub key: Option<PublicKey>,
}

impl<'a> Greeting<'a> {
    /// Reads a greeting behind its `220`. `None`: something else listens there.
    pub fn parse(text: &'a str) -> Option<Self> {
        let (program, rest) = split_first(text);
        let (version, rest) = split_first(rest);
        let (name, rest) = split_first(rest);
        let (nonce, rest) = split_first(rest);
        let nonce = Nonce::parse(nonce)?;
        let key = match words::value(rest, "key").ok()? {
            Some(word) => Some(PublicKey::parse(word)?),
            None => None,
        };
        (program == "vox-registry").then_some(Self { version, name, nonce, key })
    }
}

impl fmt::Display for Greeting<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "vox-registry {} {} {}", self.version, self.name, self.nonce)?;
        self.key.map_or(Ok(()), |key| write!(out, " key={key}"))
    }
}

/// 128 random bits, in hex.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nonce(pub [u8; 16]);

impl Nonce {
    fn parse(word: &str) -> Option<Self> {
        let plain = word.len() == 32 && word.bytes().all(|digit| digit.is_ascii_hexdigit());
        plain.then(|| u128::from_str_radix(word, 16).ok().map(|bits| Self(bits.to_be_bytes())))?
    }
}

impl fmt::Display for Nonce {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:032x}", u128::from_be_bytes(self.0))
    }
}

/// A line of an answer as a client reads it: `NNN-text` with more to come, or `NNN text`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplyLine<'a> {
    /// The three digits.
    pub code: u16,
    /// There are more lines of this answer.
    pub more: bool,
    /// The rest.
    pub text: &'a str,
}

impl<'a> ReplyLine<'a> {
    /// Reads one line without its end. `None`: it is no answer.
    pub fn parse(line: &'a str) -> Option<Self> {
        let (digits, rest) = line.split_at_checked(3)?;
        let code = digits.bytes().all(|digit| digit.is_ascii_digit()).then(|| digits.parse().ok())??;
        match rest.as_bytes().first() {
            None => Some(Self { code, more: false, text: "" }),
            Some(b' ') => Some(Self { code, more: false, text: &rest[1..] }),
            Some(b'-') => Some(Self { code, more: true, text: &rest[1..] }),
            Some(_) => None,
        }
    }

    /// The request was served.
    pub fn is_done(&self) -> bool {
        (200..300).contains(&self.code)
    }
}

impl fmt::Display for ReplyLine<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:03}{}{}", self.code, if self.more { '-' } else { ' ' }, self.text)
    }
}

#[cfg(test)]
mod tests;
