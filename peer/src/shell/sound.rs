//! The two devices, the threads that send and the bank, as the keeper uses them.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rtrb::{Consumer, Producer};
use vox_common::wire::limits::MAX_LEGS;

use super::captured::CaptureRing;
use super::controls::Controls;
use super::dsp::{self, Between, DspHandle};
use super::grants::Grants;
use super::media::MediaSettings;
use super::media_tx::{self, Outgoing, Shared, TxHandle, TxOrder};
use super::playing::Loudspeaker;
use super::side::{End, Side};
use super::udp::{Arrival, UdpSender};
use super::wake::Wake;
use crate::audio::Needs;
use crate::media::adapt::Limits;
use crate::media::bank::BankOrder;
use crate::media::orders::{Coding, Direction, LegId, LegReport, MediaNews, Path};
use crate::media::playout::Patience;
use crate::media::srtp::Sealer;
use crate::media::stats::{LegStats, Stats};
use crate::opus::OpusError;

/// The loudspeaker stays open so long after the ring, because a call is likely to follow.
const LINGER: Duration = Duration::from_millis(500);

/// Where packets come in.
pub(super) struct Inlets {
    pub(super) packets: Consumer<Arrival>,
    pub(super) reports: Consumer<Arrival>,
}

/// How one leg is sent to.
#[derive(Debug)]
pub(super) struct Sending {
    /// How we code.
    pub(super) sends: Coding,
    /// Whether the far end reads redundancy.
    pub(super) takes_red: bool,
    /// What seals all that is sent. `None`: both sides have said that their media is not sealed.
    pub(super) sealer: Option<Box<Sealer>>,
}

/// All that sounds.
pub(super) struct Sound {
    settings: MediaSettings,
    input: Side,
    output: Side,
    tx: TxHandle,
    dsp: Option<DspHandle>,
    bank: Producer<BankOrder>,
    loudspeaker: Loudspeaker,
    stats: Arc<Stats>,
    controls: Arc<Controls>,
    legs: u32,
    /// How often the loudspeaker had been left without sound when each leg started.
    starved_before: [u64; MAX_LEGS],
    ringing: bool,
    close_output_at: Option<Instant>,
}

impl Sound {
    pub(super) fn new(
        settings: MediaSettings,
        sender: UdpSender,
        inlets: Inlets,
        keeper: &Wake,
        grants: &Arc<Grants>,
    ) -> Result<Self, OpusError> {
        let (stats, controls) = (Arc::<Stats>::default(), Arc::<Controls>::default());
        let (ring, captured) = CaptureRing::new();
        let Between { dsp, captured, played } = dsp::between(settings.voice.tasks, captured, grants, keeper);
        let (loudspeaker, bank) = Loudspeaker::new(Arc::clone(&stats), inlets.packets, played)?;
        let needs = needs(&settings, keeper, grants);
        let shared = Shared {
            sender,
            stats: Arc::clone(&stats),
            controls: Arc::clone(&controls),
            grants: Arc::clone(grants),
            keeper: keeper.clone(),
            cname: settings.cname.as_str().into(),
            most_delay: settings.voice.max_delay,
        };
        Ok(Self {
            input: Side::new(End::In(settings.audio.input.clone(), ring, None), needs.clone()),
            output: Side::new(End::Out(settings.audio.output.clone(), loudspeaker.clone()), needs),
            tx: media_tx::new(shared, captured, inlets.reports),
            dsp,
            settings,
            bank,
            loudspeaker,
            stats,
            controls,
            legs: 0,
            starved_before: [0; MAX_LEGS],
            ringing: false,
            close_output_at: None,
        })
    }

    /// A leg is answered: its packets are played, and the devices opened for the first one.
    pub(super) fn start(
        &mut self,
        leg: LegId,
        path: Path,
        sending: Sending,
        now: Instant,
        news: &impl Fn(MediaNews),
    ) {
        if let Some(stats) = self.stats.leg(leg) {
            stats.clear();
            self.starved_before[usize::from(leg.0)] = self.starved();
        }
        let patience = Patience::of(&self.settings.voice.numbers(), LEAST_WAIT);
        self.play(BankOrder::Join { leg, patience });
        self.legs += 1;
        self.close_output_at = None;
        self.output.open(now, news);
        self.join(leg, path, sending);
        self.input.open(now, news);
    }

