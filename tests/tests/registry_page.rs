//! The status page of the real `vox-registry`, asked by hand: what is served, under which names, and what is refused.

use std::net::TcpListener;

use nix::sys::signal::Signal;
use serde_json::json;
use vox_common::sys::clock;
use vox_tests::bed::page::{is_guarded, is_one_sentence};
use vox_tests::bed::{Page, Place, wait};

const PATHS: [(&str, &str); 7] = [
    ("/", "text/html; charset=utf-8"),
    ("/style.css", "text/css; charset=utf-8"),
    ("/page.js", "text/javascript; charset=utf-8"),
    ("/icon.svg", "image/svg+xml"),
    ("/metrics", "text/plain; version=0.0.4; charset=utf-8"),
    ("/api/users", "application/json"),
    ("/api/rooms", "application/json"),
];

/// A display name that would be a script, an attribute, an event and a field of a log, if anybody let it.
const MARKUP: &str = "<script>alert(1)</script>\"'&<img src=x onerror=alert(2)>";

#[test]
fn what_there_is_is_served_with_its_type_and_guarded() {
    let place = Place::new();
    let (_registry, page) = Page::start(&place);
    for (path, media_type) in PATHS {
        let reply = page.get(path);
        assert_eq!((reply.status, reply.field("Content-Type")), (200, media_type), "{path}");
        assert_eq!(reply.field("Content-Length"), reply.body.len().to_string(), "{path}");
        is_guarded(&reply);
        let head = page.ask(format!("HEAD {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")).expect("an answer");
        assert_eq!((head.status, head.fields, head.body), (200, reply.fields, String::new()), "{path}");
    }
    for (path, host, status) in [("/nothing", "localhost", 404), ("/", "evil.example", 421)] {
        let head = page.ask(format!("HEAD {path} HTTP/1.1\r\nHost: {host}\r\n\r\n")).expect("an answer");
        assert_eq!((head.status, head.body.as_str()), (status, ""), "{head:?}");
    }
    let head = page.ask("HEAD /events HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("an answer");
    assert_eq!((head.status, head.body.as_str()), (200, ""), "{head:?}");
}

#[test]
fn there_is_nothing_else() {
    let place = Place::new();
    let (_registry, page) = Page::start(&place);
    for path in [
        "/index.html",
        "/favicon.ico",
        "//",
        "/../../etc/passwd",
        "/%2e%2e/etc/passwd",
        "/etc/passwd",
        "/style.css/..",
        "/API/users",
        "/api",
        "/api/users/bob",
        "/metrics/",
        "http://localhost/",
        "*",
    ] {
        is_one_sentence(&page.get(path), 404);
    }
}

#[test]
fn only_get_and_head_are_served() {
    let place = Place::new();
    let (_registry, page) = Page::start(&place);
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "get", "BREW"] {
        for path in ["/", "/events", "/api/users", "/nothing"] {
            let request =
                format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\na=b");
            let reply = page.ask(request).expect("an answer");
            is_one_sentence(&reply, 405);
            assert_eq!(reply.field("Allow"), "GET, HEAD");
        }
    }
}

