//! vox itself: two stations, called by address.

use vox_tests::bed::{Lack, Station, set_up};

use super::{Program, Running};
use crate::stage::{End, Stage};

/// What the configuration says beside the devices.
#[derive(Debug, Default)]
pub(crate) struct Vox {
    profile: Option<&'static str>,
    ptime_ms: Option<f64>,
    period: Option<u32>,
}

impl Vox {
    /// A profile with the length of its frames and the card's period.
    pub(crate) fn with(profile: &'static str, ptime_ms: f64, period: u32) -> Self {
        Self { profile: Some(profile), ptime_ms: Some(ptime_ms), period: Some(period) }
    }

    /// A profile with all that it means, on a card of this period.
    pub(crate) fn of_profile(profile: &'static str, period: u32) -> Self {
        Self { profile: Some(profile), period: Some(period), ptime_ms: None }
    }

    fn station(&self, stage: &Stage, end: End) -> Station {
        let key = self.key();
        let station = Station::named(&end.of(&key)).within(&stage.around(end, &key)).on_every_address();
        let mut station = station.set("audio.input", "default").set("audio.output", "default").answering();
        if let Some(profile) = self.profile {
            station = station.set("voice.profile", profile);
        }
        if let Some(ptime_ms) = self.ptime_ms {
            station = station.set("audio.ptime-ms", ptime_ms);
        }
        if let Some(period) = self.period {
            station = station.set("audio.period", i64::from(period));
        }
        station.set("log.level", "info").start(&stage.place)
    }
}

impl Program for Vox {
    fn title(&self) -> String {
        let Some(profile) = self.profile else { return "vox, default".to_owned() };
        self.ptime_ms.map_or(format!("vox {profile}"), |ms| format!("vox {profile}, {ms} ms frames"))
    }

    fn key(&self) -> String {
        let ptime_us = self.ptime_ms.map_or(0.0, |ms| ms * 1e3);
        format!("vox_{}_{ptime_us}", self.profile.unwrap_or("default"))
    }

    fn there(&self) -> Result<(), Lack> {
        Ok(())
    }

    fn start(&self, stage: &Stage) -> Running {
        let [a, b] = End::BOTH.map(|end| self.station(stage, end));
        let call = set_up::call(&a, &format!("{}:{}", End::B.address(), b.port()), &b);
        let [(a, here), (b, there)] = [a, b].map(Station::into_process);
        Running { ends: [vec![a], vec![b]], servers: vec![call.program], _ports: vec![here, there] }
    }
}
