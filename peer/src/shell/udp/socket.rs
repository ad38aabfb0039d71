//! The one UDP socket: both address families, the address that a datagram was sent to, when the kernel took it,
//! and which destinations the network refuses.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    self, AddressFamily, ControlMessageOwned, MsgFlags, RecvMsg, SockFlag, SockType, SockaddrStorage,
    setsockopt, sockopt,
};
use vox_common::sys::clock;
use vox_common::sys::net::plain_here;

use crate::media::orders::Path;
use crate::rt;

/// Room asked of the kernel for datagrams that wait: seconds of media, so that a stall of ours loses nothing.
const RECEIVE_BUFFER: usize = 1 << 20;

/// Room asked of the kernel for datagrams that leave, which grants twice of it: more than waits for one neighbour whose
/// address is not resolved (`unres_qlen_bytes` of arp(7), 212,992), so that a far end that vanished holds nobody else up.
const SEND_BUFFER: usize = 212_992;

/// Room for the control messages of one datagram: packet info, time stamp, extended error with its sender.
pub(super) const CONTROL_BYTES: usize = 256;

/// The station's socket. Cheap to clone; all clones are one socket.
#[derive(Debug, Clone)]
pub struct Socket {
    udp: Arc<UdpSocket>,
    family: AddressFamily,
}

/// Where a datagram came from and went to, and when the kernel took it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Envelope {
    pub(super) from: SocketAddr,
    pub(super) local: Option<IpAddr>,
    pub(super) arrived: Instant,
    pub(super) bytes: usize,
}

impl Socket {
    /// Binds `listen`. `[::]` takes IPv4 too, and means `0.0.0.0` where there is no IPv6.
    ///
    /// # Errors
    /// The address is taken or not ours, or the kernel lacks what we need of it.
    pub fn bind(listen: SocketAddr, dscp: u8) -> io::Result<Self> {
        let unspecified_v6 = listen.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED);
        match Self::bind_family(listen, dscp) {
            Err(Errno::EAFNOSUPPORT | Errno::EADDRNOTAVAIL) if unspecified_v6 => {
                Ok(Self::bind_family((Ipv4Addr::UNSPECIFIED, listen.port()).into(), dscp)?)
            }
            answer => Ok(answer?),
        }
    }

    fn bind_family(listen: SocketAddr, dscp: u8) -> nix::Result<Self> {
        let family = if listen.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
        let fd = socket::socket(family, SockType::Datagram, SockFlag::SOCK_CLOEXEC, None)?;
        match family {
            AddressFamily::Inet => ask_v4(&fd)?,
            _ => ask_v6(&fd)?,
        }
        mark(&fd, family, dscp);
        setsockopt(&fd, sockopt::ReceiveTimestampns, &true)?;
        setsockopt(&fd, sockopt::RcvBuf, &RECEIVE_BUFFER)?;
        setsockopt(&fd, sockopt::SndBuf, &SEND_BUFFER)?;
        socket::bind(fd.as_raw_fd(), &SockaddrStorage::from(listen))?;
        Ok(Self { udp: Arc::new(fd.into()), family })
    }

    /// The address that the socket is bound to.
    ///
    /// # Errors
    /// As `getsockname(2)`.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.udp.local_addr()
    }

    /// What sends through this socket.
    pub fn sender(&self) -> UdpSender {
        UdpSender(self.clone())
    }

    /// Makes a thread that waits in [`Socket::receive`] return at once, now and for ever.
    pub(super) fn shut_down(&self) {
        // An unconnected socket answers ENOTCONN, and wakes its readers all the same.
        let _ = socket::shutdown(self.udp.as_raw_fd(), socket::Shutdown::Both);
    }

    /// Waits for a datagram or a refusal, and for no longer than that; says whether there is a refusal.
    ///
    /// Waiting inside `recvmsg` would miss the refusals whose errno a sending thread was given first.
    pub(super) fn wait(&self, patience: PollTimeout) -> bool {
        let mut waiting = [PollFd::new(self.udp.as_fd(), PollFlags::POLLIN)];
        let _ = poll(&mut waiting, patience);
        waiting[0].revents().is_some_and(|events| events.contains(PollFlags::POLLERR))
    }

    /// Takes one datagram if there is one. Never waits, allocates nothing.
    ///
    /// # Errors
    /// As `recvmsg(2)`.
    pub(super) fn receive(&self, bytes: &mut [u8], control: &mut [u8]) -> nix::Result<Option<Envelope>> {
        let mut parts = [IoSliceMut::new(bytes)];
        let message = socket::recvmsg::<SockaddrStorage>(
            self.udp.as_raw_fd(),
            &mut parts,
            Some(control),
            MsgFlags::MSG_DONTWAIT,
        )?;
        Ok(envelope(&message))
    }

    /// The next destination that the network refused, from the socket's error queue. Never waits.
    pub(super) fn refusal(&self, control: &mut [u8]) -> Option<SocketAddr> {
        let mut start = [0; 64];
        let mut parts = [IoSliceMut::new(&mut start)];
        let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
        let message =
            socket::recvmsg::<SockaddrStorage>(self.udp.as_raw_fd(), &mut parts, Some(control), flags)
                .ok()?;
        plain_address(message.address.as_ref()?)
    }

    /// An address as this socket wants it: mapped on an IPv6 socket.
    fn native(&self, address: SocketAddr) -> SockaddrStorage {
        match (self.family, address) {
            (AddressFamily::Inet6, SocketAddr::V4(v4)) => {
                SocketAddrV6::new(v4.ip().to_ipv6_mapped(), v4.port(), 0, 0).into()
            }
            _ => address.into(),
        }
    }

    fn native_ip(&self, address: IpAddr) -> IpAddr {
        match (self.family, address) {
            (AddressFamily::Inet6, IpAddr::V4(v4)) => v4.to_ipv6_mapped().into(),
            _ => address,
        }
    }
}

