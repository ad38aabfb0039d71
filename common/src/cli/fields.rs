//! A line of the control grammar as named values, and those as JSON: the same keys in text, in JSON and in the manual.

use crate::wire::words::{decode, split_first};
use serde_json::{Map, Number, Value};

/// The named values of one line, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields(Vec<(String, String)>);

/// Keys whose values are text, even one that looks like a number.
const TEXT: [&str; 21] = [
    "name",
    "display",
    "version",
    "call",
    "was",
    "trust",
    "address",
    "registered",
    "key",
    "fingerprint",
    "words",
    "file",
    "reason",
    "sentence",
    "directory",
    "description",
    "from",
    "room",
    "returns-to",
    "whom",
    FREE,
];

/// The key of what somebody said: always the last one of a line, and the rest of it as it stands.
const FREE: &str = "text";

impl Fields {
    /// Reads a line: its first words are called by `columns`, then come `key=value` words and bare ones, which
    /// are told by standing there.
    pub fn read(line: &str, columns: &[&str]) -> Self {
        let mut fields = Self::default();
        let mut columns = columns.iter();
        let mut rest = line;
        loop {
            rest = rest.trim_start_matches(' ');
            if rest.is_empty() {
                return fields;
            }
            if let Some(text) = free_text(rest).filter(|_| columns.as_slice().is_empty()) {
                fields.add_text(text);
                return fields;
            }
            let word;
            (word, rest) = split_first(rest);
            match (columns.next(), word.split_once('=')) {
                (Some(column), _) => fields.add(column, word),
                (None, Some((key, value))) => fields.add(key, value),
                (None, None) => fields.add(word, "yes"),
            }
        }
    }

    /// Adds a value as it stands on the wire.
    pub fn add(&mut self, key: &str, word: &str) {
        self.push(key, &decode(word).unwrap_or_else(|| word.to_owned()));
    }

    /// Adds what somebody said, as it stands.
    pub fn add_text(&mut self, text: &str) {
        self.push(FREE, text);
    }

    fn push(&mut self, key: &str, text: &str) {
        let shown =
            text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect();
        self.0.push((key.to_owned(), shown));
    }

    /// A value, or nothing where it is not known.
    pub fn find(&self, key: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(name, _)| name == key)?;
        (!value.is_empty() && (value != "-" || key == FREE)).then_some(value)
    }

    /// A value, or nothing at all.
    pub fn value(&self, key: &str) -> &str {
        self.find(key).unwrap_or_default()
    }

    /// All of them, in their order.
    pub fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// As a JSON object.
    pub fn json(&self) -> Value {
        Value::Object(
            self.all().map(|(key, value)| (key.to_owned(), json(key, value))).collect::<Map<_, _>>(),
        )
    }
}

fn free_text(rest: &str) -> Option<&str> {
    rest.strip_prefix(FREE)?.strip_prefix('=')
}

fn json(key: &str, value: &str) -> Value {
    match value {
        _ if key == FREE => value.into(),
        "" | "-" => Value::Null,
        _ if TEXT.contains(&key) => value.into(),
        "yes" => true.into(),
        "no" => false.into(),
        "on" | "off" if key == "muted" => (value == "on").into(),
        _ => number(value).map_or_else(|| value.into(), Value::Number),
    }
}

/// A plain decimal number; "1e5", "0x10", "inf" and the like are words.
fn number(value: &str) -> Option<Number> {
    let plain = |byte: u8| byte.is_ascii_digit() || byte == b'.' || byte == b'-';
    if !value.bytes().all(plain) {
        return None;
    }
    value.parse::<i64>().map(Number::from).ok().or_else(|| Number::from_f64(value.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn columns_come_first_then_keys_then_bare_words() {
        let fields = Fields::read("in USB%20card default description=a%1b[2J", &["direction", "name"]);
        let all: Vec<_> = fields.all().collect();
        let expected =
            [("direction", "in"), ("name", "USB card"), ("default", "yes"), ("description", "a\u{fffd}[2J")];
        assert_eq!(all, expected);
    }

    #[test]
    fn what_somebody_said_is_the_rest_of_the_line_as_it_stands() {
        for text in ["two  words ", "100%25", "text=1 name=eve", "-", "007", "yes"] {
            let fields = Fields::read(&format!("7 bob room=hall text={text}"), &["time", "from"]);
            assert_eq!((fields.value("text"), &fields.json()["text"]), (text, &json!(text)));
            assert_eq!((fields.value("room"), fields.all().count()), ("hall", 4));
        }
    }

    #[test]
    fn json_knows_numbers_flags_and_what_is_not_known() {
        let line = "call=12345678 jitter-ms=1.25 lost=3 level-in-db=-20.5 works=no muted=on round-trip-ms=- media=off";
        let expected = json!({
            "call": "12345678", "jitter-ms": 1.25, "lost": 3, "level-in-db": -20.5, "works": false,
            "muted": true, "round-trip-ms": null, "media": "off",
        });
        assert_eq!(Fields::read(line, &[]).json(), expected);
    }

    #[test]
    fn a_word_that_only_looks_like_a_number_stays_a_word() {
        for word in ["1e5", "inf", "1.2.3", "--", "0x10"] {
            assert_eq!(Fields::read(&format!("a={word}"), &[]).json(), json!({ "a": word }));
        }
    }
}
