//! Who only sees the lengths of packets learns nothing of what is said (RFC 6562): speech, noise and silence make packets
//! of the same lengths, whatever the settings and whatever the path asks for.

use std::sync::OnceLock;
use std::time::Duration;

use proptest::prelude::*;
use vox_peer::media::adapt::Plan;
use vox_peer::media::orders::{Codec, Coding};
use vox_peer::media::sender::{Beginning, PACKET_BYTES, Sender};
use vox_tests::voice::speech;

/// Frames from one change of the plan to the next.
const FRAMES: usize = 12;

/// Two sentences with their pauses, at 48 kHz.
fn spoken() -> &'static [f32] {
    static SPOKEN: OnceLock<Vec<f32>> = OnceLock::new();
    SPOKEN.get_or_init(|| speech::sentences().into_iter().flat_map(|sentence| sentence.spoken).collect())
}

/// What a microphone hears.
#[derive(Debug, Clone, Copy)]
enum Sound {
    Silence,
    Speech { from: usize, loudness: f32 },
    Noise { seed: u32 },
}

impl Sound {
    fn samples(self, at: usize, count: usize) -> Vec<f32> {
        match self {
            Self::Silence => vec![0.0; count],
            Self::Speech { from, loudness } => {
                let speech = spoken().iter().cycle().skip((from + at) % spoken().len());
                speech.take(count).map(|sample| loudness * sample).collect()
            }
            Self::Noise { seed } => (at..at + count).map(|n| noise(seed, n)).collect(),
        }
    }
}

/// Anything that has no pattern.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "only the low bits count")]
fn noise(seed: u32, n: usize) -> f32 {
    let mixed = (n as u32 ^ seed).wrapping_mul(0x9e37_79b9);
    (mixed ^ (mixed >> 15)).wrapping_mul(0x85eb_ca6b) as f32 / u32::MAX as f32 - 0.5
}

/// Lengths and headers of the packets of a sound that is sent by these plans, one after the other.
fn seen(coding: Coding, plans: &[Plan], sound: Sound) -> Vec<(usize, Vec<u8>)> {
    let beginning = Beginning { ssrc: 1, sequence: 2, time_stamp: 3 };
    let mut sender = Sender::new(coding, plans[0].bitrate, beginning).expect("possible");
    let (mut at, mut seen) = (0, Vec::new());
    for plan in plans {
        sender.follow(plan).expect("possible");
        let samples = plan.ptime_us as usize * 48 / 1_000;
        for _ in 0..FRAMES {
            let mut buffer = [0; PACKET_BYTES];
            let packet = sender.packet(&sound.samples(at, samples), &mut buffer).expect("right length");
            seen.push((packet.len(), packet[..12].to_vec()));
            at += samples;
        }
    }
    seen
}

fn plan() -> impl Strategy<Value = Plan> {
    let ptime = prop::sample::select(vec![2_500, 5_000, 10_000, 20_000]);
    let loss = prop::sample::select(vec![0, 5, 20, 50]);
    let apart = prop::sample::select(vec![0, 10, 30]).prop_map(Duration::from_millis);
    (ptime, 6_000_u32..200_000, 0_u8..3, apart, loss).prop_map(
        |(ptime_us, bitrate, copies, apart, loss_percent)| Plan {
            ptime_us,
            bitrate,
            copies,
            apart,
            loss_percent,
        },
    )
}

fn sound() -> impl Strategy<Value = Sound> {
    let loudness = prop::sample::select(vec![0.001_f32, 0.1, 1.0, 8.0]);
    prop_oneof![
        3 => (0_usize..400_000, loudness).prop_map(|(from, loudness)| Sound::Speech { from, loudness }),
        1 => any::<u32>().prop_map(|seed| Sound::Noise { seed }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// `ptime_us` is how the leg began: voice mode, with spares of the codec's own, where it is 20 ms.
    #[test]
    fn packets_of_opus_are_as_long_in_silence_as_in_speech(
        ptime_us in prop::sample::select(vec![2_500, 10_000, 20_000]),
        plans in prop::collection::vec(plan(), 1..4),
        sound in sound(),
    ) {
        let coding = Coding { codec: Codec::Opus, ptime_us };
        prop_assert_eq!(seen(coding, &plans, sound), seen(coding, &plans, Sound::Silence));
    }

    #[test]
    fn packets_of_uncompressed_sound_are_as_long_in_silence_as_in_speech(
        copies in 0_u8..3,
        ptime_us in prop::sample::select(vec![1_250, 2_500, 10_000]),
        sound in sound(),
    ) {
        let coding = Coding { codec: Codec::L16, ptime_us };
        let plan = Plan { ptime_us, bitrate: 64_000, copies, apart: Duration::ZERO, loss_percent: 0 };
        prop_assert_eq!(seen(coding, &[plan], sound), seen(coding, &[plan], Sound::Silence));
    }
}
