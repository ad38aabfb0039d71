//! A connection that speaks lines, for tests that talk to a program as a person at nc would.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use crate::transcript::Party;

/// Longer than any answer takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(5);

/// One connection, over TCP or a Unix socket: the kernel reads, writes and ends both alike.
#[derive(Debug)]
pub struct Wire(BufReader<UnixStream>);

impl Wire {
    /// Connects over TCP.
    pub fn tcp(address: &str) -> Self {
        Self::over(TcpStream::connect(address).expect("the program listens"))
    }

    /// Connects over a Unix socket.
    pub fn unix(path: &Path) -> Self {
        Self::over(UnixStream::connect(path).expect("the program listens"))
    }

    /// Speaks over a connection that is there already.
    pub fn over(stream: impl Into<OwnedFd>) -> Self {
        let stream = UnixStream::from(stream.into());
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket of our own");
        Self(BufReader::new(stream))
    }

    /// Sends a line; one that arrives nowhere is noticed by what is heard.
    pub fn say(&mut self, line: &str) {
        self.send(format!("{line}\n").as_bytes());
    }

    /// Sends bytes.
    pub fn send(&mut self, bytes: &[u8]) {
        let _ = self.0.get_mut().write_all(bytes);
    }

    /// Says that nothing more will be said.
    pub fn finish(&mut self) {
        let _ = self.0.get_mut().shutdown(Shutdown::Write);
    }

    /// The next line. `None`: the connection has ended.
    ///
    /// # Panics
    /// Nothing came for five seconds.
    pub fn hear(&mut self) -> Option<String> {
        let mut line = String::new();
        match self.0.read_line(&mut line) {
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
#[derive(Debug)]
pub struct Wires<C> {
    connect: C,
    wires: HashMap<u16, Wire>,
}

impl<C: Fn(u16) -> Wire> Wires<C> {
    /// No clients yet; each new one is made by `connect`, which hears its number.
    pub fn new(connect: C) -> Self {
        Self { connect, wires: HashMap::new() }
    }

    fn wire(&mut self, client: u16) -> &mut Wire {
        self.wires.entry(client).or_insert_with(|| (self.connect)(client))
    }
}

impl<C: Fn(u16) -> Wire> Party for Wires<C> {
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
