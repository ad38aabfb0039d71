//! What is listed: who is there, what was called, which devices there are.

use std::io;
use std::time::Duration;

use serde_json::Value;
use vox_common::cli::client::Answer;
use vox_common::cli::disk::Unkept;
use vox_common::cli::fields::Fields;
use vox_common::cli::listing::{Column, Listing};
use vox_common::cli::screen::Screen;
use vox_common::cli::when;

use super::event::outcome;

pub(super) const USERS: Listing = Listing { items: "users", columns: USER, shown: SHOWN_USER };

pub(super) const HISTORY: Listing = Listing {
    items: "calls",
    columns: &["time", "direction", "name", "address", "reason"],
    shown: &[
        ("when", |call| when::local(call.value("time").parse().unwrap_or_default())),
        ("", |call| if call.value("direction") == "in" { "from" } else { "to" }.into()),
        ("name", |call| call.value("name").into()),
        ("address", |call| call.value("address").into()),
        ("outcome", |call| outcome(call.value("reason")).into()),
        ("talked", talked),
        ("key", |call| call.value("trust").into()),
        ("", |call| super::trust::open(call).unwrap_or_default()),
    ],
};

pub(super) const DEVICES: Listing = Listing {
    items: "devices",
    columns: &["direction", "name"],
    shown: &[
        ("", |device| device.value("direction").into()),
        ("name", |device| device.value("name").into()),
        ("", |device| if device.find("default").is_some() { "default" } else { "" }.into()),
        ("rates", |device| device.value("rates").into()),
        ("channels", |device| device.value("channels").into()),
        ("", |device| device.value("trouble").into()),
        ("description", |device| device.value("description").into()),
    ],
};

pub(super) const MESSAGES: Listing = Listing {
    items: "messages",
    columns: &["time", "from", "kind"],
    shown: &[
        ("when", |message| when::local(message.value("time").parse().unwrap_or_default())),
        ("from", |message| message.value("from").into()),
        ("to", |message| told(message).into()),
        ("text", |message| message.value("text").into()),
    ],
};

pub(super) const ROOMS: Listing = Listing {
    items: "rooms",
    columns: &["name", "members"],
    shown: &[
        ("room", |room| room.value("name").into()),
        ("members", |room| room.value("members").into()),
        ("capacity", |room| room.value("capacity").into()),
    ],
};

pub(super) const MEMBERS: Listing = Listing {
    items: "members",
    columns: &["name"],
    shown: &[("name", |member| member.value("name").into())],
};

const USER: &[&str] = &["name", "address", "status", "fingerprint"];
const FOUND: Listing = Listing { items: "users", columns: &["name", "address", "status"], shown: SHOWN_USER };
const SHOWN_USER: &[Column] = &[
    ("name", |user| user.value("name").into()),
    ("address", |user| user.value("address").into()),
    ("status", |user| user.value("status").into()),
    ("display", |user| user.value("display").into()),
];

/// Whom a message was told.
fn told(message: &Fields) -> &str {
    match message.value("kind") {
        "msg" => "you",
        "broadcast" => "all",
        _ => message.value("room"),
    }
}

/// `hall 2/12` with a key of its own for each number.
pub(super) fn rooms(answer: Answer) -> Answer {
    let lines = answer.lines.iter().map(|line| line.replacen('/', " capacity=", 1)).collect();
    Answer { lines, ..answer }
}

fn talked(call: &Fields) -> String {
    match call.value("talked-s").parse() {
        Ok(0) | Err(_) => String::new(),
        Ok(seconds) => when::spoken(Duration::from_secs(seconds)),
    }
}

/// For people; one that is remembered from before says how old it is.
pub(super) fn show(listing: &Listing, answer: &Answer, screen: &mut Screen) -> io::Result<()> {
    listing.show(answer, screen)?;
    if let Some(unkept) = Unkept::read(&answer.last) {
        screen.remark(&unkept.told())?;
    }
    let Some(age) = age(&answer.last) else { return Ok(()) };
    let age = when::spoken(Duration::from_secs(age));
    screen.remark(&format!("as of {age} ago: the registry is away"))
}

