//! Media on its way in: which sources are known, what opens what they send, and the rings that it goes into.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use nix::poll::PollTimeout;
use rtrb::{Consumer, Producer, RingBuffer};
use vox_common::wire::limits::MAX_LEGS;

use super::counters::{Count, UdpCounters};
use crate::media::orders::LegId;
use crate::media::rtp;
use crate::media::srtp::{Opener, Unopened};
use crate::rt;
use crate::shell::grants::Grants;
use crate::shell::wake::Wake;

/// Keys of a leg that has ended are given back to be wiped within this time, though nothing comes any more.
const KEYS_LINGER_MS: u16 = 1_000;

/// One RTP or RTCP packet. Longer would not cross an Ethernet in one piece: dropped and counted.
pub const MEDIA_BYTES: usize = 1500;

/// RTP packets that may wait to be pulled: a stall of 0.3 s at 2.5 ms, of more than a second at 10 ms.
const RTP_WAITING: usize = 128;

/// RTCP packets that may wait for the sending thread.
const RTCP_WAITING: usize = 32;

/// Changes of the table that may wait for the next datagram.
const ORDERS_WAITING: usize = 64;

/// A packet of a known leg, and when the kernel took it.
pub struct Arrival {
    /// Whose it is.
    pub leg: LegId,
    /// When it came.
    pub arrived: Instant,
    length: u16,
    bytes: [u8; MEDIA_BYTES],
}

impl Arrival {
    pub(crate) fn new(leg: LegId, arrived: Instant, packet: &[u8]) -> Option<Self> {
        let mut bytes = [0; MEDIA_BYTES];
        bytes.get_mut(..packet.len())?.copy_from_slice(packet);
        Some(Self { leg, arrived, length: u16::try_from(packet.len()).ok()?, bytes })
    }

    /// The packet, opened.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    /// Opens the packet where it lies; what is left over behind it is no part of it any more.
    fn open(&mut self, kind: Kind, opener: &mut Opener) -> Result<(), Unopened> {
        let packet = &mut self.bytes[..usize::from(self.length)];
        let length = match kind {
            Kind::Rtp => opener.open_rtp(packet)?,
            Kind::Rtcp => opener.open_rtcp(packet)?,
        };
        self.length = u16::try_from(length).unwrap_or(self.length);
        Ok(())
    }
}

/// A change of what the thread `udp` lets through.
#[derive(Debug)]
pub enum LegOrder {
    /// From now on media from this source is this leg's. With an opener, only what it opens.
    Admit(LegId, SocketAddr, Option<Box<Opener>>),
    /// Nothing more of this leg.
    Dismiss(LegId),
    /// Run at this SCHED_FIFO priority; 0: as an ordinary thread.
    Schedule(u8),
}

/// Legs from which something valid came, opened where it had to be, since it was last asked.
#[derive(Debug, Default)]
pub(crate) struct Heard([AtomicBool; MAX_LEGS]);

impl Heard {
    fn set(&self, leg: LegId) {
        if let Some(heard) = self.0.get(usize::from(leg.0)) {
            heard.store(true, Ordering::Release);
        }
    }

    /// Whether something came, asked once.
    pub(crate) fn take(&self, leg: LegId) -> bool {
        self.0.get(usize::from(leg.0)).is_some_and(|heard| heard.swap(false, Ordering::AcqRel))
    }
}

/// The end of the rings that the thread `udp` holds.
pub struct Intake {
    orders: Consumer<LegOrder>,
    sources: [Option<Source>; MAX_LEGS],
    /// What has left goes back here, to be wiped and freed: not on this thread.
    left: Producer<Box<Opener>>,
    packets: Producer<Arrival>,
    reports: Producer<Arrival>,
    heard: Arc<Heard>,
    grants: Arc<Grants>,
    keeper: Wake,
    counters: Arc<UdpCounters>,
}

struct Source {
    address: SocketAddr,
    /// `None`: both sides have said that their media is not sealed.
    opener: Option<Box<Opener>>,
    /// The stream of a leg that is not sealed: that of its first packet (RFC 3550 section 8).
    ssrc: Option<u32>,
    /// The keeper has been woken for the first packet; later ones it finds by itself.
    announced: bool,
}

impl Source {
    fn new(address: SocketAddr, opener: Option<Box<Opener>>) -> Self {
        Self { address, opener, ssrc: None, announced: false }
    }

    /// Takes a packet of this leg: opened where it lies, or in the clear where both sides have said so. What comes in the
    /// clear to a leg that is alone at its address can be no other's.
    fn open(&mut self, kind: Kind, arrival: &mut Arrival, is_alone: bool) -> Result<(), Unopened> {
        let ssrc = kind.ssrc(arrival.bytes());
        match &mut self.opener {
            Some(opener) => arrival.open(kind, opener),
            None if *self.ssrc.get_or_insert(ssrc) == ssrc || is_alone => Ok(()),
            None => Err(Unopened::Stranger),
        }
    }
}

/// The other ends.
pub(crate) struct Outlets {
    pub(crate) orders: Producer<LegOrder>,
    pub(crate) left: Consumer<Box<Opener>>,
    pub(crate) packets: Consumer<Arrival>,
    pub(crate) reports: Consumer<Arrival>,
    pub(crate) heard: Arc<Heard>,
}

