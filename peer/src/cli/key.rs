//! `vox-peer key` and `vox-peer keys`: the key of this station, and those that it remembers.

use std::io;

use serde_json::Value;
use vox_common::cli::client::Answer;
use vox_common::cli::fields::Fields;
use vox_common::cli::listing::{Column, Listing};
use vox_common::cli::screen::Screen;
use vox_common::cli::when;

/// Every key that is remembered.
pub(super) const KEYS: Listing = Listing {
    items: "keys",
    columns: &["kind", "name"],
    shown: &[
        ("", |key| key.value("kind").into()),
        ("name", |key| key.value("name").into()),
        ("fingerprint", |key| fingerprint(key)),
        ("first seen", |key| time(key, "first-seen")),
        ("verified", |key| verified(key)),
    ],
};

/// What one key has to tell, in its order.
const ROWS: [Column; 6] = [
    ("name", |key| key.value("name").into()),
    ("fingerprint", |key| fingerprint(key)),
    ("key", |key| key.value("key").into()),
    ("file", |key| key.value("file").into()),
    ("first seen", |key| time(key, "first-seen")),
    ("verified", |key| verified(key)),
];

/// The one key that was asked for, for people.
pub(super) fn show(answer: &Answer, screen: &mut Screen) -> io::Result<()> {
    let Some(key) = answer.lines.first().map(|line| KEYS.item(line)) else { return Ok(()) };
    for (label, text) in ROWS.map(|(label, row)| (label, row(&key))) {
        if !text.is_empty() {
            let label = screen.bold(&format!("{label:11}"));
            screen.line(&format!("{label} {text}"))?;
        }
    }
    Ok(())
}

/// The same for programs.
pub(super) fn json(answer: &Answer) -> Value {
    answer.lines.first().map_or(Value::Null, |line| KEYS.item(line).json())
}

fn fingerprint(key: &Fields) -> String {
    key.find("fingerprint").unwrap_or("damaged: forget it").into()
}

fn time(key: &Fields, of: &str) -> String {
    key.find(of).and_then(|unix| unix.parse().ok()).map(when::local).unwrap_or_default()
}

/// Nobody verifies their own.
fn verified(key: &Fields) -> String {
    match key.value("kind") {
        "self" => String::new(),
        _ => key.find("verified-at").map_or("no".into(), |_| time(key, "verified-at")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json as value;

    use super::*;

    fn rows(line: &str) -> Vec<String> {
        let key = KEYS.item(line);
        ROWS.iter().map(|(_, row)| row(&key)).filter(|text| !text.is_empty()).collect()
    }

    #[test]
    fn people_read_what_there_is_to_compare() {
        let own = "self alice fingerprint=SHA256:00 key=01 file=/var/lib/vox%20peer/key";
        assert_eq!(rows(own), ["alice", "SHA256:00", "01", "/var/lib/vox peer/key"]);
        let time = when::local(7);
        let known = "peer bob fingerprint=SHA256:00 key=01 first-seen=7 verified=no verified-at=-";
        assert_eq!(rows(known), ["bob", "SHA256:00", "01", &time, "no"]);
        let verified = "host 10.0.0.7 fingerprint=SHA256:00 key=01 first-seen=7 verified=yes verified-at=7";
        assert_eq!(rows(verified), ["10.0.0.7", "SHA256:00", "01", &time, &time]);
        let damaged = "peer bob fingerprint=- key=- first-seen=- verified=no verified-at=-";
        assert_eq!(rows(damaged), ["bob", "damaged: forget it", "no"]);
    }

    #[test]
    fn programs_read_one_object_or_a_list_of_them() {
        let line = "peer bob fingerprint=SHA256:00 key=01 first-seen=7 verified=no verified-at=-".to_owned();
        let object = value!({
            "kind": "peer", "name": "bob", "fingerprint": "SHA256:00", "key": "01", "first-seen": 7, "verified": false,
            "verified-at": null,
        });
        let answer = Answer { lines: vec![line], last: "1 keys".into() };
        assert_eq!(json(&answer), object);
        assert_eq!(KEYS.json(&answer), value!({"keys": [object]}));
    }
}
