//! What a station tells without being asked: as a sentence, and as JSON.

use serde_json::Value;
use vox_common::cli::fields::Fields;
use vox_common::cli::sections::parts;
use vox_common::wire::words::split_first;

use super::trust;

/// One `* EVENT …` line.
pub(super) struct Event {
    /// Its first word, as on the wire.
    pub(super) kind: String,
    /// Its other words by name.
    pub(super) fields: Fields,
}

impl Event {
    /// Reads a line. `None`: it is no event.
    pub(super) fn read(line: &str) -> Option<Self> {
        let (kind, rest) = split_first(line.strip_prefix("* ")?);
        let fields = match kind {
            "CALL" => Fields::read(rest, &["call", "state", "name"]),
            "JOINED" => Fields::read(rest, &["name", "address", "status", "fingerprint"]),
            "LEFT" => Fields::read(rest, &["name"]),
            "STATUS" => Fields::read(rest, &["name", "status"]),
            "LINK" if rest.starts_with("up") => Fields::read(rest, &["state"]),
            "LINK" => first_and_text(rest, "state", "reason"),
            "MSG" | "BROADCAST" => said(rest, &["from"]),
            "SAY" => said(rest, &["room", "from"]),
            "ENTERED" | "EXITED" => Fields::read(rest, &["room", "name"]),
            "AUDIO" => Fields::read(rest, &["direction", "state"]),
            _ => said(rest, &[]),
        };
        Some(Self { kind: kind.to_owned(), fields })
    }

    /// As one JSON object, with the second since 1970 at which it was heard.
    pub(super) fn json(&self, heard: u64) -> Value {
        let mut event = self.fields.json();
        event["event"] = self.kind.to_lowercase().into();
        event["time"] = heard.into();
        event
    }

    /// For people.
    pub(super) fn sentence(&self) -> String {
        let field = |key| self.fields.value(key);
        let name = &person(field("name"), &self.fields);
        match (self.kind.as_str(), field("state")) {
            ("CALL", "ended") => format!("the call with {name} ended: {}", outcome(field("reason"))),
            ("CALL", state) => parts([Some(call(state, name)), self.about_who_is_there()]),
            ("LINK", "up") if field("sealed") == "no" => {
                "the registry is there, its lines are not sealed".into()
            }
            ("LINK", "up") => "the registry is there".into(),
            ("LINK", _) => with_reason("the registry is away", field("reason")),
            ("JOINED", _) => format!("{name} is there at {}", field("address")),
            ("LEFT", _) => format!("{name} is gone"),
            ("STATUS", _) => format!("{name} is {}", field("status")),
            ("MSG", _) => format!("{}: {}", field("from"), field("text")),
            ("BROADCAST", _) => format!("{} to all: {}", field("from"), field("text")),
            ("SAY", _) => format!("{} in {}: {}", field("from"), field("room"), field("text")),
            ("ENTERED", _) => format!("{name} came into {}", field("room")),
            ("EXITED", _) => with_reason(&format!("{name} went out of {}", field("room")), field("reason")),
            ("AUDIO", _) => audio(&self.fields),
            (kind, _) => with_reason(&kind.to_lowercase(), field("text")),
        }
    }

    /// What is thought of the key of whoever rings or talks.
    fn about_who_is_there(&self) -> Option<String> {
        let fields = &self.fields;
        let told = parts([trust::key(fields), trust::open(fields), trust::words(fields)]);
        (!told.is_empty()).then_some(told)
    }
}

/// A word, and the rest of the line: `key=value` words as such, other words as they stand.
fn first_and_text(rest: &str, first: &str, second: &str) -> Fields {
    let (word, text) = split_first(rest);
    if text.starts_with(&format!("{second}=")) {
        return Fields::read(rest, &[first]);
    }
    let mut fields = Fields::default();
    fields.add(first, word);
    fields.add(second, text);
    fields
}

