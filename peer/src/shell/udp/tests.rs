use std::net::{Ipv4Addr, UdpSocket};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};

use super::allowance::OF_ONE;
use super::*;
use crate::media::orders::{LegId, Path};
use crate::media::srtp::keys::{DirectionKeys, MasterKey};
use crate::media::srtp::{Opener, RTCP_EXTRA_BYTES, Sealer, TAG_BYTES};
use crate::shell::grants::Grants;
use crate::shell::wake::Wake;

const LONG: Duration = Duration::from_secs(5);
const SHORT: Duration = Duration::from_millis(50);

/// For this signal there is no room.
const FULL: &[u8] = b"VOX1 full";

#[derive(Debug, PartialEq)]
enum Event {
    Signal(SocketAddr, Option<IpAddr>, Vec<u8>),
    Unreachable(SocketAddr),
}

struct Bench {
    socket: Socket,
    outlets: intake::Outlets,
    events: Receiver<Event>,
    thread: UdpThread,
}

fn bench(listen: &str) -> Bench {
    let socket = Socket::bind(listen.parse().expect("an address"), 46).expect("bound");
    let (intake, outlets) = intake::rings(Wake::default(), Arc::<Grants>::default());
    let (post, events) = channel();
    let thread = start(&socket, intake, move |event| {
        let told = match event {
            UdpEvent::Signal(signal) => Event::Signal(signal.from, signal.local, signal.bytes.to_vec()),
            UdpEvent::Unreachable(address) => Event::Unreachable(address),
        };
        !matches!(&told, Event::Signal(_, _, bytes) if bytes == FULL) && post.send(told).is_ok()
    });
    Bench { socket, outlets, events, thread: thread.expect("started") }
}

impl Bench {
    fn at(&self, ip: &str) -> SocketAddr {
        SocketAddr::new(ip.parse().expect("an address"), self.socket.local_addr().expect("bound").port())
    }

    fn next(&self) -> Event {
        self.events.recv_timeout(LONG).expect("an event in time")
    }

    /// Everything sent before this has been sorted when it returns.
    fn settle(&self, through: &UdpSocket, to: SocketAddr) {
        through.send_to(b"VOX1 settle", to).expect("sent");
        while !matches!(self.next(), Event::Signal(_, _, bytes) if bytes == b"VOX1 settle") {}
    }
}

fn rtp(sequence: u8) -> Vec<u8> {
    let mut packet = vec![0x80, 111, 0, sequence, 0, 0, 0, 0, 0, 0, 0, 1];
    packet.extend([7; 20]);
    packet
}

#[test]
fn both_families_come_in_their_plain_form_with_the_address_that_was_called() {
    let bench = bench("[::]:0");
    for (here, there) in [("127.0.0.1", "127.0.0.1"), ("127.0.0.1", "127.0.0.2"), ("::1", "::1")] {
        let Ok(far) = UdpSocket::bind((here, 0)) else { continue };
        far.send_to(b"VOX1 HELLO", bench.at(there)).expect("sent");
        let local = there.parse().ok();
        let from = far.local_addr().expect("bound");
        assert_eq!(bench.next(), Event::Signal(from, local, b"VOX1 HELLO".to_vec()));
    }
    bench.thread.stop();
}

#[test]
fn an_answer_leaves_from_the_address_that_was_called() {
    for listen in ["[::]:0", "0.0.0.0:0"] {
        let bench = bench(listen);
        let far = UdpSocket::bind("127.0.0.1:0").expect("bound");
        far.set_read_timeout(Some(LONG)).expect("set");
        let remote = far.local_addr().expect("bound");
        for called in ["127.0.0.1", "127.0.0.2"] {
            bench
                .socket
                .sender()
                .send(Path { remote, local: called.parse().ok() }, b"VOX1 ANSWER")
                .expect("sent");
            let (_, from) = far.recv_from(&mut [0; 64]).expect("received");
            assert_eq!(from, bench.at(called), "listening on {listen}");
        }
        bench.thread.stop();
    }
}

#[test]
fn an_address_where_nobody_listens_is_told_and_does_not_hurt_others() {
    let bench = bench("[::]:0");
    let far = UdpSocket::bind("127.0.0.1:0").expect("bound");
    far.set_read_timeout(Some(LONG)).expect("set");
    let nobody = UdpSocket::bind("127.0.0.1:0").expect("bound").local_addr().expect("bound");
    let sender = bench.socket.sender();
    for _ in 0..20 {
        let _ = sender.send(Path { remote: nobody, local: None }, b"VOX1 ANYBODY");
        sender
            .send(Path { remote: far.local_addr().expect("bound"), local: None }, b"VOX1 FAR")
            .expect("sent");
        far.recv_from(&mut [0; 64]).expect("received");
    }
    assert_eq!(bench.next(), Event::Unreachable(nobody));
    bench.thread.stop();
}

