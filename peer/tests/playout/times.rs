//! Sequence number, time stamp, arrival and play time, packet by packet: the wait that comes of it.

use std::time::{Duration, Instant};

use vox_common::sys::clock;
use vox_peer::media::playout::{Patience, Playout};
use vox_peer::media::profile::Profile;
use vox_peer::media::rtp::{Header, L16};

/// 5 ms.
const FRAME: u16 = 240;

/// One packet: sequence number, time stamp, arrival and play in milliseconds; never played: `None`.
type Row = (u16, u32, f64, Option<f64>);

struct Card {
    start: Instant,
    playout: Playout,
    /// The play time of each level that was heard, in milliseconds.
    heard: Vec<(u16, f64)>,
}

impl Card {
    fn new() -> Self {
        let start = clock::now();
        let mut playout = Playout::new(start).expect("memory");
        playout.set_patience(Patience { least: 24, ..Patience::of(&Profile::Lan.numbers(), 0) });
        Self { start, playout, heard: Vec::new() }
    }

    fn at(&self, ms: f64) -> Instant {
        self.start + Duration::from_secs_f64(ms / 1e3)
    }

    /// A packet whose samples all have its row's number as their level.
    fn push(&mut self, row: u16, sequence: u16, time_stamp: u32, arrival: f64) {
        let header = Header { marker: false, payload_type: L16, sequence, time_stamp, ssrc: 1 };
        let level = (row + 1) * 1_000;
        let samples = (0..FRAME).flat_map(|_| level.to_be_bytes());
        let packet: Vec<u8> = header.to_bytes().into_iter().chain(samples).collect();
        self.playout.push(&packet, self.at(arrival));
    }

    /// One period of 5 ms that begins at `ms`. A level is heard where the last sample of a packet is.
    fn pull(&mut self, ms: f64) {
        let mut out = [0.0_f32; FRAME as usize];
        self.playout.pull(self.at(ms), &mut out);
        let thousands = out[out.len() - 1] * 32.768;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 33")]
        let level = thousands.round() as u16;
        if (thousands - thousands.round()).abs() < 0.01 && level > 0 {
            self.heard.push((level - 1, ms));
        }
    }
}

/// Plays the packets for as many periods as there are, and some more; pulls begin at 1, 6, 11 … ms.
fn check(name: &str, rows: &[Row]) {
    let mut card = Card::new();
    let mut waiting: Vec<(u16, &Row)> = (0..).zip(rows).collect();
    waiting.sort_by(|(_, one), (_, other)| one.2.total_cmp(&other.2));
    let mut waiting = waiting.into_iter().peekable();
    for period in 0..u32::try_from(rows.len()).expect("few") + 8 {
        let now = f64::from(period) * 5.0 + 1.0;
        while let Some((row, &(sequence, time_stamp, arrival, _))) = waiting.next_if(|(_, row)| row.2 <= now)
        {
            card.push(row, sequence, time_stamp, arrival);
        }
        card.pull(now);
    }
    for (number, &(sequence, time_stamp, arrival, wanted)) in (0..).zip(rows) {
        let played = card.heard.iter().find(|(level, _)| *level == number).map(|(_, ms)| *ms);
        assert_eq!(played, wanted, "{name}: {sequence} {time_stamp} at {arrival}; heard {:?}", card.heard);
    }
}

#[test]
fn packets_are_played_when_they_should_be() {
    check(
        "in time, over the ends of both counters",
        &[
            (65_534, u32::MAX - 239, 5.0, Some(6.0)),
            (65_535, 0, 10.0, Some(11.0)),
            (0, 240, 15.0, Some(16.0)),
            (1, 480, 20.0, Some(21.0)),
        ],
    );
    check(
        "a packet that comes too shortly before a pull is played in the next one, and so are all others",
        &[(1, 0, 5.8, Some(11.0)), (2, 240, 10.8, Some(16.0)), (3, 480, 15.2, Some(21.0))],
    );
    check(
        "lost, and out of order",
        &[
            (1, 0, 5.0, Some(6.0)),
            (2, 240, 10.0, Some(11.0)),
            (4, 720, 20.0, Some(21.0)),
            (5, 960, 25.0, Some(26.0)),
            (7, 1_440, 34.0, Some(36.0)),
            (6, 1_200, 36.5, None),
            (8, 1_680, 40.0, Some(41.0)),
        ],
    );
    check(
        "late once: an accident; twice: everything is played later",
        &[
            (1, 0, 5.0, Some(6.0)),
            (2, 240, 10.0, Some(11.0)),
            (3, 480, 19.0, None),
            (4, 720, 20.0, Some(21.0)),
            (5, 960, 29.0, Some(31.0)),
            (6, 1_200, 30.0, Some(36.0)),
            (7, 1_440, 35.0, Some(41.0)),
        ],
    );
    check(
        "a pause: time stamps jump, sequence numbers do not",
        &[
            (1, 0, 5.0, Some(6.0)),
            (2, 240, 10.0, Some(11.0)),
            (3, 1_200, 30.0, Some(31.0)),
            (4, 1_440, 35.0, Some(36.0)),
        ],
    );
    check(
        "a time stamp that lies is not played, and changes nothing",
        &[
            (1, 0, 5.0, Some(6.0)),
            (2, 240, 10.0, Some(11.0)),
            (3, 9_000_000, 15.0, None),
            (4, 720, 20.0, Some(21.0)),
            (5, 960, 25.0, Some(26.0)),
        ],
    );
}

#[test]
fn a_machine_that_stands_still_makes_its_pulls_late_and_not_its_packets() {
    let mut card = Card::new();
    let stalls = |period: u16| if [20, 23, 26, 29].contains(&period) { 3.0 } else { 0.0 };
    for period in 0..30 {
        let (due, stall) = (f64::from(period) * 5.0, stalls(period));
        card.push(period, period, u32::from(period) * 240, due + stall * 0.8);
        card.pull(due + 1.0 + stall);
    }
    let played: Vec<u16> = card.heard.iter().map(|(level, _)| *level).collect();
    assert!(played.iter().copied().eq(0..30), "each in its own pull: {played:?}");
    assert_eq!(card.playout.counters().stretched, 0);
}
