//! Once a call runs, neither we nor libopus allocate or free anything between microphone and loudspeaker.
#![cfg(target_env = "gnu")]
#![expect(unsafe_code, reason = "every allocation of the process is counted, those made in C among them")]

mod counted;

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use vox_common::sys::clock;
use vox_peer::media::adapt::{Adapt, Heard, Limits};
use vox_peer::media::bank::{Bank, BankOrder};
use vox_peer::media::framer::Framer;
use vox_peer::media::loudness::{Gain, Meter};
use vox_peer::media::orders::{Codec, Coding, LegId};
use vox_peer::media::playout::Patience;
use vox_peer::media::profile::Profile;
use vox_peer::media::rtcp;
use vox_peer::media::sender::{Beginning, PACKET_BYTES, Sender};
use vox_peer::media::sequence::Reporter;
use vox_peer::media::srtp::keys::{DirectionKeys, MasterKey};
use vox_peer::media::srtp::{Opener, RTCP_EXTRA_BYTES, Sealer, Spans, TAG_BYTES};
use vox_peer::media::stats::Stats;
use vox_peer::media::tones::Tone;

thread_local! {
    /// Allocations and frees of this thread.
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    COUNT.with(|count| count.set(count.get() + 1));
}

/// Everything between a microphone and a loudspeaker.
struct Call {
    tone: Tone,
    gain: Gain,
    meter: Meter,
    framer: Framer,
    sender: Sender,
    /// Both ends of sealed media.
    seal: Option<Box<(Sealer, Opener)>>,
    adapt: Adapt,
    bank: Bank,
    stats: Arc<Stats>,
    reporter: Reporter,
    now: Instant,
    packets: u32,
    path: Path,
    /// The most that were sent of a frame.
    copies: u8,
    /// The most loss that the codec was told of, so that it sends spares of its own.
    told_loss: u8,
    /// The least and the most that the playout waited.
    depths: [Duration; 2],
}

/// A path that loses, doubles, delays and reorders, between two clocks that differ by 250 ppm.
struct Path(Vec<Option<(Instant, usize, [u8; SEALED_BYTES])>>);

const SEALED_BYTES: usize = PACKET_BYTES + TAG_BYTES;

impl Path {
    fn new() -> Self {
        Self((0..256).map(|_| None).collect())
    }

    fn send(&mut self, number: u32, sent: Instant, packet: &[u8]) {
        let times = match number % 100 {
            7 | 20..=50 => 0, // lost, and a pause
            8 => 2,
            _ => 1,
        };
        let jitter_ms = if (900..1_200).contains(&number) { number * 37 % 41 } else { 0 };
        let arrives = sent + Duration::from_millis(jitter_ms.into()) + Duration::from_nanos(500) * number;
        for place in self.0.iter_mut().filter(|place| place.is_none()).take(times) {
            let mut bytes = [0; SEALED_BYTES];
            bytes[..packet.len()].copy_from_slice(packet);
            *place = Some((arrives, packet.len(), bytes));
        }
    }

    fn arrive(&mut self, now: Instant, bank: &mut Bank, mut opener: Option<&mut Opener>) {
        for place in &mut self.0 {
            if let Some((arrived, length, mut bytes)) = place.take_if(|(due, ..)| *due <= now) {
                let opened = opener.as_mut().map(|opener| opener.open_rtp(&mut bytes[..length]));
                // What comes twice is not opened twice.
                if let Ok(length) = opened.unwrap_or(Ok(length)) {
                    bank.push(LEG, &bytes[..length], arrived);
                }
            }
        }
    }
}

const LEG: LegId = LegId(3);

impl Call {
    fn new(codec: Codec, ptime_us: u32, most_copies: u8, seal: Option<Box<(Sealer, Opener)>>) -> Self {
        let now = clock::now();
        let stats = Arc::new(Stats::default());
        let beginning = Beginning { ssrc: 7, sequence: 65_000, time_stamp: 0 };
        let sender = Sender::new(Coding { codec, ptime_us }, 64_000, beginning).expect("possible");
        Self {
            tone: Tone::new(440.0, 0.5),
            gain: Gain::new(100),
            meter: Meter::default(),
            framer: Framer::new(sender.frame_samples()),
            sender,
            seal,
            adapt: Adapt::new(Limits {
                coding: Coding { codec, ptime_us },
                bitrate: 64_000,
                budget: 128_000,
                most_copies,
                apart: Duration::from_millis(30),
            }),
            bank: Bank::new(Arc::clone(&stats), now).expect("memory"),
            stats,
            reporter: Reporter::default(),
            now,
            packets: 0,
            path: Path::new(),
            copies: 0,
            told_loss: 0,
            depths: [Duration::MAX, Duration::ZERO],
        }
    }

