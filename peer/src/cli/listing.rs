//! Listings: who is there, what was called, which devices there are.

use std::io;
use std::time::Duration;

use serde_json::{Value, json};

use super::client::Answer;
use super::event::outcome;
use super::fields::Fields;
use super::screen::Screen;
use super::when;

/// A heading, and what stands under it.
type Column = (&'static str, fn(&Fields) -> String);

/// How one kind of listing is read and shown.
pub(super) struct Listing {
    /// What its items are, in JSON and to people.
    items: &'static str,
    /// The names of the words that come without a key.
    columns: &'static [&'static str],
    /// What people see.
    shown: &'static [Column],
}

pub(super) const USERS: Listing = Listing { items: "users", columns: USER, shown: SHOWN_USER };

pub(super) const HISTORY: Listing = Listing {
    items: "calls",
    columns: &["time", "direction", "name", "address", "outcome"],
    shown: &[
        ("when", |call| when::local(call.value("time").parse().unwrap_or_default())),
        ("", |call| if call.value("direction") == "in" { "from" } else { "to" }.into()),
        ("name", |call| call.value("name").into()),
        ("address", |call| call.value("address").into()),
        ("outcome", |call| outcome(call.value("outcome")).into()),
        ("talked", talked),
    ],
};

pub(super) const DEVICES: Listing = Listing {
    items: "devices",
    columns: &["direction", "name"],
    shown: &[
        ("", |device| device.value("direction").into()),
        ("name", |device| device.value("name").into()),
        ("", |device| if device.find("default").is_some() { "default" } else { "" }.into()),
        ("description", |device| device.value("description").into()),
    ],
};

const USER: &[&str] = &["name", "address", "status", "key"];
const FOUND: &[&str] = &["name", "address", "status"];
const SHOWN_USER: &[Column] = &[
    ("name", |user| user.value("name").into()),
    ("address", |user| user.value("address").into()),
    ("status", |user| user.value("status").into()),
    ("display", |user| user.value("display").into()),
];

fn talked(call: &Fields) -> String {
    match call.value("talked-s").parse() {
        Ok(0) | Err(_) => String::new(),
        Ok(seconds) => when::spoken(Duration::from_secs(seconds)),
    }
}

impl Listing {
    /// For people, and for pipes of words.
    pub(super) fn show(&self, answer: &Answer, screen: &mut Screen) -> io::Result<()> {
        let items: Vec<_> = answer.lines.iter().map(|line| Fields::read(line, self.columns)).collect();
        let age = age(&answer.last).map(|seconds| when::spoken(Duration::from_secs(seconds)));
        if !items.is_empty() {
            show(self.shown, &items, screen)?;
        } else if screen.is_terminal() {
            screen.line(&format!("no {}", self.items))?;
        }
        match age.filter(|_| screen.is_terminal()) {
            Some(age) => screen.line(&format!("as of {age} ago: the registry is away")),
            None => Ok(()),
        }
    }

    /// For programs.
    pub(super) fn json(&self, answer: &Answer) -> Value {
        let items: Value = answer.lines.iter().map(|line| Fields::read(line, self.columns).json()).collect();
        let mut listing = json!({ self.items: items });
        if let Some(age) = age(&answer.last) {
            listing["as-of-s"] = age.into();
        }
        listing
    }
}

/// `211 …`: the one user that was looked for.
pub(super) fn show_found(answer: &Answer, screen: &mut Screen) -> io::Result<()> {
    show(SHOWN_USER, &[Fields::read(&answer.last, FOUND)], screen)
}

/// The same for programs.
pub(super) fn json_found(answer: &Answer) -> Value {
    Fields::read(&answer.last, FOUND).json()
}

fn show(shown: &[Column], items: &[Fields], screen: &mut Screen) -> io::Result<()> {
    let headings: Vec<_> = shown.iter().map(|(heading, _)| *heading).collect();
    let row = |item: &Fields| shown.iter().map(|(_, cell)| cell(item)).collect();
    let rows: Vec<Vec<String>> = items.iter().map(row).collect();
    screen.table(&headings, &rows)
}

/// `3 users as of 12 s ago`: how old the listing is, in seconds.
fn age(last: &str) -> Option<u64> {
    let (_, age) = last.split_once(" as of ")?;
    age.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(lines: &[&str], last: &str) -> Answer {
        Answer { lines: lines.iter().map(|line| (*line).to_owned()).collect(), last: last.into() }
    }

    #[test]
    fn users_know_how_old_they_are() {
        let users = answer(&["bob 10.0.0.2:6000 idle - display=Bob%20B."], "1 users as of 12 s ago");
        let expected = json!({
            "users": [{"name": "bob", "address": "10.0.0.2:6000", "status": "idle", "key": null, "display": "Bob B."}],
            "as-of-s": 12,
        });
        assert_eq!(USERS.json(&users), expected);
        assert_eq!(USERS.json(&answer(&[], "0 users")), json!({"users": []}));
    }

    #[test]
    fn calls_and_devices_are_lists_of_objects() {
        let calls = answer(&["1772355900 in ann 10.0.0.1:6000 no-answer talked-s=0 call=0a"], "1 calls");
        let expected = json!({"calls": [{
            "time": 1_772_355_900, "direction": "in", "name": "ann", "address": "10.0.0.1:6000",
            "outcome": "no-answer", "talked-s": 0, "call": "0a",
        }]});
        assert_eq!(HISTORY.json(&calls), expected);
        let devices = answer(&["out USB%20card default description=a%20b"], "1 devices");
        let expected = json!({"devices": [{"direction": "out", "name": "USB card", "default": true, "description": "a b"}]});
        assert_eq!(DEVICES.json(&devices), expected);
    }

    #[test]
    fn a_user_that_was_found_is_one_object() {
        let found = answer(&[], "bob 10.0.0.2:6000 busy");
        assert_eq!(json_found(&found), json!({"name": "bob", "address": "10.0.0.2:6000", "status": "busy"}));
    }
}
