//! What people and programs ask of a station over its control socket (docs/PROTOCOL.md, "Control socket").

use std::borrow::Cow;

use super::limits::CALLEE_BYTES;
use super::names::Name;
use super::request;
use super::users::Status;
use super::verb::Verb;
use super::words::split_first;

/// One request, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "a display name lies where it is: nothing is allocated for a line"
)]
pub enum Request<'a> {
    /// `CALL <who> [detach]`
    Call(Who<'a>, bool),
    /// `ANSWER`
    Answer,
    /// `REJECT`
    Reject,
    /// `HANGUP`
    Hangup,
    /// `MUTE on|off`
    Mute(bool),
    /// `VOLUME in|out <0-200>`
    Volume(Way, u8),
    /// `STATUS`
    Status,
    /// `USERS`
    Users,
    /// `LOOKUP <name>`
    Lookup(Name),
    /// `HISTORY`
    History,
    /// `DEVICES`
    Devices,
    /// `MESSAGES`
    Messages,
    /// `KEY [who]`; without one, this station's own.
    Key(Option<Who<'a>>),
    /// `KEYS`
    Keys,
    /// `FORGET <who>`
    Forget(Who<'a>),
    /// `VERIFY <who>`
    Verify(Who<'a>),
    /// One of [`PASSED_ON`], for the registry.
    PassedOn(request::Request<'a>),
    /// `SET-STATUS idle|busy|away|dnd`
    SetStatus(Status),
    /// `WATCH`
    Watch,
    /// `HELP`
    Help,
}

/// Which way sound goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From the microphone.
    In,
    /// To the loudspeaker.
    Out,
}

/// Whom to call, or whose key is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who<'a> {
    /// A name for the address book and the registry.
    Name(Name),
    /// A host, with a port or without.
    Host(&'a str),
}

/// Why a request was not understood; the refusal to answer.
pub type BadRequest = Cow<'static, str>;

/// What a station asks the registry for its people, in the registry's own words.
pub const PASSED_ON: [Verb; 9] = [
    Verb::Msg,
    Verb::Broadcast,
    Verb::Create,
    Verb::Join,
    Verb::Leave,
    Verb::Rooms,
    Verb::Members,
    Verb::Say,
    Verb::Echo,
];

/// The usage of every request of the station's own.
const USAGES: [&str; 19] = [
    "CALL <who> [detach]: calls a name, an address or @host",
    "ANSWER: takes the call that rings",
    "REJECT: refuses the call that rings",
    "HANGUP: ends the call",
    "MUTE on|off: sends silence instead of the microphone",
    "VOLUME in|out <0-200>: sets the loudness in percent",
    "STATUS: tells everything about this station",
    "USERS: tells who is there",
    "LOOKUP <name>: tells where one user is",
    "HISTORY: tells the last calls and clears the count of missed ones",
    "MESSAGES: tells the last messages that came and clears the count of unread ones",
    "DEVICES: lists the sound devices",
    "KEY [who]: tells the key of this station, or the one that is remembered of somebody",
    "KEYS: tells every key that is remembered",
    "FORGET <who>: forgets a key, so that the next one is trusted on its first use",
    "VERIFY <who>: notes that you have compared the key",
    "SET-STATUS idle|busy|away|dnd: tells others whether you like to be called",
    "WATCH: tells every event as it happens",
    "HELP: explains the requests",
];

impl<'a> Request<'a> {
    /// Reads one line without its end.
    ///
    /// # Errors
    /// The refusal to answer, with its code.
    pub fn parse(line: &'a str) -> Result<Self, BadRequest> {
        let (verb, rest) = split_first(line);
        if Verb::parse(verb).is_some_and(|verb| PASSED_ON.contains(&verb)) {
            let request = request::Request::parse(line).map(Self::PassedOn);
            return request.map_err(|refusal| refusal.to_string().into());
        }
        let rest = rest.trim_end_matches(' ');
        match verb.to_ascii_uppercase().as_str() {
            "CALL" => call(rest),
            "ANSWER" => alone(rest, Self::Answer),
            "REJECT" => alone(rest, Self::Reject),
            "HANGUP" => alone(rest, Self::Hangup),
            "MUTE" => on_or_off(rest).map(Self::Mute),
            "VOLUME" => volume(rest),
            "STATUS" => alone(rest, Self::Status),
            "USERS" => alone(rest, Self::Users),
            "LOOKUP" => Name::parse(rest).map(Self::Lookup).map_err(|_| "404 no such user".into()),
            "HISTORY" => alone(rest, Self::History),
            "DEVICES" => alone(rest, Self::Devices),
            "MESSAGES" => alone(rest, Self::Messages),
            "KEY" if rest.is_empty() => Ok(Self::Key(None)),
            "KEY" => whose(rest).map(Some).map(Self::Key),
            "KEYS" => alone(rest, Self::Keys),
            "FORGET" => whose(rest).map(Self::Forget),
            "VERIFY" => whose(rest).map(Self::Verify),
            "SET-STATUS" => Status::parse(rest)
                .map(Self::SetStatus)
                .ok_or("400 SET-STATUS takes idle, busy, away or dnd".into()),
            "WATCH" => alone(rest, Self::Watch),
            "HELP" => Ok(Self::Help),
            _ => Err("501 unknown request, HELP lists them".into()),
        }
    }
}

/// What HELP tells: each request with its words, and what it does.
pub fn usages() -> impl Iterator<Item = Cow<'static, str>> {
    let passed_on = PASSED_ON.map(|verb| format!("{}: {}", verb.usage(), verb.explanation()).into());
    USAGES.map(Cow::from).into_iter().chain(passed_on)
}

fn alone<'a>(rest: &str, request: Request<'a>) -> Result<Request<'a>, BadRequest> {
    if rest.is_empty() { Ok(request) } else { Err("400 this request takes no words".into()) }
}

