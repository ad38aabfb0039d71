//! Somebody listens on the cable to everything that two stations say, from their registration to the end of a call: he
//! learns that they talk, and nothing else. Both speak what he knows by heart.

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::Duration;

use vox_peer::media::orders::{Codec, Coding};
use vox_peer::media::rtp::{OPUS, Packet};
use vox_peer::media::sender::{Beginning, PACKET_BYTES, Sender};
use vox_tests::bed::net::Net;
use vox_tests::bed::station::talk;
use vox_tests::bed::tap::Overheard;
use vox_tests::bed::wav::Recording;
use vox_tests::bed::{Place, Registry, Station, Tap, may, need};
use vox_tests::eavesdrop::{entropy, known_share, likeness, tells};

/// Where they meet.
const ROOM: &str = "mahogany-row";

/// Nobody may read these. The last ones are how a hello writes things.
const WORDS: [&str; 13] = [
    ROOM,
    "windmill",
    "persephone",
    "prometheus",
    "Ninotchka",
    "Rotwang",
    "opus",
    "l16",
    "voice",
    "codec=",
    "ptime=",
    "display=",
    "from=",
];

/// What both say, twice, with silence as long as a sentence after it.
fn speech() -> Recording {
    let mut speech = Recording::read(&need::top().join("tests/speech/alice.wav")).at_48_khz().piece(0.0, 1.5);
    speech.samples.resize(2 * speech.samples.len(), 0.0);
    speech
}

/// What was heard of a call of two who spoke it, with their media `required` to be sealed, or `off`.
fn overheard(coding: Coding, media: &str) -> Option<Vec<Overheard>> {
    let place = Place::new();
    let net = may("hostile_ears::hosts", Net::new())?;
    let (tap, hosts) = (may("hostile_ears::tap", net.on_b(Tap::here))?, [net.a(), net.b()]);
    speech().write(&place.at("speech.wav"));
    let registry = Registry::with(&place, &net.a(), Net::A, |_| {});
    let named = |name, display, host| {
        Station::named(name)
            .within(host)
            .on_every_address()
            .registry(&registry)
            .set("display", display)
            .set("codec.name", coding.codec.to_string())
            .set("audio.ptime-ms", f64::from(coding.ptime_us) / 1e3)
            .set("audio.input", format!("file:{}", place.at("speech.wav").display()))
            .set("security.media", media)
    };
    let alice = named("persephone", "Ninotchka", &hosts[0]).start(&place);
    let bob = named("prometheus", "Rotwang", &hosts[1]).answering().start(&place);
    alice.wait_for_registry();
    bob.wait_for_registry();
    for order in [["create", ROOM, "4"], ["msg", "persephone", "meet me at the windmill"]] {
        assert_eq!(bob.run(&order).code, 0, "{order:?}");
    }
    let _call = alice.begin(&["call", "prometheus"]);
    talk(&alice, &bob, Duration::from_millis(3_500));
    assert_eq!(alice.run(&["hangup"]).code, 0);
    bob.wait_until("idle");
    Some(tap.overheard())
}

fn datagrams(all: &[Overheard]) -> Vec<&Overheard> {
    all.iter().filter(|said| said.protocol == Overheard::UDP).collect()
}

/// RTP alone: header and payload.
fn packets(all: &[Overheard]) -> Vec<(u16, Packet<'_>)> {
    let is_rtp =
        |bytes: &[u8]| bytes.len() > 12 && bytes[0] >> 6 == 2 && !(64..=95).contains(&(bytes[1] & 127));
    let rtp = datagrams(all).into_iter().filter(|said| is_rtp(&said.bytes));
    rtp.map(|said| (said.from, Packet::parse(&said.bytes).expect("an RTP header"))).collect()
}

fn is_rtp_or_rtcp(bytes: &[u8]) -> bool {
    bytes[0] >> 6 == 2
}

fn payloads(all: &[Overheard]) -> Vec<Vec<u8>> {
    packets(all).into_iter().map(|(_, packet)| packet.payload.to_vec()).collect()
}

const OPUS_10_MS: Coding = Coding { codec: Codec::Opus, ptime_us: 10_000 };
const L16_5_MS: Coding = Coding { codec: Codec::L16, ptime_us: 5_000 };

