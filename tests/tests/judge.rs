//! Judges that are not ours: tshark reads what we send, GStreamer plays it, and we play what GStreamer sends.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use vox_tests::bed::forwarder::{Forwarder, Passed, Weather};
use vox_tests::bed::need;
use vox_tests::bed::station::{Station, talk};
use vox_tests::bed::wav::Recording;
use vox_tests::bed::{Place, gstreamer, listen, may, pcap, ports::Port, wait};

/// Alice, who says a tone of 440 Hz, calls bob, who says nothing, through a forwarder that keeps a copy.
fn a_call(place: &Place, length: Duration) -> (Station, Station, Forwarder) {
    a_call_in(Weather::default(), place, length)
}

fn a_call_in(weather: Weather, place: &Place, length: Duration) -> (Station, Station, Forwarder) {
    let bob = Station::named("bob").answering().set("security.media", "off").set("audio.input", "silence");
    let bob = bob.set("audio.output", format!("file:{}", place.at("bob.wav").display())).start(place);
    let alice = Station::named("alice").set("security.media", "off").start(place);
    let forwarder = Forwarder::start(at(bob.port()), weather);
    let _call = alice.begin(&["call", "--detach", &forwarder.address().to_string()]);
    talk(&alice, &bob, length);
    assert_eq!(alice.run(&["hangup"]).code, 0);
    bob.wait_until("idle");
    (alice, bob, forwarder)
}

