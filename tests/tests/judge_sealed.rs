//! A judge of SRTP that is not ours, libsrtp inside GStreamer: it opens what we seal and we open what it seals, to the
//! byte, over a roll-over of the sequence numbers and for reports.

use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use vox_peer::media::adapt::Plan;
use vox_peer::media::orders::{Codec, Coding};
use vox_peer::media::rtcp::{self, COMPOUND_BYTES};
use vox_peer::media::sender::{Beginning, PACKET_BYTES, Sender};
use vox_peer::media::srtp::keys::{DirectionKeys, MasterKey};
use vox_peer::media::srtp::{Opener, RTCP_EXTRA_BYTES, Sealer, TAG_BYTES};
use vox_tests::bed::{Place, Process, gstreamer, may, ports::Port, wait};

const SSRC: u32 = 0x5501_a0b2;

/// Far enough from the roll-over for either side to know which one it is.
const FIRST: u16 = 65_400;
const PACKETS: usize = 400;
const REPORTS: usize = 20;

const PACKAGE: &str = "gstreamer1.0-plugins-bad";

/// libsrtp takes one master key for both uses; ours may be two.
fn keys() -> DirectionKeys {
    let key = std::array::from_fn(|n| u8::try_from(n).expect("below 16"));
    let master = MasterKey { key, salt: *b"Quid pro quo" };
    DirectionKeys { srtp: master.clone(), srtcp: master }
}

fn key_in_hex() -> String {
    let MasterKey { key, salt } = &keys().srtp;
    key.iter().chain(salt).fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

/// GStreamer, which turns what we send to it into what it sends to us.
struct Judge {
    _gstreamer: Process,
    socket: UdpSocket,
    /// Where it takes RTP, and RTCP.
    ports: [Port; 2],
}

impl Judge {
    /// `pipeline` says what it does between the two ports of its own and ours.
    fn start(place: &Place, pipeline: impl FnOnce(u16, u16, u16) -> String) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("loopback");
        socket.set_read_timeout(Some(Duration::from_secs(10))).expect("set");
        let ports = [Port::claim(), Port::claim()];
        let ours = socket.local_addr().expect("bound").port();
        let pipeline = pipeline(ports[0].number(), ports[1].number(), ours);
        let gstreamer = gstreamer::launch(place, &pipeline);
        for port in &ports {
            wait::until("GStreamer to listen", 20, || is_bound(port.number()).then_some(()));
        }
        Self { _gstreamer: gstreamer, socket, ports }
    }

    /// Seals (`srtpenc`).
    fn that_seals(place: &Place) -> Self {
        let settings = "rtp-cipher=aes-128-gcm rtp-auth=null rtcp-cipher=aes-128-gcm rtcp-auth=null";
        let key = key_in_hex();
        Self::start(place, |rtp, rtcp, ours| {
            format!(
                "srtpenc name=seal key={key} {settings} \
                 udpsrc address=127.0.0.1 port={rtp} caps=application/x-rtp,payload=111 ! seal.rtp_sink_0 \
                 seal.rtp_src_0 ! udpsink host=127.0.0.1 port={ours} sync=false async=false \
                 udpsrc address=127.0.0.1 port={rtcp} caps=application/x-rtcp ! seal.rtcp_sink_0 \
                 seal.rtcp_src_0 ! udpsink host=127.0.0.1 port={ours} sync=false async=false"
            )
        })
    }

    /// Opens (`srtpdec`).
    fn that_opens(place: &Place) -> Self {
        let settings = format!(
            "ssrc=(uint){SSRC},srtp-key=(buffer){},srtp-cipher=(string)aes-128-gcm,srtp-auth=(string)null,\
             srtcp-cipher=(string)aes-128-gcm,srtcp-auth=(string)null",
            key_in_hex()
        );
        Self::start(place, |rtp, rtcp, ours| {
            format!(
                "srtpdec name=open \
                 udpsrc address=127.0.0.1 port={rtp} caps=application/x-srtp,payload=111,{settings} ! open.rtp_sink \
                 open.rtp_src ! udpsink host=127.0.0.1 port={ours} sync=false async=false \
                 udpsrc address=127.0.0.1 port={rtcp} caps=application/x-srtcp,{settings} ! open.rtcp_sink \
                 open.rtcp_src ! udpsink host=127.0.0.1 port={ours} sync=false async=false"
            )
        })
    }

    /// What it makes of an RTP packet.
    fn rtp(&self, packet: &[u8]) -> Vec<u8> {
        self.turn(packet, &self.ports[0])
    }

    /// What it makes of a compound RTCP packet.
    fn rtcp(&self, packet: &[u8]) -> Vec<u8> {
        self.turn(packet, &self.ports[1])
    }

    fn turn(&self, packet: &[u8], port: &Port) -> Vec<u8> {
        let to = SocketAddr::from(([127, 0, 0, 1], port.number()));
        self.socket.send_to(packet, to).expect("loopback");
        let mut turned = [0; 2_048];
        let length = self.socket.recv(&mut turned).expect("GStreamer's answer");
        turned[..length].to_vec()
    }
}

