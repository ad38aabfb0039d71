//! One leg's stream on its way out, and what the far end reports of it.

use std::time::{Duration, Instant};

use vox_common::sys::{clock, random};

use super::Shared;
use super::exit::Exit;
use crate::audio::span;
use crate::media::adapt::{Adapt, Heard, Limits, Plan};
use crate::media::framer::{Framer, Pieces};
use crate::media::mouth_to_ear::{Average, Capture, RoundTrips};
use crate::media::orders::{Codec, LegId, LegReport, Path, Sends};
use crate::media::rtcp::{self, Item, LastReport, NtpClock, VoipMetrics};
use crate::media::sender::{Beginning, Sender};
use crate::media::sequence::{Reporter, samples_between};
use crate::media::srtp::Sealer;
use crate::media::stats::Stats;
use crate::opus::OpusError;
use crate::shell::captured::Captured;
use crate::shell::udp::Arrival;

/// Between two reports (RFC 3550 6.2 allows it from about 3 kbit/s of media on).
const BETWEEN_REPORTS: Duration = Duration::from_secs(1);

/// For so long after a packet did not leave, reports tell of our own loss: they cover up to two seconds.
const LOCAL_LOSS: Duration = Duration::from_secs(2);

/// Bits per second of uncompressed sound.
const L16_RATE: u32 = 48_000 * 16;

/// One leg as the sending thread knows it.
pub(crate) struct Outgoing {
    leg: LegId,
    exit: Exit,
    codec: Codec,
    look_ahead: Duration,
    sender: Sender,
    framer: Framer,
    /// Samples in a frame as planned.
    planned: usize,
    pieces: Pieces,
    adapt: Adapt,
    /// When the next report is due. `None`: nothing may be sent yet.
    due: Option<Instant>,
    /// When the kernel last did not take a packet.
    unsent: Option<Instant>,
    last_report: LastReport,
    reporter: Reporter,
    capture: Capture,
    encode: Average,
    round_trips: RoundTrips,
    clock: NtpClock,
}

impl Outgoing {
    /// A new stream with a new SSRC (RFC 3550 5.1: all beginnings are random). Sequence numbers begin in the lower half:
    /// who opens them counts roll-overs from zero even where the first packets are lost (RFC 3711 3.3.1).
    ///
    /// # Errors
    /// The codec cannot do what was asked.
    pub(crate) fn new(
        leg: LegId,
        path: Path,
        limits: Limits,
        sealer: Option<Box<Sealer>>,
    ) -> Result<Self, OpusError> {
        let beginning = Beginning {
            ssrc: u32::from_ne_bytes(random::bytes()),
            sequence: u16::from_ne_bytes(random::bytes()) >> 1,
            time_stamp: u32::from_ne_bytes(random::bytes()),
        };
        let mut sender = Sender::new(limits.coding, limits.bitrate, beginning)?;
        Ok(Self {
            leg,
            exit: Exit::new(path, sealer),
            codec: limits.coding.codec,
            look_ahead: span(sender.look_ahead()),
            framer: Framer::new(sender.frame_samples()),
            planned: sender.frame_samples(),
            pieces: Pieces::default(),
            sender,
            adapt: Adapt::new(limits),
            due: None,
            unsent: None,
            last_report: LastReport::default(),
            reporter: Reporter::default(),
            capture: Capture::default(),
            encode: Average::default(),
            round_trips: RoundTrips::default(),
            clock: NtpClock::new(clock::now(), clock::wall()),
        })
    }

    pub(crate) fn id(&self) -> LegId {
        self.leg
    }

    pub(super) fn begin(&mut self, now: Instant) {
        self.due.get_or_insert(now);
    }

    pub(super) fn report_due(&self) -> Option<Instant> {
        self.due
    }

    /// Sends every packet that these samples complete. A packet that the kernel does not take is a lost one.
    pub(super) fn send(&mut self, block: &Captured, level_db: f64, shared: &Shared) {
        if self.due.is_none() {
            return;
        }
        self.pieces.note(block.samples().len());
        self.fit_frames();
        let Self { framer, sender, exit, leg, capture, encode, look_ahead, unsent, .. } = self;
        let stats = shared.stats.leg(*leg);
        framer.push(block.when, block.samples(), &mut |captured, frame| {
            let complete = clock::now();
            let sent =
                exit.send_rtp(&shared.sender, |packet| sender.packet(frame, packet).ok().map(<[u8]>::len));
            capture.note(captured, complete);
            encode.note(clock::now().saturating_duration_since(complete) + *look_ahead);
            match stats {
                Some(stats) if sent => stats.note_sent(level_db),
                Some(stats) => stats.note_unsent(),
                None => {}
            }
            if !sent {
                *unsent = Some(complete);
            }
        });
    }

    /// Opus has its lengths; uncompressed frames are as long as suits the card.
    fn fit_frames(&mut self) {
        let Self { framer, pieces, planned, .. } = self;
        match self.codec {
            Codec::Opus => framer.resize(*planned),
            Codec::L16 => framer.align(pieces.fitting(*planned)),
        }
    }

    /// Samples were lost before they were captured.
    pub(super) fn skip(&mut self, samples: u32) {
        let waiting = u32::try_from(self.framer.waiting()).unwrap_or(0);
        self.sender.skip(samples.saturating_add(waiting));
        self.framer.clear();
    }

