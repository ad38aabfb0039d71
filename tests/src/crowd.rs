//! Hundreds of clients of one server on one thread, so that a load leaves the processor to whoever is under it.

use std::collections::{HashMap, VecDeque};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrIn, bind, connect, setsockopt, socket, sockopt,
};
use vox_common::sys::clock;

/// Clients that share a source address; well below `connections-per-address` as it is by default.
const PER_ADDRESS: usize = 32;

/// One client, for as long as the crowd lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Member(usize);

impl Member {
    /// Which of the crowd it is, counted from 0 in the order in which they came.
    pub fn number(self) -> usize {
        self.0
    }
}

/// What a client has heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// A line, without its end.
    Line(Member, String),
    /// The server has ended the connection, or refused it.
    End(Member),
}

/// Clients of one server, none of whom waits for another.
#[derive(Debug)]
pub struct Crowd {
    server: SocketAddrV4,
    epoll: Epoll,
    clients: HashMap<usize, Client>,
    next: usize,
    heard: VecDeque<Heard>,
    buffer: Vec<u8>,
}

#[derive(Debug)]
struct Client {
    socket: TcpStream,
    /// A line that has not ended yet.
    begun: Vec<u8>,
}

impl Crowd {
    /// Nobody yet. To a server on loopback they will come from 127.1.0.0 and the addresses after it, 32
    /// from each.
    ///
    /// # Panics
    /// The server's address is not one of IPv4.
    pub fn of(server: &str) -> Self {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).expect("a descriptor to spare");
        let server = server.parse().expect("an address of IPv4 and a port");
        Self {
            server,
            epoll,
            clients: HashMap::new(),
            next: 0,
            heard: VecDeque::new(),
            buffer: vec![0; 65_536],
        }
    }

    /// How many are connected.
    pub fn len(&self) -> usize {
        self.clients.len()
    }

    /// Whether nobody is.
    pub fn is_empty(&self) -> bool {
        self.clients.is_empty()
    }

    /// All who are connected, in the order in which they came.
    pub fn members(&self) -> Vec<Member> {
        let mut numbers: Vec<usize> = self.clients.keys().copied().collect();
        numbers.sort_unstable();
        numbers.into_iter().map(Member).collect()
    }

    /// Connects without waiting for it to succeed: what comes then is heard.
    pub fn connect(&mut self) -> Member {
        let member = Member(self.next);
        self.next += 1;
        let socket = self.begin_to_connect(member).expect("the machine has room for another socket");
        let event = EpollEvent::new(EpollFlags::EPOLLIN, member.0 as u64);
        self.epoll.add(&socket, event).expect("a new socket");
        self.clients.insert(member.0, Client { socket, begun: Vec::new() });
        member
    }

    /// So many connect in the same instant.
    pub fn connect_at_once(&mut self, count: usize) -> Vec<Member> {
        (0..count).map(|_| self.connect()).collect()
    }

    fn begin_to_connect(&self, member: Member) -> nix::Result<TcpStream> {
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let socket = socket(AddressFamily::Inet, SockType::Stream, flags, None)?;
        setsockopt(&socket, sockopt::TcpNoDelay, &true)?;
        if self.server.ip().is_loopback() {
            // Else the kernel would look for a port that is free towards everybody, of which there are few.
            setsockopt(&socket, sockopt::IpBindAddressNoPort, &true)?;
            bind(socket.as_raw_fd(), &SockaddrIn::from(SocketAddrV4::new(source(member), 0)))?;
        }
        match connect(socket.as_raw_fd(), &SockaddrIn::from(self.server)) {
            Ok(()) | Err(Errno::EINPROGRESS) => Ok(TcpStream::from(socket)),
            Err(error) => Err(error),
        }
    }

    /// Sends bytes as far as they go in at once; how many did.
    pub fn send(&mut self, member: Member, bytes: &[u8]) -> usize {
        let Some(client) = self.clients.get_mut(&member.0) else { return 0 };
        client.socket.write(bytes).unwrap_or(0)
    }

    /// Sends a line; one that arrives nowhere is noticed by what is heard.
    ///
    /// # Panics
    /// Half of it goes in: too much was said that the server has not read.
    pub fn say(&mut self, member: Member, line: &str) {
        let line = format!("{line}\n");
        let sent = self.send(member, line.as_bytes());
        assert!(sent == line.len() || sent == 0, "half a line went in");
    }

    /// Closes a connection.
    pub fn leave(&mut self, member: Member) {
        self.clients.remove(&member.0);
    }

    /// Ends a connection by RST, as when a process is killed with data unread (socket(7), `SO_LINGER`).
    pub fn reset(&mut self, member: Member) {
        if let Some(client) = self.clients.remove(&member.0) {
            let at_once = nix::libc::linger { l_onoff: 1, l_linger: 0 };
            setsockopt(&client.socket, sockopt::Linger, &at_once).expect("a socket of our own");
        }
    }

    /// What is heard next; `None`: nothing until then.
    pub fn hear(&mut self, until: Instant) -> Option<Heard> {
        while self.heard.is_empty() {
            let patience = until.saturating_duration_since(clock::now());
            if self.wait(patience) == 0 && clock::now() >= until {
                return None;
            }
        }
        self.heard.pop_front()
    }

    /// Listens until so many of them have heard a line for which `is_it` says yes, passing over all else.
    ///
    /// # Panics
    /// That takes more than 20 seconds, which is longer than anybody stays whose link is silent.
    pub fn wait_for(&mut self, count: usize, is_it: impl Fn(&str) -> bool) {
        let until = clock::now() + Duration::from_secs(20);
        for n in 0..count {
            loop {
                match self.hear(until) {
                    Some(Heard::Line(_, line)) if is_it(&line) => break,
                    Some(_) => {}
                    None => panic!("{n} of {count} have heard it"),
                }
            }
        }
    }

    /// Waits for something and takes in all that is there; how many clients had something.
    fn wait(&mut self, patience: Duration) -> usize {
        let mut events = [EpollEvent::empty(); 256];
        let milliseconds = u16::try_from(patience.as_micros().div_ceil(1000)).unwrap_or(u16::MAX);
        let ready = match self.epoll.wait(&mut events, milliseconds) {
            Err(Errno::EINTR) => 0,
            ready => ready.expect("an epoll of our own"),
        };
        for event in &events[..ready] {
            let number = usize::try_from(event.data()).expect("it was a usize");
            self.take_in(Member(number));
        }
        ready
    }

    fn take_in(&mut self, member: Member) {
        let Some(client) = self.clients.get_mut(&member.0) else { return };
        match client.socket.read(&mut self.buffer) {
            Ok(count) if count > 0 => client.split(&self.buffer[..count], |line| {
                self.heard.push_back(Heard::Line(member, line));
            }),
            Err(error) if is_nothing_yet(&error) => {}
            Ok(_) | Err(_) => {
                self.clients.remove(&member.0);
                self.heard.push_back(Heard::End(member));
            }
        }
    }
}

