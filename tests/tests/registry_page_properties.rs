//! Whoever is there and whatever happened: the page shows it as text, and says the same in every form.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::Value;
use vox_common::wire::names::DisplayName;
use vox_registry::core::overview::{EventView, Overview};
use vox_registry::page::hosts::Hosts;
use vox_registry::page::request::Request;
use vox_registry::page::{Snapshot, answer, frame};
use vox_tests::world::World;

/// Two users, one of them in a room.
fn overview() -> Overview {
    let mut world = World::new();
    for (name, port) in [("ann", 6000), ("bob", 6001)] {
        let client = world.local();
        world.ask(client, &format!("REGISTER {name} {port}"));
        world.ask(client, "CREATE kitchen 4");
    }
    world.overview()
}

fn snapshot(overview: &Overview, display: &DisplayName, event: &str) -> Snapshot {
    let mut overview = overview.clone();
    overview.users[0].display = Some(display.clone());
    overview.events.push(EventView { ago: Duration::ZERO, text: event.into() });
    Snapshot { overview, taken: Duration::from_secs(1_772_355_907) }
}

fn body(path: &str, seen: &Snapshot) -> String {
    let asked = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let request = Request::read(asked.as_bytes(), &Hosts::new("pi", &[])).expect("served").expect("whole");
    let bytes = answer(request, || Some(seen));
    let text = String::from_utf8(bytes).expect("UTF-8");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
    assert!(head.contains(&format!("Content-Length: {}", body.len())), "{head}");
    body.to_owned()
}

/// Tags of a page that is made of these words.
fn tags(seen: &Snapshot) -> usize {
    body("/", seen).matches(['<', '>']).count()
}

fn words() -> impl Strategy<Value = String> {
    let markup =
        prop::sample::select(vec!["<", ">", "&", "\"", "'", "</td>", "-->", "&lt;", " a=b", "\u{202e}"]);
    prop::collection::vec(prop_oneof![markup.prop_map(String::from), "\\PC{1,4}"], 1..8)
        .prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn whatever_somebody_is_called_the_page_has_the_same_tags_and_programs_read_the_same(
        display in words(), event in words(),
    ) {
        thread_local!(static OVERVIEW: Overview = overview());
        let Some(display) = DisplayName::new(&display) else { return Ok(()) };
        let plain = DisplayName::new("Ann").expect("three letters");
        let (seen, expected) = OVERVIEW.with(|overview| {
            (snapshot(overview, &display, &event), snapshot(overview, &plain, "all is well"))
        });
        prop_assert_eq!(tags(&seen), tags(&expected));
        let users: Value = serde_json::from_str(&body("/api/users", &seen)).expect("JSON");
        prop_assert_eq!(&users["users"][0]["display"], display.as_str());
        let told = String::from_utf8(frame(&seen)).expect("UTF-8");
        let line = told.strip_prefix("data: ").and_then(|rest| rest.strip_suffix("\n\n")).expect("one event");
        prop_assert!(!line.contains(['<', '>', '\n', '\r']), "{}", line);
        let state: Value = serde_json::from_str(line).expect("JSON");
        prop_assert_eq!(&state["users"], &users["users"]);
        prop_assert_eq!(state["events"].as_array().and_then(|events| events.last()).map(|last| &last["text"]), Some(&Value::from(event)));
        prop_assert_eq!(body("/metrics", &seen), body("/metrics", &expected));
    }
}
