//! What is known of the sound: devices, threads, loudness, and how the legs fare.

use std::fmt::{self, Write};

use heapless::Vec;
use vox_common::wire::limits::MAX_LEGS;
use vox_common::wire::words::encode;

use crate::dsp::tasks::Tasks;
use crate::media::orders::{Direction, LegId, LegReport, MediaNews, Sends, ThreadGrant};

/// Threads that report what they were granted. At the brim further ones are not shown.
const MAX_THREADS: usize = 16;

/// What it means that threads are ordinary ones, and what to do.
pub const NO_REAL_TIME: &str = "sound may break up while others work: its threads are ordinary ones; start vox-peer by \
    its systemd unit, or give its user \"rtprio 80\" and \"memlock unlimited\" in /etc/security/limits.conf";

/// Counts of datagrams. At the brim further ones are not shown.
pub const MAX_COUNTS: usize = 16;

/// One of the two devices.
#[derive(Debug, Default)]
struct Device {
    state: DeviceState,
    /// For people: the device and its settings, or why it does not work.
    sentence: String,
}

/// What a device does, as STATUS shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum DeviceState {
    /// No call has needed it yet.
    #[default]
    Unused,
    Works,
    Lost,
}

impl DeviceState {
    const fn word(self) -> &'static str {
        match self {
            Self::Unused => "unused",
            Self::Works => "works",
            Self::Lost => "lost",
        }
    }
}

/// The sound, as `status` shows it.
#[derive(Debug)]
pub struct Board {
    /// Silence is sent instead of the microphone.
    pub muted: bool,
    tasks: Tasks,
    volumes: [u8; 2],
    devices: [Device; 2],
    threads: Vec<ThreadGrant, MAX_THREADS>,
    /// The operator was told that threads are ordinary ones.
    pub warned: bool,
    locked: bool,
    reports: Vec<(LegId, LegReport), MAX_LEGS>,
    datagrams: Vec<(&'static str, u64), MAX_COUNTS>,
}

impl Default for Board {
    fn default() -> Self {
        Self {
            muted: false,
            tasks: Tasks::NONE,
            volumes: [100; 2],
            devices: Default::default(),
            threads: Vec::new(),
            warned: false,
            locked: false,
            reports: Vec::new(),
            datagrams: Vec::new(),
        }
    }
}

impl Board {
    /// Nothing is known yet but what is done to the microphone's sound, and how loud both directions are, in percent.
    pub fn new(tasks: Tasks, volumes: [u8; 2]) -> Self {
        Self { tasks, volumes, ..Self::default() }
    }

    /// Keeps what the sound tells.
    pub fn note(&mut self, news: &MediaNews) {
        match news {
            MediaNews::Heard(_) => {}
            MediaNews::Report(leg, report) => self.note_report(*leg, report),
            MediaNews::Device { direction, works, sentence } => {
                let state = if *works { DeviceState::Works } else { DeviceState::Lost };
                self.devices[index(*direction)] = Device { state, sentence: sentence.clone() };
            }
            MediaNews::Thread(grant) => self.note_thread(grant),
            MediaNews::Memory { locked } => self.locked = *locked,
        }
    }

    /// Loudness, in percent.
    pub fn volume(&self, direction: Direction) -> u8 {
        self.volumes[index(direction)]
    }

    /// Another loudness, in percent.
    pub fn set_volume(&mut self, direction: Direction, percent: u8) {
        self.volumes[index(direction)] = percent;
    }

