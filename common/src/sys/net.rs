//! TCP as the daemons need it: dual-stack listening, sends that never wait, links that die when the far end does.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV6, TcpListener, TcpStream};
use std::ops::ControlFlow;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, Backlog, MsgFlags, SockFlag, SockType, SockaddrStorage, bind, getsockopt, listen, send,
    setsockopt, socket, sockopt,
};

use super::clock;
use crate::wire::limits::SEND_BUFFER;

/// Connections that the kernel holds until they are accepted: the burst after a power cut. std's is 128.
pub const BACKLOG: i32 = 1024;

/// Silence after which the kernel asks whether the far end is still there, how often, and how many times.
const KEEP_ALIVE: (u32, u32, u32) = (5, 2, 3);

/// Patience with a far end that acknowledges neither data nor a probe, in milliseconds.
///
/// When a switch loses its power all its stations fall silent at once. The first that is found to be gone is told of to
/// the others, and from then on the kernel waits for them anew, as data is on its way: the last is gone after twice this.
const USER_TIMEOUT_MS: u32 = 7_000;

/// How long to wait before the next accept when the machine has run out of something.
const OUT_OF_DESCRIPTORS: Duration = Duration::from_millis(100);

/// Listens on `address` with a backlog of 1,024 and large send buffers; `[::]` takes IPv4 too, and becomes
/// `0.0.0.0` where the machine has no IPv6.
///
/// # Errors
/// The address is taken, not ours, or not allowed.
pub fn listen_tcp(address: SocketAddr) -> io::Result<TcpListener> {
    match listen_on(address) {
        Err(Errno::EAFNOSUPPORT | Errno::EADDRNOTAVAIL) if is_any_v6(address) => {
            Ok(listen_on((Ipv4Addr::UNSPECIFIED, address.port()).into())?)
        }
        listening => Ok(listening?),
    }
}

fn is_any_v6(address: SocketAddr) -> bool {
    address.is_ipv6() && address.ip().is_unspecified()
}

fn listen_on(address: SocketAddr) -> nix::Result<TcpListener> {
    let family = if address.is_ipv6() { AddressFamily::Inet6 } else { AddressFamily::Inet };
    let listener: OwnedFd = socket(family, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
    setsockopt(&listener, sockopt::ReuseAddr, &true)?;
    setsockopt(&listener, sockopt::SndBuf, &SEND_BUFFER)?;
    if address.is_ipv6() {
        setsockopt(&listener, sockopt::Ipv6V6Only, &false)?;
    }
    bind(listener.as_raw_fd(), &SockaddrStorage::from(address))?;
    listen(&listener, Backlog::new(BACKLOG)?)?;
    Ok(TcpListener::from(listener))
}

/// The send buffer that the kernel really grants: twice [`SEND_BUFFER`] unless `net.core.wmem_max` is lower.
///
/// # Errors
/// None on a socket that is open.
pub fn send_buffer(socket: &impl AsFd) -> io::Result<usize> {
    Ok(getsockopt(socket, sockopt::SndBuf)?)
}

/// What became of a line that was sent without waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// The kernel has all of it.
    Whole,
    /// Some or none of it: this reader is too slow, or gone. Nothing more may be sent to it.
    NotWhole,
}

/// Sends what fits at once and never waits, never raises SIGPIPE.
pub fn send_now(to: &impl AsFd, bytes: &[u8]) -> Sent {
    let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
    match send(to.as_fd().as_raw_fd(), bytes, flags) {
        Ok(count) if count == bytes.len() => Sent::Whole,
        _ => Sent::NotWhole,
    }
}

/// Lines leave at once, and a far end that is silently gone ends the connection within 8 s, or 15 s where something was
/// sent to it meanwhile.
///
/// # Errors
/// The connection has ended already.
pub fn tune(stream: &TcpStream) -> io::Result<()> {
    let (idle, interval, count) = KEEP_ALIVE;
    stream.set_nodelay(true)?;
    setsockopt(stream, sockopt::KeepAlive, &true)?;
    setsockopt(stream, sockopt::TcpKeepIdle, &idle)?;
    setsockopt(stream, sockopt::TcpKeepInterval, &interval)?;
    setsockopt(stream, sockopt::TcpKeepCount, &count)?;
    setsockopt(stream, sockopt::TcpUserTimeout, &USER_TIMEOUT_MS)?;
    Ok(())
}

