//! What a station or a person asks of the registry (DESIGN section 5).

mod registration;

use std::fmt;

pub use self::registration::Registration;
use super::limits::{LINE_BYTES, MAX_USERS, NAME_BYTES, TEXT_BYTES};
use super::names::Name;
use super::refusal::Refusal;
use super::secure::{OFFER_CHARACTERS, Offer};
use super::users::Status;
use super::verb::Verb;
use super::words::split_first;

const _: () = assert!("SECURE ".len() + OFFER_CHARACTERS < LINE_BYTES);
const _: () = assert!("BROADCAST ".len() + TEXT_BYTES < LINE_BYTES);
const _: () = assert!("MSG ".len() + NAME_BYTES + 1 + TEXT_BYTES < LINE_BYTES);

/// One request, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "a display name lies where it is: nothing is allocated for a line"
)]
pub enum Request<'a> {
    /// Seals the connection from the next line on.
    Secure(Offer),
    /// Takes a name for as long as the connection lasts.
    Register(Registration),
    /// Who is there whose name begins with this; all for an empty one.
    List(&'a str),
    /// Where one user is.
    Lookup(Name),
    /// Tells everybody who watches.
    Status(Status),
    /// Events on or off.
    Watch(bool),
    /// A text for one user.
    Msg(Name, &'a str),
    /// A text for every other user.
    Broadcast(&'a str),
    /// A room for so many, 1 to [`MAX_USERS`], and the one who asks in it.
    Create(Name, usize),
    /// Into a room, and out of the one before.
    Join(Name),
    /// Out of the room.
    Leave,
    /// Which rooms there are.
    Rooms,
    /// Who is in a room; in one's own where none is named.
    Members(Option<Name>),
    /// A text for the others in the room.
    Say(&'a str),
    /// Whether the registry lives.
    Ping(&'a str),
    /// The text again.
    Echo(&'a str),
    /// What was counted.
    Stats,
    /// What can be asked.
    Help(Option<Verb>),
    /// Gives the name back and ends the connection.
    Quit,
}

impl<'a> Request<'a> {
    /// Reads one line without its end.
    ///
    /// # Errors
    /// The [`Refusal`] to answer.
    pub fn parse(line: &'a str) -> Result<Self, Refusal> {
        let (word, rest) = split_first(line);
        let verb = Verb::parse(word).ok_or(Refusal::UnknownVerb)?;
        match verb {
            Verb::Secure => Offer::parse(one_word(verb, rest)?).ok_or(Refusal::BadOffer).map(Self::Secure),
            Verb::Register => Registration::parse(rest).map(Self::Register),
            Verb::List => at_most_one_word(verb, rest).map(Self::List),
            Verb::Lookup => one_word(verb, rest).and_then(known_name).map(Self::Lookup),
            Verb::Status => {
                Status::parse(one_word(verb, rest)?).ok_or(Refusal::Usage(verb)).map(Self::Status)
            }
            Verb::Watch => on_or_off(verb, rest).map(Self::Watch),
            Verb::Msg => message(rest),
            Verb::Broadcast => some_text(rest).map(Self::Broadcast),
            Verb::Create => create(rest),
            Verb::Join => one_word(verb, rest).and_then(known_room).map(Self::Join),
            Verb::Leave => alone(verb, rest, Self::Leave),
            Verb::Rooms => alone(verb, rest, Self::Rooms),
            Verb::Members => members(rest),
            Verb::Say => some_text(rest).map(Self::Say),
            Verb::Ping => text(rest).map(Self::Ping),
            Verb::Echo => text(rest).map(Self::Echo),
            Verb::Help => help(rest).map(Self::Help),
            Verb::Stats => alone(verb, rest, Self::Stats),
            Verb::Quit => alone(verb, rest, Self::Quit),
        }
    }
}

impl Request<'_> {
    /// Its first word.
    pub fn verb(&self) -> Verb {
        match self {
            Self::Secure(_) => Verb::Secure,
            Self::Register(_) => Verb::Register,
            Self::List(_) => Verb::List,
            Self::Lookup(_) => Verb::Lookup,
            Self::Status(_) => Verb::Status,
            Self::Watch(_) => Verb::Watch,
            Self::Msg(..) => Verb::Msg,
            Self::Broadcast(_) => Verb::Broadcast,
            Self::Create(..) => Verb::Create,
            Self::Join(_) => Verb::Join,
            Self::Leave => Verb::Leave,
            Self::Rooms => Verb::Rooms,
            Self::Members(_) => Verb::Members,
            Self::Say(_) => Verb::Say,
            Self::Ping(_) => Verb::Ping,
            Self::Echo(_) => Verb::Echo,
            Self::Stats => Verb::Stats,
            Self::Help(_) => Verb::Help,
            Self::Quit => Verb::Quit,
        }
    }
}

fn alone<'a>(verb: Verb, rest: &str, request: Request<'a>) -> Result<Request<'a>, Refusal> {
    if rest.is_empty() { Ok(request) } else { Err(Refusal::Usage(verb)) }
}

fn message(rest: &str) -> Result<Request<'_>, Refusal> {
    let (name, words) = split_first(rest);
    if name.is_empty() {
        return Err(Refusal::Usage(Verb::Msg));
    }
    Ok(Request::Msg(known_name(name)?, some_text(words)?))
}

fn create(rest: &str) -> Result<Request<'_>, Refusal> {
    let (name, capacity) = split_first(rest);
    if name.is_empty() {
        return Err(Refusal::Usage(Verb::Create));
    }
    let name = Name::parse(name).map_err(|_| Refusal::BadName)?;
    let capacity = one_word(Verb::Create, capacity)?.parse().map_err(|_| Refusal::BadCapacity)?;
    if (1..=MAX_USERS).contains(&capacity) {
        Ok(Request::Create(name, capacity))
    } else {
        Err(Refusal::BadCapacity)
    }
}