    /// One period of the card in both directions, with loss, duplicates, a pause, orders and reports.
    fn period(&mut self, out: &mut [f32]) {
        self.order();
        let Self { path, sender, seal, packets, now, .. } = self;
        let now = *now;
        self.tone.fill(out);
        self.gain.apply(out);
        self.meter.note(out);
        self.framer.push(now, out, &mut |captured, frame| {
            let mut buffer = [0; SEALED_BYTES];
            let plain = buffer.first_chunk_mut().expect("shorter");
            let length = sender.packet(frame, plain).expect("right length").len();
            let sealed = seal.as_mut().map(|ends| ends.0.seal_rtp(&mut buffer, length));
            let length = sealed.unwrap_or(Ok(length)).expect("in order");
            *packets += 1;
            path.send(*packets, captured, &buffer[..length]);
        });
        self.path.arrive(now, &mut self.bank, self.seal.as_mut().map(|ends| &mut ends.1));
        self.bank.pull(now, out);
        self.report();
        self.now += Duration::from_micros(out.len() as u64 * 1_000 / 48);
    }

    fn order(&mut self) {
        let patience = Patience::of(&Profile::Lan.numbers(), 0);
        match self.packets {
            0 | 700 => self.bank.order(BankOrder::Join { leg: LEG, patience }),
            300 => self.bank.order(BankOrder::Ring(true)),
            400 => self.gain.set(0),
            600 => self.bank.order(BankOrder::Leave(LEG)),
            _ => {}
        }
    }

    fn report(&mut self) {
        let stats = self.stats.leg(LEG).expect("a leg");
        stats.note_sent(self.meter.db());
        let reception = stats.counts().map(|counts| self.reporter.report(counts));
        let block = reception.map(|reception| rtcp::LastReport::default().block(reception, self.now));
        let outgoing = rtcp::Outgoing { ssrc: 7, block, cname: "alice", ..Default::default() };
        let mut buffer = [0; rtcp::COMPOUND_BYTES + RTCP_EXTRA_BYTES];
        let mut length = rtcp::write(&outgoing, &mut buffer).expect("fits");
        if let Some(ends) = &mut self.seal {
            length = ends.0.seal_rtcp(&mut buffer, length).expect("fits");
            length = ends.1.open_rtcp(&mut buffer[..length]).expect("ours");
        }
        rtcp::read(&buffer[..length], &mut |_| {}).expect("ours");
        let loss = reception.map_or(0.0, |reception| f64::from(reception.fraction_lost) / 256.0);
        self.adapt.hear(Heard { at: self.now, loss, round_trip: Some(Duration::from_millis(9)) });
        self.sender.follow(&self.adapt.plan()).expect("possible");
        let plan = self.adapt.plan();
        self.copies = self.copies.max(plan.copies);
        self.told_loss = self.told_loss.max(plan.loss_percent);
        let report = stats.report();
        if self.packets > 500 && report.depth > Duration::ZERO {
            self.depths = [self.depths[0].min(report.depth), self.depths[1].max(report.depth)];
        }
        assert!(report.concealed <= 1.0);
    }
}

/// Both ends, whose keys step on as early as they may: before the 600th RTP packet, and with the 2,048th report.
fn ends() -> Box<(Sealer, Opener)> {
    let master = MasterKey { key: [1; 16], salt: [2; 12] };
    let keys = DirectionKeys { srtp: master.clone(), srtcp: master };
    let spans = Spans::new(1, 2_048).expect("possible");
    Box::new((Sealer::with_spans(&keys, spans), Opener::with_spans(&keys, spans)))
}

#[test]
fn a_running_call_allocates_nothing() {
    let before = COUNT.with(Cell::get);
    drop(std::hint::black_box(Box::new(1)));
    assert_eq!(COUNT.with(Cell::get), before + 2, "the counter works");
    for (codec, ptime_us, period, most_copies, seal) in [
        (Codec::Opus, 2_500, 120, 2, None),
        (Codec::Opus, 10_000, 256, 2, None),
        (Codec::Opus, 10_000, 256, 2, Some(ends())),
        (Codec::Opus, 20_000, 1_024, 2, None),
        (Codec::Opus, 20_000, 480, 0, None),
        (Codec::L16, 1_250, 60, 2, None),
        (Codec::L16, 1_250, 60, 2, Some(ends())),
    ] {
        let mut call = Call::new(codec, ptime_us, most_copies, seal);
        let mut out = vec![0.0; period];
        let before = COUNT.with(Cell::get);
        while call.packets < 2_000 {
            call.period(&mut out);
        }
        assert_eq!(COUNT.with(Cell::get) - before, 0, "{codec:?} {ptime_us}");
        let report = call.stats.leg(LEG).expect("a leg").report();
        let [least, most] = call.depths;
        assert_eq!(call.copies > 0, most_copies > 0, "{codec:?} {ptime_us}");
        assert_eq!(call.told_loss > 0, codec == Codec::Opus, "{codec:?} {ptime_us}");
        assert!(most > least + Duration::from_millis(10), "{codec:?} {ptime_us}: {least:?} to {most:?}");
        assert!(report.packets_received > 500 && report.concealed > 0.0, "{report:?}");
    }
}
