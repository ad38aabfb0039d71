//! A host that sends UDP datagrams from whatever source address it likes (RFC 2827 is about these).

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsRawFd, OwnedFd};

use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrStorage, sendto, socket,
};

use super::need::Lack;

/// IPv4 and IPv6 headers without options.
const IPV4_HEADER: usize = 20;
const IPV6_HEADER: usize = 40;
const UDP_HEADER: usize = 8;

/// The number of UDP in IP headers.
const UDP: u8 = 17;

/// Raw sockets of both families (raw(7)): what is sent begins with its IP header.
#[derive(Debug)]
pub struct Forger {
    v4: OwnedFd,
    v6: OwnedFd,
}

impl Forger {
    /// On the host whose thread asks.
    ///
    /// # Errors
    /// Not root.
    pub fn here() -> Result<Self, Lack> {
        let raw = |family| {
            socket(family, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::Raw).map_err(|_| Lack::Root)
        };
        Ok(Self { v4: raw(AddressFamily::Inet)?, v6: raw(AddressFamily::Inet6)? })
    }

    /// Sends `payload` as if it came from `from`.
    ///
    /// # Errors
    /// As `sendto(2)`.
    ///
    /// # Panics
    /// The two addresses are of different families.
    pub fn send(&self, from: SocketAddr, to: SocketAddr, payload: &[u8]) -> io::Result<()> {
        let (socket, packet) = match (from.ip(), to.ip()) {
            (IpAddr::V4(_), IpAddr::V4(_)) => (&self.v4, ipv4(from, to, payload)),
            (IpAddr::V6(_), IpAddr::V6(_)) => (&self.v6, ipv6(from, to, payload)),
            families => panic!("one family: {families:?}"),
        };
        // A raw socket takes no port.
        let host = SockaddrStorage::from(SocketAddr::new(to.ip(), 0));
        sendto(socket.as_raw_fd(), &packet, &host, MsgFlags::empty())?;
        Ok(())
    }
}

/// The kernel fills in the header's checksum.
fn ipv4(from: SocketAddr, to: SocketAddr, payload: &[u8]) -> Vec<u8> {
    let datagram = udp(from, to, payload);
    let length = length(IPV4_HEADER + datagram.len());
    let mut packet = vec![0x45, 0];
    packet.extend(length.to_be_bytes());
    packet.extend([0, 0, 0, 0, 64, UDP, 0, 0]);
    packet.extend(bytes(from.ip()).chain(bytes(to.ip())));
    packet.extend(datagram);
    packet
}

fn ipv6(from: SocketAddr, to: SocketAddr, payload: &[u8]) -> Vec<u8> {
    let datagram = udp(from, to, payload);
    let mut packet = vec![0x60, 0, 0, 0];
    packet.extend(length(datagram.len()).to_be_bytes());
    packet.extend([UDP, 64]);
    packet.extend(bytes(from.ip()).chain(bytes(to.ip())));
    assert_eq!(packet.len(), IPV6_HEADER);
    packet.extend(datagram);
    packet
}

/// RFC 768, with the checksum over the pseudo header that IPv6 demands (RFC 8200 section 8.1).
fn udp(from: SocketAddr, to: SocketAddr, payload: &[u8]) -> Vec<u8> {
    let length = length(UDP_HEADER + payload.len());
    let header = [from.port(), to.port(), length].map(u16::to_be_bytes).concat();
    let pseudo = bytes(from.ip()).chain(bytes(to.ip())).chain([0, UDP]).chain(length.to_be_bytes());
    let covered: Vec<u8> = pseudo.chain(header.iter().copied()).chain(payload.iter().copied()).collect();
    [&header[..], &checksum(&covered).to_be_bytes(), payload].concat()
}

/// RFC 1071; 0 is written as its complement.
fn checksum(bytes: &[u8]) -> u16 {
    let words = bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0)));
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    let sum = !u16::try_from(sum).expect("folded");
    if sum == 0 { 0xffff } else { sum }
}

fn bytes(ip: IpAddr) -> impl Iterator<Item = u8> {
    let bytes = match ip {
        IpAddr::V4(v4) => v4.octets().to_vec(),
        IpAddr::V6(v6) => v6.octets().to_vec(),
    };
    bytes.into_iter()
}

fn length(bytes: usize) -> u16 {
    u16::try_from(bytes).expect("it fits a datagram")
}