fn called(page: &Page, host: &str) -> u16 {
    page.ask(format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")).expect("an answer").status
}

#[test]
fn a_page_elsewhere_whose_name_was_made_to_lead_here_reads_nothing() {
    let place = Place::new();
    let (_registry, page) = Page::start(&place);
    let machine = nix::unistd::gethostname().expect("a machine has a name").into_string().expect("in ASCII");
    for host in ["localhost", "LocalHost:1", "127.0.0.1", "[::1]:5080", "192.168.1.7:80", &machine] {
        assert_eq!(called(&page, host), 200, "{host}");
    }
    for host in ["evil.example", "evil.example:5080", "127.0.0.1.evil.example", "localhost.evil.example", ""]
    {
        assert_eq!(called(&page, host), 421, "{host}");
    }
    for path in ["/", "/style.css", "/events", "/metrics", "/api/users", "/api/rooms", "/nothing"] {
        let reply =
            page.ask(format!("GET {path} HTTP/1.1\r\nHost: evil.example\r\n\r\n")).expect("an answer");
        is_one_sentence(&reply, 421);
    }
    for request in
        ["GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n"]
    {
        is_one_sentence(&page.ask(request).expect("an answer"), 400);
    }
}

#[test]
fn names_can_be_added_while_it_runs_and_the_address_stays() {
    let place = Place::new();
    let (mut registry, page) = Page::start(&place);
    assert_eq!(called(&page, "Intercom.example"), 421);
    let file = place.at("registry.toml");
    let settings = std::fs::read_to_string(&file).expect("written by the bed");
    let changed = settings
        .replace(&page.address(), "127.0.0.1:1")
        .replace("[page]", "[page]\nhosts = [\"intercom.EXAMPLE\"]");
    place.write("registry.toml", &changed);
    registry.process().signal(Signal::SIGHUP);
    registry.process().wait_for_log("page.listen keeps its old value until the registry is restarted");
    wait::until("the new name", 5, || (called(&page, "Intercom.example:5080") == 200).then_some(()));
    assert_eq!(called(&page, "evil.example"), 421);
}

#[test]
fn programs_read_who_is_there_as_json() {
    let place = Place::new();
    let (registry, page) = Page::start(&place);
    assert_eq!(page.get("/api/users").json(), json!({"users": []}));
    assert_eq!(page.get("/api/rooms").json(), json!({"rooms": []}));
    let mut ann = registry.user_shown_as("Ann <3", "ann", 6000);
    assert_eq!(ann.ask("STATUS busy").as_deref(), Some("200 status is busy"));
    let users = page.get("/api/users").json();
    let since = users["users"][0]["since"].as_u64().expect("a time");
    assert!(clock::unix_seconds().abs_diff(since) <= 5, "{since}");
    let expected = json!({"users": [{
        "name": "ann", "display": "Ann <3", "address": "127.0.0.1:6000", "status": "busy", "fingerprint": null, "since": since,
    }]});
    assert_eq!(users, expected);
}

#[test]
fn the_page_is_complete_without_javascript() {
    let place = Place::new();
    let (registry, page) = Page::start(&place);
    assert!(page.get("/").body.contains("Nobody is here yet."));
    let _ann = registry.user_shown_as("João", "ann", 6000);
    let html = page.get("/").body;
    let (_, table) = html.split_once("<table>").expect("a table");
    let (table, _) = table.split_once("</table>").expect("its end");
    for cell in [">João<", ">ann<", ">idle<", ">127.0.0.1:6000<", "<time datetime=\""] {
        assert!(table.contains(cell), "{cell}: {table}");
    }
    for (heading, shown) in
        [("Lately", "ann has registered"), ("Since the start", "names that were taken</dt><dd>1<")]
    {
        assert!(html.split_once(heading).expect(heading).1.contains(shown), "{shown}: {html}");
    }
    assert!(!html.contains("<script>") && !html.contains("onload"), "no script stands in the page itself");
}

#[test]
fn a_name_full_of_markup_stays_text_wherever_it_is_told() {
    let place = Place::new();
    let (registry, page) = Page::start(&place);
    let _user = registry.user_shown_as(MARKUP, "mallory", 6000);
    assert_eq!(page.get("/api/users").json()["users"][0]["display"], MARKUP);
    let state = page.events().next_line().expect("a first event");
    let texts = ["/", "/api/users", "/api/rooms", "/metrics"].map(|path| page.get(path).body);
    for text in texts.iter().chain([&state]) {
        assert!(!text.contains("<script>alert") && !text.contains("<img"), "{text}");
    }
    assert!(
        texts[0].contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;&lt;img"),
        "{}",
        texts[0]
    );
}

#[test]
fn a_port_that_is_taken_costs_the_page_and_not_the_registry() {
    let place = Place::new();
    let taken = TcpListener::bind("127.0.0.1:0").expect("any port");
    let address = taken.local_addr().expect("it has one");
    let (mut registry, _page) = Page::with(&place, |settings| {
        settings.set("page.listen", address.to_string());
    });
    registry
        .process()
        .wait_for_log(&format!("No status page, cannot listen on {address}: address already in use"));
    assert_eq!(registry.ask("PING"), ["200 pong", "221 goodbye"]);
}

#[test]
fn without_a_page_there_is_none() {
    let place = Place::new();
    let (registry, page) = Page::with(&place, |settings| {
        settings.set("page.listen", "none");
    });
    assert_eq!(registry.ask("PING"), ["200 pong", "221 goodbye"]);
    assert!(std::net::TcpStream::connect(page.address()).is_err());
}
