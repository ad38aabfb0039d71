//! The thread `media`: opens, closes and joins what sounds, and tells the agent how it goes. It may wait for a
//! device; nothing waits for it.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use rtrb::Producer;
use vox_common::sys::clock;
use vox_common::sys::thread::spawn;
use vox_common::wire::limits::MAX_LEGS;

use super::grants::Grants;
use super::udp::intake::{Heard, rings};
use super::udp::{Intake, LegOrder, UdpSender};
use super::wake::Wake;
use crate::config::Audio;
use crate::media::orders::{LegId, LegReport, MediaNews, MediaOrder};

/// Orders that may wait while a device is being opened. At the brim: the order is refused and the caller told.
const ORDERS_WAITING: usize = 256;

/// How often a leg that is heard is told of, and reported on.
const TELLING: Duration = Duration::from_secs(1);

/// What the sound needs to know from the start.
#[derive(Debug, Clone)]
pub struct MediaSettings {
    /// The devices.
    pub audio: Audio,
    /// Bits per second of Opus.
    pub bitrate: u32,
    /// SCHED_FIFO priority of the card's threads; `udp` runs at one less, `media-tx` at two less. 0: ordinary.
    pub priority: u8,
    /// Who we are in RTCP (RFC 3550 6.5.1).
    pub cname: String,
}

/// Gives orders to the sound. The agent's thread holds it.
pub struct MediaHandle {
    orders: SyncSender<MediaOrder>,
    table: Producer<LegOrder>,
    manager: Wake,
    udp_priority: u8,
    legs: [bool; MAX_LEGS],
}

/// The order was not taken: so many wait already that the sound must be stuck.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stuck;

/// Starts the thread `media`. The [`Intake`] goes to [`udp::start`](super::udp::start).
///
/// `news` is called on that thread, and must not wait for the thread that gives orders.
///
/// # Errors
/// The thread could not be started.
pub fn start(
    settings: MediaSettings,
    sender: UdpSender,
    news: impl Fn(MediaNews) + Send + 'static,
) -> io::Result<(MediaHandle, Intake)> {
    let (wake, grants) = (Wake::default(), Arc::<Grants>::default());
    let (intake, outlets) = rings(wake.clone(), Arc::clone(&grants));
    let (orders, taken) = sync_channel(ORDERS_WAITING);
    let handle = MediaHandle {
        orders,
        table: outlets.orders,
        manager: wake.clone(),
        udp_priority: settings.priority.saturating_sub(1),
        legs: [false; MAX_LEGS],
    };
    let manager = Manager {
        settings,
        sender,
        news,
        orders: taken,
        grants,
        heard: outlets.heard,
        legs: Default::default(),
    };
    spawn("media", move || {
        wake.is_me();
        manager.run();
    })?;
    Ok((handle, intake))
}

impl MediaHandle {
    /// Gives an order. Never waits.
    ///
    /// When this returns, packets of a started leg are already let in, those of a stopped one no longer.
    ///
    /// # Errors
    /// [`Stuck`]: the order is lost.
    pub fn order(&mut self, order: MediaOrder) -> Result<(), Stuck> {
        self.tell_udp(&order)?;
        let taken = self.orders.try_send(order);
        self.manager.wake();
        taken.map_err(|_: TrySendError<_>| Stuck)
    }

    /// The table of sources is changed from here, not by the manager, who may be waiting for a device.
    fn tell_udp(&mut self, order: &MediaOrder) -> Result<(), Stuck> {
        match order {
            MediaOrder::Start { leg, path, .. } => {
                self.note(*leg, true)?;
                self.push(LegOrder::Admit(*leg, path.remote))
            }
            MediaOrder::Stop(leg) => {
                self.push(LegOrder::Dismiss(*leg))?;
                self.note(*leg, false)
            }
            _ => Ok(()),
        }
    }

    /// The thread `udp` is a real-time thread from the first leg to the last.
    fn note(&mut self, leg: LegId, runs: bool) -> Result<(), Stuck> {
        let before = self.legs.contains(&true);
        if let Some(place) = self.legs.get_mut(usize::from(leg.0)) {
            *place = runs;
        }
        match (before, self.legs.contains(&true)) {
            (false, true) => self.push(LegOrder::Schedule(self.udp_priority)),
            (true, false) => self.push(LegOrder::Schedule(0)),
            _ => Ok(()),
        }
    }

    fn push(&mut self, order: LegOrder) -> Result<(), Stuck> {
        self.table.push(order).map_err(|_| Stuck)
    }
}

#[expect(dead_code, reason = "devices and the sending thread come next")]
struct Manager<N> {
    settings: MediaSettings,
    sender: UdpSender,
    news: N,
    orders: Receiver<MediaOrder>,
    grants: Arc<Grants>,
    heard: Arc<Heard>,
    legs: [Option<Leg>; MAX_LEGS],
}

/// What the manager remembers of a running leg.
struct Leg {
    told: Option<Instant>,
    reported: Instant,
}

impl<N: Fn(MediaNews)> Manager<N> {
    fn run(mut self) {
        while self.obey_all() {
            let now = clock::now();
            self.look(now);
            match self.deadline() {
                Some(deadline) => thread::park_timeout(deadline.saturating_duration_since(now)),
                None => thread::park(),
            }
        }
    }

    /// `false`: nobody is left to give orders.
    fn obey_all(&mut self) -> bool {
        loop {
            match self.orders.try_recv() {
                Ok(order) => self.obey(order),
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
    }

    #[expect(clippy::needless_pass_by_value, reason = "an order is carried out once")]
    fn obey(&mut self, order: MediaOrder) {
        match order {
            MediaOrder::Start { leg, .. } => {
                let now = clock::now();
                self.legs[usize::from(leg.0)] = Some(Leg { told: None, reported: now });
            }
            MediaOrder::Stop(leg) => self.legs[usize::from(leg.0)] = None,
            _ => {}
        }
    }

    fn look(&mut self, now: Instant) {
        self.grants.tell(|grant| (self.news)(MediaNews::Thread(grant)));
        for (leg, place) in (0..).map(LegId).zip(&mut self.legs) {
            let Some(state) = place else { continue };
            if state.told.is_none_or(|told| now >= told + TELLING) && self.heard.take(leg) {
                state.told = Some(now);
                (self.news)(MediaNews::Heard(leg));
            }
            if now >= state.reported + TELLING {
                state.reported = now;
                (self.news)(MediaNews::Report(leg, LegReport::default()));
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        self.legs.iter().flatten().map(|leg| leg.reported + TELLING).min()
    }
}
