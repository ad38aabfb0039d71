//! From the first bytes of a connection to what is asked for.

use httparse::{EMPTY_HEADER, Error, Header, Status};

use super::hosts::Hosts;
use super::metrics::Dialect;
use super::{Fault, Resource};

/// A request with all its header fields. Longer: `431`.
pub const HEAD_BYTES: usize = 8192;

/// Header fields of a request; browsers send about 20. More: `431`.
const HEADERS: usize = 64;

/// A request that is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// What for.
    pub resource: Resource,
    /// Whether only the head of the answer is wanted.
    pub method: Method,
    /// In which form metrics are wanted.
    pub(super) dialect: Dialect,
}

/// How something is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Head and body.
    Get,
    /// The head alone.
    Head,
}

impl Method {
    /// How a request is to be answered that could not be read.
    pub fn of(bytes: &[u8]) -> Self {
        if bytes.starts_with(b"HEAD ") { Self::Head } else { Self::Get }
    }
}

impl Request {
    /// Reads what has come so far. `None`: more is to come.
    ///
    /// # Errors
    /// It cannot be served, whatever else comes.
    pub fn read(bytes: &[u8], hosts: &Hosts) -> Result<Option<Self>, Fault> {
        let mut fields = [EMPTY_HEADER; HEADERS];
        let mut head = httparse::Request::new(&mut fields);
        match head.parse(bytes) {
            Ok(Status::Complete(_)) => Self::of(&head, hosts).map(Some),
            Ok(Status::Partial) if bytes.len() < HEAD_BYTES => Ok(None),
            Ok(Status::Partial) | Err(Error::TooManyHeaders) => Err(Fault::TooLong),
            Err(_) => Err(Fault::Malformed),
        }
    }

    fn of(head: &httparse::Request<'_, '_>, hosts: &Hosts) -> Result<Self, Fault> {
        let host = the_only(head.headers, "host").ok_or(Fault::Malformed)?;
        if !hosts.are_called(host) {
            return Err(Fault::OtherHost);
        }
        let method = method(head.method.unwrap_or_default())?;
        let resource = Resource::at(head.path.unwrap_or_default()).ok_or(Fault::NotFound)?;
        let accepted = all(head.headers, "accept");
        Ok(Self { resource, method, dialect: Dialect::accepted_by(accepted) })
    }
}

fn method(word: &str) -> Result<Method, Fault> {
    match word {
        "GET" => Ok(Method::Get),
        "HEAD" => Ok(Method::Head),
        _ => Err(Fault::Method),
    }
}

/// The values of every field of a name; one that is not UTF-8 is empty.
fn all<'h>(headers: &'h [Header<'_>], name: &str) -> impl Iterator<Item = &'h str> {
    let values = headers.iter().filter(move |header| header.name.eq_ignore_ascii_case(name));
    values.map(|header| str::from_utf8(header.value).unwrap_or_default())
}

/// The value of a field that may stand only once.
fn the_only<'h>(headers: &'h [Header<'_>], name: &str) -> Option<&'h str> {
    let mut values = all(headers, name);
    values.next().filter(|_| values.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<Option<Request>, Fault> {
        Request::read(text.as_bytes(), &Hosts::new("pi", &[]))
    }

    #[test]
    fn what_is_asked_for_is_understood() {
        for (text, method, resource) in [
            ("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", Method::Get, Resource::Page),
            ("HEAD /metrics HTTP/1.1\r\nhost: 10.0.0.1:5080\r\n\r\n", Method::Head, Resource::Metrics),
            ("GET /api/users?x=/ HTTP/1.0\nHOST:pi\n\nrest", Method::Get, Resource::Users),
        ] {
            let request = read(text).expect(text).expect(text);
            assert_eq!((request.method, request.resource), (method, resource), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_served_is_told() {
        for (text, fault) in [
            ("GET / HTTP/1.1\r\n\r\n", Fault::Malformed),
            ("GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n", Fault::Malformed),
            ("GET / HTTP/2.0\r\nHost: localhost\r\n\r\n", Fault::Malformed),
            ("GET / HTTP/1.1\r\nHost: localhost\r\n folded\r\n\r\n", Fault::Malformed),
            ("GET\r\n\r\n", Fault::Malformed),
            ("\x16\x03\x01", Fault::Malformed),
            ("REGISTER bob 6000\n", Fault::Malformed),
            ("POST / HTTP/1.1\r\nHost: localhost\r\n\r\n", Fault::Method),
            ("get / HTTP/1.1\r\nHost: localhost\r\n\r\n", Fault::Method),
            ("GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n", Fault::NotFound),
            ("GET http://localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n", Fault::NotFound),
            ("POST /x HTTP/1.1\r\nHost: evil.example\r\n\r\n", Fault::OtherHost),
        ] {
            assert_eq!(read(text), Err(fault), "{text:?}");
        }
    }

    #[test]
    fn a_request_has_a_length() {
        let fields = "A: b\r\n".repeat(HEADERS);
        assert_eq!(read(&format!("GET / HTTP/1.1\r\nHost: pi\r\n{fields}\r\n")), Err(Fault::TooLong));
        let endless = format!("GET / HTTP/1.1\r\nA: {}", "x".repeat(HEAD_BYTES));
        assert_eq!(read(&endless[..HEAD_BYTES - 1]), Ok(None));
        assert_eq!(read(&endless[..HEAD_BYTES]), Err(Fault::TooLong));
    }

    /// Requests, and what looks like one until somewhere.
    fn requests() -> impl Strategy<Value = Vec<u8>> {
        let word = prop::sample::select(vec![
            "GET ",
            "HEAD ",
            "POST ",
            "/",
            "/metrics",
            " HTTP/1.1",
            " HTTP/1.0",
            "\r\n",
            "\n",
            "Host: ",
            "localhost",
            "[::1]:80",
            ":",
            "Accept: ",
            "\0",
            "é",
            " ",
            "application/openmetrics-text;q=",
        ]);
        prop::collection::vec(
            prop_oneof![word.prop_map(|word| word.as_bytes().to_vec()), any::<Vec<u8>>()],
            0..20,
        )
        .prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_request_or_not_one_and_never_more(bytes in requests()) {
            let hosts = Hosts::new("pi", &[]);
            let at_once = Request::read(&bytes, &hosts);
            let decided = (0..bytes.len()).map(|end| Request::read(&bytes[..end], &hosts)).find(|read| *read != Ok(None));
            // Whether it comes at once or byte by byte, the same is answered.
            prop_assert_eq!(decided.unwrap_or(at_once), at_once);
        }
    }
}
