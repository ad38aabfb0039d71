//! What a station tells of its jitter buffer is how long sound waits there, whatever the network does.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use vox_common::sys::clock;
use vox_peer::media::adapt::Plan;
use vox_peer::media::bank::{Bank, BankOrder};
use vox_peer::media::orders::{Codec, Coding, LegId};
use vox_peer::media::playout::Patience;
use vox_peer::media::profile::Profile;
use vox_peer::media::sender::{Beginning, PACKET_BYTES, Sender};
use vox_peer::media::stats::Stats;

const LEG: LegId = LegId(0);
const FRAME: Duration = Duration::from_millis(5);
/// Frames that are told apart by their loudness; much longer than anything waits.
const FRAMES: u16 = 4_096;

/// A network that takes up to so long, loses so many in a hundred, and is sent so many copies.
#[derive(Debug, Clone, Copy)]
struct Weather {
    jitter: Duration,
    loss: u32,
    copies: u8,
}

/// A sender whose frames show when they were spoken, a network, and a station.
struct Line {
    weather: Weather,
    dice: ChaCha8Rng,
    sender: Sender,
    bank: Bank,
    stats: Arc<Stats>,
    start: Instant,
    sent: u16,
    flying: BTreeSet<(Duration, Vec<u8>)>,
}

impl Line {
    fn new(weather: Weather, profile: Profile) -> Self {
        let (start, stats) = (clock::now(), Arc::<Stats>::default());
        let mut bank = Bank::new(Arc::clone(&stats), start).expect("memory");
        bank.order(BankOrder::Join { leg: LEG, patience: Patience::of(&profile.numbers(), 24) });
        let coding = Coding { codec: Codec::L16, ptime_us: 5_000 };
        let beginning = Beginning { ssrc: 1, sequence: 0, time_stamp: 0 };
        let mut sender = Sender::new(coding, 64_000, beginning).expect("possible");
        let Weather { copies, .. } = weather;
        let apart = Duration::from_millis(30);
        sender
            .follow(&Plan { ptime_us: 5_000, bitrate: 64_000, copies, apart, loss_percent: 0 })
            .expect("possible");
        let dice = ChaCha8Rng::seed_from_u64(7);
        Self { weather, dice, sender, bank, stats, start, sent: 0, flying: BTreeSet::new() }
    }

    fn below(&mut self, most: Duration) -> Duration {
        most * (self.dice.next_u32() >> 16) / 65_536
    }

    /// The frame that ends at `now` leaves.
    fn send(&mut self, now: Duration) {
        let loudness = f32::from(self.sent % FRAMES) / f32::from(FRAMES);
        self.sent += 1;
        let mut buffer = [0; PACKET_BYTES];
        let packet = self.sender.packet(&[loudness; 240], &mut buffer).expect("a frame").to_vec();
        let arrives = now + self.below(self.weather.jitter);
        if self.dice.next_u32() % 100 >= self.weather.loss {
            self.flying.insert((arrives, packet));
        }
    }

    /// What the card hears at `now` left its sender so long ago.
    fn hear(&mut self, now: Duration) -> Duration {
        while self.flying.first().is_some_and(|(arrives, _)| *arrives <= now) {
            let (arrives, packet) = self.flying.pop_first().expect("just seen");
            self.bank.push(LEG, &packet, self.start + arrives);
        }
        let mut out = [0.0; 240];
        self.bank.pull(self.start + now, &mut out);
        let left = FRAME.mul_f32(out[0] * f32::from(FRAMES)) + FRAME;
        now.saturating_sub(left)
    }

    fn told(&self) -> Duration {
        self.stats.leg(LEG).expect("a place").report().own.jitter_buffer.expect("sound comes")
    }
}

/// The middle of what sound really took over twenty seconds, and what was told at their end.
fn real_and_told(weather: Weather, profile: Profile) -> (Duration, Duration) {
    let mut line = Line::new(weather, profile);
    let mut real: Vec<Duration> = (1..=4_000)
        .map(|frame| {
            line.send(FRAME * frame);
            line.hear(FRAME * frame + Duration::from_millis(3))
        })
        .skip(3_800)
        .collect();
    real.sort();
    (real[real.len() / 2], line.told())
}

#[test]
fn what_is_told_of_the_jitter_buffer_is_true_beside_the_fastest_eighth_of_the_packets() {
    for (jitter_ms, loss, copies) in
        [(0, 0, 0), (5, 0, 0), (60, 0, 0), (0, 10, 1), (20, 10, 1), (60, 10, 1), (60, 20, 2)]
    {
        let weather = Weather { jitter: Duration::from_millis(jitter_ms), loss, copies };
        let (real, told) = real_and_told(weather, Profile::Wifi);
        // Packets that come together count as the latest of them, so an eighth of all is a little more than that.
        let (fastest, bound) = (weather.jitter / 8, Duration::from_millis(2) + weather.jitter / 5);
        let off = (told + fastest).abs_diff(real);
        assert!(off <= bound, "{weather:?}: {told:?} is told, {real:?} is real");
    }
}
