//! What is sent, chosen by what the far end reports once a second (RFC 3550 6.4.1): loss is answered with copies at
//! once and with fewer of them slowly; a path that carries less is answered with less, never with more copies.
//!
//! The first copies are paid for with the rate of the sound itself: what is sent in all grows only as long as the
//! path shows no trouble with it, and never beyond the budget.

mod path;

use std::time::{Duration, Instant};

use self::path::{PathWatch, Step};
use super::orders::{Codec, Coding};
use super::profile::Numbers;
use super::red::{COPY_HEADER_BYTES, OWN_HEADER_BYTES};
use super::sender::WITH_COPIES_BYTES;

/// Loss that is worth one copy: one packet in 250.
const ONE_COPY: f64 = 0.004;

/// Loss from which one copy leaves too many holes: 0.06² is one frame in 280.
const TWO_COPIES: f64 = 0.06;

/// Loss of which copies leave 2 % over (PESQ-WB at 30 %, 24 kbit/s and two copies: 3.5 if the codec knows, 3.35 if not).
const HARD_LOSS: f64 = 0.25;

/// Loss that is prepared for is halved in so many seconds, if no more comes.
const HALF_LIFE: f64 = 5.0;

/// The rate grows by this share in a second while nothing speaks against it …
const GROWTH: f64 = 0.08;

/// … and by this after the path has shown that it carries less.
const CAREFUL_GROWTH: f64 = 0.02;

/// What a path that carries less is given of what it was given before.
const LESS: f64 = 0.7;

/// Nothing grows for so long after a path has shown that it carries less.
const PAUSE: Duration = Duration::from_secs(20);

/// The least that is sent in all, in bits per second.
const LEAST_RATE: f64 = 16_000.0;

/// Speech with less than this is hard to follow, and copies of it are of no use.
const LEAST_SOUND: f64 = 10_000.0;

/// Below this rate frames of 20 ms halve what headers cost (16 kbit/s of 32 with IPv4) …
const LONG_FRAMES: f64 = 42_000.0;

/// … until it is above this again.
const SHORT_FRAMES: f64 = 56_000.0;

const LONG_PTIME_US: u32 = 20_000;

/// Longer packets of uncompressed sound have no room for a copy.
const COPIED_L16_US: u32 = 5_000;

/// What the far end says of what we send.
#[derive(Debug, Clone, Copy)]
pub struct Heard {
    /// When it came.
    pub at: Instant,
    /// The share of packets lost since the report before, 0 to 1.
    pub loss: f64,
    /// Round trip time, if the report tells.
    pub round_trip: Option<Duration>,
}

/// What to send from the next frame on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Sound in one packet, in microseconds.
    pub ptime_us: u32,
    /// Bits per second of the sound alone. Uncompressed sound has its own.
    pub bitrate: u32,
    /// How many copies of each frame are sent after it.
    pub copies: u8,
    /// From a frame to its first copy, and from copy to copy.
    pub apart: Duration,
    /// Loss in percent that the codec is told of. Without copies it puts spares of its own into its packets (in-band
    /// FEC, RFC 6716 2.1.7), where its mode has them.
    pub loss_percent: u8,
}

/// What the operator allows.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How the sound is coded as long as the path carries it.
    pub coding: Coding,
    /// Bits per second of the sound without loss.
    pub bitrate: u32,
    /// Bits per second of sound, copies, and what tells them apart. Does not bind uncompressed sound.
    pub budget: u32,
    /// Copies of each frame. 0 where the far end has not said that it reads them.
    pub most_copies: u8,
    /// From copy to copy.
    pub apart: Duration,
}

impl Limits {
    /// As a profile has it. More than the profile's budget is sent only where the operator asked for a higher bit
    /// rate.
    pub fn new(numbers: &Numbers, coding: Coding, bitrate: u32, takes_copies: bool) -> Self {
        let most_copies = if takes_copies { numbers.most_copies } else { 0 };
        Self { coding, bitrate, budget: numbers.budget.max(bitrate), most_copies, apart: numbers.spacing }
    }
}

/// Chooses the plan of one leg.
#[derive(Debug)]
pub struct Adapt {
    limits: Limits,
    path: PathWatch,
    /// The loss that is prepared for.
    loss: f64,
    /// Bits per second of payload that the path is given in all.
    rate: f64,
    /// What it was given before a trial.
    before_trial: Option<f64>,
    growth: f64,
    /// Nothing grows before.
    paused: Option<Instant>,
    heard: Option<Instant>,
    plan: Plan,
}

impl Adapt {
    /// Begins with the whole bit rate and no copies.
    pub fn new(limits: Limits) -> Self {
        let Limits { coding, bitrate, apart, .. } = limits;
        Self {
            limits,
            path: PathWatch::default(),
            loss: 0.0,
            rate: f64::from(bitrate),
            before_trial: None,
            growth: GROWTH,
            paused: None,
            heard: None,
            plan: Plan { ptime_us: coding.ptime_us, bitrate, copies: 0, apart, loss_percent: 0 },
        }
    }

    /// What to send now.
    pub fn plan(&self) -> Plan {
        self.plan
    }

