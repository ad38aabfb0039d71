//! Why a request is not served: one list, each with its status and one sentence.

/// What is answered instead of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is not HTTP/1, or names no host, or more than one.
    Malformed,
    /// There is nothing under that path.
    NotFound,
    /// Only GET and HEAD are served.
    Method,
    /// The request did not come in time.
    TooSlow,
    /// It was meant for another host: perhaps a page from elsewhere whose name now leads here (DNS rebinding).
    OtherHost,
    /// The request is longer than it may be.
    TooLong,
    /// Too many look at the page already.
    Full,
    /// The registry did not say in time what there is to see.
    NoAnswer,
}

impl Fault {
    /// The status of RFC 9110, with its phrase.
    pub const fn status(self) -> &'static str {
        match self {
            Self::Malformed => "400 Bad Request",
            Self::NotFound => "404 Not Found",
            Self::Method => "405 Method Not Allowed",
            Self::TooSlow => "408 Request Timeout",
            Self::OtherHost => "421 Misdirected Request",
            Self::TooLong => "431 Request Header Fields Too Large",
            Self::Full | Self::NoAnswer => "503 Service Unavailable",
        }
    }

    /// For whoever reads the answer. Nothing of the request is repeated.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Malformed => "this is not a request of HTTP/1.1 to one host",
            Self::NotFound => "there is nothing here, try /, /metrics, /api/users or /api/rooms",
            Self::Method => "only GET and HEAD are served",
            Self::TooSlow => "the request did not come within 5 seconds",
            Self::OtherHost => {
                "this host name is not the registry's; add it to hosts in [page] of registry.toml if it should be"
            }
            Self::TooLong => "the request is longer than 8192 bytes or has more than 64 header fields",
            Self::Full => "too many look at the page already, try again later",
            Self::NoAnswer => "the registry is too busy to answer, try again later",
        }
    }
}
