//! What is listed: who is there, and who is kept out.

use std::time::Duration;

use vox_common::cli::fields::Fields;
use vox_common::cli::listing::Listing;
use vox_common::cli::when;

pub(super) const USERS: Listing = Listing {
    items: "users",
    columns: &["name", "address", "status", "fingerprint"],
    shown: &[
        ("name", |user| user.value("name").into()),
        ("address", |user| user.value("address").into()),
        ("status", |user| user.value("status").into()),
        ("there for", there_for),
        ("room", |user| user.value("room").into()),
        ("display", |user| user.value("display").into()),
    ],
};

pub(super) const BANS: Listing = Listing {
    items: "bans",
    columns: &["whom"],
    shown: &[("address or name", |ban| ban.value("whom").into())],
};

fn there_for(user: &Fields) -> String {
    let seconds = user.value("since-s").parse().ok();
    seconds.map_or_else(String::new, |seconds| when::spoken(Duration::from_secs(seconds)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use vox_common::cli::client::Answer;

    #[test]
    fn users_and_bans_are_lists_of_objects() {
        let answer = |line: &str| Answer { lines: vec![line.into()], last: "1".into() };
        let users = answer("bob 10.0.0.2:6000 idle - since-s=65 room=lobby display=Bob%20B.");
        let expected = json!({"users": [{
            "name": "bob", "address": "10.0.0.2:6000", "status": "idle", "fingerprint": null, "since-s": 65,
            "room": "lobby", "display": "Bob B.",
        }]});
        assert_eq!(USERS.json(&users), expected);
        for whom in ["10.0.0.7", "2001:db8::7", "yes", "no", "on"] {
            assert_eq!(BANS.json(&answer(whom)), json!({"bans": [{"whom": whom}]}));
        }
    }

    #[test]
    fn people_are_told_how_long_somebody_has_been_there() {
        assert_eq!(there_for(&USERS.item("bob 10.0.0.2:6000 idle - since-s=65")), "1 min 5 s");
        assert_eq!(there_for(&USERS.item("bob 10.0.0.2:6000 idle -")), "");
    }
}