    /// Takes a report, and changes the plan.
    pub fn hear(&mut self, report: Heard) {
        let since = self.heard.map_or(1.0, |heard| report.at.saturating_duration_since(heard).as_secs_f64());
        self.heard = Some(report.at);
        let faded = self.loss * 0.5_f64.powf(since / HALF_LIFE);
        self.loss = report.loss.max(faded);
        match self.path.judge(&report) {
            Step::Same => self.grow(report.at, since.min(2.0)),
            Step::CarriesLess => self.shrink(report.at),
            Step::TryLess => self.try_less(),
            Step::Trying => {}
            Step::LessIsNoBetter => self.rate = self.before_trial.take().unwrap_or(self.rate),
            Step::LessIsBetter => self.keep_less(report.at),
        }
        self.plan = self.choose(report.at);
    }

    fn try_less(&mut self) {
        self.before_trial = Some(self.rate);
        self.rate = (self.rate / 2.0).max(LEAST_RATE.min(self.rate));
    }

    /// Less loss with half the rate: the path is full, and stays at what it carries.
    fn keep_less(&mut self, now: Instant) {
        self.before_trial = None;
        (self.growth, self.paused) = (CAREFUL_GROWTH, Some(now + PAUSE));
    }

    fn shrink(&mut self, now: Instant) {
        self.rate = (self.used() * LESS).max(LEAST_RATE);
        self.keep_less(now);
    }

    fn grow(&mut self, now: Instant, seconds: f64) {
        if !self.is_paused(now) {
            let most = f64::from(self.limits.budget);
            self.rate = (self.rate * (1.0 + self.growth * seconds)).min(most);
        }
    }

    fn is_paused(&self, now: Instant) -> bool {
        self.before_trial.is_some() || self.paused.is_some_and(|until| now < until)
    }

    /// Bits per second that the plan takes.
    fn used(&self) -> f64 {
        let Plan { copies, bitrate, ptime_us, .. } = self.plan;
        overhead(copies, ptime_us) + f64::from(bitrate) * f64::from(copies + 1)
    }

    fn choose(&self, now: Instant) -> Plan {
        let ptime_us = self.ptime_us();
        let wanted = self.wanted_copies();
        let wanted = if self.is_paused(now) { wanted.min(self.plan.copies) } else { wanted };
        if self.limits.coding.codec == Codec::L16 {
            return self.choose_uncompressed(if self.is_paused(now) { 0 } else { wanted });
        }
        let copies = (0..=wanted).rev().find(|&copies| self.sound(copies, ptime_us) >= LEAST_SOUND);
        let copies = copies.unwrap_or(0);
        let sound = self.sound(copies, ptime_us).min(f64::from(self.limits.bitrate));
        let bitrate = in_whole_bytes(sound, ptime_us);
        let loss_percent = self.loss_percent(copies);
        Plan { ptime_us, bitrate, copies, apart: self.limits.apart, loss_percent }
    }

    /// The rate of the sound is what it is; copies come on top, as many as there is room for.
    fn choose_uncompressed(&self, copies: u8) -> Plan {
        let most = if copies == 0 { u32::MAX } else { COPIED_L16_US };
        let ptime_us = self.limits.coding.ptime_us.min(most);
        let frame = ptime_us as usize * 48 / 1_000 * 2;
        let room = (WITH_COPIES_BYTES - OWN_HEADER_BYTES).saturating_sub(frame) / (frame + COPY_HEADER_BYTES);
        Plan { ptime_us, copies: copies.min(u8::try_from(room).unwrap_or(u8::MAX)), ..self.plan }
    }

    /// In steps of 5 %, so that not every report changes the plan. What copies bring back is no loss to the codec; at
    /// [`HARD_LOSS`] enough is left over for it to rely less on what came before.
    fn loss_percent(&self, copies: u8) -> u8 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 20")]
        let steps = (self.loss * 20.0).ceil() as u8;
        let matters = if copies == 0 { self.loss >= ONE_COPY } else { self.loss >= HARD_LOSS };
        if matters { 5 * steps.min(20) } else { 0 }
    }

    fn wanted_copies(&self) -> u8 {
        let wanted = u8::from(self.loss >= ONE_COPY) + u8::from(self.loss >= TWO_COPIES);
        wanted.min(self.limits.most_copies)
    }

    /// Bits per second that so many copies leave for the sound.
    fn sound(&self, copies: u8, ptime_us: u32) -> f64 {
        (self.rate - overhead(copies, ptime_us)) / f64::from(copies + 1)
    }

    fn ptime_us(&self) -> u32 {
        let Coding { codec, ptime_us } = self.limits.coding;
        let border = if self.plan.ptime_us == ptime_us { LONG_FRAMES } else { SHORT_FRAMES };
        let border = border.min(f64::from(self.limits.bitrate)); // an operator who wants little gets short frames
        let long = codec == Codec::Opus && self.rate < border;
        if long { LONG_PTIME_US.max(ptime_us) } else { ptime_us }
    }
}

/// The nearest rate below, in bits per second, that frames of whole bytes have; at least the least of Opus.
fn in_whole_bytes(rate: f64, ptime_us: u32) -> u32 {
    let bits = 8.0 * 1_000_000.0 / f64::from(ptime_us);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 510,000")]
    let rate = ((rate / bits).floor() * bits) as u32;
    rate.max(6_000)
}

/// Bits per second of the headers inside the payload.
fn overhead(copies: u8, ptime_us: u32) -> f64 {
    let bytes = usize::from(copies) * COPY_HEADER_BYTES + OWN_HEADER_BYTES;
    let bits = if copies == 0 { 0 } else { 8 * bytes };
    #[expect(clippy::cast_precision_loss, reason = "below a hundred")]
    let bits = bits as f64;
    bits * 1_000_000.0 / f64::from(ptime_us)
}

#[cfg(test)]
mod tests;
