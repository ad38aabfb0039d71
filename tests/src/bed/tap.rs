//! Somebody who listens on the cable: every frame that comes to a host or leaves it, as the kernel has it (packet(7)).

use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, setsockopt, socket, sockopt,
};
use nix::sys::time::{TimeVal, TimeValLike};

use super::need::Lack;

/// What a program sent over the cable: a datagram, or a piece of a TCP connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overheard {
    /// [`Overheard::TCP`] or [`Overheard::UDP`].
    pub protocol: u8,
    /// Where it came from.
    pub from: u16,
    /// Where it went to.
    pub to: u16,
    /// The words of the program alone.
    pub bytes: Vec<u8>,
}

impl Overheard {
    /// IPv4's number of TCP.
    pub const TCP: u8 = 6;
    /// IPv4's number of UDP.
    pub const UDP: u8 = 17;

    /// Reads an Ethernet frame. `None`: it is not IPv4 with TCP or UDP, or says nothing.
    pub fn parse(frame: &[u8]) -> Option<Self> {
        let packet = frame.get(14..).filter(|_| frame[12..14] == [8, 0])?;
        let words = |bytes: &[u8], at: usize| Some(usize::from(bytes.get(at)? & 15) * 4);
        let length = usize::from(u16::from_be_bytes([*packet.get(2)?, *packet.get(3)?]));
        let (protocol, segment) = (*packet.get(9)?, packet.get(words(packet, 0)?..length)?);
        let header = match protocol {
            Self::UDP => 8,
            Self::TCP => usize::from(segment.get(12)? >> 4) * 4,
            _ => return None,
        };
        let port = |at: usize| Some(u16::from_be_bytes([*segment.get(at)?, *segment.get(at + 1)?]));
        let bytes = segment.get(header..).filter(|bytes| !bytes.is_empty())?.to_vec();
        Some(Self { protocol, from: port(0)?, to: port(2)?, bytes })
    }
}

/// A running one.
#[derive(Debug)]
pub struct Tap {
    frames: Arc<Mutex<Vec<Vec<u8>>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Tap {
    /// Listens from now on, on the host whose thread asks.
    ///
    /// # Errors
    /// Not root.
    pub fn here() -> Result<Self, Lack> {
        let everything = SockProtocol::EthAll;
        let cable = socket(AddressFamily::Packet, SockType::Raw, SockFlag::SOCK_CLOEXEC, everything);
        let cable = cable.map_err(|_| Lack::Root)?;
        setsockopt(&cable, sockopt::ReceiveTimeout, &TimeVal::milliseconds(100))
            .expect("a socket of our own");
        // Nothing is missed while the machine is busy.
        setsockopt(&cable, sockopt::RcvBufForce, &(16 << 20)).map_err(|_| Lack::Root)?;
        let (frames, stop) = (Arc::default(), Arc::new(AtomicBool::new(false)));
        let (kept, until) = (Arc::clone(&frames), Arc::clone(&stop));
        let thread = std::thread::spawn(move || listen(&cable, &kept, &until));
        Ok(Self { frames, stop, thread: Some(thread) })
    }

    /// What programs have said so far.
    pub fn overheard(&self) -> Vec<Overheard> {
        let frames = self.frames.lock().unwrap_or_else(PoisonError::into_inner);
        frames.iter().filter_map(|frame| Overheard::parse(frame)).collect()
    }
}

impl Drop for Tap {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn listen(cable: &OwnedFd, kept: &Mutex<Vec<Vec<u8>>>, stop: &AtomicBool) {
    let mut frame = vec![0; 65_536];
    while !stop.load(Ordering::Relaxed) {
        if let Ok(length) = recv(cable.as_raw_fd(), &mut frame, MsgFlags::empty()) {
            kept.lock().unwrap_or_else(PoisonError::into_inner).push(frame[..length].to_vec());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_frame_carries_ends_where_its_packet_does() {
        let ethernet = [&[0; 12][..], &[8, 0]].concat();
        let ip = [&[0x45, 0, 0, 31][..], &[0; 5], &[17], &[0; 10]].concat();
        let udp = [0x17, 0x70, 0x17, 0x71, 0, 11, 0, 0];
        // Frames are at least 60 bytes long.
        let frame = [&ethernet[..], &ip, &udp, b"hey", &[0; 15]].concat();
        let said = Overheard { protocol: 17, from: 6000, to: 6001, bytes: b"hey".to_vec() };
        assert_eq!(Overheard::parse(&frame), Some(said));
        (0..frame.len() - 15).for_each(|length| assert_eq!(Overheard::parse(&frame[..length]), None));
    }
}
