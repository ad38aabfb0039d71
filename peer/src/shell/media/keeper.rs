//! What the thread `media` does: carries out orders, looks after the devices, and tells the agent of each leg.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::thread;
use std::time::{Duration, Instant};

use rtrb::Consumer;
use vox_common::sys::clock;
use vox_common::wire::limits::MAX_LEGS;

use crate::media::orders::{LegId, MediaNews, MediaOrder, Path};
use crate::media::srtp::{Opener, Sealer};
use crate::shell::grants::Grants;
use crate::shell::sound::{Sending, Sound};
use crate::shell::udp::intake::Heard;

/// How often a leg that is heard is told of.
const TELLING: Duration = Duration::from_secs(1);

/// How often a leg is reported on: a level that is shown should move.
const REPORTING: Duration = Duration::from_millis(200);

/// What the thread owns.
pub(super) struct Keeper<N> {
    pub(super) sound: Sound,
    pub(super) news: N,
    pub(super) orders: Receiver<MediaOrder>,
    pub(super) grants: Arc<Grants>,
    pub(super) heard: Arc<Heard>,
    /// What opened the packets of legs that have ended.
    pub(super) left: Consumer<Box<Opener>>,
    pub(super) legs: [Option<Leg>; MAX_LEGS],
}

/// What the keeper remembers of a running leg.
pub(super) struct Leg {
    /// When it was last told that it is heard.
    told: Option<Instant>,
    report_due: Instant,
}

impl<N: Fn(MediaNews)> Keeper<N> {
    /// Works until nobody is left to give orders.
    pub(super) fn run(mut self) {
        while self.obey_all() {
            while self.left.pop().is_ok() {}
            let now = clock::now();
            self.grants.tell(|grant| (self.news)(MediaNews::Thread(grant)));
            self.tell_of_legs(now);
            self.sound.look(now, &self.news);
            rest(now, self.deadline());
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

    fn obey(&mut self, order: MediaOrder) {
        let now = clock::now();
        match order {
            MediaOrder::Start { leg, path, sends, takes_red, keys } => {
                let sealer = keys.map(|keys| Box::new(Sealer::new(&keys.sends)));
                self.start(leg, path, Sending { sends, takes_red, sealer }, now);
            }
            MediaOrder::Stop(leg) => self.stop(leg),
            MediaOrder::Send(leg) => self.sound.send(leg),
            MediaOrder::Ring(on) => self.sound.ring(on, now, &self.news),
            MediaOrder::Mute(on) => self.sound.mute(on),
            MediaOrder::Volume(direction, percent) => self.sound.volume(direction, percent),
        }
    }

    fn start(&mut self, leg: LegId, path: Path, sending: Sending, now: Instant) {
        self.stop(leg);
        if let Some(place) = self.legs.get_mut(usize::from(leg.0)) {
            *place = Some(Leg { told: None, report_due: now + REPORTING });
            self.sound.start(leg, path, sending, now, &self.news);
        }
    }

    fn stop(&mut self, leg: LegId) {
        let place = self.legs.get_mut(usize::from(leg.0));
        if place.is_some_and(|place| place.take().is_some()) {
            self.sound.stop(leg);
            // Not when the next call starts: its first packets may come before this thread learns of it.
            self.heard.take(leg);
            (self.news)(MediaNews::Report(leg, self.sound.report(leg)));
        }
    }

    fn tell_of_legs(&mut self, now: Instant) {
        for (leg, place) in (0..).map(LegId).zip(&mut self.legs) {
            let Some(state) = place else { continue };
            if state.told.is_none_or(|told| now >= told + TELLING) && self.heard.take(leg) {
                state.told = Some(now);
                (self.news)(MediaNews::Heard(leg));
            }
            if now >= state.report_due {
                state.report_due = now + REPORTING;
                (self.news)(MediaNews::Report(leg, self.sound.report(leg)));
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let reports = self.legs.iter().flatten().map(|leg| leg.report_due);
        reports.chain(self.sound.deadline()).min()
    }
}

fn rest(now: Instant, deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => thread::park_timeout(deadline.saturating_duration_since(now)),
        None => thread::park(),
    }
}
