//! The status page of a registry under test, as programs and browsers ask for it.

use serde_json::Value;

use super::http::{Http, Reply, ask};
use super::ports::Port;
use super::{Place, Registry, Settings, Surroundings};

/// Where a page is served.
#[derive(Debug)]
pub struct Page(Port);

impl Page {
    /// A registry with a page, both on loopback.
    pub fn start(place: &Place) -> (Registry, Self) {
        Self::with(place, |_| {})
    }

    /// The same with settings of the test's own.
    pub fn with(place: &Place, change: impl FnOnce(&mut Settings)) -> (Registry, Self) {
        let page = Self(Port::claim());
        let registry = Registry::with(place, &Surroundings::default(), "127.0.0.1", |settings| {
            settings.set("page.listen", page.address());
            change(settings);
        });
        (registry, page)
    }

    /// Where it listens.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.0.number())
    }

    /// Asks for a path.
    pub fn get(&self, path: &str) -> Reply {
        self.ask(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")).expect("an answer")
    }

    /// Asks in one's own words. `None`: there was no answer.
    pub fn ask(&self, request: impl AsRef<[u8]>) -> Option<Reply> {
        ask(&self.address(), request)
    }

    /// Listens to what happens.
    pub fn events(&self) -> Events {
        let mut http = Http::to(&self.address());
        http.send(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
        let head = http.head().expect("an answer");
        assert_eq!((head.status, head.field("Content-Type")), (200, "text/event-stream"));
        Events(http)
    }
}

/// Server-sent events: each is the whole state of the page.
#[derive(Debug)]
pub struct Events(Http);

impl Events {
    /// The next one as it is written. `None`: the connection has ended.
    pub fn next_line(&mut self) -> Option<String> {
        std::iter::from_fn(|| self.0.line()).find_map(|line| line.strip_prefix("data: ").map(str::to_owned))
    }

    /// The next one that is as it should be.
    pub fn wait_for(&mut self, is_right: impl Fn(&Value) -> bool) -> Value {
        loop {
            let line = self.next_line().expect("the registry goes on telling");
            let state: Value = serde_json::from_str(&line).expect("JSON");
            if is_right(&state) {
                return state;
            }
        }
    }
}

/// Fails the test unless an answer keeps browsers from guessing, framing, storing and loading from elsewhere.
pub fn is_guarded(reply: &Reply) {
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

/// Fails the test unless an answer is this refusal, in one sentence, and guarded.
pub fn is_one_sentence(reply: &Reply, status: u16) {
    assert_eq!(
        (reply.status, reply.field("Content-Type")),
        (status, "text/plain; charset=utf-8"),
        "{reply:?}"
    );
    assert_eq!(reply.body.lines().count(), 1, "{reply:?}");
    is_guarded(reply);
}