#[test]
fn a_datagram_came_when_the_kernel_says_however_late_it_is_taken() {
    let socket = Socket::bind("127.0.0.1:0".parse().expect("an address"), 46).expect("bound");
    let far = UdpSocket::bind("127.0.0.1:0").expect("bound");
    // The kernel begins to stamp a while after the first socket on the machine has asked for it.
    let late = (0..20).map(|_| late_by(&socket, &far)).find(|late| *late < SHORT / 10);
    assert!(late.is_some(), "always the time at which it was taken");
}

/// How long after it was sent a datagram seems to have come that is taken much later.
fn late_by(socket: &Socket, far: &UdpSocket) -> Duration {
    let sent = clock::now();
    far.send_to(&rtp(0), socket.local_addr().expect("bound")).expect("sent");
    let came = clock::now();
    clock::sleep_until(came + SHORT);
    let (mut bytes, mut control) = ([0; BUFFER_BYTES], [0; CONTROL_BYTES]);
    let envelope = socket.receive(&mut bytes, &mut control).expect("it waits").expect("it has a sender");
    // The kernel's clock is another one, and may be led by some microseconds meanwhile.
    assert!(envelope.arrived + SHORT / 10 >= sent, "before it was sent");
    envelope.arrived.saturating_duration_since(came)
}

#[test]
fn media_is_taken_from_admitted_sources_only() {
    let mut bench = bench("127.0.0.1:0");
    let (friend, stranger) = (UdpSocket::bind("127.0.0.1:0"), UdpSocket::bind("127.0.0.1:0"));
    let (friend, stranger) = (friend.expect("bound"), stranger.expect("bound"));
    let to = bench.at("127.0.0.1");
    bench
        .outlets
        .orders
        .push(LegOrder::Admit(LegId(3), friend.local_addr().expect("bound"), None))
        .expect("room");
    stranger.send_to(&rtp(1), to).expect("sent");
    friend.send_to(&rtp(2), to).expect("sent");
    friend.send_to(&[0x80, 200, 0, 6, 0, 0, 0, 1], to).expect("sent");
    friend.send_to(&[0x80, 96, 0, 6, 0, 0, 0, 1], to).expect("sent");
    friend.send_to(&[0x80; 1600], to).expect("sent");
    bench.settle(&friend, to);
    let packet = bench.outlets.packets.pop().expect("the friend's packet");
    assert_eq!((packet.leg, packet.bytes()), (LegId(3), &rtp(2)[..]));
    assert!(clock::now().duration_since(packet.arrived) < LONG);
    assert_eq!(bench.outlets.reports.pop().expect("the friend's report").bytes().len(), 8);
    assert!(bench.outlets.packets.pop().is_err());
    assert!(bench.outlets.heard.take(LegId(3)) && !bench.outlets.heard.take(LegId(3)));
    let counts = bench.thread.counts();
    assert_eq!((counts.media, counts.strangers, counts.invalid), (2, 1, 2));
    bench.thread.stop();
}

const KEYS: DirectionKeys = DirectionKeys {
    srtp: MasterKey { key: [1; 16], salt: [2; 12] },
    srtcp: MasterKey { key: [3; 16], salt: [4; 12] },
};

const REPORT: [u8; 8] = [0x80, 201, 0, 1, 0, 0, 0, 1];

/// A bench that takes from this address only what is sealed with [`KEYS`].
fn sealed_bench() -> (Bench, UdpSocket, SocketAddr) {
    let mut bench = bench("127.0.0.1:0");
    let friend = UdpSocket::bind("127.0.0.1:0").expect("bound");
    let (to, from) = (bench.at("127.0.0.1"), friend.local_addr().expect("bound"));
    let opener = Some(Box::new(Opener::new(&KEYS)));
    bench.outlets.orders.push(LegOrder::Admit(LegId(0), from, opener)).expect("room");
    (bench, friend, to)
}