/// `a.b.c.d` for `::ffff:a.b.c.d`; any other address as it is.
pub fn plain_ip(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

/// As [`plain_ip`], with its port, and without the flow and scope of IPv6.
pub fn plain(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(plain_ip(address.ip()), address.port())
}

/// As [`plain`], but of a link-local address the interface is kept, which means something on this host alone.
pub fn plain_here(address: SocketAddr) -> SocketAddr {
    match address {
        SocketAddr::V6(v6) if v6.ip().is_unicast_link_local() => {
            SocketAddrV6::new(*v6.ip(), v6.port(), 0, v6.scope_id()).into()
        }
        _ => plain(address),
    }
}

/// Accepts for ever, telling each connection to `sink`, until that breaks.
///
/// A connection that ended before it was accepted is passed over; without descriptors or memory it waits and
/// goes on.
///
/// # Errors
/// Those that no waiting mends.
pub fn accept_each<T>(
    mut accept: impl FnMut() -> io::Result<T>,
    mut sink: impl FnMut(T) -> ControlFlow<()>,
) -> io::Result<()> {
    loop {
        match accept() {
            Ok(connection) => {
                if sink(connection).is_break() {
                    return Ok(());
                }
            }
            Err(error) => match verdict(&error) {
                Verdict::GoOn => {}
                Verdict::Wait => clock::sleep_until(clock::now() + OUT_OF_DESCRIPTORS),
                Verdict::Fatal => return Err(error),
            },
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    GoOn,
    Wait,
    Fatal,
}

/// accept(2), "Error handling": errors of the connection that was to be accepted are handed out by accept too.
fn verdict(error: &io::Error) -> Verdict {
    use Errno::{
        ECONNABORTED, EHOSTDOWN, EHOSTUNREACH, EMFILE, ENETDOWN, ENETUNREACH, ENFILE, ENOBUFS, ENOMEM,
        ENONET, ENOPROTOOPT, EOPNOTSUPP, EPERM, EPROTO, ETIMEDOUT,
    };
    if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) {
        return Verdict::GoOn;
    }
    match error.raw_os_error().map(Errno::from_raw) {
        Some(EMFILE | ENFILE | ENOBUFS | ENOMEM) => Verdict::Wait,
        Some(
            ECONNABORTED | EPROTO | EPERM | ENETDOWN | ENOPROTOOPT | EHOSTDOWN | ENONET | EHOSTUNREACH
            | EOPNOTSUPP | ENETUNREACH | ETIMEDOUT,
        ) => Verdict::GoOn,
        _ => Verdict::Fatal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn any_port(listen: &str) -> TcpListener {
        listen_tcp(listen.parse().unwrap()).unwrap()
    }

    #[test]
    fn one_listener_serves_both_families() {
        let listener = any_port("[::]:0");
        let port = listener.local_addr().unwrap().port();
        for host in ["127.0.0.1", "::1"] {
            let client = TcpStream::connect((host, port)).unwrap();
            let (_, from) = listener.accept().unwrap();
            assert_eq!(plain(from), client.local_addr().unwrap());
        }
    }

    #[test]
    fn a_port_that_is_taken_is_refused() {
        let taken = any_port("127.0.0.1:0").local_addr();
        let listener = listen_tcp(taken.unwrap()).unwrap();
        let error = listen_tcp(listener.local_addr().unwrap()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
    }

    #[test]
    fn a_reader_that_does_not_read_is_noticed_and_never_waited_for() {
        let listener = any_port("127.0.0.1:0");
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, _) = listener.accept().unwrap();
        tune(&server).unwrap();
        assert_eq!(send_now(&server, b"220 hello\n"), Sent::Whole);
        let mut heard = [0; 10];
        client.read_exact(&mut heard).unwrap();
        assert_eq!(&heard, b"220 hello\n");
        let line = [b'x'; 1000];
        let whole = (0..100_000).take_while(|_| send_now(&server, &line) == Sent::Whole).count();
        assert!((200..100_000).contains(&whole), "{whole} lines went in");
        drop(client);
    }

    #[test]
    fn a_connection_that_has_ended_takes_nothing() {
        let listener = any_port("127.0.0.1:0");
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, _) = listener.accept().unwrap();
        server.shutdown(std::net::Shutdown::Both).unwrap();
        assert_eq!(send_now(&server, b"late\n"), Sent::NotWhole);
        drop(client);
    }

    #[test]
    fn accepted_connections_inherit_the_send_buffer() {
        let listener = any_port("127.0.0.1:0");
        let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, _) = listener.accept().unwrap();
        assert_eq!(send_buffer(&server).unwrap(), send_buffer(&listener).unwrap());
        assert!(send_buffer(&server).unwrap() >= SEND_BUFFER);
    }

    #[test]
    fn addresses_are_told_in_their_plain_form() {
        for (seen, told) in [
            ("[::ffff:10.0.0.1]:5", "10.0.0.1:5"),
            ("10.0.0.1:5", "10.0.0.1:5"),
            ("[2001:db8::1]:5", "[2001:db8::1]:5"),
        ] {
            assert_eq!(plain(seen.parse().unwrap()).to_string(), told);
            assert_eq!(plain_here(seen.parse().unwrap()).to_string(), told);
        }
        let link_local = "[fe80::1%3]:5".parse().unwrap();
        assert_eq!(plain(link_local).to_string(), "[fe80::1]:5");
        assert_eq!(plain_here(link_local).to_string(), "[fe80::1%3]:5");
    }

    #[test]
    fn what_went_wrong_decides_whether_accepting_goes_on() {
        for (errno, expected) in [
            (Errno::EMFILE, Verdict::Wait),
            (Errno::ENOMEM, Verdict::Wait),
            (Errno::ECONNABORTED, Verdict::GoOn),
            (Errno::EINTR, Verdict::GoOn),
            (Errno::EBADF, Verdict::Fatal),
        ] {
            assert_eq!(verdict(&io::Error::from(errno)), expected, "{errno}");
        }
    }

    #[test]
    fn accepting_goes_on_after_a_connection_that_was_aborted() {
        let mut answers =
            [Err(Errno::ECONNABORTED), Ok(1), Err(Errno::EMFILE), Ok(2), Err(Errno::EBADF)].into_iter();
        let mut accepted = Vec::new();
        let end = accept_each(
            || Ok(answers.next().unwrap()?),
            |connection| {
                accepted.push(connection);
                ControlFlow::Continue(())
            },
        );
        assert_eq!((end.unwrap_err().raw_os_error(), accepted), (Some(Errno::EBADF as i32), vec![1, 2]));
    }
}
