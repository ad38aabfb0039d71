//! A sender, a network with a seed, and a card, on virtual time. Every sample carries its own capture time, so that
//! the delay of what is heard can be read off it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use vox_common::sys::clock;
use vox_peer::media::playout::{Counters, Patience, Playout};
use vox_peer::media::profile::Profile;
use vox_peer::media::rtp::{Header, L16};

/// What a network does to packets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Weather {
    /// Samples in a packet.
    pub(crate) frame: u64,
    /// Samples in a pull.
    pub(crate) period: u64,
    /// Samples that the sender captures at a time; 0: a frame.
    pub(crate) captured: u64,
    /// Of a hundred packets, how many are lost.
    pub(crate) loss: u64,
    /// Mean length of a burst of losses in packets (Gilbert and Elliott); 1: each by itself.
    pub(crate) burst: u64,
    /// Of a hundred packets, how many come twice.
    pub(crate) twice: u64,
    /// The network delays each packet by 0 to so many samples.
    pub(crate) jitter: u64,
    /// From this sample on it does not.
    pub(crate) calm_from: u64,
    /// The sender's clock is fast by so many millionths.
    pub(crate) drift: i64,
    /// What the station believes of its network.
    pub(crate) profile: Profile,
    /// The fastest packets wait at least so many samples.
    pub(crate) target: u32,
    /// And at most so many; `None`: as the profile has it.
    pub(crate) most: Option<i64>,
    /// From which to which sample of the whole the network holds everything back.
    pub(crate) stall: (u64, u64),
}

impl Weather {
    /// What the playout is told to wait for.
    fn patience(&self) -> Patience {
        let patience = Patience::of(&self.profile.numbers(), 0);
        Patience { least: self.target.into(), most: self.most.unwrap_or(patience.most), ..patience }
    }

    /// Whether the next packet is lost; in the bad state all are.
    fn loses(&self, is_bad: bool, dice: &mut Dice) -> bool {
        if self.burst == 1 {
            return dice.below(100) < self.loss;
        }
        let worsens = 100 * self.loss / (100 - self.loss);
        let dice = dice.below(100 * 100 * self.burst);
        if is_bad { dice >= 10_000 } else { dice < 100 * worsens }
    }
}

/// No trouble at all.
pub(crate) const CALM: Weather = Weather {
    frame: 240,
    period: 240,
    captured: 0,
    loss: 0,
    burst: 1,
    twice: 0,
    jitter: 0,
    calm_from: u64::MAX,
    drift: 0,
    profile: Profile::Lan,
    target: 0,
    most: None,
    stall: (0, 0),
};

/// What came of it.
pub(crate) struct Outcome {
    /// For each pull: the time it was made, and the delay of its last sample; `None` if that was made up.
    pub(crate) delays: Vec<(u64, Option<u64>)>,
    /// What the playout counted.
    pub(crate) counters: Counters,
}

impl Outcome {
    /// Median and 99th percentile of the delay between two times, in samples.
    pub(crate) fn percentiles(&self, from: u64, to: u64) -> (u64, u64) {
        let inside = self.delays.iter().filter(|(at, _)| (from..to).contains(at));
        let mut delays: Vec<u64> = inside.filter_map(|(_, delay)| *delay).collect();
        delays.sort_unstable();
        assert!(!delays.is_empty(), "nothing was heard from {from} to {to}");
        (delays[delays.len() / 2], delays[delays.len() * 99 / 100])
    }

    /// The share of samples that was made up, in ten thousandths.
    pub(crate) fn made_up(&self) -> u64 {
        self.counters.concealed * 10_000 / self.counters.samples
    }
}

/// A small generator (splitmix64).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// 0 to `end` − 1.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end.max(1)
    }
}

/// Plays `seconds` through the weather.
pub(crate) fn run(weather: Weather, seed: u64, seconds: u64) -> Outcome {
    let (start, end) = (clock::now(), seconds * 48_000);
    let arrivals = arrivals(weather, &mut Dice(seed), end);
    let mut arrivals = arrivals.iter().peekable();
    let mut playout = Playout::new(start).expect("memory");
    playout.set_patience(weather.patience());
    let mut out = vec![0.0; usize::try_from(weather.period).expect("small")];
    let mut delays = Vec::new();
    // The card asks 1 ms after the sender's frames are complete, as if there were a millisecond of network.
    for now in (48..end).step_by(usize::try_from(weather.period).expect("small")) {
        while let Some(((arrived, _), packet)) = arrivals.next_if(|((arrived, _), _)| *arrived <= now) {
            playout.push(packet, at(start, *arrived));
        }
        out.fill(f32::NAN);
        playout.pull(at(start, now), &mut out);
        assert!(out.iter().all(|sample| sample.is_finite()), "every sample is filled");
        let drifted = (now.cast_signed() * weather.drift / 1_000_000).cast_unsigned();
        delays.push((now, delay((now + weather.period).wrapping_add(drifted), &out)));
    }
    Outcome { delays, counters: playout.counters() }
}

fn at(start: Instant, samples: u64) -> Instant {
    start + Duration::from_nanos(samples * 1_000_000_000 / 48_000)
}

/// Packets by arrival.
fn arrivals(weather: Weather, dice: &mut Dice, end: u64) -> BTreeMap<(u64, u64), Vec<u8>> {
    let (mut arrivals, mut is_bad) = (BTreeMap::new(), false);
    for number in 0..end / weather.frame {
        let media = number * weather.frame;
        // A clock that is fast has captured the frame earlier.
        let complete = (media + weather.frame).next_multiple_of(weather.captured.max(1));
        let captured = complete.saturating_add_signed(-(complete.cast_signed() * weather.drift / 1_000_000));
        is_bad = weather.loses(is_bad, dice);
        if is_bad {
            continue;
        }
        let copies = 1 + u64::from(dice.below(100) < weather.twice);
        for copy in 0..copies {
            let jitter = if captured < weather.calm_from { weather.jitter } else { 0 };
            let mut arrived = captured + dice.below(jitter);
            if (weather.stall.0..weather.stall.1).contains(&arrived) {
                arrived = weather.stall.1;
            }
            arrivals.insert((arrived, 2 * number + copy), packet(weather, number, media));
        }
    }
    arrivals
}

/// A packet in which each sample is its own capture time modulo 2^15.
fn packet(weather: Weather, number: u64, media: u64) -> Vec<u8> {
    #[expect(clippy::cast_possible_truncation, reason = "counters wrap")]
    let (sequence, time_stamp) = (number as u16, media as u32);
    let header = Header { marker: false, payload_type: L16, sequence, time_stamp, ssrc: 1 };
    let mut packet = header.to_bytes().to_vec();
    for sample in media..media + weather.frame {
        packet.extend_from_slice(&u16::try_from(sample % 32_768).expect("15 bits").to_be_bytes());
    }
    packet
}

/// How long ago the last sample was captured, if the end of `out` is as it was sent, or a little faster or slower.
fn delay(now: u64, out: &[f32]) -> Option<u64> {
    let whole = |sample: f32| f64::from(sample) * 32_768.0;
    let (before, last) = (whole(out[out.len() - 2]), whole(out[out.len() - 1]));
    let true_sound = (last - before - 1.0).abs() < 0.1;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "15 bits")]
    true_sound.then(|| (now + 32_768 - 1 - last.round() as u64) % 32_768)
}
