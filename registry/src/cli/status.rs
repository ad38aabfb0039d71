//! `vox-registry status`: everything about a registry, for people and for programs.

use std::io;

use serde_json::Value;
use vox_common::cli::client::Answer;
use vox_common::cli::disk;
use vox_common::cli::fields::Fields;
use vox_common::cli::screen::Screen;
use vox_common::cli::sections::{self, everything, lasting, part, parts};

/// As a JSON object.
pub(super) fn json(answer: &Answer) -> Value {
    sections::json(answer, &disk::MANY)
}

/// For people.
pub(super) fn show(answer: &Answer, screen: &mut Screen) -> io::Result<()> {
    sections::show(answer, sentence, screen)
}

fn sentence(section: &str, fields: &Fields) -> String {
    match section {
        "registry" => registry(fields),
        "tables" => tables(fields),
        "counters" => counters(fields),
        _ => disk::sentence(section, fields).unwrap_or_else(|| everything(fields)),
    }
}

fn registry(fields: &Fields) -> String {
    parts([
        part(fields, "", "name", ""),
        part(fields, "access ", "access", ""),
        part(fields, "sealed lines ", "sealed", ""),
        lasting(fields, "up for ", "uptime-s"),
        part(fields, "vox-registry ", "version", ""),
        part(fields, "key ", "fingerprint", ""),
    ])
}

fn tables(fields: &Fields) -> String {
    parts([
        of(fields, "users", "max-users"),
        of(fields, "rooms", "max-rooms"),
        count(fields, "connection", "connections"),
        part(fields, "", "sealed", " of them sealed"),
        count(fields, "ban", "bans"),
    ])
}

/// Only what has happened: the rest is a long line of noughts.
fn counters(fields: &Fields) -> String {
    let happened = fields.all().filter(|(_, count)| *count != "0");
    let told: Vec<_> = happened.map(|(word, count)| format!("{word} {count}")).collect();
    if told.is_empty() { "nothing has happened yet".into() } else { told.join(", ") }
}

/// `1 connection`, `2 connections`
fn count(fields: &Fields, one: &str, several: &str) -> Option<String> {
    let count = fields.find(several)?;
    Some(format!("{count} {}", if count == "1" { one } else { several }))
}

/// `3 of 512 users`
fn of(fields: &Fields, what: &str, most: &str) -> Option<String> {
    Some(format!("{} of {} {what}", fields.find(what)?, fields.find(most)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json as value;

    fn answer() -> Answer {
        let lines = [
            "disk directory=/var/lib/vox-registry state=works lasts=yes",
            "damaged file=names lines=1 sentence=mend%20it",
            "registry name=vox version=0.1.0 uptime-s=7500 access=open sealed=offered fingerprint=SHA256:abc",
            "tables users=3 max-users=512 rooms=1 max-rooms=64 connections=5 sealed=3 bans=1 names=2",
            "counters connections=12 requests=30 slow-downs=0",
        ];
        Answer { lines: lines.map(str::to_owned).into(), last: "end".into() }
    }

    #[test]
    fn people_read_what_matters() {
        let answer = answer();
        let shown: Vec<_> =
            sections::sections(&answer).map(|(section, fields)| sentence(section, &fields)).collect();
        assert_eq!(
            shown,
            [
                "/var/lib/vox-registry",
                "names has 1 damaged line, mend it",
                "vox, access open, sealed lines offered, up for 2 h 5 min, vox-registry 0.1.0, key SHA256:abc",
                "3 of 512 users, 1 of 64 rooms, 5 connections, 3 of them sealed, 1 ban",
                "connections 12, requests 30",
            ]
        );
    }

    #[test]
    fn a_registry_to_which_nobody_has_come_says_so() {
        assert_eq!(counters(&Fields::read("connections=0 requests=0", &[])), "nothing has happened yet");
    }

    #[test]
    fn programs_read_objects() {
        let status = json(&answer());
        assert_eq!(status["registry"]["access"], "open");
        assert_eq!(status["tables"]["users"], 3);
        assert_eq!((&status["disk"]["state"], &status["damaged"][0]["lines"]), (&"works".into(), &1.into()));
        assert_eq!(status["counters"], value!({"connections": 12, "requests": 30, "slow-downs": 0}));
    }
}
