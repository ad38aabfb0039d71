//! The bytes of an answer: status, header fields, body.

use std::borrow::Cow;
use std::fmt::Write;

use super::request::{Method, Request};
use super::{Fault, Resource, Snapshot, html, json, metrics};

/// What every answer says: nothing is guessed, framed, kept, or loaded from elsewhere, and no script runs but ours.
const ALWAYS: &str = "\
Connection: close\r\n\
Cache-Control: no-store\r\n\
Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n\
Cross-Origin-Resource-Policy: same-origin\r\n\
Permissions-Policy: camera=(), geolocation=(), microphone=()\r\n\
Referrer-Policy: no-referrer\r\n\
X-Content-Type-Options: nosniff\r\n\
X-Frame-Options: DENY\r\n";

/// How long a browser waits before it asks for events again, in milliseconds.
const RETRY: &str = "retry: 2000\n\n";

/// The whole answer to a request for anything but events. What changes is looked at only when it is asked for.
pub fn answer<'s>(request: Request, look: impl FnOnce() -> Option<&'s Snapshot>) -> Vec<u8> {
    let body = request.resource.asset().map(Cow::Borrowed);
    match body.or_else(|| look().map(|seen| shown(request, seen).into())) {
        Some(body) => finish(head("200 OK", media_type(request)), request.method, &body),
        None => Fault::NoAnswer.answer(request.method),
    }
}

fn shown(request: Request, seen: &Snapshot) -> String {
    match request.resource {
        Resource::Users => json::users(seen),
        Resource::Rooms => json::rooms(seen),
        Resource::Metrics => metrics::text(seen, request.dialect),
        _ => html::page(seen),
    }
}

fn media_type(request: Request) -> &'static str {
    match request.resource {
        Resource::Metrics => request.dialect.media_type(),
        other => other.media_type(),
    }
}

/// The beginning of the answer to a request for events; each [`frame`] follows as it comes.
pub fn opening(method: Method) -> Vec<u8> {
    let mut text = head("200 OK", Resource::Events.media_type());
    text.push_str("\r\n");
    if method == Method::Get {
        text.push_str(RETRY);
    }
    text.into_bytes()
}

/// The page's whole state as one server-sent event.
pub fn frame(seen: &Snapshot) -> Vec<u8> {
    format!("data: {}\n\n", json::state(seen)).into_bytes()
}

impl Fault {
    /// One sentence, for people and programs alike.
    pub fn answer(self, method: Method) -> Vec<u8> {
        let mut text = head(self.status(), "text/plain; charset=utf-8");
        if self == Self::Method {
            text.push_str("Allow: GET, HEAD\r\n");
        }
        finish(text, method, &format!("{}\n", self.sentence()))
    }
}

fn head(status: &str, media_type: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Type: {media_type}\r\n{ALWAYS}")
}

fn finish(mut text: String, method: Method, body: &str) -> Vec<u8> {
    let _ = write!(text, "Content-Length: {}\r\n\r\n", body.len());
    if method == Method::Get {
        text.push_str(body);
    }
    text.into_bytes()
}
