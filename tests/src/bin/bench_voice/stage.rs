//! Where programs talk: two hosts on a cable, a virtual sound card at each, and a probe that is mouth and ear.

use std::path::Path;
use std::time::Duration;

use vox_tests::bed::jack::{Card, Probe};
use vox_tests::bed::net::Net;
use vox_tests::bed::timeline::Timeline;
use vox_tests::bed::wav::Recording;
use vox_tests::bed::{Lack, Place, Surroundings, wait};

use crate::programs::{Program, Running};

/// How long programs are given to find each other.
const MEETING: Duration = Duration::from_secs(4);

/// The bytes of Ethernet before each packet.
const ETHERNET: f64 = 14.0;

/// One of two who talk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    A,
    B,
}

impl End {
    pub(crate) const BOTH: [Self; 2] = [Self::A, Self::B];

    pub(crate) const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }

    /// Its address on the cable.
    pub(crate) const fn address(self) -> &'static str {
        match self {
            Self::A => Net::A,
            Self::B => Net::B,
        }
    }

    /// What a program of this name is called at this end, among stations and JACK's clients.
    pub(crate) fn of(self, key: &str) -> String {
        format!("{key}_{}", if self == Self::A { "a" } else { "b" })
    }
}

/// The cards of a stage.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cards {
    /// One for both ends: to the sample.
    One,
    /// Two, of which B's clock is so many parts in a million too fast.
    Two(f64),
}

/// What left a host.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sent {
    pub(crate) packets: f64,
    /// From the IPv4 header on.
    pub(crate) bits: f64,
}

pub(crate) struct Stage {
    pub(crate) place: Place,
    pub(crate) net: Net,
    cards: Vec<Card>,
    ppm: f64,
}

impl Stage {
    /// Cards that ask for `tick` samples at a time.
    pub(crate) fn new(tick: u32, cards: Cards) -> Result<Self, Lack> {
        let (place, net) = (Place::new(), Net::new()?);
        let first = Card::start(&place, tick)?;
        let (cards, ppm) = match cards {
            Cards::One => (vec![first], 0.0),
            Cards::Two(ppm) => (vec![first, Card::start_fast(&place, tick, ppm)?], ppm),
        };
        for host in [net.a(), net.b()] {
            // baresip asks which way leads into the world.
            let _ = host.command("ip").args("route add default dev eth0".split(' ')).output();
        }
        Ok(Self { place, net, cards, ppm })
    }

    /// What a program of this name finds around it at one end.
    pub(crate) fn around(&self, end: End, key: &str) -> Surroundings {
        let host = if end == End::A { self.net.a() } else { self.net.b() };
        self.card(end).plugged_into(&end.of(key), host)
    }

    fn card(&self, end: End) -> &Card {
        &self.cards[if end == End::A { 0 } else { self.cards.len() - 1 }]
    }

    /// Lets programs say `words` to each other, over and over, for at most so long, and waits until they do.
    pub(crate) fn play<'s>(&'s self, programs: &[&dyn Program], words: &Path, most: Duration) -> Play<'s> {
        let probe = |end: &[End]| self.probe(end, programs, words, most);
        let probes = match self.cards.len() {
            1 => vec![probe(&End::BOTH)],
            _ => vec![probe(&[End::A]), probe(&[End::B])],
        };
        let running = programs.iter().map(|program| program.start(self)).collect();
        wait::pause(MEETING);
        Play { stage: self, probes, running }
    }

    /// What has left a host over the cable so far.
    pub(crate) fn sent(&self, end: End) -> Sent {
        let host = if end == End::A { self.net.a() } else { self.net.b() };
        let count = |name: &str| -> f64 {
            let mut command = host.command("cat");
            command.arg(format!("/sys/class/net/eth0/statistics/tx_{name}"));
            let output = command.output().expect("every Debian has cat");
            String::from_utf8_lossy(&output.stdout).trim().parse().expect("a number (sysfs)")
        };
        let packets = count("packets");
        Sent { packets, bits: 8.0 * (count("bytes") - ETHERNET * packets) }
    }

    fn probe(&self, ends: &[End], programs: &[&dyn Program], words: &Path, most: Duration) -> Probe {
        let directory = self.directory(ends[0]);
        std::fs::create_dir_all(&directory).expect("a private directory can be written");
        let names: Vec<String> =
            ends.iter().flat_map(|end| programs.iter().map(|program| end.of(&program.key()))).collect();
        let microphones: Vec<(&str, &Path)> = names.iter().map(|name| (name.as_str(), words)).collect();
        let cables: Vec<_> =
            ends.iter().flat_map(|end| programs.iter().flat_map(|program| program.cables(*end))).collect();
        self.card(ends[0]).probe_with_cables(&directory, &microphones, &cables, most)
    }

    fn directory(&self, end: End) -> std::path::PathBuf {
        self.place.at(if end == End::A || self.cards.len() == 1 { "probe_a" } else { "probe_b" })
    }
}

/// Programs that talk.
pub(crate) struct Play<'s> {
    stage: &'s Stage,
    probes: Vec<Probe>,
    pub(crate) running: Vec<Running>,
}

impl Play<'_> {
    /// Ends it. What was heard is read for each program when it is asked for.
    pub(crate) fn finish(self) -> Heard {
        let ppms = [0.0, self.stage.ppm];
        let heard: Vec<_> = self.probes.into_iter().map(Probe::finish).collect();
        drop(self.running);
        let cards = heard.into_iter().zip(ppms).map(|(heard, ppm)| {
            let timeline = Timeline::of(&heard.table("cycles.csv"), ppm);
            (heard, timeline)
        });
        Heard { cards: cards.collect() }
    }
}

/// What was heard, with the clocks of the cards.
pub(crate) struct Heard {
    cards: Vec<(vox_tests::bed::jack::Heard, Timeline)>,
}

impl Heard {
    fn card(&self, end: End) -> &(vox_tests::bed::jack::Heard, Timeline) {
        &self.cards[if end == End::A { 0 } else { self.cards.len() - 1 }]
    }

    /// What came out of a program's loudspeaker at one end.
    pub(crate) fn ear(&self, end: End, key: &str) -> Recording {
        self.card(end).0.loudspeaker(&end.of(key))
    }

    /// The clock of the card at one end.
    pub(crate) fn clock(&self, end: End) -> &Timeline {
        &self.card(end).1
    }
}