/// Where a client of a server on this machine comes from.
fn source(member: Member) -> Ipv4Addr {
    let share = u32::try_from(member.0 / PER_ADDRESS % 4096).expect("below 4096");
    Ipv4Addr::from_bits(Ipv4Addr::new(127, 1, 0, 0).to_bits() + share)
}

fn is_nothing_yet(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

impl Client {
    /// Tells whole lines, and keeps what is left.
    fn split(&mut self, bytes: &[u8], mut tell: impl FnMut(String)) {
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            self.begun.extend_from_slice(piece);
            if let Some(line) = self.begun.strip_suffix(b"\n") {
                tell(String::from_utf8_lossy(line).into_owned());
                self.begun.clear();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn each_hears_its_own_lines_and_its_own_end() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut crowd = Crowd::of(&listener.local_addr().unwrap().to_string());
        let (first, second) = (crowd.connect(), crowd.connect());
        let mut accepted: Vec<TcpStream> = (0..2).map(|_| listener.accept().unwrap().0).collect();
        let until = clock::now() + Duration::from_secs(5);
        accepted[1].write_all(b"two\nlin").unwrap();
        assert_eq!(crowd.hear(until), Some(Heard::Line(second, "two".into())));
        accepted[1].write_all(b"es\n").unwrap();
        assert_eq!(crowd.hear(until), Some(Heard::Line(second, "lines".into())));
        accepted.remove(0);
        assert_eq!(crowd.hear(until), Some(Heard::End(first)));
        assert_eq!((crowd.hear(clock::now()), crowd.len()), (None, 1));
    }
}