#[test]
fn a_sealed_leg_is_opened_before_anybody_hears_of_it() {
    let (mut bench, friend, to) = sealed_bench();
    let mut sealer = Sealer::new(&KEYS);
    let mut packet = [rtp(1), vec![0; TAG_BYTES]].concat();
    sealer.seal_rtp(&mut packet, 32).expect("sealed");
    let mut report = [&REPORT[..], &[0; RTCP_EXTRA_BYTES]].concat();
    sealer.seal_rtcp(&mut report, 8).expect("sealed");
    for one in [&packet, &report, &packet, &report] {
        friend.send_to(one, to).expect("sent");
    }
    bench.settle(&friend, to);
    assert_eq!(bench.outlets.packets.pop().expect("a packet").bytes(), rtp(1));
    assert_eq!(bench.outlets.reports.pop().expect("a report").bytes(), REPORT);
    assert!(bench.outlets.packets.pop().is_err() && bench.outlets.reports.pop().is_err());
    assert!(bench.outlets.heard.take(LegId(0)));
    let counts = bench.thread.counts();
    assert_eq!((counts.media, counts.replayed, counts.unopened), (2, 2, 0));
    bench.thread.stop();
}

#[test]
fn what_is_forged_or_in_the_clear_is_neither_played_nor_heard_of() {
    let (mut bench, friend, to) = sealed_bench();
    let mut forged = [rtp(1), vec![0; TAG_BYTES]].concat();
    Sealer::new(&KEYS).seal_rtp(&mut forged, 32).expect("sealed");
    forged[20] ^= 1;
    for one in [&forged[..], &rtp(2), &REPORT, &[REPORT.as_slice(), &[0x80; 24]].concat()] {
        friend.send_to(one, to).expect("sent");
    }
    bench.settle(&friend, to);
    assert!(bench.outlets.packets.pop().is_err() && bench.outlets.reports.pop().is_err());
    assert!(!bench.outlets.heard.take(LegId(0)));
    let counts = bench.thread.counts();
    assert_eq!((counts.media, counts.unopened), (0, 4));
    bench.thread.stop();
}

/// Keys of another leg.
const OTHER_KEYS: DirectionKeys = DirectionKeys {
    srtp: MasterKey { key: [5; 16], salt: [6; 12] },
    srtcp: MasterKey { key: [7; 16], salt: [8; 12] },
};

fn rtp_of(ssrc: u8, sequence: u8) -> Vec<u8> {
    let mut packet = rtp(sequence);
    packet[11] = ssrc;
    packet
}

#[test]
fn two_sealed_legs_at_one_address_are_told_apart_by_their_keys() {
    let (mut bench, friend, to) = sealed_bench();
    let opener = Some(Box::new(Opener::new(&OTHER_KEYS)));
    bench.outlets.orders.push(LegOrder::Admit(LegId(1), friend.local_addr().unwrap(), opener)).expect("room");
    let mut sealers = [Sealer::new(&KEYS), Sealer::new(&OTHER_KEYS)];
    for sequence in 1..=3 {
        for (leg, sealer) in (1..).zip(&mut sealers) {
            let mut packet = [rtp_of(leg, sequence), vec![0; TAG_BYTES]].concat();
            sealer.seal_rtp(&mut packet, 32).expect("sealed");
            friend.send_to(&packet, to).expect("sent");
            friend.send_to(&packet, to).expect("sent twice");
        }
    }
    bench.settle(&friend, to);
    let came: Vec<_> = std::iter::from_fn(|| bench.outlets.packets.pop().ok())
        .map(|packet| (packet.leg.0, packet.bytes()[11], packet.bytes()[3]))
        .collect();
    assert_eq!(came, [(0, 1, 1), (1, 2, 1), (0, 1, 2), (1, 2, 2), (0, 1, 3), (1, 2, 3)]);
    let counts = bench.thread.counts();
    assert_eq!((counts.media, counts.replayed, counts.unopened), (6, 6, 0));
    bench.thread.stop();
}

#[test]
fn two_legs_in_the_clear_at_one_address_are_told_apart_by_their_streams() {
    let mut bench = bench("127.0.0.1:0");
    let friend = UdpSocket::bind("127.0.0.1:0").expect("bound");
    let (to, from) = (bench.at("127.0.0.1"), friend.local_addr().expect("bound"));
    for leg in [LegId(0), LegId(1)] {
        bench.outlets.orders.push(LegOrder::Admit(leg, from, None)).expect("room");
    }
    for ssrc in [7, 9, 7, 9, 11] {
        friend.send_to(&rtp_of(ssrc, 1), to).expect("sent");
    }
    bench.settle(&friend, to);
    let came = std::iter::from_fn(|| bench.outlets.packets.pop().ok());
    let came: Vec<_> = came.map(|packet| (packet.leg.0, packet.bytes()[11])).collect();
    assert_eq!(came, [(0, 7), (1, 9), (0, 7), (1, 9)], "a third stream is neither's");
    bench.thread.stop();
}