/// Sends signals and media through the station's socket, from any thread.
#[derive(Debug, Clone)]
pub struct UdpSender(Socket);

impl UdpSender {
    /// Sends one datagram from the address that the leg was called on. Never waits, allocates nothing.
    ///
    /// An error that another destination left on the socket does not stop this one.
    ///
    /// # Errors
    /// As `sendmsg(2)`: `WouldBlock` when the send buffer is full, `NetworkUnreachable` and the like.
    pub fn send(&self, path: Path, bytes: &[u8]) -> io::Result<()> {
        let to = self.0.native(path.remote);
        let source = path.local.map(|local| self.0.native_ip(local));
        let send = || rt::send_from(&*self.0.udp, &to, source, bytes);
        let mut answers = std::iter::repeat_with(send).take(MOST_LEFTOVERS);
        let is_last = |answer: &io::Result<()>| !answer.as_ref().is_err_and(is_refusal);
        answers.find(is_last).unwrap_or_else(send)
    }
}

/// The most that may wait in the socket when something is sent to an address that may not exist: a few datagrams, each
/// with the kernel's own overhead.
const NEARLY_IDLE_BYTES: usize = 8 * 1024;

impl UdpSender {
    /// Whether hardly anything waits to be sent: address resolution of somebody who does not answer holds datagrams back
    /// for seconds, and the socket's buffer is that of the sound, too.
    pub fn is_nearly_idle(&self) -> bool {
        rt::waiting_to_be_sent(&*self.0.udp).is_ok_and(|bytes| bytes <= NEARLY_IDLE_BYTES)
    }
}

/// Each dequeued refusal brings the errno of the next one in the queue back to life, so several may come in a row.
const MOST_LEFTOVERS: usize = 8;

/// With `IP_RECVERR` the next call on the socket returns what an ICMP message said of an earlier one.
pub(super) fn is_refusal(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused | io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable
    )
}

fn ask_v4(fd: &OwnedFd) -> nix::Result<()> {
    setsockopt(fd, sockopt::Ipv4PacketInfo, &true)?;
    setsockopt(fd, sockopt::Ipv4RecvErr, &true)
}

/// On a dual-stack socket IPv4 errors are asked for separately; packet info comes mapped.
fn ask_v6(fd: &OwnedFd) -> nix::Result<()> {
    setsockopt(fd, sockopt::Ipv6V6Only, &false)?;
    setsockopt(fd, sockopt::Ipv6RecvPacketInfo, &true)?;
    setsockopt(fd, sockopt::Ipv6RecvErr, &true)?;
    setsockopt(fd, sockopt::Ipv4RecvErr, &true)
}

/// Sets the DSCP (RFC 2474) of everything sent. A kernel that refuses costs priority on the network, not the call.
fn mark(fd: &OwnedFd, family: AddressFamily, dscp: u8) {
    let class = i32::from(dscp) << 2;
    let _ = setsockopt(fd, sockopt::Ipv4Tos, &class);
    if family == AddressFamily::Inet6 {
        let _ = setsockopt(fd, sockopt::Ipv6TClass, &class);
    }
}

fn envelope(message: &RecvMsg<'_, '_, SockaddrStorage>) -> Option<Envelope> {
    let from = plain_address(message.address.as_ref()?)?;
    let mut envelope = Envelope { from, local: None, arrived: clock::now(), bytes: message.bytes };
    for control in message.cmsgs().ok()? {
        match control {
            ControlMessageOwned::ScmTimestampns(stamp) => {
                envelope.arrived = monotonic(stamp.into(), envelope.arrived);
            }
            ControlMessageOwned::Ipv4PacketInfo(info) => {
                envelope.local = Some(Ipv4Addr::from(info.ipi_addr.s_addr.to_ne_bytes()).into());
            }
            ControlMessageOwned::Ipv6PacketInfo(info) => {
                envelope.local = Some(Ipv6Addr::from(info.ipi6_addr.s6_addr).to_canonical());
            }
            _ => (),
        }
    }
    Some(envelope)
}

/// The kernel stamps with the calendar clock; what counts is how long ago that was. A clock that was set in
/// between says nothing, and the datagram has arrived now.
fn monotonic(stamp: Duration, now: Instant) -> Instant {
    let wall = clock::since_1970(clock::wall());
    let age = wall.checked_sub(stamp).filter(|age| *age < Duration::from_secs(10));
    now.checked_sub(age.unwrap_or_default()).unwrap_or(now)
}

/// An address in its plain form: never `::ffff:a.b.c.d`, no flow label.
fn plain_address(native: &SockaddrStorage) -> Option<SocketAddr> {
    if let Some(v4) = native.as_sockaddr_in() {
        return Some(SocketAddr::new(v4.ip().into(), v4.port()));
    }
    let v6 = native.as_sockaddr_in6()?;
    Some(plain_here(SocketAddrV6::new(v6.ip(), v6.port(), 0, v6.scope_id()).into()))
}
