//! Voice over a bad network, on virtual time: the real sender, a seeded path that loses and delays, the real playout,
//! and reports back once a second. Nothing but the sound cards and the kernel is left out.

pub mod judge;
pub mod speech;
pub mod trace;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use vox_common::sys::clock;
use vox_peer::config::Voice;
use vox_peer::media::adapt::{Adapt, Heard, Limits};
use vox_peer::media::framer::Framer;
use vox_peer::media::playout::{Counters, Patience, Playout};
use vox_peer::media::profile::Profile;
use vox_peer::media::sender::{Beginning, PACKET_BYTES, Sender};
use vox_peer::media::sequence::Reporter;

use self::trace::{Dice, Path};

/// Samples in a second.
pub const RATE: usize = 48_000;

/// What the card asks for at a time: 5 ms.
pub const PERIOD: usize = 240;

/// IPv4, UDP and RTP around each payload.
const HEADERS: u64 = 40;

/// The path is this long both ways.
const ONE_WAY: Duration = Duration::from_millis(10);

/// Who talks.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Of both ends.
    pub profile: Profile,
    /// Whether the far end reads copies.
    pub takes_copies: bool,
}

/// What came of a call.
pub struct Outcome {
    /// What was heard, from the time on at which the first sample was spoken.
    pub heard: Vec<f32>,
    /// What the playout counted, from `counted_from` on.
    pub counters: Counters,
    /// Bits per second of payload, from then on.
    pub payload: f64,
    /// Bits per second with IPv4, UDP and RTP headers, from then on.
    pub wire: f64,
    /// From arrival to play of the newest packet, the mean of all pulls from then on, in milliseconds.
    pub waited_ms: f64,
}

impl Outcome {
    /// The share of what was heard that was made up.
    pub fn made_up(&self) -> f64 {
        let samples = |count: u64| samples_as_f64(count.cast_signed());
        samples(self.counters.concealed) / samples(self.counters.samples)
    }
}

/// Everything between two people.
struct Call<'a> {
    start: Instant,
    path: &'a mut Path,
    dice: Dice,
    sender: Sender,
    framer: Framer,
    adapt: Adapt,
    on_the_way: BTreeMap<(Instant, u64), Vec<u8>>,
    playout: Playout,
    reporter: Reporter,
    packets: u64,
    octets: u64,
}

/// Lets `speech` be spoken under a profile. What is counted begins at the sample `counted_from`, when the ends have
/// found out about each other.
pub fn carry(speech: &[f32], setting: Setting, path: &mut Path, seed: u64, counted_from: usize) -> Outcome {
    let mut call = Call::new(setting, path, seed);
    let mut heard = Vec::with_capacity(speech.len());
    let (mut waited, mut pulls, mut before) = (0.0, 0.0, (Counters::default(), 0, 0));
    for (period, samples) in speech.chunks_exact(PERIOD).enumerate() {
        if period * PERIOD == counted_from / PERIOD * PERIOD {
            before = (call.playout.counters(), call.packets, call.octets);
            (waited, pulls) = (0.0, 0.0);
        }
        let now = call.at(period * PERIOD);
        call.say(now, samples);
        call.deliver(now);
        let mut out = [0.0; PERIOD];
        call.playout.pull(now, &mut out);
        heard.extend_from_slice(&out);
        (waited, pulls) = (waited + samples_as_f64(call.playout.depth()) / 48.0, pulls + 1.0);
        if ((period + 1) * PERIOD).is_multiple_of(RATE) {
            call.report(now);
        }
    }
    let seconds = samples_as_f64(i64::try_from(speech.len() - counted_from).unwrap_or(1)) / 48_000.0;
    let per_second = |bytes: u64| 8.0 * samples_as_f64(bytes.cast_signed()) / seconds;
    let (packets, octets) = (call.packets - before.1, call.octets - before.2);
    Outcome {
        heard,
        counters: since(call.playout.counters(), before.0),
        payload: per_second(octets),
        wire: per_second(octets + HEADERS * packets),
        waited_ms: waited / pulls,
    }
}

impl<'a> Call<'a> {
    fn new(setting: Setting, path: &'a mut Path, seed: u64) -> Self {
        let Setting { profile, takes_copies } = setting;
        let start = clock::now();
        let numbers = Voice::of(profile).numbers();
        let coding = numbers.coding;
        let beginning = Beginning { ssrc: 7, sequence: 65_000, time_stamp: 0xffff_0000 };
        let sender = Sender::new(coding, numbers.bitrate, beginning).expect("a profile can be coded");
        let mut playout = Playout::new(start).expect("memory");
        playout.set_patience(Patience::of(&numbers, 0));
        Self {
            start,
            path,
            dice: Dice(seed),
            framer: Framer::new(sender.frame_samples()),
            sender,
            adapt: Adapt::new(Limits::new(&numbers, coding, numbers.bitrate, takes_copies)),
            on_the_way: BTreeMap::new(),
            playout,
            reporter: Reporter::default(),
            packets: 0,
            octets: 0,
        }
    }

    fn at(&self, samples: usize) -> Instant {
        self.start + Duration::from_nanos(samples as u64 * 1_000_000_000 / RATE as u64)
    }

    /// Sends what these samples complete, if the path lets it through.
    fn say(&mut self, now: Instant, samples: &[f32]) {
        let Self { framer, sender, path, dice, on_the_way, packets, octets, .. } = self;
        framer.push(now, samples, &mut |_, frame| {
            let mut buffer = [0; PACKET_BYTES];
            let packet = sender.packet(frame, &mut buffer).expect("right length");
            (*packets, *octets) = (*packets + 1, *octets + packet.len() as u64 - 12);
            if let Some(delay) = path.pass(dice) {
                on_the_way.insert((now + ONE_WAY + delay, *packets), packet.to_vec());
            }
        });
    }

    fn deliver(&mut self, now: Instant) {
        while let Some(entry) = self.on_the_way.first_entry().filter(|entry| entry.key().0 <= now) {
            let ((arrived, _), packet) = entry.remove_entry();
            self.playout.push(&packet, arrived);
        }
    }

    /// The far end reports, and the sender does what that asks for.
    fn report(&mut self, now: Instant) {
        let Some(counts) = self.playout.counts() else { return };
        let loss = f64::from(self.reporter.report(counts).fraction_lost) / 256.0;
        self.adapt.hear(Heard { at: now + ONE_WAY, loss, round_trip: Some(2 * ONE_WAY) });
        let plan = self.adapt.plan();
        self.sender.follow(&plan).expect("a plan can be followed");
        self.framer.resize(plan.ptime_us as usize * 48 / 1_000);
    }
}

fn since(now: Counters, before: Counters) -> Counters {
    Counters {
        late: now.late - before.late,
        duplicate: now.duplicate - before.duplicate,
        refused: now.refused - before.refused,
        recovered: now.recovered - before.recovered,
        samples: now.samples - before.samples,
        concealed: now.concealed - before.concealed,
        dropped: now.dropped - before.dropped,
        stretched: now.stretched - before.stretched,
        underruns: now.underruns - before.underruns,
    }
}

#[expect(clippy::cast_precision_loss, reason = "a call of minutes")]
fn samples_as_f64(samples: i64) -> f64 {
    samples as f64
}