#[test]
fn what_opened_an_ended_leg_goes_back_to_be_wiped_though_nothing_comes() {
    let (mut bench, friend, to) = sealed_bench();
    bench.settle(&friend, to);
    assert!(bench.outlets.left.pop().is_err());
    bench.outlets.orders.push(LegOrder::Dismiss(LegId(0))).expect("room");
    let deadline = clock::now() + LONG;
    while bench.outlets.left.pop().is_err() {
        assert!(clock::now() < deadline, "the keys linger");
        clock::sleep_until(clock::now() + SHORT);
    }
    bench.thread.stop();
}

#[test]
fn a_dismissed_leg_is_a_stranger() {
    let mut bench = bench("127.0.0.1:0");
    let friend = UdpSocket::bind("127.0.0.1:0").expect("bound");
    let (to, from) = (bench.at("127.0.0.1"), friend.local_addr().expect("bound"));
    bench.outlets.orders.push(LegOrder::Admit(LegId(0), from, None)).expect("room");
    friend.send_to(&rtp(1), to).expect("sent");
    bench.settle(&friend, to);
    bench.outlets.orders.push(LegOrder::Dismiss(LegId(0))).expect("room");
    friend.send_to(&rtp(2), to).expect("sent");
    bench.settle(&friend, to);
    let counts = bench.thread.counts();
    assert_eq!((counts.media, counts.strangers), (1, 1));
    bench.thread.stop();
}

#[test]
fn a_flood_from_more_addresses_than_can_be_told_apart_leaves_those_who_are_known_their_share() {
    let bench = bench("127.0.0.1:0");
    let to = bench.at("127.0.0.1");
    bench.thread.known().replace([Ipv4Addr::new(127, 0, 1, 1).into()]);
    let [known, stranger] =
        [[127, 0, 1, 1], [127, 0, 1, 2]].map(|ip| UdpSocket::bind((Ipv4Addr::from(ip), 0)));
    let (known, stranger) = (known.expect("bound"), stranger.expect("bound"));
    for n in 0..100 {
        let flooder = UdpSocket::bind((Ipv4Addr::new(127, 0, 2, n), 0)).expect("bound");
        (0..20).for_each(|_| _ = flooder.send_to(b"VOX1 FLOOD", to).expect("sent"));
    }
    stranger.send_to(b"VOX1 STRANGER", to).expect("sent");
    known.send_to(b"VOX1 KNOWN", to).expect("sent");
    let heard = |wanted: &[u8]| {
        std::iter::from_fn(|| bench.events.recv_timeout(SHORT).ok())
            .any(|event| matches!(event, Event::Signal(_, _, bytes) if bytes == wanted))
    };
    assert!(heard(b"VOX1 KNOWN"), "{:?}", bench.thread.counts());
    bench.thread.stop();
}

#[test]
fn a_flood_of_signals_is_cut_off() {
    let bench = bench("127.0.0.1:0");
    let far = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("bound");
    for _ in 0..OF_ONE * 2 {
        far.send_to(b"VOX1 FLOOD", bench.at("127.0.0.1")).expect("sent");
    }
    far.send_to(&[b'V'; SIGNAL_BYTES + 1], bench.at("127.0.0.1")).expect("sent");
    far.send_to(b"\x00STUN", bench.at("127.0.0.1")).expect("sent");
    while bench.thread.counts().unknown == 0 {
        assert_ne!(bench.events.recv_timeout(SHORT), Err(RecvTimeoutError::Disconnected));
    }
    let counts = bench.thread.counts();
    assert!(counts.signals_dropped > 0, "{counts:?}");
    assert_eq!(counts.signals + counts.signals_dropped, u64::from(OF_ONE) * 2);
    assert_eq!(counts.oversize, 1);
    bench.thread.stop();
}

#[test]
fn no_socket_where_another_one_is() {
    let first = Socket::bind("127.0.0.1:0".parse().expect("an address"), 46).expect("bound");
    let refused = Socket::bind(first.local_addr().expect("bound"), 46);
    assert_eq!(refused.expect_err("taken").kind(), io::ErrorKind::AddrInUse);
}

#[test]
fn a_signal_that_the_agent_has_no_room_for_is_counted_as_dropped() {
    let bench = bench("127.0.0.1:0");
    let far = UdpSocket::bind("127.0.0.1:0").expect("bound");
    far.send_to(FULL, bench.at("127.0.0.1")).expect("sent");
    far.send_to(b"VOX1 settle", bench.at("127.0.0.1")).expect("sent");
    assert!(matches!(bench.next(), Event::Signal(_, _, bytes) if bytes == b"VOX1 settle"));
    let counters = bench.thread.counters();
    bench.thread.stop();
    assert_eq!((counters.signals.read(), counters.signals_dropped.read()), (1, 1));
}