/// The same for programs.
pub(super) fn json(listing: &Listing, answer: &Answer) -> Value {
    let mut json = listing.json(answer);
    if let Some(age) = age(&answer.last) {
        json["as-of-s"] = age.into();
    }
    if let Some(unkept) = Unkept::read(&answer.last) {
        json["unkept"] = unkept.json();
    }
    json
}

/// `211 …`: the one user that was looked for.
pub(super) fn show_found(answer: &Answer, screen: &mut Screen) -> io::Result<()> {
    FOUND.table(&[FOUND.item(&answer.last)], screen)
}

/// The same for programs.
pub(super) fn json_found(answer: &Answer) -> Value {
    FOUND.item(&answer.last).json()
}

/// `3 users as of 12 s ago`: how old the listing is, in seconds.
fn age(last: &str) -> Option<u64> {
    let (_, age) = last.split_once(" as of ")?;
    age.split(' ').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json as value;

    fn answer(lines: &[&str], last: &str) -> Answer {
        Answer { lines: lines.iter().map(|line| (*line).to_owned()).collect(), last: last.into() }
    }

    #[test]
    fn users_know_how_old_they_are() {
        let users = answer(&["bob 10.0.0.2:6000 idle - display=Bob%20B."], "1 users as of 12 s ago");
        let expected = value!({
            "users": [{"name": "bob", "address": "10.0.0.2:6000", "status": "idle", "fingerprint": null, "display": "Bob B."}],
            "as-of-s": 12,
        });
        assert_eq!(json(&USERS, &users), expected);
        assert_eq!(json(&USERS, &answer(&[], "0 users")), value!({"users": []}));
    }

    #[test]
    fn calls_and_devices_are_lists_of_objects() {
        let calls = answer(&["1772355900 in ann 10.0.0.1:6000 no-answer talked-s=0 call=0a"], "1 calls");
        let expected = value!({"calls": [{
            "time": 1_772_355_900, "direction": "in", "name": "ann", "address": "10.0.0.1:6000",
            "reason": "no-answer", "talked-s": 0, "call": "0a",
        }]});
        assert_eq!(json(&HISTORY, &calls), expected);
        let devices = answer(&["out USB%20card default description=a%20b"], "1 devices");
        let expected = value!({"devices": [{"direction": "out", "name": "USB card", "default": true, "description": "a b"}]});
        assert_eq!(json(&DEVICES, &devices), expected);
    }

    #[test]
    fn calls_that_are_not_on_the_disk_say_so() {
        let calls = answer(&[], "0 calls, not on the disk since 5 s: full");
        assert_eq!(json(&HISTORY, &calls)["unkept"], value!({"since-s": 5, "sentence": "full"}));
    }

    #[test]
    fn rooms_members_and_messages_are_lists_of_objects() {
        let hall = rooms(answer(&["hall 2/12"], "1 rooms"));
        assert_eq!(ROOMS.json(&hall), value!({"rooms": [{"name": "hall", "members": 2, "capacity": 12}]}));
        let bob = answer(&["bob"], "1 members");
        assert_eq!(MEMBERS.json(&bob), value!({"members": [{"name": "bob"}]}));
        let said = answer(&["7 bob say room=hall text=a  b=c", "8 ann msg text=-"], "2 messages");
        let expected = value!({"messages": [
            {"time": 7, "from": "bob", "kind": "say", "room": "hall", "text": "a  b=c"},
            {"time": 8, "from": "ann", "kind": "msg", "text": "-"},
        ]});
        assert_eq!(MESSAGES.json(&said), expected);
    }

    #[test]
    fn a_user_that_was_found_is_one_object() {
        let found = answer(&[], "bob 10.0.0.2:6000 busy");
        assert_eq!(json_found(&found), value!({"name": "bob", "address": "10.0.0.2:6000", "status": "busy"}));
    }
}