/// A few words, and what was said.
fn said(mut rest: &str, words: &[&str]) -> Fields {
    let mut fields = Fields::default();
    for name in words {
        let word;
        (word, rest) = split_first(rest);
        fields.add(name, word);
    }
    fields.add_text(rest);
    fields
}

fn with_reason(what: &str, reason: &str) -> String {
    if reason.is_empty() { what.to_owned() } else { format!("{what}: {reason}") }
}

/// Somebody as people see them: by the display name, where there is one, and behind it the name that commands take.
///
/// The name stays in sight: a display name is whatever its owner likes, also somebody else's.
pub(super) fn person(name: &str, fields: &Fields) -> String {
    match fields.find("display").filter(|display| !display.eq_ignore_ascii_case(name)) {
        Some(display) => format!("{display} ({name})"),
        None => name.to_owned(),
    }
}

/// What a state of a call means to the people at it.
pub(super) fn call(state: &str, name: &str) -> String {
    match state {
        "calling" => format!("calling {name}"),
        "ringing-there" => format!("it rings at {name}"),
        "ringing-here" => format!("{name} is calling"),
        "talking" => format!("talking with {name}"),
        other => format!("{name}: {other}"),
    }
}

/// How a call ended, in a few words.
pub(super) fn outcome(reason: &str) -> &str {
    match reason {
        "hangup" => "hung up here",
        "far-hangup" => "hung up there",
        "no-answer" => "no answer",
        "dnd" => "do not disturb",
        "not-allowed" => "not allowed",
        "not-here" => "somebody else answers at that address",
        "self" => "that is yourself",
        "wrong-key" => "another key than the one that is known",
        "key-refused" => "they know this station by another key",
        "unsealed" => "one side encrypts, the other does not",
        "lost" => "the other side was not heard any more",
        "" => "no reason was told",
        other => other,
    }
}

fn audio(fields: &Fields) -> String {
    if let Some(way) = spoken_way(fields) {
        return way;
    }
    let way = if fields.value("direction") == "in" { "microphone" } else { "loudspeaker" };
    let works = if fields.value("state") == "lost" { "does not work" } else { "works" };
    with_reason(&format!("the {way} {works}"), fields.value("sentence"))
}

/// A delay is told of the way from the mouth here to the ear there, and of the way back.
fn spoken_way(fields: &Fields) -> Option<String> {
    let name = fields.value("name");
    let way = match fields.value("direction") {
        "there" => format!("to {name}"),
        "here" => format!("from {name}"),
        _ => return None,
    };
    let delay = delay(fields);
    Some(match fields.value("state") {
        "unsent" => format!("sound {way} does not leave this machine: its network takes no more packets"),
        "sent" => format!("sound {way} leaves this machine again"),
        "late" => format!("sound {way} takes too long: {delay}"),
        "timely" => format!("sound {way} is well again: {delay}"),
        _ => format!("sound {way} takes {delay}"),
    })
}

/// The parts of a delay, in the order in which sound passes them, and what people call them.
const PARTS: [(&str, &str); 5] = [
    ("capture-ms", "capture"),
    ("encode-ms", "encode"),
    ("network-ms", "network"),
    ("jitter-buffer-ms", "jitter buffer"),
    ("playback-ms", "playback"),
];

