//! The status page of the real `vox-registry`, asked by hand: what is served, to whom, and what is refused.

use std::net::TcpListener;
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::json;
use vox_common::sys::clock;
use vox_tests::bed::http::{Http, Reply};
use vox_tests::bed::need::program;
use vox_tests::bed::{Page, Place, Registry, may, wait};

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

fn is_guarded(reply: &Reply) {
    for (field, value) in [
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
        ("Referrer-Policy", "no-referrer"),
        ("Cache-Control", "no-store"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Connection", "close"),
    ] {
        assert_eq!(reply.field(field), value, "{reply:?}");
    }
    let policy = reply.field("Content-Security-Policy");
    for rule in ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"] {
        assert!(policy.contains(rule), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
}

fn is_one_sentence(reply: &Reply, status: u16) {
    assert_eq!(
        (reply.status, reply.field("Content-Type")),
        (status, "text/plain; charset=utf-8"),
        "{reply:?}"
    );
    assert_eq!(reply.body.lines().count(), 1, "{reply:?}");
    is_guarded(reply);
}

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
        "name": "ann", "display": "Ann <3", "address": "127.0.0.1:6000", "status": "busy", "key": null, "since": since,
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

/// Runs what judges metrics over them.
fn judged(mut judge: Command, metrics: &str, place: &Place) -> String {
    let file = place.write("metrics.txt", metrics);
    let output = judge.stdin(std::fs::File::open(file).expect("just written")).output().expect("it starts");
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}\n{metrics}", String::from_utf8_lossy(&said));
    String::from_utf8_lossy(&said).into_owned()
}

/// A parser of Debian's python3-prometheus-client, which says each sample that it understood.
fn python(parser: &str) -> Command {
    let mut command = Command::new("/usr/bin/python3");
    let families = "parser.text_string_to_metric_families(sys.stdin.read())";
    command.arg("-c").arg(format!(
        "import sys\nfrom prometheus_client{parser} import parser\n\
         for family in {families}:\n  assert family.documentation, family\n  for s in family.samples: print(family.type, s.name, s.value)"
    ));
    command
}

const OPEN_METRICS: &str = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nAccept: application/openmetrics-text;version=1.0.0;q=0.8,*/*;q=0.1\r\n\r\n";

#[test]
fn prometheus_understands_the_figures_in_both_of_its_languages() {
    let there = python("").arg("--version").output().is_ok();
    let library = there && std::path::Path::new("/usr/lib/python3/dist-packages/prometheus_client").exists();
    let needed =
        if library { Ok(()) } else { Err(vox_tests::bed::Lack::Package("python3-prometheus-client")) };
    let Some(()) = may("registry_page::prometheus", needed) else { return };
    let place = Place::new();
    let (registry, page) = Page::start(&place);
    let _ann = registry.user("ann", 6000);
    let open = page.ask(OPEN_METRICS).expect("an answer");
    assert_eq!(open.field("Content-Type"), "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert!(open.body.ends_with("# EOF\n"));
    let strict = judged(python(".openmetrics"), &open.body, &place);
    let classic = judged(python(""), &page.get("/metrics").body, &place);
    for sample in [
        "gauge vox_registry_users 1.0",
        "counter vox_registry_registrations_total 1.0",
        "gauge vox_registry_rooms 0.0",
    ] {
        for said in [&strict.replace(" 1\n", " 1.0\n").replace(" 0\n", " 0.0\n"), &classic] {
            assert!(said.lines().any(|line| line == sample), "{sample}: {said}");
        }
    }
}

#[test]
fn promtool_has_nothing_to_say_about_the_figures() {
    let Some(()) = may("registry_page::promtool", program("promtool", "prometheus")) else { return };
    let place = Place::new();
    let (_registry, page) = Page::start(&place);
    let mut promtool = Command::new("promtool");
    promtool.args(["check", "metrics"]);
    assert_eq!(judged(promtool, &page.get("/metrics").body, &place), "");
}
