//! Who asks for the status page: too many, too slow, in no known language, or not reading what comes.

use std::time::Duration;

use serde_json::json;
use vox_common::sys::clock;
use vox_tests::bed::http::Http;
use vox_tests::bed::page::is_one_sentence;
use vox_tests::bed::{Page, Place, Registry, wait};

#[test]
fn listeners_are_told_of_whoever_comes_changes_and_goes() {
    let place = Place::new();
    let (registry, page) = Page::start(&place);
    let mut events = page.events();
    events.wait_for(|state| state["users"] == json!([]));
    let began = clock::now();
    let mut bob = registry.user("bob", 6000);
    events.wait_for(|state| state["users"][0]["name"] == "bob" && state["users"][0]["status"] == "idle");
    bob.say("STATUS dnd");
    events.wait_for(|state| state["users"][0]["status"] == "dnd");
    drop(bob);
    let last = events.wait_for(|state| state["users"] == json!([]));
    assert!(clock::now() - began < Duration::from_secs(4), "not only when they are told anyhow");
    let texts: Vec<_> =
        last["events"].as_array().expect("a list").iter().map(|event| &event["text"]).collect();
    assert!(
        texts.last().is_some_and(|text| text.as_str().is_some_and(|text| text.starts_with("bob has left")))
    );
}

#[test]
fn however_much_happens_listeners_are_told_five_times_a_second() {
    let place = Place::new();
    let (registry, page) = Page::with(&place, |settings| {
        settings.set("limits.requests-per-second", 0_i64);
    });
    let mut bob = registry.user("bob", 6000);
    let mut events = page.events();
    let (began, mut told) = (clock::now(), 0);
    let changing = std::thread::spawn(move || {
        for status in ["busy", "idle"].iter().cycle().take(2_000) {
            bob.ask(&format!("STATUS {status}"));
        }
        bob.ask("STATUS away");
        bob
    });
    while events.wait_for(|_| true)["users"][0]["status"] != "away" {
        told += 1;
    }
    let most = (clock::now() - began).as_millis() / 200 + 2;
    assert!(told <= most, "{told} events, but at most {most} were due");
    drop(changing.join());
}

