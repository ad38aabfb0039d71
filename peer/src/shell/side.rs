//! One direction's device through its life: wanted, opened, lost, opened again, closed.
//!
//! Cards are opened and closed by short-lived threads, because that may take seconds. When one has failed the clock
//! stands in for it until it is back; while it is opened for the first time nothing does, so that the playout begins
//! with the beat that it will keep, unless that takes long.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Builder, Thread};
use std::time::{Duration, Instant};

use self::closing::Closing;
use self::end::Answer;
pub(super) use self::end::End;
use self::retry::Retry;
use crate::audio::{Device, Needs};
use crate::media::orders::{Direction, MediaNews};

mod closing;
mod end;
mod retry;

/// A card that has not called for so long is gone, whatever it says.
const STANDSTILL: Duration = Duration::from_secs(2);

/// The same when the other direction was just lost: most often both are one card. It must be closed before the other
/// is opened again, or libjack frees its clients under it; hence less than [`retry::FIRST`].
const SUSPICIOUS: Duration = Duration::from_millis(250);

/// libasound and its plugins want room while they open.
const STACK_BYTES: usize = 512 * 1024;

/// One direction of the station's sound.
pub(super) struct Side {
    end: End,
    needs: Needs,
    state: State,
    retry: Retry,
    /// Of the cards that were open before.
    xruns_before: u64,
    closing: Closing,
    answers: (Sender<Answer>, Receiver<Answer>),
    /// What was last told, so that a card that cannot be opened is not told of again and again.
    told: Option<Result<String, String>>,
}

enum State {
    Closed,
    /// A file, a tone, silence, nowhere.
    Clocked {
        device: Device,
    },
    /// `since`: when it was last seen to call. `patience`: how long it may go without.
    Card {
        device: Device,
        opened: Instant,
        calls: u64,
        since: Instant,
        patience: Duration,
    },
    /// No card yet, or no more: the clock stands in. `try_at`: when to open the card; `None`: it is being opened.
    /// `stale`: it is being opened for a call that has ended, and must be opened again for this one.
    StandIn {
        device: Option<Device>,
        ends: Arc<AtomicBool>,
        try_at: Option<Instant>,
        stale: bool,
        /// While nothing stands in yet: when something must, because the card takes so long.
        patience: Instant,
    },
    /// It was closed while it was being opened.
    Unwanted,
}

impl Side {
    pub(super) fn new(end: End, needs: Needs) -> Self {
        Self {
            end,
            needs,
            state: State::Closed,
            retry: Retry::default(),
            xruns_before: 0,
            closing: Closing::default(),
            answers: channel(),
            told: None,
        }
    }

    /// The thread that the microphone is to wake from its next opening on.
    pub(super) fn wake(&mut self, thread: Option<Thread>) {
        if let End::In(_, _, sender) = &mut self.end {
            *sender = thread;
        }
    }

    /// Lets sound go through, as soon as it can.
    pub(super) fn open(&mut self, now: Instant, news: &impl Fn(MediaNews)) {
        match self.state {
            State::Closed if self.end.is_card() => self.wait(Some(now), false, now),
            State::Closed => self.open_clocked(news),
            State::Unwanted => self.wait(None, true, now),
            _ => (),
        }
        self.look(now, news);
    }

    /// Ends it. A file is complete when this returns; a card is closed in its own time.
    pub(super) fn close(&mut self) {
        let opening = matches!(self.state, State::StandIn { try_at: None, .. });
        let next = if opening { State::Unwanted } else { State::Closed };
        if let State::Card { device, .. } = std::mem::replace(&mut self.state, next) {
            self.release(device);
        }
        self.retry = Retry::default();
    }

