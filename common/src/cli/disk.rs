//! What `status` of both programs says of the disk: its sections `disk`, `unkept` and `damaged`.

use std::time::Duration;

use serde_json::{Value, json};

use super::fields::Fields;
use super::sections::{lasting, part, parts};
use super::when;
use crate::wire::disk::NOT_KEPT;

/// Sections of which there may be several.
pub const MANY: [&str; 2] = ["unkept", "damaged"];

/// The sentence of a section. `None`: it is none of these.
pub fn sentence(section: &str, fields: &Fields) -> Option<String> {
    match section {
        "disk" => Some(disk(fields)),
        "unkept" => Some(unkept(fields)),
        "damaged" => Some(damaged(fields)),
        _ => None,
    }
}

/// What the last line of a listing says of items that are not on the disk.
#[derive(Debug, PartialEq, Eq)]
pub struct Unkept<'a> {
    /// Since when, in seconds.
    since: u64,
    /// The reason.
    sentence: &'a str,
}

impl<'a> Unkept<'a> {
    /// Reads `12 calls, not on the disk since 40 s: no space left on device`. `None`: all of them are there.
    pub fn read(last: &'a str) -> Option<Self> {
        let (_, unkept) = last.split_once(NOT_KEPT)?;
        let (since, sentence) = unkept.split_once(" s: ")?;
        Some(Self { since: since.parse().ok()?, sentence })
    }

    /// For people.
    pub fn told(&self) -> String {
        let since = when::spoken(Duration::from_secs(self.since));
        format!("not all of this is on the disk, since {since}: {}", self.sentence)
    }

    /// For programs.
    pub fn json(&self) -> Value {
        json!({ "since-s": self.since, "sentence": self.sentence })
    }
}

fn disk(fields: &Fields) -> String {
    let lost = (fields.value("state") == "lost").then(|| match fields.find("sentence") {
        Some(why) => format!("cannot be written: {why}"),
        None => "does not take all that is to be kept".to_owned(),
    });
    let in_memory = (fields.value("lasts") == "no")
        .then(|| "in memory: nothing there outlives a restart of the machine".to_owned());
    parts([part(fields, "", "directory", ""), lost, in_memory])
}

fn unkept(fields: &Fields) -> String {
    parts([
        part(fields, "", "file", " is not on the disk"),
        lasting(fields, "for ", "since-s"),
        part(fields, "", "sentence", ""),
    ])
}

fn damaged(fields: &Fields) -> String {
    let lines = match fields.find("lines") {
        None => "cannot be read".to_owned(),
        Some("1") => "has 1 damaged line".to_owned(),
        Some(lines) => format!("has {lines} damaged lines"),
    };
    parts([Some(format!("{} {lines}", fields.value("file"))), part(fields, "", "sentence", "")])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_says_what_is_not_on_the_disk() {
        let unkept = Unkept::read("12 calls, not on the disk since 65 s: no space left").unwrap();
        assert_eq!(unkept.told(), "not all of this is on the disk, since 1 min 5 s: no space left");
        assert_eq!(unkept.json(), json!({"since-s": 65, "sentence": "no space left"}));
        assert_eq!(Unkept::read("12 calls"), None);
    }

    #[test]
    fn people_read_what_is_wrong_with_the_disk() {
        for (line, told) in [
            ("disk directory=/var/lib/vox state=works lasts=yes", "/var/lib/vox"),
            (
                "disk directory=/a state=lost lasts=yes sentence=read-only%20file%20system",
                "/a, cannot be written: read-only file system",
            ),
            ("disk directory=/a state=lost lasts=yes", "/a, does not take all that is to be kept"),
            (
                "disk directory=/run/a state=works lasts=no",
                "/run/a, in memory: nothing there outlives a restart of the machine",
            ),
            (
                "unkept file=history since-s=65 sentence=no%20room",
                "history is not on the disk, for 1 min 5 s, no room",
            ),
            ("damaged file=names lines=2 sentence=mend%20it", "names has 2 damaged lines, mend it"),
            ("damaged file=names lines=- sentence=mend%20it", "names cannot be read, mend it"),
        ] {
            let (section, rest) = line.split_once(' ').unwrap();
            assert_eq!(sentence(section, &Fields::read(rest, &[])).as_deref(), Some(told), "{line}");
        }
        assert_eq!(sentence("call", &Fields::default()), None);
    }
}