/// Whether somebody has bound this port on 127.0.0.1 (`/proc/net/udp`).
fn is_bound(port: u16) -> bool {
    let table = fs::read_to_string("/proc/net/udp").unwrap_or_default();
    table.contains(&format!("0100007F:{port:04X}"))
}

/// A stream of ours: Opus, with copies from the hundredth packet on.
fn packets() -> Vec<Vec<u8>> {
    let coding = Coding { codec: Codec::Opus, ptime_us: 10_000 };
    let beginning = Beginning { ssrc: SSRC, sequence: FIRST, time_stamp: 7 };
    let mut sender = Sender::new(coding, 64_000, beginning).expect("possible");
    let plan = Plan {
        ptime_us: 10_000,
        bitrate: 32_000,
        copies: 2,
        apart: Duration::from_millis(10),
        loss_percent: 0,
    };
    let packet = |number| {
        if number == 100 {
            sender.follow(&plan).expect("possible");
        }
        let mut buffer = [0; PACKET_BYTES];
        sender.packet(&[0.1; 480], &mut buffer).expect("right length").to_vec()
    };
    (0..PACKETS).map(packet).collect()
}

fn report() -> Vec<u8> {
    let mut buffer = [0; COMPOUND_BYTES];
    let outgoing = rtcp::Outgoing { ssrc: SSRC, cname: "alice", goodbye: false, ..Default::default() };
    let length = rtcp::write(&outgoing, &mut buffer).expect("fits");
    buffer[..length].to_vec()
}

#[test]
fn gstreamer_opens_what_we_seal() {
    let place = Place::new();
    let needs = gstreamer::there(&[("srtpdec", PACKAGE)]);
    let Some(()) = may("judge::gstreamer-opens", needs) else { return };
    let (judge, mut sealer) = (Judge::that_opens(&place), Sealer::new(&keys()));
    for (number, plain) in packets().into_iter().enumerate() {
        let mut sealed = [&plain[..], &[0; TAG_BYTES]].concat();
        assert_eq!(sealer.seal_rtp(&mut sealed, plain.len()), Ok(sealed.len()));
        assert_ne!(sealed[12..plain.len()], plain[12..]);
        assert_eq!(judge.rtp(&sealed), plain, "packet {number}");
    }
    let plain = report();
    for number in 0..REPORTS {
        let mut sealed = [&plain[..], &[0; RTCP_EXTRA_BYTES]].concat();
        assert_eq!(sealer.seal_rtcp(&mut sealed, plain.len()), Ok(sealed.len()));
        assert_eq!(judge.rtcp(&sealed), plain, "report {number}");
    }
}

#[test]
fn we_open_what_gstreamer_seals() {
    let place = Place::new();
    let needs = gstreamer::there(&[("srtpenc", PACKAGE)]);
    let Some(()) = may("judge::gstreamer-seals", needs) else { return };
    let (judge, mut opener) = (Judge::that_seals(&place), Opener::new(&keys()));
    for (number, plain) in packets().into_iter().enumerate() {
        let mut sealed = judge.rtp(&plain);
        assert_eq!(sealed.len(), plain.len() + TAG_BYTES);
        assert_eq!(opener.open_rtp(&mut sealed), Ok(plain.len()), "packet {number}");
        assert_eq!(sealed[..plain.len()], plain);
    }
    let plain = report();
    for number in 0..REPORTS {
        let mut sealed = judge.rtcp(&plain);
        assert_eq!(sealed.len(), plain.len() + RTCP_EXTRA_BYTES);
        assert_eq!(opener.open_rtcp(&mut sealed), Ok(plain.len()), "report {number}");
        assert_eq!(sealed[..plain.len()], plain);
    }
}