fn on_or_off(rest: &str) -> Result<bool, BadRequest> {
    match rest.to_ascii_lowercase().as_str() {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("400 MUTE takes on or off".into()),
    }
}

fn volume(rest: &str) -> Result<Request<'_>, BadRequest> {
    const USAGE: BadRequest = Cow::Borrowed("400 VOLUME takes in or out, and 0 to 200 percent");
    let (way, percent) = split_first(rest);
    let way = match way.to_ascii_lowercase().as_str() {
        "in" => Way::In,
        "out" => Way::Out,
        _ => return Err(USAGE),
    };
    let percent = percent.parse().ok().filter(|percent| *percent <= 200).ok_or(USAGE)?;
    Ok(Request::Volume(way, percent))
}

fn call(rest: &str) -> Result<Request<'_>, BadRequest> {
    let (who, option) = split_first(rest);
    let detached = match option {
        "" => false,
        option if option.eq_ignore_ascii_case("detach") => true,
        _ => return Err("400 CALL takes a name or a host, and detach".into()),
    };
    Who::parse(who).map(|who| Request::Call(who, detached))
}

/// The one word that says whose key is meant.
fn whose(rest: &str) -> Result<Who<'_>, BadRequest> {
    match split_first(rest) {
        ("", _) => Err("400 say whose key: a name, or a host as it was called".into()),
        (word, "") => Who::parse(word),
        _ => Err("400 this request takes one word".into()),
    }
}

impl<'a> Who<'a> {
    /// An address literal, anything with a colon, and `@host` are hosts; the rest are names.
    pub fn parse(word: &'a str) -> Result<Self, BadRequest> {
        let host = word.strip_prefix('@').unwrap_or(word);
        if host.is_empty() || host.len() > CALLEE_BYTES {
            return Err("400 CALL takes a name or a host of at most 64 bytes".into());
        }
        if host.len() < word.len() || host.contains(':') || host.parse::<std::net::IpAddr>().is_ok() {
            return Ok(Self::Host(host));
        }
        match Name::parse(word) {
            Ok(name) => Ok(Self::Name(name)),
            Err(_) if word.contains('.') => Ok(Self::Host(word)),
            Err(_) => Err("404 no such user".into()),
        }
    }
}

#[cfg(test)]
mod tests;
