//! What there is to see, for programs and for page.js.

use serde::Serialize;
use vox_common::wire::names::{DisplayName, Name};

use super::Snapshot;
use super::escape;
use super::snapshot::Moment;
use crate::core::counters::Counter;
use crate::core::overview::{EventView, RoomView, UserView};

/// Everything that the page shows.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct State<'a> {
    name: &'a str,
    connections: usize,
    uptime_s: u64,
    users: Vec<User<'a>>,
    rooms: Vec<Room<'a>>,
    events: Vec<Event<'a>>,
    counters: Vec<Count>,
}

#[derive(Serialize)]
struct Users<'a> {
    users: Vec<User<'a>>,
}

#[derive(Serialize)]
struct Rooms<'a> {
    rooms: Vec<Room<'a>>,
}

/// Under the words of `vox-peer users --json`.
#[derive(Serialize)]
struct User<'a> {
    name: &'a str,
    display: Option<&'a str>,
    address: String,
    status: &'static str,
    fingerprint: Option<String>,
    since: Moment,
}

#[derive(Serialize)]
struct Room<'a> {
    name: &'a str,
    capacity: usize,
    members: Vec<&'a str>,
}

#[derive(Serialize)]
struct Event<'a> {
    time: Moment,
    text: &'a str,
}

#[derive(Serialize)]
struct Count {
    name: &'static str,
    meaning: &'static str,
    value: u64,
}

/// `/api/users`.
pub(super) fn users(seen: &Snapshot) -> String {
    written(&Users { users: all_users(seen) })
}

/// `/api/rooms`.
pub(super) fn rooms(seen: &Snapshot) -> String {
    written(&Rooms { rooms: all_rooms(seen) })
}

/// One server-sent event: one line.
pub(super) fn state(seen: &Snapshot) -> String {
    let overview = &seen.overview;
    written(&State {
        name: overview.name.as_str(),
        connections: overview.connections,
        uptime_s: overview.uptime.as_secs(),
        users: all_users(seen),
        rooms: all_rooms(seen),
        events: overview.events.iter().map(|event| happened(seen, event)).collect(),
        counters: Counter::ALL.into_iter().map(|counter| count(seen, counter)).collect(),
    })
}

fn written(value: &impl Serialize) -> String {
    let json = serde_json::to_string(value).expect("strings and numbers can be written");
    escape::json(&json)
}

fn all_users(seen: &Snapshot) -> Vec<User<'_>> {
    seen.overview.users.iter().map(|user| there(seen, user)).collect()
}

fn all_rooms(seen: &Snapshot) -> Vec<Room<'_>> {
    seen.overview.rooms.iter().map(room).collect()
}

fn there<'a>(seen: &Snapshot, user: &'a UserView) -> User<'a> {
    User {
        name: user.name.as_str(),
        display: user.display.as_ref().map(DisplayName::as_str),
        address: user.address.to_string(),
        status: user.status.word(),
        fingerprint: user.fingerprint.map(|fingerprint| fingerprint.to_string()),
        since: seen.ago(user.there_for),
    }
}

fn room(room: &RoomView) -> Room<'_> {
    let members = room.members.iter().map(Name::as_str).collect();
    Room { name: room.name.as_str(), capacity: room.capacity, members }
}

fn happened<'a>(seen: &Snapshot, event: &'a EventView) -> Event<'a> {
    Event { time: seen.ago(event.ago), text: &event.text }
}

fn count(seen: &Snapshot, counter: Counter) -> Count {
    let value = seen.overview.counters.of(counter);
    Count { name: counter.word(), meaning: counter.meaning(), value }
}
