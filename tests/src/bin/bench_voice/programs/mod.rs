//! Programs that carry voice between two hosts, each driven in its own way. What they are told here is what their manuals
//! offer; nothing is patched.

mod baresip;
mod jamulus;
mod trx;
mod vox;

use vox_peer::media::profile::Profile;
use vox_tests::bed::ports::Port;
use vox_tests::bed::{Lack, Process};

pub(crate) use self::baresip::Baresip;
pub(crate) use self::jamulus::Jamulus;
pub(crate) use self::trx::Trx;
pub(crate) use self::vox::Vox;
use crate::stage::{End, Stage};

/// One program with its settings.
pub(crate) trait Program {
    /// As it stands in tables.
    fn title(&self) -> String;
    /// A word for names of files and of JACK's clients: letters, digits and `_`, another for each of those that run at the
    /// same time.
    fn key(&self) -> String;
    /// Whether it is installed.
    fn there(&self) -> Result<(), Lack>;
    /// The card's period, in samples, that its makers recommend for the least delay.
    fn tick(&self) -> u32 {
        60
    }
    /// Patterns of JACK's ports to be connected at one end, from and to; none where ALSA's plugin does it.
    fn cables(&self, _end: End) -> Vec<(String, String)> {
        Vec::new()
    }
    /// Starts both ends and lets them talk.
    fn start(&self, stage: &Stage) -> Running;
}

/// Its processes. Dropped: ended.
#[derive(Default)]
pub(crate) struct Running {
    /// At end A and at end B.
    pub(crate) ends: [Vec<Process>; 2],
    /// Between them, or beside them.
    pub(crate) servers: Vec<Process>,
    /// What nobody else takes meanwhile.
    pub(crate) _ports: Vec<Port>,
}

impl Running {
    /// Process ids of both ends.
    pub(crate) fn pids(&self) -> Vec<u32> {
        self.ends.iter().flatten().map(Process::pid).collect()
    }

    /// Process ids of servers.
    pub(crate) fn server_pids(&self) -> Vec<u32> {
        self.servers.iter().map(Process::pid).collect()
    }
}

/// Those of them that are asked for: whose titles hold one of these words, or all.
pub(crate) fn wanted(programs: Vec<Box<dyn Program>>, words: &[String]) -> Vec<Box<dyn Program>> {
    let is_wanted = |title: &str| words.is_empty() || words.iter().any(|word| title.contains(word));
    programs.into_iter().filter(|program| is_wanted(&program.title().to_lowercase())).collect()
}

/// Those whose delay and cost are measured.
pub(crate) fn for_delay() -> Vec<Box<dyn Program>> {
    let mut all: Vec<Box<dyn Program>> = vec![
        Box::new(Vox::default()),
        Box::new(Vox::with("lan", 2.5, 60)),
        Box::new(Vox::with("lan", 5.0, 60)),
        Box::new(Vox::with("lan", 10.0, 60)),
        Box::new(Vox::with("wifi", 10.0, 60)),
    ];
    if Profile::parse("studio").is_some() {
        all.push(Box::new(Vox::of_profile("studio", 60)));
    }
    all.extend(others());
    all
}

/// Those whose delay is followed for long, on a card of this period.
pub(crate) fn for_drift(period: u32) -> Vec<Box<dyn Program>> {
    let mut all: Vec<Box<dyn Program>> = vec![Box::new(Vox::with("lan", 10.0, period))];
    all.extend(others().into_iter().filter(|program| program.title().contains("tuned")));
    all
}

/// Those that speak over bad paths, on a card of this period.
pub(crate) fn for_speech(period: u32) -> Vec<Box<dyn Program>> {
    let profiles = ["wifi", "internet", "lan"];
    let mut all: Vec<Box<dyn Program>> = Vec::new();
    all.extend(profiles.map(|profile| Box::new(Vox::of_profile(profile, period)) as Box<dyn Program>));
    all.extend(others().into_iter().filter(|program| !program.title().contains("tuned")));
    all.push(Box::new(Baresip::protected()));
    all
}

fn others() -> Vec<Box<dyn Program>> {
    vec![
        Box::new(Baresip::default()),
        Box::new(Baresip::tuned()),
        Box::new(Trx::default()),
        Box::new(Trx::tuned()),
        Box::new(Jamulus::default()),
        Box::new(Jamulus::tuned()),
    ]
}

/// The probe's ports of a program at one end, as a pattern of one port each: its mouth, and its ear.
fn mouth_and_ear(end: End, key: &str) -> [String; 2] {
    ["mic", "ear"].map(|kind| format!("^probe:{kind}_{}$", end.of(key)))
}