    /// What became of all datagrams so far.
    pub fn note_datagrams(&mut self, counts: &[(&'static str, u64)]) {
        self.datagrams = counts.iter().copied().take(MAX_COUNTS).collect();
    }

    /// The `datagrams` line of STATUS.
    pub fn write_datagrams(&self, text: &mut String) -> fmt::Result {
        write!(text, "230-datagrams")?;
        self.datagrams
            .iter()
            .try_for_each(|(word, count)| write!(text, " {}={count}", word.replace('_', "-")))?;
        writeln!(text)
    }

    /// How a leg fares, once it has been told.
    pub fn report(&self, leg: LegId) -> Option<&LegReport> {
        self.reports.iter().find(|(known, _)| *known == leg).map(|(_, report)| report)
    }

    /// A leg begins or has ended: what was told of its place is old.
    pub fn forget(&mut self, leg: LegId) {
        self.reports.retain(|(known, _)| *known != leg);
    }

    fn note_report(&mut self, leg: LegId, report: &LegReport) {
        self.forget(leg);
        // At most one for each place in the table of legs.
        let _ = self.reports.push((leg, *report));
    }

    fn note_thread(&mut self, grant: &ThreadGrant) {
        match self.threads.iter_mut().find(|known| known.name == grant.name) {
            Some(known) => known.clone_from(grant),
            None => drop(self.threads.push(grant.clone())),
        }
    }

    /// The `audio`, `dsp` and `thread` lines of STATUS.
    pub fn write(&self, text: &mut String) -> fmt::Result {
        for (at, direction) in ["in", "out"].into_iter().enumerate() {
            let Device { state, sentence } = &self.devices[at];
            write!(
                text,
                "230-audio direction={direction} state={} volume={}",
                state.word(),
                self.volumes[at]
            )?;
            if !sentence.is_empty() {
                write!(text, " sentence={}", encode(sentence))?;
            }
            writeln!(text)?;
        }
        if !self.tasks.is_none() {
            writeln!(text, "230-dsp does={}", self.tasks)?;
        }
        for ThreadGrant { name, wanted, granted } in &self.threads {
            let policy = if *granted > 0 { "fifo" } else { "other" };
            writeln!(text, "230-thread name={name} policy={policy} priority={granted} wanted={wanted}")?;
        }
        self.write_real_time(text)
    }

    /// The `realtime` line of STATUS: before the first call nobody knows what will be granted.
    fn write_real_time(&self, text: &mut String) -> fmt::Result {
        let memory = if self.locked { "locked" } else { "unlocked" };
        write!(text, "230-realtime memory={memory}")?;
        let mut asked = self.threads.iter().filter(|grant| grant.wanted > 0).peekable();
        if asked.peek().is_none() {
            writeln!(text)
        } else if asked.any(ThreadGrant::is_refused) {
            writeln!(text, " granted=no advice={}", encode(NO_REAL_TIME))
        } else {
            writeln!(text, " granted=yes")
        }
    }
}

fn index(direction: Direction) -> usize {
    match direction {
        Direction::In => 0,
        Direction::Out => 1,
    }
}

/// The `media` line of STATUS, without its code.
pub fn write_report(report: &LegReport, text: &mut String) -> fmt::Result {
    let LegReport { packets_sent, packets_received, packets_lost, packets_late, underruns, .. } = report;
    write!(text, " packets-sent={packets_sent} packets-unsent={}", report.packets_unsent)?;
    write!(text, " packets-received={packets_received}")?;
    write!(text, " packets-lost={packets_lost} packets-late={packets_late} underruns={underruns}")?;
    write!(text, " concealed-percent={:.2}", report.concealed * 100.0)?;
    write!(text, " jitter-ms={:.1}", report.jitter.as_secs_f64() * 1e3)?;
    write!(text, " depth-ms={:.1}", report.depth.as_secs_f64() * 1e3)?;
    if let Some(round_trip) = report.round_trip {
        write!(text, " round-trip-ms={:.1}", round_trip.as_secs_f64() * 1e3)?;
    }
    write!(text, " far-loss-percent={:.2}", report.far_loss * 100.0)?;
    write!(text, " drift-ppm={:.1}", report.drift_ppm)?;
    write_sends(&report.sends, text)?;
    write!(text, " level-in-db={:.0} level-out-db={:.0}", report.level_in_db, report.level_out_db)
}

fn write_sends(sends: &Sends, text: &mut String) -> fmt::Result {
    let Sends { ptime_us, bitrate, copies } = *sends;
    if ptime_us == 0 {
        return Ok(());
    }
    write!(text, " ptime-ms={} bitrate={bitrate} copies={copies}", f64::from(ptime_us) / 1e3)
}