    /// Whether nothing takes or brings samples.
    pub(super) fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed | State::Unwanted)
    }

    /// Looks after the device: takes what was opened, gives up what is lost, tries again when it is time. Tells
    /// whether a card was lost.
    pub(super) fn look(&mut self, now: Instant, news: &impl Fn(MediaNews)) -> bool {
        while let Ok(answer) = self.answers.1.try_recv() {
            self.take(answer, now, news);
        }
        self.tell_of_a_file_that_stopped(news);
        let trouble = self.trouble(now);
        if let Some(reason) = &trouble {
            self.lose(reason, now, news);
        }
        if matches!(self.state, State::StandIn { try_at: Some(due), .. } if now >= due) {
            self.open_card(now, news);
        }
        self.lose_patience(now, news);
        trouble.is_some()
    }

    /// When to look again at the latest.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match self.state {
            State::StandIn { device: None, patience, try_at, .. } => Some(try_at.unwrap_or(patience)),
            State::StandIn { try_at, .. } => try_at,
            State::Card { since, patience, .. } => Some(since + patience),
            _ => None,
        }
    }

    /// How often a card ran dry or over, of all that were ever open.
    pub(super) fn xruns(&self) -> u64 {
        match &self.state {
            State::Card { device, .. } => self.xruns_before + device.health.xruns(),
            _ => self.xruns_before,
        }
    }

    fn open_clocked(&mut self, news: &impl Fn(MediaNews)) {
        let ends = Arc::default();
        let opened = self.end.open_clocked(&self.needs, &ends);
        self.tell(opened.as_ref().map(|device| device.sentence.clone()).map_err(Clone::clone), news);
        let device = opened.or_else(|_| self.end.stand_in(&self.needs, &ends));
        self.state = device.map_or(State::Closed, |device| State::Clocked { device });
    }

    /// A recording whose disk is full: the call goes on without it.
    fn tell_of_a_file_that_stopped(&mut self, news: &impl Fn(MediaNews)) {
        if let State::Clocked { device } = &self.state
            && let Some(reason) = device.health.failure().map(str::to_owned)
        {
            self.tell(Err(reason), news);
        }
    }

    fn wait(&mut self, try_at: Option<Instant>, stale: bool, now: Instant) {
        let patience = now + STANDSTILL;
        self.state = State::StandIn { device: None, ends: Arc::default(), try_at, stale, patience };
    }

    /// A card that takes so long to be opened is stood in for; it may come later, or never.
    fn lose_patience(&mut self, now: Instant, news: &impl Fn(MediaNews)) {
        let State::StandIn { device, ends, patience, .. } = &mut self.state else { return };
        if device.is_none() && now >= *patience {
            *device = self.end.stand_in(&self.needs, ends).ok();
            *patience = now + retry::LONGEST;
            self.tell(Err("it takes long to be opened".to_owned()), news);
        }
    }

    fn stand_in(&mut self, try_at: Instant) {
        let ends = Arc::default();
        let device = self.end.stand_in(&self.needs, &ends).ok();
        let patience = try_at + STANDSTILL;
        self.state = State::StandIn { device, ends, try_at: Some(try_at), stale: false, patience };
    }

    fn open_card(&mut self, now: Instant, news: &impl Fn(MediaNews)) {
        let State::StandIn { ends, try_at, .. } = &mut self.state else { return };
        *try_at = None;
        let (end, needs, ends) = (self.end.clone(), self.needs.clone(), Arc::clone(ends));
        let (answers, closing) = (self.answers.0.clone(), self.closing.take());
        let work = move || {
            closing.wait();
            let _ = answers.send(end.open_card(&needs, &ends));
            needs.wake();
        };
        if let Err(error) = Builder::new().name("open".into()).stack_size(STACK_BYTES).spawn(work) {
            let at = Retry::after_refusal(now);
            self.try_later(&format!("no room for a thread: {error}"), at, news);
        }
    }

    fn take(&mut self, answer: Answer, now: Instant, news: &impl Fn(MediaNews)) {
        match (&mut self.state, answer) {
            (State::StandIn { stale: false, .. }, Ok(device)) => {
                self.tell(Ok(device.sentence.clone()), news);
                self.state = State::Card { device, opened: now, calls: 0, since: now, patience: STANDSTILL };
            }
            (State::StandIn { stale: false, .. }, Err(reason)) => {
                self.try_later(&reason, Retry::after_refusal(now), news);
            }
            (State::StandIn { stale, try_at, .. }, answer) => {
                (*stale, *try_at) = (false, Some(now));
                self.release_if(answer);
            }
            (state, answer) => {
                *state = State::Closed;
                self.release_if(answer);
            }
        }
    }

    fn release_if(&mut self, opened: Answer) {
        if let Ok(device) = opened {
            self.release(device);
        }
    }

    /// Why the open card is of no more use, if it is not.
    fn trouble(&mut self, now: Instant) -> Option<String> {
        let State::Card { device, opened, calls, since, patience } = &mut self.state else { return None };
        let health = &device.health;
        if health.calls() != *calls {
            (*calls, *since, *patience) = (health.calls(), now, STANDSTILL);
            self.retry.works(now, *opened);
        }
        let stands_still = (now >= *since + *patience).then(|| "it stands still".to_owned());
        health.failure().map(str::to_owned).or(stands_still)
    }

    /// The other direction's card is lost: has this one's gone with it?
    pub(super) fn suspect(&mut self, now: Instant, news: &impl Fn(MediaNews)) {
        self.look(now, news);
        if let State::Card { patience, .. } = &mut self.state {
            *patience = SUSPICIOUS;
        }
    }

    /// The card is gone: the clock stands in, and the card is tried again later.
    fn lose(&mut self, reason: &str, now: Instant, news: &impl Fn(MediaNews)) {
        let at = self.retry.after_loss(now);
        self.try_later(reason, at, news);
    }

    /// What stands in already goes on, so that its beat does.
    fn try_later(&mut self, reason: &str, at: Instant, news: &impl Fn(MediaNews)) {
        self.tell(Err(reason.to_owned()), news);
        match std::mem::replace(&mut self.state, State::Closed) {
            State::StandIn { device: Some(device), ends, patience, .. } => {
                ends.store(false, Ordering::Relaxed);
                let (device, try_at) = (Some(device), Some(at));
                self.state = State::StandIn { device, ends, try_at, stale: false, patience };
            }
            State::Card { device, .. } => {
                self.release(device);
                self.stand_in(at);
            }
            _ => self.stand_in(at),
        }
    }

    fn release(&mut self, device: Device) {
        self.xruns_before += device.health.xruns();
        self.closing.add(device);
    }

    fn tell(&mut self, opened: Result<String, String>, news: &impl Fn(MediaNews)) {
        if self.told.as_ref() == Some(&opened) && opened.is_err() {
            return;
        }
        let direction = match self.end {
            End::In(..) => Direction::In,
            End::Out(..) => Direction::Out,
        };
        let works = opened.is_ok();
        let (Ok(sentence) | Err(sentence)) = opened.clone();
        self.told = Some(opened);
        news(MediaNews::Device { direction, works, sentence });
    }
}
