//! `STATUS`: sections of `key=value` words, for people and for programs.

use std::io;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::client::Answer;
use super::fields::Fields;
use super::screen::Screen;
use super::when;
use crate::wire::words::split_first;

/// As a JSON object: one object per section, and arrays of those of which there may be `many`.
pub fn json(answer: &Answer, many: &[&str]) -> Value {
    let mut status: Map<String, Value> = many.iter().map(|name| ((*name).to_owned(), json!([]))).collect();
    for (section, fields) in sections(answer) {
        match status.get_mut(section).and_then(Value::as_array_mut) {
            Some(several) => several.push(fields.json()),
            None => _ = status.insert(section.to_owned(), fields.json()),
        }
    }
    Value::Object(status)
}

/// For people: one line a section, with its name in front of its `sentence`.
///
/// # Errors
/// Those of the standard output.
pub fn show(
    answer: &Answer,
    sentence: impl Fn(&str, &Fields) -> String,
    screen: &mut Screen,
) -> io::Result<()> {
    for (section, fields) in sections(answer) {
        let label = screen.bold(&format!("{section:9}"));
        screen.line(&format!("{label} {}", sentence(section, &fields)))?;
    }
    Ok(())
}

/// The sections in their order, by name.
pub fn sections(answer: &Answer) -> impl Iterator<Item = (&str, Fields)> {
    answer.lines.iter().map(|line| {
        let (section, rest) = split_first(line);
        (section, Fields::read(rest, &[]))
    })
}

/// A section of which nothing else is known.
pub fn everything(fields: &Fields) -> String {
    fields.all().map(|(key, value)| format!("{key} {value}")).collect::<Vec<_>>().join(", ")
}

/// A value between two words, if it is there.
pub fn part(fields: &Fields, before: &str, key: &str, after: &str) -> Option<String> {
    fields.find(key).map(|value| format!("{before}{value}{after}"))
}

/// A number of seconds as people say it, if it is there.
pub fn lasting(fields: &Fields, before: &str, key: &str) -> Option<String> {
    let seconds = fields.find(key)?.parse().ok()?;
    Some(format!("{before}{}", when::spoken(Duration::from_secs(seconds))))
}

/// What there is of a sentence.
pub fn parts<const N: usize>(parts: [Option<String>; N]) -> String {
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_several_is_an_array_even_when_there_is_none() {
        let idle = Answer { lines: vec!["security media=off".into()], last: "end".into() };
        assert_eq!(json(&idle, &["call"]), json!({"call": [], "security": {"media": "off"}}));
    }

    #[test]
    fn a_sentence_is_made_of_what_is_known() {
        let fields = Fields::read("name=vox uptime-s=65 page=", &[]);
        let sentence = parts([
            part(&fields, "", "name", ""),
            part(&fields, "page at ", "page", ""),
            lasting(&fields, "up for ", "uptime-s"),
        ]);
        assert_eq!(sentence, "vox, up for 1 min 5 s");
        assert_eq!(everything(&fields), "name vox, uptime-s 65, page ");
    }
}