    fn join(&mut self, leg: LegId, path: Path, Sending { sends, takes_red, sealer }: Sending) {
        if let Err(error) = self.start_threads() {
            log::error!("nothing can be sent: {error}");
        }
        let MediaSettings { voice, bitrate, .. } = &self.settings;
        let limits = Limits::new(&voice.numbers(), sends, *bitrate, takes_red);
        match Outgoing::new(leg, path, limits, sealer) {
            Ok(outgoing) => self.tx.order(TxOrder::Join(Box::new(outgoing))),
            Err(error) => log::error!("nothing can be sent: {error}"),
        }
    }

    /// The microphone wakes the first of them.
    fn start_threads(&mut self) -> io::Result<()> {
        let priority = self.settings.priority.saturating_sub(2);
        self.tx.start(priority)?;
        let mut first = self.tx.thread();
        if let Some(dsp) = &mut self.dsp {
            dsp.start(priority, first)?;
            first = dsp.thread();
        }
        self.input.wake(first);
        Ok(())
    }

    /// A leg's far end is there.
    pub(super) fn send(&mut self, leg: LegId) {
        self.tx.order(TxOrder::Send(leg));
    }

    /// A leg has ended. After the last one everything is closed, and recordings are complete.
    pub(super) fn stop(&mut self, leg: LegId) {
        self.tx.order(TxOrder::Leave(leg));
        self.play(BankOrder::Leave(leg));
        self.legs = self.legs.saturating_sub(1);
        if self.legs == 0 {
            self.input.close();
            self.dsp.iter_mut().for_each(DspHandle::stop);
            self.tx.stop();
            if !self.ringing {
                self.output.close();
                self.loudspeaker.obey();
            }
        }
    }

    pub(super) fn ring(&mut self, on: bool, now: Instant, news: &impl Fn(MediaNews)) {
        self.ringing = on;
        self.play(BankOrder::Ring(on));
        self.close_output_at = (!on && self.legs == 0).then(|| now + LINGER);
        if on {
            self.output.open(now, news);
        }
    }

    pub(super) fn mute(&self, on: bool) {
        self.controls.mute(on);
    }

    pub(super) fn volume(&mut self, direction: Direction, percent: u8) {
        match direction {
            Direction::In => self.controls.set_volume(percent),
            Direction::Out => self.play(BankOrder::Volume(percent)),
        }
    }

    /// How a leg fares.
    pub(super) fn report(&self, leg: LegId) -> LegReport {
        let report = self.stats.leg(leg).map(LegStats::report).unwrap_or_default();
        let before = self.starved_before.get(usize::from(leg.0)).copied().unwrap_or(0);
        LegReport { underruns: report.underruns + self.starved() - before, ..report }
    }

    /// How often a loudspeaker was left without sound, whoever should have been heard.
    fn starved(&self) -> u64 {
        self.output.xruns() + self.loudspeaker.missed()
    }

    /// Looks after the devices.
    pub(super) fn look(&mut self, now: Instant, news: &impl Fn(MediaNews)) {
        if self.close_output_at.is_some_and(|due| now >= due) {
            self.close_output_at = None;
            self.output.close();
        }
        if self.input.look(now, news) {
            self.output.suspect(now, news);
        }
        if self.output.look(now, news) {
            self.input.suspect(now, news);
        }
    }

    /// When to look again at the latest.
    pub(super) fn deadline(&self) -> Option<Instant> {
        [self.close_output_at, self.input.deadline(), self.output.deadline()].into_iter().flatten().min()
    }

    /// Orders that no loudspeaker would take are carried out here and now.
    fn play(&mut self, order: BankOrder) {
        if self.bank.push(order).is_err() {
            log::error!("the loudspeaker does not take orders");
        }
        if self.output.is_closed() {
            self.loudspeaker.obey_unheard();
        }
    }
}

/// The fastest packets wait at least so many samples (0.25 ms) to be played: what real-time threads of a quiet machine
/// are late by. The playout adds to it where packets come late.
const LEAST_WAIT: u32 = 12;

fn needs(settings: &MediaSettings, keeper: &Wake, grants: &Arc<Grants>) -> Needs {
    let (keeper, grants) = (keeper.clone(), Arc::clone(grants));
    let tell = move |grant: Option<_>| {
        if let Some(grant) = grant {
            grants.report(&grant);
        }
        keeper.wake();
    };
    Needs {
        frame: settings.frame,
        period: settings.audio.period,
        priority: settings.priority,
        tell: Arc::new(tell),
    }
}