fn at(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// What tshark prints of some fields of the packets that match.
fn tshark(capture: &Path, matching: &str, fields: &[&str]) -> Vec<String> {
    let mut command = Command::new("tshark");
    command.args(["-n", "-r"]).arg(capture).args(["-Y", matching, "-T", "fields"]);
    // Which payload types are Opus and redundancy (RFC 2198) is said in signals, too.
    command.args(["-d", "rtp.pt==112,rtp_rfc2198", "-d", "rtp.pt==111,opus"]);
    // Which ports carry RTP is said in signals that tshark does not know.
    for port in [pcap::CALLER_PORT, pcap::CALLEE_PORT] {
        command.args(["-d", &format!("udp.port=={port},rtp")]);
    }
    command.args(fields.iter().flat_map(|field| ["-e", field]));
    let output = command.output().expect("tshark starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

#[test]
fn tshark_reads_our_rtp_and_rtcp_without_complaint() {
    let place = Place::new();
    let Some(()) = may("judge::tshark", need::program("tshark", "tshark")) else { return };
    let (_alice, _bob, forwarder) = a_call(&place, Duration::from_millis(3500));
    let capture = place.at("call.pcap");
    let media =
        forwarder.passed().into_iter().filter(|passed| passed.bytes.first().is_some_and(|byte| *byte >= 128));
    let media: Vec<Passed> = media.collect();
    pcap::write(&capture, &media).expect("a private directory");

    let complaints = tshark(
        &capture,
        "_ws.malformed || _ws.expert.severity >= 6291456",
        &["frame.number", "_ws.col.Info"],
    );
    assert!(complaints.is_empty(), "{complaints:#?}");
    let kinds = tshark(&capture, "rtp", &["udp.srcport", "rtp.version", "rtp.p_type", "rtp.ssrc"]);
    let from_alice = format!("{}\t2\t111\t", pcap::CALLER_PORT);
    assert!(
        kinds.iter().filter(|line| line.starts_with(&from_alice)).count() > 250,
        "{} packets",
        kinds.len()
    );
    let reports = tshark(&capture, "rtcp", &["udp.srcport", "rtcp.pt"]);
    for port in [pcap::CALLER_PORT, pcap::CALLEE_PORT] {
        let ours = reports.iter().filter(|line| line.starts_with(&port.to_string()));
        let types: Vec<&str> = ours.filter_map(|line| line.split('\t').nth(1)).collect();
        assert!(
            types.iter().any(|types| types.starts_with("200")),
            "sender reports from {port}: {reports:?}"
        );
        assert!(
            types.iter().any(|types| types.contains("207")),
            "extended reports (RFC 3611) from {port}: {reports:?}"
        );
    }
    assert_eq!(tshark(&capture, "!rtp && !rtcp", &["frame.number"]), Vec::<String>::new());
    streams_are_whole(&capture);
}

#[test]
fn tshark_reads_our_copies_as_redundancy_of_opus() {
    let place = Place::new();
    let Some(()) = may("judge::tshark", need::program("tshark", "tshark")) else { return };
    let weather = Weather { loss: 0.15, seed: 1, ..Weather::default() };
    let (_alice, _bob, forwarder) = a_call_in(weather, &place, Duration::from_secs(5));
    let capture = place.at("call.pcap");
    forwarder.write_capture(&capture);

    let from_alice = format!("rtp.p_type == 112 && udp.srcport == {}", pcap::CALLER_PORT);
    let packets = tshark(
        &capture,
        &from_alice,
        &["rtp.timestamp-offset", "rtp.block-length", "rtp.follow", "_ws.malformed"],
    );
    assert!(packets.len() > 50, "{} packets with copies", packets.len());
    for packet in packets {
        let fields: Vec<&str> = packet.split('\t').collect();
        let [offsets, lengths, follow, malformed] = fields[..] else { panic!("{packet}") };
        assert_eq!(malformed, "", "{packet}");
        let numbers =
            |field: &str| field.split(',').filter_map(|n| n.parse::<u32>().ok()).collect::<Vec<_>>();
        // A copy is some frames older, and a header of four bytes each stands before that of the newest frame.
        assert!(!offsets.is_empty(), "no copies in {packet}");
        assert!(numbers(offsets).iter().all(|offset| *offset > 0 && offset.is_multiple_of(120)), "{packet}");
        assert!(numbers(lengths).iter().all(|length| *length > 0), "{packet}");
        assert_eq!(follow.split(',').count(), numbers(offsets).len() + 1, "{packet}");
    }
}

/// tshark's own analysis of RTP streams finds nothing lost and no sequence errors.
fn streams_are_whole(capture: &Path) {
    let mut command = Command::new("tshark");
    command.args(["-n", "-q", "-z", "rtp,streams", "-r"]).arg(capture);
    for port in [pcap::CALLER_PORT, pcap::CALLEE_PORT] {
        command.args(["-d", &format!("udp.port=={port},rtp")]);
    }
    let table = String::from_utf8_lossy(&command.output().expect("tshark starts").stdout).into_owned();
    let streams = table.lines().filter(|line| line.contains("127.0.0.")).collect::<Vec<_>>();
    assert_eq!(streams.len(), 2, "{table}");
    assert!(streams.iter().all(|line| line.contains("0 (0.0%)")), "{table}");
    assert!(
        streams.iter().any(|line| line.to_lowercase().contains("opus") || line.contains("111")),
        "{table}"
    );
}

/// What plays and sends Opus, by package.
const PLAYING: [(&str, &str); 3] = [
    ("opusdec", "gstreamer1.0-plugins-base"),
    ("rtpopusdepay", "gstreamer1.0-plugins-good"),
    ("wavenc", "gstreamer1.0-plugins-good"),
];

#[test]
fn gstreamer_plays_what_we_send() {
    let place = Place::new();
    let Some(()) = may("judge::gstreamer-plays", gstreamer::there(&PLAYING)) else { return };
    let (_alice, _bob, forwarder) = a_call(&place, Duration::from_secs(3));
    let port = Port::claim();
    let file = place.at("gst.wav");
    let mut player = gstreamer::launch(
        &place,
        &format!(
            "udpsrc address=127.0.0.1 port={} caps=application/x-rtp,media=audio,clock-rate=48000,encoding-name=OPUS,payload=111 \
             ! rtpjitterbuffer latency=50 ! rtpopusdepay ! opusdec ! audioconvert ! audioresample \
             ! audio/x-raw,format=S16LE,rate=48000,channels=1 ! wavenc ! filesink location={}",
            port.number(),
            file.display()
        ),
    );
    wait::until("GStreamer to open its file", 20, || file.exists().then_some(()));
    replay(&forwarder.passed(), at(port.number()));
    wait::pause(Duration::from_millis(300));
    player.signal(nix::sys::signal::Signal::SIGINT);
    player.wait(10);
    let heard = Recording::read(&file);
    let middle = heard.piece(heard.seconds() / 2.0, 1.0);
    assert!(listen::tone_share(&middle, 440.0) > 0.9, "{} s, level {}", heard.seconds(), middle.level());
}

/// Sends alice's RTP again, at its own pace.
fn replay(passed: &[Passed], to: SocketAddr) {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("loopback");
    let rtp = |passed: &&Passed| {
        passed.forth
            && passed.bytes.get(1).is_some_and(|byte| byte & 0x7f == 111)
            && passed.bytes[0] >> 6 == 2
    };
    let packets: Vec<&Passed> = passed.iter().filter(rtp).collect();
    assert!(packets.len() > 200, "{} packets", packets.len());
    for two in packets.windows(2) {
        socket.send_to(&two[0].bytes, to).expect("loopback");
        wait::pause(two[1].at.saturating_sub(two[0].at).min(Duration::from_millis(50)));
    }
}

#[test]
fn we_play_what_gstreamer_sends() {
    let place = Place::new();
    let Some(()) = may("judge::gstreamer-sends", gstreamer::there(&PLAYING)) else { return };
    let port = Port::claim();
    let _sender = gstreamer::launch(
        &place,
        &format!(
            "audiotestsrc is-live=true freq=880 volume=0.5 samplesperbuffer=480 ! audio/x-raw,rate=48000,channels=1 \
             ! opusenc frame-size=20 ! rtpopuspay pt=111 ! udpsink host=127.0.0.1 port={}",
            port.number()
        ),
    );
    let file = place.at("bob.wav");
    let bob = Station::named("bob").answering().set("security.media", "off").set("audio.input", "silence");
    let bob = bob.set("audio.output", format!("file:{}", file.display())).start(&place);
    let alice = Station::named("alice").set("security.media", "off").start(&place);
    let forwarder = Forwarder::speaking_for_the_caller(at(bob.port()), port.number());
    let _call = alice.begin(&["call", "--detach", &forwarder.address().to_string()]);
    talk(&alice, &bob, Duration::from_secs(3));
    assert_eq!(alice.run(&["hangup"]).code, 0);
    bob.wait_until("idle");
    let heard = Recording::read(&file);
    let middle = heard.piece(heard.seconds() / 2.0, 1.0);
    assert!(listen::tone_share(&middle, 880.0) > 0.9, "{} s, level {}", heard.seconds(), middle.level());
}
