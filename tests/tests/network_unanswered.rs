//! Neighbours that do not exist: what a station answers to invented addresses on its own link waits in the kernel for an
//! address resolution that never comes (ARP, RFC 826; neighbour discovery, RFC 4861), and takes nothing away from a call.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use vox_common::sys::clock;
use vox_tests::bed::net::Net;
use vox_tests::bed::station::{Station, talk};
use vox_tests::bed::{Forger, Place, may, wait};

/// Between two forged datagrams: some 500 in a second.
const PAUSE: Duration = Duration::from_millis(2);

/// Invented neighbours.
const NEIGHBOURS: u8 = 64;

/// How long the flood lasts, and how long it is waited before what left is counted.
const FLOOD: Duration = Duration::from_secs(4);

/// What asks for an answer though nobody is known: an INVITE without a cookie, and the end of a call that never was.
fn forged(n: u32) -> Vec<u8> {
    let id = format!("{n:032x}");
    match n % 2 {
        0 => format!("{:0<128}", format!("VOX1 INVITE {id} pad=")).into_bytes(),
        _ => format!("VOX1 BYE {id} reason=hangup hello={} tag={}", "A".repeat(64), "A".repeat(22))
            .into_bytes(),
    }
}

/// Invented addresses on the link of host A, of which nobody answers for any.
fn neighbour(of: IpAddr, n: u8) -> SocketAddr {
    let ip = match of {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            IpAddr::from([a, b, c, 100 + n])
        }
        IpAddr::V6(v6) => {
            Ipv6Addr::from_bits(v6.to_bits() & !0xffff | u128::from(0x100 + u16::from(n))).into()
        }
    };
    (ip, 6000).into()
}

fn flood(victim: SocketAddr, stop: &AtomicBool) -> u32 {
    let forger = Forger::here().expect("root");
    let mut sent = 0;
    while !stop.load(Ordering::Relaxed) {
        let from = neighbour(victim.ip(), u8::try_from(sent % u32::from(NEIGHBOURS)).expect("small"));
        let _ = forger.send(from, victim, &forged(sent));
        sent += 1;
        clock::sleep_until(clock::now() + PAUSE);
    }
    sent
}

/// RTP packets a second that a station gives to the kernel, and that it does not take.
fn rates(station: &Station) -> (f64, f64) {
    let of = |key| station.figure("media", key);
    let (began, sent, unsent) = (clock::now(), of("packets-sent"), of("packets-unsent"));
    wait::pause(FLOOD);
    let seconds = (clock::now() - began).as_secs_f64();
    ((of("packets-sent") - sent) / seconds, (of("packets-unsent") - unsent) / seconds)
}

fn a_call_goes_on_while_answers_wait_for_nobody(here: &str, there: &str) {
    let place = Place::new();
    let Some(net) = may("network_unanswered::flood", Net::new()) else { return };
    let alice = Station::named("alice").within(&net.a()).on_every_address().start(&place);
    let bob = Station::named("bob").within(&net.b()).on_every_address().answering().start(&place);
    let host = |ip: &str, port| SocketAddr::new(ip.parse().expect("an address"), port);
    let _call = alice.begin(&["call", &host(there, bob.port()).to_string()]);
    talk(&alice, &bob, Duration::from_millis(1_000));
    let quiet = rates(&alice);
    let (stop, lost) = (AtomicBool::new(false), bob.figure("media", "packets-lost"));
    let (flooded, forged) = thread::scope(|scope| {
        let flooder = scope.spawn(|| net.on_b(|| flood(host(here, alice.port()), &stop)));
        let flooded = rates(&alice);
        stop.store(true, Ordering::Relaxed);
        (flooded, flooder.join().expect("it ends well"))
    });
    let lost = bob.figure("media", "packets-lost") - lost;
    assert!(forged > 500, "hardly a flood: {forged}");
    assert!(flooded.0 > 0.95 * quiet.0 && flooded.1 < 1.0, "{flooded:?} of {quiet:?} packets a second");
    assert!(lost < 10.0, "{lost} packets did not arrive");
    let withheld = alice.figure("datagrams", "withheld") + alice.figure("counters", "unanswered");
    assert!(withheld > 100.0, "{withheld} answers were not sent");
}

#[test]
fn a_call_over_ipv4_goes_on_while_answers_wait_for_nobody() {
    a_call_goes_on_while_answers_wait_for_nobody(Net::A, Net::B);
}

#[test]
fn a_call_over_ipv6_goes_on_while_answers_wait_for_nobody() {
    a_call_goes_on_while_answers_wait_for_nobody(Net::A6, Net::B6);
}
