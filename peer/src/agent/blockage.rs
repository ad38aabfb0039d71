//! When people are told that sound does not leave this machine: its network takes no more packets.

use std::fmt::Write;
use std::time::{Duration, Instant};

use super::Agent;
use super::io::{Moment, Out, Output};
use super::leg::Leg;
use crate::media::orders::{LegId, LegReport};

/// So many packets that did not leave between two reports are told of; fewer are an accident.
const WORTH_TELLING: u64 = 5;

/// It is well again when every packet has left for this long.
const WELL_AFTER: Duration = Duration::from_secs(3);

/// What is to be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Telling {
    /// So many packets have not left.
    Unsent(u64),
    /// All leave again.
    Sent,
}

/// The sending side of one leg.
#[derive(Debug, Clone, Copy, Default)]
pub struct Blockage {
    /// Packets that had not left by the last report.
    unsent: u64,
    /// When the last of them was reported, once people were told.
    told: Option<Instant>,
}

impl Blockage {
    /// Takes the count of packets that have not left since the call began.
    fn judge(&mut self, now: Instant, unsent: u64) -> Option<Telling> {
        let more = unsent.saturating_sub(std::mem::replace(&mut self.unsent, unsent));
        match self.told {
            None if more >= WORTH_TELLING => {
                self.told = Some(now);
                Some(Telling::Unsent(more))
            }
            Some(_) if more > 0 => {
                self.told = Some(now);
                None
            }
            Some(last) if now.saturating_duration_since(last) >= WELL_AFTER => {
                self.told = None;
                Some(Telling::Sent)
            }
            _ => None,
        }
    }
}

impl Agent {
    /// Tells people where a report of a leg gives reason to.
    pub(super) fn judge_sending(&mut self, now: Moment, place: LegId, report: &LegReport, out: Out<'_>) {
        let Self { calls, front, .. } = self;
        let legs = calls.legs();
        let Some(leg) = legs.iter().find(|leg| leg.place == place && leg.is_talking()) else { return };
        let Some(blockage) = front.blockages.get_mut(usize::from(place.0)) else { return };
        if let Some(telling) = blockage.judge(now.at, report.packets_unsent) {
            let (event, log) = told(leg, telling);
            front.desk.tell(leg.owner, &event, out);
            out(Output::Log(log::Level::Warn, &log));
        }
    }
}

/// The event and the line of the log.
fn told(leg: &Leg, telling: Telling) -> (String, String) {
    let mut event = format!("* AUDIO there {} call={} name={}", word(telling), leg.id, leg.who);
    let sentence = match telling {
        Telling::Unsent(packets) => {
            let _ = write!(event, " packets={packets}");
            "sound does not leave this machine: its network takes no more packets"
        }
        Telling::Sent => "sound leaves this machine again",
    };
    let log = format!("{sentence} call={} with={} remote={}", leg.id, leg.who, leg.path.remote);
    (event, log)
}

const fn word(telling: Telling) -> &'static str {
    match telling {
        Telling::Unsent(_) => "unsent",
        Telling::Sent => "sent",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_that_do_not_leave_are_told_of_once_and_once_more_when_all_leave_again() {
        let start = vox_common::sys::clock::now();
        let mut blockage = Blockage::default();
        let counts = [0, 4, 8, 20, 60, 61, 61, 61, 61, 61, 70];
        let judged =
            (0..).zip(counts).map(|(s, unsent)| (s, blockage.judge(start + Duration::from_secs(s), unsent)));
        let told: Vec<_> = judged.filter_map(|(s, telling)| Some((s, telling?))).collect();
        assert_eq!(told, [(3, Telling::Unsent(12)), (8, Telling::Sent), (10, Telling::Unsent(9))]);
    }
}