fn members(rest: &str) -> Result<Request<'_>, Refusal> {
    match at_most_one_word(Verb::Members, rest)? {
        "" => Ok(Request::Members(None)),
        word => known_room(word).map(Some).map(Request::Members),
    }
}

fn at_most_one_word(verb: Verb, rest: &str) -> Result<&str, Refusal> {
    match split_first(rest) {
        (word, "") => Ok(word),
        _ => Err(Refusal::Usage(verb)),
    }
}

fn one_word(verb: Verb, rest: &str) -> Result<&str, Refusal> {
    at_most_one_word(verb, rest)
        .and_then(|word| if word.is_empty() { Err(Refusal::Usage(verb)) } else { Ok(word) })
}

/// What is not even a name is nobody's name.
fn known_name(word: &str) -> Result<Name, Refusal> {
    Name::parse(word).map_err(|_| Refusal::NoSuchUser)
}

/// The same for rooms.
fn known_room(word: &str) -> Result<Name, Refusal> {
    Name::parse(word).map_err(|_| Refusal::NoSuchRoom)
}

fn on_or_off(verb: Verb, rest: &str) -> Result<bool, Refusal> {
    match one_word(verb, rest)? {
        word if word.eq_ignore_ascii_case("on") => Ok(true),
        word if word.eq_ignore_ascii_case("off") => Ok(false),
        _ => Err(Refusal::Usage(verb)),
    }
}

fn text(rest: &str) -> Result<&str, Refusal> {
    if rest.len() <= TEXT_BYTES { Ok(rest) } else { Err(Refusal::TextTooLong) }
}

/// A text that is for somebody, who wants to read something.
fn some_text(rest: &str) -> Result<&str, Refusal> {
    if rest.is_empty() { Err(Refusal::NoText) } else { text(rest) }
}

fn help(rest: &str) -> Result<Option<Verb>, Refusal> {
    match at_most_one_word(Verb::Help, rest)? {
        "" => Ok(None),
        word => Verb::parse(word).ok_or(Refusal::UnknownVerb).map(Some),
    }
}

impl fmt::Display for Request<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secure(offer) => write!(out, "SECURE {offer}"),
            Self::Register(registration) => write!(out, "REGISTER {registration}"),
            Self::List(prefix) => write_rest("LIST", prefix, out),
            Self::Lookup(name) => write!(out, "LOOKUP {name}"),
            Self::Status(status) => write!(out, "STATUS {status}"),
            Self::Watch(on) => out.write_str(if *on { "WATCH on" } else { "WATCH off" }),
            Self::Msg(name, text) => write!(out, "MSG {name} {text}"),
            Self::Broadcast(text) => write!(out, "BROADCAST {text}"),
            Self::Create(name, capacity) => write!(out, "CREATE {name} {capacity}"),
            Self::Join(name) => write!(out, "JOIN {name}"),
            Self::Leave => out.write_str("LEAVE"),
            Self::Rooms => out.write_str("ROOMS"),
            Self::Members(room) => write_rest("MEMBERS", room.as_ref().map_or("", Name::as_str), out),
            Self::Say(text) => write!(out, "SAY {text}"),
            Self::Ping(text) => write_rest("PING", text, out),
            Self::Echo(text) => write_rest("ECHO", text, out),
            Self::Stats => out.write_str("STATS"),
            Self::Help(verb) => write_rest("HELP", verb.map_or("", Verb::word), out),
            Self::Quit => out.write_str("QUIT"),
        }
    }
}

fn write_rest(verb: &str, rest: &str, out: &mut fmt::Formatter<'_>) -> fmt::Result {
    if rest.is_empty() { out.write_str(verb) } else { write!(out, "{verb} {rest}") }
}

#[cfg(test)]
mod tests;