    /// Takes what the far end says in RTCP.
    pub(super) fn hear(&mut self, arrival: &Arrival, stats: &Stats) {
        let Some(stats) = stats.leg(arrival.leg) else { return };
        let arrived = self.clock.at(arrival.arrived);
        let (ours, last_report) = (self.sender.ssrc(), &mut self.last_report);
        let (mut heard, mut delay) = (None, None);
        // A compound packet that is not whole says nothing.
        let _ = rtcp::read(arrival.bytes(), &mut |item| match item {
            Item::Sender { info, .. } => last_report.note(&info, arrival.arrived),
            Item::Block { block, .. } if block.reception.ssrc == ours => {
                let (lost, round_trip) = (block.reception.fraction_lost, rtcp::round_trip(&block, arrived));
                stats.note_far(lost, round_trip);
                heard = Some(Heard { at: arrival.arrived, loss: f64::from(lost) / 256.0, round_trip });
            }
            Item::Voip { metrics, .. } if metrics.ssrc == ours => delay = Some(metrics.delay()),
            Item::Delay { delay: parts, .. } => delay = Some(parts),
            _ => (),
        });
        if let Some(delay) = delay {
            stats.note_far_delay(&delay);
        }
        if let Some(heard) = heard {
            heard.round_trip.into_iter().for_each(|round_trip| self.round_trips.note(round_trip));
            stats.note_network(self.round_trips.one_way());
            self.follow(heard);
        }
    }

    /// Sends from now on what the far end's report asks for. What has not left this machine is no loss on the path: copies
    /// of it would not leave either.
    fn follow(&mut self, heard: Heard) {
        if self.unsent.is_some_and(|unsent| heard.at.saturating_duration_since(unsent) < LOCAL_LOSS) {
            return;
        }
        let before = self.adapt.plan();
        self.adapt.hear(heard);
        let plan = self.adapt.plan();
        if plan != before && self.sender.follow(&plan).is_ok() {
            self.planned = plan.ptime_us as usize * 48 / 1_000;
        }
    }

    /// Sends a report. `tail` is when the sample after the last captured one was captured.
    pub(super) fn report(&mut self, now: Instant, tail: Option<Instant>, shared: &Shared) {
        self.due = Some(now + BETWEEN_REPORTS);
        self.write(now, tail, shared, false);
    }

    /// Says goodbye if anything was ever said.
    pub(super) fn end(&mut self, shared: &Shared) {
        if self.due.take().is_some() {
            self.write(clock::now(), None, shared, true);
        }
    }

    fn write(&mut self, now: Instant, tail: Option<Instant>, shared: &Shared, goodbye: bool) {
        let Some(stats) = shared.stats.leg(self.leg) else { return };
        stats.note_sending(self.capture.get(), self.encode.get());
        stats.note_sends(self.sends());
        let since_tail = tail.map_or(0, |tail| samples_between(tail, now).max(0));
        let since_frame = u32::try_from(since_tail)
            .unwrap_or(0)
            .saturating_add(u32::try_from(self.framer.waiting()).unwrap_or(0));
        let block = stats.counts().map(|counts| self.last_report.block(self.reporter.report(counts), now));
        let fares = stats.report();
        let outgoing = rtcp::Outgoing {
            ssrc: self.sender.ssrc(),
            sender: Some(self.sender.info(self.clock.at(now), since_frame)),
            block,
            cname: &shared.cname,
            voip: block.map(|block| voip(block.reception.ssrc, &fares, shared.most_delay)),
            delay: Some(fares.own),
            goodbye,
        };
        self.exit.send_rtcp(&shared.sender, &outgoing);
    }

    /// What is sent now.
    fn sends(&self) -> Sends {
        let Plan { ptime_us, bitrate, copies, .. } = self.adapt.plan();
        let bitrate = if self.codec == Codec::L16 { L16_RATE } else { bitrate };
        Sends { ptime_us, bitrate, copies: copies.into() }
    }
}

/// RFC 3611 4.7.5 and 4.7.7 want sums in milliseconds; those not known are 0.
fn voip(ssrc: u32, report: &LegReport, most_delay: Duration) -> VoipMetrics {
    VoipMetrics {
        ssrc,
        loss_rate: share(report.packets_lost, report),
        discard_rate: share(report.packets_late, report),
        round_trip_ms: report.round_trip.map_or(0, millis),
        end_system_ms: report.own.total().map_or(0, millis),
        signal_level_db: level(report.level_out_db),
        nominal_ms: report.own.jitter_buffer.map_or(0, millis),
        maximum_ms: millis(most_delay),
        absolute_maximum_ms: millis(most_delay),
    }
}

fn millis(span: Duration) -> u16 {
    u16::try_from(span.as_millis()).unwrap_or(u16::MAX)
}

/// In 1/256 of all packets.
fn share(packets: u64, report: &LegReport) -> u8 {
    let all = (report.packets_received + report.packets_lost).max(1);
    u8::try_from(packets * 256 / all).unwrap_or(u8::MAX)
}

#[expect(clippy::cast_possible_truncation, reason = "a cast of a float saturates")]
fn level(db: f64) -> i8 {
    db.round() as i8
}