/// A delay and the parts of it that are known: "12.50 ms: capture 2.60, encode …".
pub(super) fn delay(fields: &Fields) -> String {
    let total = fields.find("total-ms").map_or("unknown".to_owned(), |total| format!("{total} ms"));
    let known = PARTS.iter().filter_map(|(key, name)| Some(format!("{name} {}", fields.find(key)?)));
    with_reason(&total, &known.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_event_is_a_sentence() {
        for (line, sentence) in [
            ("* CALL 0a ringing-here ann", "ann is calling"),
            ("* CALL 0a talking ann", "talking with ann"),
            ("* CALL 0a ringing-here ann direction=in display=Ann%20B.", "Ann B. (ann) is calling"),
            ("* CALL 0a ended ann display=Ann reason=busy", "the call with ann ended: busy"),
            ("* JOINED bob 10.0.0.2:6000 idle - display=Bob%20B.", "Bob B. (bob) is there at 10.0.0.2:6000"),
            (
                "* CALL 0a ringing-here ann direction=in fingerprint=SHA256:0 trust=known",
                "ann is calling, known key SHA256:0",
            ),
            (
                "* CALL 0a talking ann direction=in fingerprint=SHA256:0 trust=new sealed=no words=one-two-three-four",
                "talking with ann, new key SHA256:0, NOT ENCRYPTED, one two three four",
            ),
            (
                "* CALL 0a ended ann reason=wrong-key",
                "the call with ann ended: another key than the one that is known",
            ),
            ("* CALL 0a ended ann reason=far-hangup", "the call with ann ended: hung up there"),
            ("* LINK up", "the registry is there"),
            ("* LINK up sealed=yes", "the registry is there"),
            ("* LINK up sealed=no", "the registry is there, its lines are not sealed"),
            ("* LINK down reason=connection%20refused", "the registry is away: connection refused"),
            ("* LINK down connection refused", "the registry is away: connection refused"),
            ("* JOINED bob 10.0.0.2:6000 idle -", "bob is there at 10.0.0.2:6000"),
            ("* LEFT bob", "bob is gone"),
            ("* STATUS bob dnd", "bob is dnd"),
            ("* MSG bob two  words", "bob: two  words"),
            ("* MSG bob text=100%25 -", "bob: text=100%25 -"),
            ("* BROADCAST bob fire drill", "bob to all: fire drill"),
            ("* SAY hall bob room=lobby", "bob in hall: room=lobby"),
            ("* ENTERED hall bob", "bob came into hall"),
            ("* EXITED hall bob", "bob went out of hall"),
            ("* EXITED hall alice reason=room%20full", "alice went out of hall: room full"),
            ("* AUDIO in lost sentence=no%20such%20device", "the microphone does not work: no such device"),
            (
                "* AUDIO there delay call=0a name=bob total-ms=12.50 capture-ms=2.60 encode-ms=2.60 network-ms=0.10 jitter-buffer-ms=4.70 playback-ms=2.50",
                "sound to bob takes 12.50 ms: capture 2.60, encode 2.60, network 0.10, jitter buffer 4.70, playback 2.50",
            ),
            (
                "* AUDIO here late call=0a name=bob total-ms=212.50 network-ms=200.00 alarm-ms=150",
                "sound from bob takes too long: 212.50 ms: network 200.00",
            ),
            ("* AUDIO there timely call=0a name=bob total-ms=20.00", "sound to bob is well again: 20.00 ms"),
            (
                "* AUDIO there unsent call=0a name=bob packets=9",
                "sound to bob does not leave this machine: its network takes no more packets",
            ),
            ("* AUDIO there sent call=0a name=bob", "sound to bob leaves this machine again"),
            ("* GOODBYE shutting down", "goodbye: shutting down"),
        ] {
            assert_eq!(Event::read(line).expect(line).sentence(), sentence);
        }
        assert!(Event::read("200 watching").is_none());
    }

    proptest::proptest! {
        #[test]
        fn no_line_is_too_strange_to_show(rest in "(CALL|LINK|AUDIO|JOINED|STATUS|MSG|SAY|EXITED|[A-Z]{0,5}) ?\\PC{0,60}") {
            let event = Event::read(&format!("* {rest}")).expect("an event");
            proptest::prop_assert!(!event.sentence().contains(char::is_control));
            proptest::prop_assert!(event.json(0).is_object());
        }
    }

    #[test]
    fn an_event_is_json_under_the_words_of_the_grammar() {
        let line = "* CALL 00 ended ann reason=busy";
        let expected = json!({"event": "call", "time": 7, "call": "00", "state": "ended", "name": "ann", "reason": "busy"});
        assert_eq!(Event::read(line).expect(line).json(7), expected);
        let expected = json!({"event": "left", "time": 7, "name": "bob"});
        assert_eq!(Event::read("* LEFT bob").expect("an event").json(7), expected);
    }
}
