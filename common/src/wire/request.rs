//! What a station or a person asks of the registry (DESIGN section 5).

use std::fmt;
use std::num::NonZeroU16;

use super::keys::{KEY_BYTES, PublicKey};
use super::limits::{LINE_BYTES, MAX_USERS, NAME_BYTES, TEXT_BYTES};
use super::names::{DisplayName, Name};
use super::proof::{PROOF_BYTES, Proof};
use super::refusal::Refusal;
use super::users::{DISPLAY_WORD_BYTES, Status, write_display};
use super::verb::Verb;
use super::words::{self, split_first};

/// The longest request that is not free text.
const REGISTER_BYTES: usize = "REGISTER ".len()
    + NAME_BYTES
    + " 65535".len()
    + " key=".len()
    + KEY_BYTES
    + " proof=".len()
    + PROOF_BYTES
    + DISPLAY_WORD_BYTES
    + 1;
const _: () = assert!(REGISTER_BYTES <= LINE_BYTES);
const _: () = assert!("BROADCAST ".len() + TEXT_BYTES < LINE_BYTES);
const _: () = assert!("MSG ".len() + NAME_BYTES + 1 + TEXT_BYTES < LINE_BYTES);

/// One request, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request<'a> {
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

/// What a user tells of itself. The address is not among it: that is what the registry sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// The name that others call.
    pub name: Name,
    /// The UDP port for calls.
    pub port: NonZeroU16,
    /// The key for calls.
    pub key: Option<PublicKey>,
    /// That the user knows the registry's secret.
    pub proof: Option<Proof>,
    /// What people see instead of the name.
    pub display: Option<DisplayName>,
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
            Verb::Register => registration(rest).map(Self::Register),
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

fn registration(rest: &str) -> Result<Registration, Refusal> {
    let (name, rest) = split_first(rest);
    let (port, options) = split_first(rest);
    if port.is_empty() || !options.split(' ').all(|word| word.is_empty() || word.contains('=')) {
        return Err(Refusal::Usage(Verb::Register));
    }
    Ok(Registration {
        name: Name::parse(name).map_err(|_| Refusal::BadName)?,
        port: port.parse().map_err(|_| Refusal::BadPort)?,
        key: option(options, "key", PublicKey::parse, Refusal::BadKey)?,
        proof: option(options, "proof", Proof::parse, Refusal::BadProof)?,
        display: option(options, "display", DisplayName::from_word, Refusal::BadDisplay)?,
    })
}

