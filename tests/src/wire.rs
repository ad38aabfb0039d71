//! A connection that speaks lines, for tests that talk to a program as a person at nc would.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use crate::transcript::Party;

/// Longer than any answer takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(5);

/// One connection.
pub struct Wire {
    lines: BufReader<Box<dyn Read + Send>>,
    out: Box<dyn Write + Send>,
}

impl Wire {
    /// Connects over TCP.
    pub fn tcp(address: &str) -> Self {
        Self::over(TcpStream::connect(address).expect("the program listens"))
    }

    /// Speaks over a TCP connection that is there already.
    pub fn over(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket of our own");
        let out = stream.try_clone().expect("a descriptor to spare");
        Self { lines: BufReader::new(Box::new(stream)), out: Box::new(out) }
    }

    /// Connects over a Unix socket.
    pub fn unix(path: &std::path::Path) -> Self {
        let stream = UnixStream::connect(path).expect("the program listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket of our own");
        let out = stream.try_clone().expect("a descriptor to spare");
        Self { lines: BufReader::new(Box::new(stream)), out: Box::new(out) }
    }

    /// Sends a line; one that arrives nowhere is noticed by what is heard.
    pub fn say(&mut self, line: &str) {
        self.send(format!("{line}\n").as_bytes());
    }

    /// Sends bytes.
    pub fn send(&mut self, bytes: &[u8]) {
        let _ = self.out.write_all(bytes);
    }

    /// The next line. `None`: the connection has ended.
    ///
    /// # Panics
    /// Nothing came for five seconds.
    pub fn hear(&mut self) -> Option<String> {
        let mut line = String::new();
        match self.lines.read_line(&mut line) {
            Ok(0) => None,
            Ok(_) => Some(line.trim_end_matches('\n').to_owned()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => panic!("nothing came for {PATIENCE:?}"),
            Err(_) => None,
        }
    }

    /// Says a line and hears the next one.
    pub fn ask(&mut self, line: &str) -> Option<String> {
        self.say(line);
        self.hear()
    }

    /// Everything up to the end of the connection.
    pub fn rest(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.hear()).collect()
    }
}

/// Many clients of one real program.
pub struct Wires<C> {
    connect: C,
    wires: HashMap<u16, Wire>,
}

impl<C: Fn() -> Wire> Wires<C> {
    /// No clients yet; each new one is made by `connect`.
    pub fn new(connect: C) -> Self {
        Self { connect, wires: HashMap::new() }
    }

    fn wire(&mut self, client: u16) -> &mut Wire {
        self.wires.entry(client).or_insert_with(&self.connect)
    }
}

impl<C: Fn() -> Wire> Party for Wires<C> {
    fn say(&mut self, client: u16, line: &str) {
        self.wire(client).say(line);
    }

    fn hear(&mut self, client: u16) -> Option<String> {
        self.wire(client).hear()
    }

    fn leave(&mut self, client: u16) {
        self.wires.remove(&client);
    }

    fn is_closed(&mut self, client: u16) -> bool {
        self.wire(client).hear().is_none()
    }
}
