//! What a frame costs: medians, in microseconds, of each step between microphone and loudspeaker.
//!
//! `cargo run --release -p vox-peer --example media_cost`
#![expect(clippy::print_stdout, reason = "it prints a table")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use vox_common::sys::clock;
use vox_peer::media::bank::{Bank, BankOrder};
use vox_peer::media::orders::{Codec, Coding, LegId};
use vox_peer::media::playout::Patience;
use vox_peer::media::profile::Profile;
use vox_peer::media::sender::{Beginning, PACKET_BYTES, Sender};
use vox_peer::media::stats::Stats;
use vox_peer::media::tones::Tone;
use vox_peer::opus::{Decoder, Encoder, EncoderSettings, LONGEST_PACKET};

const ROUNDS: usize = 2_000;

fn main() {
    println!("frame ms  complexity  encode µs  decode µs  conceal µs  % of a core");
    for frame in [120, 240, 480, 960] {
        for complexity in [0, 2, 5, 8, 10] {
            codec(frame, complexity);
        }
    }
    println!("\nframe ms  legs  push and pull of one frame µs");
    for ptime_us in [2_500, 5_000, 10_000, 20_000] {
        for legs in [0, 1, 8] {
            bank(ptime_us, legs);
        }
    }
}

fn codec(frame: usize, complexity: u8) {
    let mut encoder =
        Encoder::new(EncoderSettings { complexity, ..EncoderSettings::default() }).expect("possible");
    let (mut decoder, mut loser) = (Decoder::new().expect("memory"), Decoder::new().expect("memory"));
    let (mut packet, mut out) = ([0; 1_500], vec![0.0; LONGEST_PACKET]);
    let mut sound = Voice::default();
    let mut costs = [(); 3].map(|()| Vec::with_capacity(ROUNDS));
    for round in 0..ROUNDS {
        let samples = sound.next(frame);
        let mut bytes = 0;
        costs[0].push(timed(|| bytes = encoder.encode(&samples, &mut packet).expect("right length")));
        costs[1].push(timed(|| _ = decoder.decode(&packet[..bytes], &mut out)));
        if round % 10 == 0 {
            costs[2].push(timed(|| loser.conceal(&mut out[..frame]).expect("right length")));
        } else {
            let _ = loser.decode(&packet[..bytes], &mut out);
        }
    }
    let [encode, decode, conceal] = costs.map(median);
    let share = (encode + decode) / (frame_us(frame)) * 100.0;
    println!(
        "{:8.1}  {complexity:10}  {encode:9.1}  {decode:9.1}  {conceal:10.1}  {share:11.2}",
        frame_us(frame) / 1_000.0
    );
}

fn bank(ptime_us: u32, legs: u8) {
    let mut now = clock::now();
    let mut bank = Bank::new(Arc::new(Stats::default()), now).expect("memory");
    let patience = Patience::of(&Profile::Lan.numbers(), 0);
    (0..legs).for_each(|leg| bank.order(BankOrder::Join { leg: LegId(leg), patience }));
    let beginning = Beginning { ssrc: 1, sequence: 0, time_stamp: 0 };
    let mut sender =
        Sender::new(Coding { codec: Codec::Opus, ptime_us }, 64_000, beginning).expect("possible");
    let mut sound = Voice::default();
    let (mut buffer, mut out) = ([0; PACKET_BYTES], vec![0.0; sender.frame_samples()]);
    let mut costs = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let packet = sender.packet(&sound.next(out.len()), &mut buffer).expect("right length");
        costs.push(timed(|| {
            (0..legs).for_each(|leg| bank.push(LegId(leg), packet, now));
            bank.pull(now, &mut out);
        }));
        now += Duration::from_micros(ptime_us.into());
    }
    println!("{:8.1}  {legs:4}  {:28.1}", f64::from(ptime_us) / 1_000.0, median(costs));
}

fn frame_us(frame: usize) -> f64 {
    f64::from(u32::try_from(frame).expect("small")) / 0.048
}

fn timed(act: impl FnOnce()) -> Duration {
    let before: Instant = clock::now();
    act();
    clock::now().duration_since(before)
}

fn median(mut costs: Vec<Duration>) -> f64 {
    costs.sort_unstable();
    costs[costs.len() / 2].as_secs_f64() * 1e6
}

/// Three tones that come and go: something to do for the codec.
struct Voice {
    tones: [Tone; 3],
    at: f32,
}

impl Default for Voice {
    fn default() -> Self {
        Self { tones: [140.0, 660.0, 2_310.0].map(|hz| Tone::new(hz, 0.2)), at: 0.0 }
    }
}

impl Voice {
    fn next(&mut self, samples: usize) -> Vec<f32> {
        let mut sum = vec![0.0; samples];
        let mut part = sum.clone();
        for (number, tone) in (1_u8..).zip(&mut self.tones) {
            self.at += 0.01;
            tone.fill(&mut part);
            let loudness = (self.at * f32::from(number)).sin().abs();
            sum.iter_mut().zip(&part).for_each(|(sum, part)| *sum += loudness * part);
        }
        sum
    }
}