fn option<T>(
    options: &str,
    key: &str,
    parse: impl Fn(&str) -> Option<T>,
    bad: Refusal,
) -> Result<Option<T>, Refusal> {
    match words::value(options, key).map_err(|_| Refusal::RepeatedKey)? {
        Some(word) => parse(word).ok_or(bad).map(Some),
        None => Ok(None),
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

impl fmt::Display for Registration {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.name, self.port)?;
        if let Some(key) = self.key {
            write!(out, " key={key}")?;
        }
        if let Some(proof) = self.proof {
            write!(out, " proof={proof}")?;
        }
        write_display(self.display.as_ref(), out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::users::tests::{displays, keys, names, statuses};
    use proptest::prelude::*;

    #[test]
    fn every_request_is_read() {
        for (line, emitted) in [
            ("register Bob 6000", "REGISTER bob 6000"),
            ("REGISTER  bob  6000  colour=red display=Bob%20B", "REGISTER bob 6000 display=Bob%20B"),
            ("LIST", "LIST"),
            ("list do", "LIST do"),
            ("LOOKUP BOB ", "LOOKUP bob"),
            ("STATUS Away", "STATUS away"),
            ("watch ON", "WATCH on"),
            ("WATCH off", "WATCH off"),
            ("msg BOB  two  words ", "MSG bob two  words "),
            ("broadcast  fire drill", "BROADCAST fire drill"),
            ("create Hall 12", "CREATE hall 12"),
            ("join hall ", "JOIN hall"),
            ("leave", "LEAVE"),
            ("rooms", "ROOMS"),
            ("members", "MEMBERS"),
            ("members Hall", "MEMBERS hall"),
            ("say hello", "SAY hello"),
            ("stats", "STATS"),
            ("PING", "PING"),
            ("ECHO  two  words ", "ECHO two  words "),
            ("help", "HELP"),
            ("HELP quit", "HELP QUIT"),
            (" quit", "QUIT"),
        ] {
            assert_eq!(Request::parse(line).expect(line).to_string(), emitted, "{line}");
        }
    }

    #[test]
    fn every_mistake_has_its_own_refusal() {
        let long = format!("ECHO {}", "x".repeat(TEXT_BYTES + 1));
        for (line, refusal) in [
            ("", Refusal::UnknownVerb),
            ("DANCE", Refusal::UnknownVerb),
            ("REGISTER", Refusal::Usage(Verb::Register)),
            ("REGISTER bob", Refusal::Usage(Verb::Register)),
            ("REGISTER bob 6000 now", Refusal::Usage(Verb::Register)),
            ("REGISTER 2bob 6000", Refusal::BadName),
            ("REGISTER bob 0", Refusal::BadPort),
            ("REGISTER bob 65536", Refusal::BadPort),
            ("REGISTER bob six", Refusal::BadPort),
            ("REGISTER bob -6000", Refusal::BadPort),
            ("REGISTER bob 6000 key=abc", Refusal::BadKey),
            ("REGISTER bob 6000 proof=abc", Refusal::BadProof),
            ("REGISTER bob 6000 display=", Refusal::BadDisplay),
            ("REGISTER bob 6000 display=a%0Ab", Refusal::BadDisplay),
            ("REGISTER bob 6000 display=a display=b", Refusal::RepeatedKey),
            ("LIST a b", Refusal::Usage(Verb::List)),
            ("LOOKUP", Refusal::Usage(Verb::Lookup)),
            ("LOOKUP -", Refusal::NoSuchUser),
            ("STATUS asleep", Refusal::Usage(Verb::Status)),
            ("WATCH", Refusal::Usage(Verb::Watch)),
            ("WATCH maybe", Refusal::Usage(Verb::Watch)),
            ("MSG", Refusal::Usage(Verb::Msg)),
            ("MSG bob", Refusal::NoText),
            ("MSG 2bob hello", Refusal::NoSuchUser),
            ("BROADCAST", Refusal::NoText),
            ("SAY ", Refusal::NoText),
            ("CREATE", Refusal::Usage(Verb::Create)),
            ("CREATE hall", Refusal::Usage(Verb::Create)),
            ("CREATE hall 3 4", Refusal::Usage(Verb::Create)),
            ("CREATE 2hall 3", Refusal::BadName),
            ("CREATE hall 0", Refusal::BadCapacity),
            ("CREATE hall 513", Refusal::BadCapacity),
            ("CREATE hall many", Refusal::BadCapacity),
            ("JOIN", Refusal::Usage(Verb::Join)),
            ("JOIN 2hall", Refusal::NoSuchRoom),
            ("LEAVE hall", Refusal::Usage(Verb::Leave)),
            ("ROOMS all", Refusal::Usage(Verb::Rooms)),
            ("MEMBERS a b", Refusal::Usage(Verb::Members)),
            ("MEMBERS 2hall", Refusal::NoSuchRoom),
            ("STATS now", Refusal::Usage(Verb::Stats)),
            (&long, Refusal::TextTooLong),
            ("HELP DANCE", Refusal::UnknownVerb),
            ("QUIT now", Refusal::Usage(Verb::Quit)),
        ] {
            assert_eq!(Request::parse(line), Err(refusal), "{line}");
        }
    }

    #[test]
    fn the_longest_registration_fits_a_line() {
        let registration = Registration {
            name: Name::parse(&"a".repeat(NAME_BYTES)).unwrap(),
            port: NonZeroU16::MAX,
            key: Some(PublicKey([0xff; 32])),
            proof: Some(Proof([0xff; 32])),
            display: DisplayName::new(&" ".repeat(64)),
        };
        assert_eq!(Request::Register(registration).to_string().len() + 1, REGISTER_BYTES);
    }

    fn requests(text: &'static str, word: &'static str) -> impl Strategy<Value = Request<'static>> {
        let proof = prop::option::of(any::<[u8; 32]>().prop_map(Proof));
        let registration = (names(), any::<NonZeroU16>(), keys(), proof, displays())
            .prop_map(|(name, port, key, proof, display)| Registration { name, port, key, proof, display });
        let said = prop::sample::select(vec![if text.is_empty() { "hello" } else { text }]);
        prop_oneof![
            registration.prop_map(Request::Register),
            Just(Request::List(word)),
            names().prop_map(Request::Lookup),
            statuses().prop_map(Request::Status),
            any::<bool>().prop_map(Request::Watch),
            (names(), said.clone()).prop_map(|(name, text)| Request::Msg(name, text)),
            said.clone().prop_map(Request::Broadcast),
            (names(), 1..=MAX_USERS).prop_map(|(name, capacity)| Request::Create(name, capacity)),
            names().prop_map(Request::Join),
            prop::option::of(names()).prop_map(Request::Members),
            prop::sample::select(vec![Request::Leave, Request::Rooms, Request::Stats]),
            said.prop_map(Request::Say),
            Just(Request::Ping(text)),
            Just(Request::Echo(text)),
            prop::option::of(prop::sample::select(Verb::ALL.as_slice())).prop_map(Request::Help),
            Just(Request::Quit),
        ]
    }

    /// Text that outlives the strategies made of it, a few dozen of each in a whole run.
    fn some_requests() -> impl Strategy<Value = Request<'static>> {
        ("([!-~à-ü][ -~à-ü]{0,60})?", "[!-~]{0,10}")
            .prop_flat_map(|(text, word)| requests(text.leak(), word.leak()))
    }

    proptest! {
        #[test]
        fn a_request_is_read_as_it_was_written(request in some_requests()) {
            let line = request.to_string();
            prop_assert_eq!(split_first(&line).0, request.verb().word());
            prop_assert_eq!(Request::parse(&line), Ok(request));
        }

        #[test]
        fn no_line_is_too_strange_to_answer(line in "\\PC{0,80}") {
            let _ = Request::parse(&line);
        }
    }
}
