//! The test-bed itself: each rig does what the tests believe it does.

use std::net::UdpSocket;
use std::process::Command;
use std::time::Duration;

use vox_tests::bed::forwarder::{Forwarder, Weather};
use vox_tests::bed::net::Net;
use vox_tests::bed::rsyslog::Rsyslog;
use vox_tests::bed::{Place, Process, may, wait};

#[test]
fn two_hosts_reach_each_other_by_every_address() {
    let Some(net) = may("bed::hosts", Net::new()) else { return };
    for address in [Net::B, Net::B_OTHER, Net::B6, Net::B6_OTHER] {
        let place = Place::new();
        let mut there = net.b().command("socat");
        let (listen, target) = if address.contains(':') {
            ("UDP6-LISTEN", format!("UDP6:[{address}]:7000"))
        } else {
            ("UDP4-LISTEN", format!("UDP4:{address}:7000"))
        };
        there.arg("-u").arg(format!("{listen}:7000")).arg(format!("CREATE:{}", place.at("heard").display()));
        let _there = Process::start("socat", &there, &place.at("socat.log"));
        wait::until(&format!("a word to {address}"), 10, || {
            let mut here: Command = net.a().command("sh");
            let _ = here.arg("-c").arg(format!("echo word | socat -u - {target}")).output();
            std::fs::read_to_string(place.at("heard")).is_ok_and(|heard| heard.contains("word")).then_some(())
        });
    }
}

#[test]
fn rsyslog_writes_down_what_it_is_told() {
    let place = Place::new();
    let Some(mut rsyslog) = may("bed::rsyslog", Rsyslog::start(&place)) else { return };
    let say = |word: &str| {
        let socket = rsyslog.target().replace("syslog:", "");
        let told = Command::new("logger").args(["-u", &socket, word]).status();
        assert!(told.is_ok_and(|status| status.success()));
    };
    say("first-word");
    rsyslog.wait_for("first-word");
    rsyslog.freeze();
    say("second-word");
    wait::pause(Duration::from_millis(100));
    assert!(!rsyslog.messages().contains("second-word"));
    rsyslog.thaw();
    rsyslog.wait_for("second-word");
    rsyslog.stop();
    rsyslog.start_again();
}

#[test]
fn the_forwarder_loses_what_the_dice_say() {
    let far = UdpSocket::bind("127.0.0.1:0").expect("loopback");
    far.set_read_timeout(Some(Duration::from_millis(300))).expect("a socket");
    let weather = Weather { loss: 0.2, seed: 7, ..Weather::default() };
    let forwarder = Forwarder::start(far.local_addr().expect("bound"), weather);
    let near = UdpSocket::bind("127.0.0.1:0").expect("loopback");
    for n in 0..200_u16 {
        near.send_to(&n.to_be_bytes(), forwarder.address()).expect("loopback");
        if n % 50 == 49 {
            let sent = usize::from(n) + 1;
            wait::until("the forwarder to keep up", 5, || (forwarder.passed().len() == sent).then_some(()));
        }
    }
    let mut bytes = [0; 16];
    let arrived = std::iter::from_fn(|| far.recv(&mut bytes).ok()).count();
    assert!((135..=185).contains(&arrived), "{arrived} of 200 with 20 % loss");
    assert_eq!(forwarder.passed().len(), 200);
}
