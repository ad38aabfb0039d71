//! The thread `media`: opens, closes and joins what sounds, and tells the agent how it goes. It may wait for a
//! device; nothing waits for it.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::Builder;
use std::time::Duration;

use rtrb::Producer;
use vox_common::wire::limits::MAX_LEGS;

use self::keeper::Keeper;
use super::grants::Grants;
use super::guard;
use super::sound::{Inlets, Sound};
use super::udp::intake::{Outlets, rings};
use super::udp::{Intake, LegOrder, UdpSender};
use super::wake::Wake;
use crate::config::{Audio, Config, Voice};
use crate::media::orders::{LegId, MediaNews, MediaOrder};
use crate::media::srtp::Opener;

mod keeper;

/// Orders that may wait while a device is being opened. At the brim: the order is refused and the caller told.
const ORDERS_WAITING: usize = 256;

/// Encoders are made and files opened here.
const STACK_BYTES: usize = 512 * 1024;

/// How long the end of the daemon waits for devices.
const LAST_WAIT: Duration = Duration::from_millis(400);

/// What the sound needs to know from the start.
#[derive(Debug, Clone)]
pub struct MediaSettings {
    /// The devices.
    pub audio: Audio,
    /// Samples in one packet of what this side sends: also the pace of devices that have no clock.
    pub frame: usize,
    /// Bits per second of Opus without loss.
    pub bitrate: u32,
    /// Delay against certainty.
    pub voice: Voice,
    /// SCHED_FIFO priority of the card's threads; `udp` runs at one less, `media-tx` at two less. 0: ordinary.
    pub priority: u8,
    /// Who we are in RTCP (RFC 3550 6.5.1).
    pub cname: String,
}

impl MediaSettings {
    /// As the file says.
    pub fn new(config: &Config) -> Self {
        let frame = config.coding.ptime_us as usize * 48 / 1_000;
        let cname = config.name.to_string();
        let Config { audio, bitrate, voice, priority, .. } = config;
        Self { audio: audio.clone(), frame, bitrate: *bitrate, voice: *voice, priority: *priority, cname }
    }
}

/// Gives orders to the sound. The agent's thread holds it.
pub struct MediaHandle {
    orders: SyncSender<MediaOrder>,
    table: Producer<LegOrder>,
    /// Dropped after `orders`, so that the keeper sees that nobody is left.
    keeper: LastWake,
    /// Ends with the keeper.
    ended: Receiver<()>,
    udp_priority: u8,
    legs: [bool; MAX_LEGS],
}

struct LastWake(Wake);

impl Drop for LastWake {
    fn drop(&mut self) {
        self.0.wake();
    }
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
    if settings.priority > 0 {
        guard::start(settings.priority, Arc::clone(&grants), wake.clone())?;
    }
    let (intake, outlets) = rings(wake.clone(), Arc::clone(&grants));
    let (orders, taken) = sync_channel(ORDERS_WAITING);
    let (end, ended) = sync_channel(0);
    let handle = MediaHandle {
        orders,
        table: outlets.orders,
        keeper: LastWake(wake.clone()),
        ended,
        udp_priority: settings.priority.saturating_sub(1),
        legs: [false; MAX_LEGS],
    };
    let inlets = Inlets { packets: outlets.packets, reports: outlets.reports };
    let sound = Sound::new(settings, sender, inlets, &wake, &grants).map_err(io::Error::other)?;
    let Outlets { heard, left, .. } = outlets;
    let keeper = Keeper { sound, news, orders: taken, grants, heard, left, legs: Default::default() };
    Builder::new().name("media".into()).stack_size(STACK_BYTES).spawn(move || {
        wake.is_me();
        keeper.run();
        drop(end);
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
        self.keeper.0.wake();
        taken.map_err(|_: TrySendError<_>| Stuck)
    }

    /// Lets the orders given so far be carried out: goodbyes are said and recordings complete when this returns. A
    /// device that hangs is not waited for.
    pub fn finish(self) {
        let Self { orders, keeper, ended, .. } = self;
        drop(orders);
        drop(keeper);
        let _ = ended.recv_timeout(LAST_WAIT);
    }

    /// The table of sources is changed from here, not by the keeper, who may be waiting for a device.
    fn tell_udp(&mut self, order: &MediaOrder) -> Result<(), Stuck> {
        match order {
            MediaOrder::Start { leg, path, keys, .. } => {
                self.note(*leg, true)?;
                let opener = keys.as_ref().map(|keys| Box::new(Opener::new(&keys.receives)));
                self.push(LegOrder::Admit(*leg, path.remote, opener))
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

#[cfg(test)]
mod tests;