#[test]
fn what_is_no_request_is_refused_and_the_page_goes_on() {
    let place = Place::new();
    let (_registry, page) = Page::start(&place);
    let endless = format!("GET / HTTP/1.1\r\nHost: localhost\r\nX: {}", "x".repeat(100_000));
    is_one_sentence(&page.ask(endless).expect("an answer"), 431);
    let fields = format!("GET / HTTP/1.1\r\nHost: localhost\r\n{}\r\n", "X: y\r\n".repeat(100));
    is_one_sentence(&page.ask(fields).expect("an answer"), 431);
    for request in
        ["GET /\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "REGISTER bob 6000\n", "\x16\x03\x01\x02"]
    {
        is_one_sentence(&page.ask(request).expect(request), 400);
    }
    for byte in 0..=u8::MAX {
        // In the path, in a name and in a value: whatever is answered, it is an answer or the end.
        for (before, after) in [
            ("GET /", " HTTP/1.1\r\nHost: localhost\r\n\r\n"),
            ("GET / HTTP/1.1\r\nHost: local", "host\r\n\r\n"),
            ("GET / HTTP/1.1\r\nX", ": y\r\nHost: localhost\r\n\r\n"),
        ] {
            let request = [before.as_bytes(), &[byte], after.as_bytes()].concat();
            let status = page.ask(&request).expect("an answer").status;
            assert!([200, 400, 404, 421].contains(&status), "{byte:#x}: {status}");
        }
    }
    assert_eq!(page.get("/").status, 200);
}

#[test]
fn a_request_may_come_byte_by_byte_but_not_for_ever() {
    let place = Place::new();
    let (_registry, page) = Page::start(&place);
    let mut silent = Http::to(&page.address());
    let mut halting = Http::to(&page.address());
    halting.send(b"GET / HTTP/1.1\r\nHost: localh");
    let mut patient = Http::to(&page.address());
    for byte in b"GET /api/rooms HTTP/1.1\r\nHost: localhost\r\n\r\n" {
        patient.send(&[*byte]);
        wait::pause(Duration::from_millis(2));
    }
    assert_eq!(patient.reply().expect("an answer").json(), json!({"rooms": []}));
    let began = clock::now();
    is_one_sentence(&halting.reply().expect("an answer"), 408);
    is_one_sentence(&silent.reply().expect("an answer"), 408);
    assert!(clock::now() - began < Duration::from_secs(8), "after 5 seconds");
}

#[test]
fn the_seventeenth_is_turned_away_and_served_when_another_has_gone() {
    let place = Place::new();
    let (_registry, page) = Page::start(&place);
    let listeners: Vec<_> = (0..12).map(|_| page.events()).collect();
    is_one_sentence(&page.get("/events"), 503);
    assert_eq!(page.get("/metrics").status, 200, "four are kept for whoever asks once");
    let mut silent: Vec<_> = (0..4).map(|_| Http::to(&page.address())).collect();
    is_one_sentence(&page.get("/"), 503);
    silent.pop();
    wait::until("a place", 5, || (page.get("/").status == 200).then_some(()));
    drop(listeners);
    wait::until("a place for a listener", 5, || {
        let mut listener = Http::to(&page.address());
        listener.send(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
        (listener.head()?.status == 200).then_some(())
    });
}

#[test]
fn nobody_keeps_everybody_else_out() {
    let place = Place::new();
    let (_registry, page) = Page::start(&place);
    let request = b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut greedy: Vec<_> = (0..40).map(|_| Http::from([127, 0, 0, 2], &page.address())).collect();
    greedy.iter_mut().take(12).for_each(|listener| listener.send(request));
    wait::until("a place for somebody else", 10, || (page.get("/").status == 200).then_some(()));
    let mut listener = page.events();
    assert!(listener.next_line().is_some(), "also among those who stay");
    let mut another = Http::from([127, 0, 0, 2], &page.address());
    another.send(request);
    assert_eq!(another.head().map(|head| head.status), Some(503), "whoever has most gets no more");
    drop(greedy);
}

/// Asks for events and reads no more than the head of the answer.
fn deaf(page: &Page) -> Option<Http> {
    let mut listener = Http::to(&page.address());
    listener.send(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    (listener.head()?.status == 200).then_some(listener)
}

#[test]
fn whoever_looks_and_stands_still_is_let_go_and_nobody_waits_meanwhile() {
    let place = Place::new();
    let (registry, page) = Page::with(&place, |settings| {
        settings.set("limits.requests-per-second", 0_i64).set("limits.connections-per-address", 0_i64);
    });
    let mut users: Vec<_> =
        (0..200).map(|n| registry.user_shown_as("João", &format!("user{n}"), 7000 + n)).collect();
    let deaf_ones: Vec<_> = (0..12).map(|_| deaf(&page).expect("a place")).collect();
    assert!(deaf(&page).is_none(), "all places are taken");
    let (mut busy, mut waited) = (users.pop().expect("many"), Vec::new());
    let came = wait::until("a place", 30, || {
        // A flood of changes, and a bystander in the middle of it.
        for status in ["busy", "idle"].iter().cycle().take(500) {
            busy.say(&format!("STATUS {status}"));
        }
        let asked = clock::now();
        assert_eq!(users[0].ask("PING").as_deref(), Some("200 pong"));
        waited.push(clock::now() - asked);
        for _ in 0..500 {
            busy.hear().expect("an answer to each");
        }
        deaf(&page)
    });
    waited.sort();
    let slow = waited[waited.len() * 99 / 100];
    assert!(
        slow < Duration::from_millis(250),
        "a bystander waited {slow:?}, the 99th percentile of {}",
        waited.len()
    );
    drop((came, deaf_ones));
}

/// How often the thread `page` has begun to wait so far.
fn waits(registry: &mut Registry) -> u64 {
    let tasks = format!("/proc/{}/task", registry.process().pid());
    let read = |task: std::path::PathBuf| std::fs::read_to_string(task.join("status")).unwrap_or_default();
    let mut threads = std::fs::read_dir(tasks).expect("it runs").flatten().map(|entry| read(entry.path()));
    let status = threads.find(|status| status.starts_with("Name:\tpage\n")).expect("the thread is there");
    let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    line.and_then(|count| count.trim().parse().ok()).expect("a number")
}

#[test]
fn nobody_is_woken_while_nobody_looks() {
    let place = Place::new();
    let (mut registry, page) = Page::start(&place);
    let mut events = page.events();
    let mut bob = registry.user("bob", 6000);
    events.wait_for(|state| state["users"][0]["name"] == "bob");
    drop(events);
    assert_eq!(page.get("/").status, 200);
    bob.ask("STATUS busy");
    wait::pause(Duration::from_millis(1_500));
    let before = waits(&mut registry);
    for status in ["idle", "busy", "away"] {
        bob.ask(&format!("STATUS {status}"));
        wait::pause(Duration::from_millis(300));
    }
    assert_eq!(waits(&mut registry), before);
}