/// The rings between the thread `udp` and the sound. `keeper` is woken when a leg is first heard.
pub(crate) fn rings(keeper: Wake, grants: Arc<Grants>) -> (Intake, Outlets) {
    let (order_in, orders) = RingBuffer::new(ORDERS_WAITING);
    let (left, left_out) = RingBuffer::new(ORDERS_WAITING);
    let (packets, packets_out) = RingBuffer::new(RTP_WAITING);
    let (reports, reports_out) = RingBuffer::new(RTCP_WAITING);
    let (heard, counters) = (Arc::<Heard>::default(), Arc::default());
    let outlets = Outlets {
        orders: order_in,
        left: left_out,
        packets: packets_out,
        reports: reports_out,
        heard: Arc::clone(&heard),
    };
    let sources = Default::default();
    (Intake { orders, sources, left, packets, reports, heard, grants, keeper, counters }, outlets)
}

impl Intake {
    pub(super) fn counters(&self) -> Arc<UdpCounters> {
        Arc::clone(&self.counters)
    }

    /// For how long to wait for a datagram before orders are looked for. Nobody to forget: as long as it takes.
    pub(super) fn patience(&self) -> PollTimeout {
        let keeps_keys = self.sources.iter().flatten().any(|source| source.opener.is_some());
        if keeps_keys { KEYS_LINGER_MS.into() } else { PollTimeout::NONE }
    }

    /// Brings the table up to date. Called before each datagram is looked at, so that what was ordered before a
    /// signal left holds for whatever that signal provokes.
    pub(super) fn take_orders(&mut self) {
        while let Ok(order) = self.orders.pop() {
            match order {
                LegOrder::Admit(leg, address, opener) => {
                    self.put(leg, Some(Source::new(address, opener)));
                }
                LegOrder::Dismiss(leg) => self.put(leg, None),
                LegOrder::Schedule(priority) => self.schedule(priority),
            }
        }
    }

    fn put(&mut self, leg: LegId, source: Option<Source>) {
        let Some(place) = self.sources.get_mut(usize::from(leg.0)) else { return };
        if let Some(opener) = std::mem::replace(place, source).and_then(|left| left.opener) {
            let _ = self.left.push(opener);
            self.keeper.wake();
        }
    }

    fn schedule(&self, priority: u8) {
        self.grants.report(&rt::schedule("udp", priority));
        self.keeper.wake();
    }

    /// Takes an RTP or RTCP packet: opened and into its ring, or dropped and counted.
    pub(super) fn take(&mut self, from: SocketAddr, arrived: Instant, packet: &[u8]) {
        let Some(first) = self.leg_of(from) else { return self.counters.strangers.add() };
        let Some(kind) = kind(packet) else { return self.counters.invalid.add() };
        let Some(mut arrival) = Arrival::new(first, arrived, packet) else {
            return self.counters.oversize.add();
        };
        match self.open(from, kind, &mut arrival) {
            Ok(leg) => arrival.leg = leg,
            Err(why) => return self.unopened(why).add(),
        }
        let leg = arrival.leg;
        let ring = match kind {
            Kind::Rtp => &mut self.packets,
            Kind::Rtcp => &mut self.reports,
        };
        let counter =
            if ring.push(arrival).is_ok() { &self.counters.media } else { &self.counters.overflowed };
        counter.add();
        self.announce(leg);
    }

    /// Several legs may have one address: the packet is of the leg that opens it or, where nothing is sealed, of the leg
    /// that its SSRC belongs to. Whatever none of them takes is nobody's.
    fn open(&mut self, from: SocketAddr, kind: Kind, arrival: &mut Arrival) -> Result<LegId, Unopened> {
        let is_alone = self.sources.iter().flatten().filter(|source| source.address == from).count() == 1;
        let mut refused = Unopened::Stranger;
        for (place, source) in (0..).zip(&mut self.sources) {
            let Some(source) = source.as_mut().filter(|source| source.address == from) else { continue };
            match source.open(kind, arrival, is_alone) {
                Ok(()) => return Ok(LegId(place)),
                // Another leg's keys do not open it either, which says less.
                Err(_) if refused == Unopened::Replayed => {}
                Err(Unopened::Stranger) => {}
                Err(why) => refused = why,
            }
        }
        Err(refused)
    }

    fn unopened(&self, why: Unopened) -> &Count {
        if why == Unopened::Replayed { &self.counters.replayed } else { &self.counters.unopened }
    }

    fn leg_of(&self, from: SocketAddr) -> Option<LegId> {
        let is_from = |source: &Source| source.address == from;
        let place = self.sources.iter().position(|source| source.as_ref().is_some_and(is_from))?;
        u8::try_from(place).ok().map(LegId)
    }

    fn announce(&mut self, leg: LegId) {
        self.heard.set(leg);
        if let Some(Some(source)) = self.sources.get_mut(usize::from(leg.0))
            && !source.announced
        {
            source.announced = true;
            self.keeper.wake();
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Rtp,
    Rtcp,
}

impl Kind {
    /// The sender's stream (RFC 3550 sections 5.1 and 6.4.1).
    fn ssrc(self, packet: &[u8]) -> u32 {
        let at = match self {
            Self::Rtp => 8,
            Self::Rtcp => 4,
        };
        packet[at..].first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes))
    }
}

fn is_ours(payload_type: u8) -> bool {
    matches!(payload_type, rtp::OPUS | rtp::RED | rtp::L16)
}

/// RTP of a payload type of ours or RTCP (RFC 5761 section 4); `None`: neither.
fn kind(packet: &[u8]) -> Option<Kind> {
    match packet {
        [_, 200..=207, _, _, _, _, _, _, ..] => Some(Kind::Rtcp),
        [_, second, ..] if packet.len() > 12 && is_ours(second & 0x7f) => Some(Kind::Rtp),
        _ => None,
    }
}