/// Which of the words can be read, in a datagram or on the way to the registry.
fn read(all: &[Overheard]) -> BTreeSet<&str> {
    let heard = |start: &[u8]| all.iter().any(|said| said.bytes.starts_with(start));
    assert!(heard(b"VOX1 ACCEPT ") && heard(b"220 vox-registry "), "the tap hears");
    WORDS.into_iter().filter(|word| all.iter().any(|said| tells(&said.bytes, word))).collect()
}

/// The share of packets in which stands what Opus, which gives the same bytes for the same sound, makes of the speech.
fn share_that_is_known(all: &[Overheard]) -> f64 {
    let beginning = Beginning { ssrc: 0, sequence: 0, time_stamp: 0 };
    let mut sender = Sender::new(OPUS_10_MS, 64_000, beginning).expect("the codec has such frames");
    let (speech, mut room) = (speech(), [0; PACKET_BYTES]);
    let frames = speech.samples.chunks_exact(sender.frame_samples());
    let known: Vec<Vec<u8>> =
        frames.map(|frame| sender.packet(frame, &mut room).expect("right length")[12..].to_vec()).collect();
    assert!(payloads(all).len() > 300, "both speak");
    known_share(&payloads(all), &known)
}

/// Of two packets of a time at which somebody speaks, how much the one is like the speech that is more like it.
fn likeness_to_speech(all: &[Overheard]) -> f64 {
    let sample = |two: &[u8]| f32::from(i16::from_be_bytes([two[0], two[1]])) / 32_768.0;
    let (payloads, speech) = (payloads(all), speech());
    let pieces = payloads.iter().skip(100).step_by(60).take(2);
    pieces
        .map(|payload| likeness(&payload.chunks_exact(2).map(sample).collect::<Vec<_>>(), &speech.samples))
        .fold(0.0, f64::max)
}

/// While somebody speaks and while nobody does, packets are as long.
fn lengths_tell_nothing(all: &[Overheard]) {
    let mut lengths: BTreeMap<u16, BTreeSet<usize>> = BTreeMap::new();
    for (from, packet) in packets(all).iter().filter(|(_, packet)| packet.header.payload_type == OPUS) {
        lengths.entry(*from).or_default().insert(packet.payload.len());
    }
    assert!(lengths.len() == 2 && lengths.values().all(|lengths| lengths.len() == 1), "{lengths:?}");
}

/// Two packets that are sealed with the same number under the same key would tell of each other.
fn no_number_is_used_twice(all: &[Overheard]) {
    let headers = || packets(all).into_iter().map(|(from, packet)| (from, packet.header));
    let numbers: BTreeSet<_> = headers().map(|(from, header)| (from, header.ssrc, header.sequence)).collect();
    assert_eq!(numbers.len(), headers().count());
}

#[test]
fn neither_names_nor_what_is_said_nor_how_can_be_made_out() {
    let Some(all) = overheard(OPUS_10_MS, "required") else { return };
    assert_eq!(read(&all), BTreeSet::new());
    let share = share_that_is_known(&all);
    assert!(share < 0.001, "{share} of all packets are known");
    lengths_tell_nothing(&all);
    no_number_is_used_twice(&all);
}

#[test]
fn uncompressed_speech_is_noise_to_whoever_listens() {
    let Some(all) = overheard(L16_5_MS, "required") else { return };
    let (bits, like) = (entropy(payloads(&all).iter().flatten()), likeness_to_speech(&all));
    assert!(bits > 7.99, "{bits} bits in a byte");
    assert!(like < 0.5, "like what was spoken: {like}");
    no_number_is_used_twice(&all);
}

/// The ears above are good: they hear what is there to be heard.
#[test]
fn where_both_want_their_media_open_it_is_heard_and_their_signals_still_tell_nothing() {
    let calls = [OPUS_10_MS, L16_5_MS].map(|coding| thread::spawn(move || overheard(coding, "off")));
    let [Some(opus), Some(l16)] = calls.map(|call| call.join().expect("both talk")) else { return };
    let signals: Vec<_> = opus.iter().filter(|said| !is_rtp_or_rtcp(&said.bytes)).cloned().collect();
    assert_eq!(read(&signals), BTreeSet::new());
    let share = share_that_is_known(&opus);
    assert!(share > 0.5, "{share} of all packets are known");
    let (bits, like) = (entropy(payloads(&l16).iter().flatten()), likeness_to_speech(&l16));
    assert!(bits < 6.0, "{bits} bits in a byte");
    assert!(like > 0.99, "like what was spoken: {like}");
}
