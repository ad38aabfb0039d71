//! HTTP by hand: bytes go out, one answer comes in. Nothing is put right on the way, so that a test sends what it likes.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddrV4, TcpStream};
use std::os::fd::AsRawFd;
use std::time::Duration;

use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrIn, bind, connect, socket};

/// Longer than any answer takes on a busy machine, or until a daemon gives up a silent client.
const PATIENCE: Duration = Duration::from_secs(15);

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The three digits.
    pub status: u16,
    /// Header fields as they came.
    pub fields: Vec<(String, String)>,
    /// What came after them.
    pub body: String,
}

impl Reply {
    /// The value of a header field; empty when it is not there.
    pub fn field(&self, name: &str) -> &str {
        let field = self.fields.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        field.map_or("", |(_, value)| value)
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// A connection to a server.
#[derive(Debug)]
pub struct Http(BufReader<TcpStream>);

impl Http {
    /// Connects.
    pub fn to(address: &str) -> Self {
        Self::over(TcpStream::connect(address).expect("the server listens"))
    }

    /// Connects from another of this machine's loopback addresses.
    pub fn from(source: [u8; 4], address: &str) -> Self {
        let to: SocketAddrV4 = address.parse().expect("an address of IPv4");
        let socket = socket(AddressFamily::Inet, SockType::Stream, SockFlag::empty(), None);
        let socket = socket.expect("a socket of our own");
        let from = SocketAddrV4::new(source.into(), 0);
        let connected = bind(socket.as_raw_fd(), &SockaddrIn::from(from))
            .and_then(|()| connect(socket.as_raw_fd(), &SockaddrIn::from(to)));
        connected.expect("the server listens");
        Self::over(TcpStream::from(socket))
    }

    /// Speaks over a connection that is there already.
    pub fn over(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket of our own");
        Self(BufReader::new(stream))
    }

    /// Waits longer for what is heard.
    pub fn be_patient(&self, patience: Duration) {
        self.0.get_ref().set_read_timeout(Some(patience)).expect("a socket of our own");
    }

    /// Sends bytes; that they arrive nowhere is noticed by what is heard.
    pub fn send(&mut self, bytes: &[u8]) {
        let _ = self.0.get_mut().write_all(bytes);
    }

    /// One line without its end. `None`: the connection has ended.
    pub fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let count = self.0.read_line(&mut line).ok()?;
        (count > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned())
    }

    /// Status and header fields. `None`: the connection has ended before.
    pub fn head(&mut self) -> Option<Reply> {
        let status = self.line()?.split(' ').nth(1)?.parse().ok()?;
        let fields = std::iter::from_fn(|| self.line()).take_while(|line| !line.is_empty());
        let split = |line: String| {
            line.split_once(':').map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        };
        Some(Reply { status, fields: fields.filter_map(split).collect(), body: String::new() })
    }

    /// A whole answer: as long as it says, or up to the end of the connection.
    pub fn reply(&mut self) -> Option<Reply> {
        let head = self.head()?;
        let length = head.field("Content-Length").parse().unwrap_or(u64::MAX);
        let mut body = Vec::new();
        let _ = (&mut self.0).take(length).read_to_end(&mut body);
        Some(Reply { body: String::from_utf8_lossy(&body).into_owned(), ..head })
    }

    /// Everything up to the end of the connection, bare.
    pub fn rest(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let _ = self.0.read_to_end(&mut bytes);
        bytes
    }
}

/// Sends a request as it stands and hears the answer. `None`: there was none.
pub fn ask(address: &str, request: impl AsRef<[u8]>) -> Option<Reply> {
    let mut http = Http::to(address);
    http.send(request.as_ref());
    http.reply()
}
