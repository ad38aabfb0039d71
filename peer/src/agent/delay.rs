//! Mouth-to-ear delay of both directions in words: lines of STATUS, events and the log.

use std::fmt::{self, Display, Write};
use std::time::Duration;

use super::Agent;
use super::desk::Desk;
use super::io::{Moment, Out, Output};
use super::lateness::{Lateness, Telling};
use super::leg::Leg;
use crate::media::mouth_to_ear::MouthToEar;
use crate::media::orders::{LegId, LegReport};

/// The two directions of a leg, in the order in which they are told: from the mouth here to the ear there, and back.
pub const WAYS: [&str; 2] = ["there", "here"];

/// What was told of both directions of a leg.
pub type Latenesses = [Lateness; WAYS.len()];

impl Agent {
    /// Tells people of the delay where a report of a leg gives reason to.
    pub(super) fn judge_delay(&mut self, now: Moment, place: LegId, report: &LegReport, out: Out<'_>) {
        let Self { calls, front, .. } = self;
        let Some(leg) = calls.legs().iter().find(|leg| leg.place == place && leg.is_talking()) else {
            return;
        };
        let allowed = calls.policy.alarm_delay;
        let Some(latenesses) = front.latenesses.get_mut(usize::from(place.0)) else { return };
        for (way, (lateness, delay)) in WAYS.into_iter().zip(latenesses.iter_mut().zip(ways(report))) {
            if let Some(telling) = lateness.judge(now.at, delay.total(), allowed) {
                tell(&front.desk, leg, &Told { telling, way, delay, allowed }, out);
            }
        }
    }

    /// The `delay` lines of STATUS.
    pub(super) fn write_delays(&self, leg: &Leg, report: &LegReport, text: &mut String) -> fmt::Result {
        let latenesses = self.front.latenesses.get(usize::from(leg.place.0));
        let late = latenesses.map_or([false; 2], |both| both.map(|lateness| lateness.is_late()));
        for (way, (delay, late)) in WAYS.into_iter().zip(ways(report).into_iter().zip(late)) {
            let late = if late { "yes" } else { "no" };
            writeln!(text, "230-delay call={} direction={way} late={late}{}", leg.id, Parts(&delay))?;
        }
        Ok(())
    }
}

fn ways(report: &LegReport) -> [MouthToEar; WAYS.len()] {
    [report.there(), report.here()]
}

/// Something worth telling of one direction.
struct Told {
    telling: Telling,
    way: &'static str,
    delay: MouthToEar,
    allowed: Option<Duration>,
}

/// An alarm is for whoever placed the call, too, and for the log.
fn tell(desk: &Desk, leg: &Leg, told: &Told, out: Out<'_>) {
    let Told { telling, way, delay, allowed } = told;
    let alarm = allowed.map_or_else(String::new, |allowed| format!(" alarm-ms={}", allowed.as_millis()));
    let parts = Parts(delay);
    let event = format!("* AUDIO {way} {} call={} name={}{parts}{alarm}", telling.word(), leg.id, leg.who);
    let (level, verdict) = match telling {
        Telling::Delay => return desk.tell(None, &event, out),
        Telling::Late => (log::Level::Warn, "is longer than it may be"),
        Telling::Timely => (log::Level::Info, "is well again"),
    };
    desk.tell(leg.owner, &event, out);
    let log = format!(
        "the delay of sound {verdict} direction={way} call={} with={}{parts}{alarm}",
        leg.id, leg.who
    );
    out(Output::Log(level, &log));
}

/// The words ` total-ms=… capture-ms=…` and so on; `-`: not known.
struct Parts<'d>(&'d MouthToEar);

impl Display for Parts<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = ("total", self.0.total());
        [total].into_iter().chain(self.0.parts()).try_for_each(|(name, part)| match part {
            Some(part) => write!(out, " {name}-ms={:.2}", part.as_secs_f64() * 1e3),
            None => write!(out, " {name}-ms=-"),
        })
    }
}
