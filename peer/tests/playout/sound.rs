//! What is heard of real Opus: no clicks whatever is lost, late, dropped or made up; and what packets may look like.

use std::time::{Duration, Instant};

use vox_common::sys::clock;
use vox_peer::media::orders::{Codec, Coding};
use vox_peer::media::playout::{Counters, Playout};
use vox_peer::media::rtp::{HEADER_BYTES, Header, L16, OPUS, RED};
use vox_peer::media::sender::{Beginning, PACKET_BYTES, Sender};
use vox_peer::media::tones::Tone;
use vox_peer::opus::{Application, Encoder, EncoderSettings};

/// A tone of 440 Hz and 0.3 moves by 0.0173 from one sample to the next.
const STEEPEST: f32 = 0.0173;

const MS: i64 = 48;

/// A sender of a tone and its playout, 10 ms at a time.
struct Line {
    tone: Tone,
    sender: Sender,
    playout: Playout,
    now: Instant,
    heard: Vec<f32>,
}

impl Line {
    fn new(codec: Codec) -> Self {
        let now = clock::now();
        let beginning = Beginning { ssrc: 1, sequence: 0, time_stamp: 0 };
        Self {
            tone: Tone::new(440.0, 0.3),
            sender: Sender::new(Coding { codec, ptime_us: 10_000 }, 64_000, beginning).expect("possible"),
            playout: Playout::new(now).expect("memory"),
            now,
            heard: Vec::new(),
        }
    }

    fn packet(&mut self) -> Vec<u8> {
        let (mut frame, mut buffer) = ([0.0; 480], [0; PACKET_BYTES]);
        self.tone.fill(&mut frame);
        self.sender.packet(&frame, &mut buffer).expect("right length").to_vec()
    }

    fn pull(&mut self) {
        let mut out = [0.0; 480];
        self.playout.pull(self.now, &mut out);
        self.heard.extend(out);
        self.now += Duration::from_millis(10);
    }

    /// `p` plays a packet in time, `x` loses one, `w` holds one back, `2` lets it go with the next one.
    fn run(&mut self, steps: &str) {
        let mut held = Vec::new();
        for step in steps.chars() {
            let packet = self.packet();
            match step {
                'x' => {}
                'w' => held.push(packet),
                _ => {
                    let now = self.now;
                    held.drain(..).for_each(|packet: Vec<u8>| self.playout.push(&packet, now));
                    self.playout.push(&packet, now);
                }
            }
            self.pull();
        }
    }

    /// The sender starts over under another SSRC.
    fn restart(&mut self, codec: Codec) {
        let beginning = Beginning { ssrc: 2, sequence: 70, time_stamp: 7 };
        let coding = Coding { codec, ptime_us: 10_000 };
        self.sender = Sender::new(coding, 64_000, beginning).expect("possible");
    }

    fn steepest(&self) -> f32 {
        self.heard.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max)
    }
}

#[test]
fn nothing_that_can_happen_clicks() {
    let steady = "p".repeat(30);
    let table = [
        ("clean", String::new()),
        ("one lost", "x".into()),
        ("six lost", "xxxxxx".into()),
        ("many lost, to silence", "x".repeat(30)),
        ("late once", "wp".into()),
        ("late twice", "wpppwppp".into()),
        ("late for good", "wwwwwwww".into()),
        ("lost here and there", "pxppxpxxpppxpxppp".repeat(5)),
    ];
    for codec in [Codec::Opus, Codec::L16] {
        for (name, trouble) in &table {
            let mut line = Line::new(codec);
            line.run(&format!("{steady}{trouble}{steady}"));
            let steepest = line.steepest();
            assert!(steepest < 2.0 * STEEPEST, "{codec:?} {name}: {steepest}");
        }
    }
}

#[test]
fn a_sender_that_starts_over_does_not_click() {
    for (before, after) in [(Codec::Opus, Codec::Opus), (Codec::Opus, Codec::L16), (Codec::L16, Codec::Opus)]
    {
        for pause in ["", "xxx", "xxxxxxxxxxxxxxxxxxxx"] {
            let mut line = Line::new(before);
            line.run(&format!("pppppppppppppppppppp{pause}"));
            line.restart(after);
            line.run("pppppppppppppppppppp");
            assert!(line.steepest() < 2.0 * STEEPEST, "{before:?} {pause} {after:?} {}", line.steepest());
        }
    }
}

#[test]
fn delay_that_grew_is_taken_away_without_a_click() {
    for codec in [Codec::Opus, Codec::L16] {
        let mut line = Line::new(codec);
        line.run(&"p".repeat(50));
        // Two packets more than are played, as after a path became shorter.
        for _ in 0..2 {
            let (packet, now) = (line.packet(), line.now);
            line.playout.push(&packet, now);
        }
        line.run(&"p".repeat(300));
        let Counters { dropped, concealed, stretched, .. } = line.playout.counters();
        assert_eq!((dropped, concealed), (0, 0), "{codec:?}");
        assert!((860..=960).contains(&stretched), "{codec:?} {stretched}");
        assert!(line.playout.delay() <= 480 + 2 * MS, "{codec:?} {}", line.playout.delay());
        assert!(line.steepest() < 2.0 * STEEPEST, "{codec:?} {}", line.steepest());
    }
}

#[test]
fn a_gap_in_time_without_one_in_sequence_is_silence_and_not_loss() {
    let mut line = Line::new(Codec::Opus);
    line.run(&"p".repeat(20));
    for _ in 0..50 {
        line.sender.skip(480);
        line.pull();
    }
    line.run(&"p".repeat(20));
    assert_eq!(line.playout.counters().concealed, 0);
    assert_eq!(line.playout.counts().expect("came").lost(), 0);
    let silent = line.heard[20 * 480 + 4_800 + 480..69 * 480].iter().all(|sample| *sample == 0.0);
    assert!(silent && line.steepest() < 2.0 * STEEPEST);
}

/// Header and payload; how many samples a playout takes it for, 0 if it refuses it.
fn taken_for(payload_type: u8, payload: &[u8]) -> i64 {
    let now = clock::now();
    let mut playout = Playout::new(now).expect("memory");
    let header = Header { marker: false, payload_type, sequence: 0, time_stamp: 0, ssrc: 1 };
    playout.push(&[&header.to_bytes()[..], payload].concat(), now);
    playout.pull(now, &mut []);
    assert_eq!(playout.counters().refused, u64::from(playout.depth() == 0));
    playout.depth()
}

#[test]
fn packets_of_all_lengths_are_taken_and_liars_refused() {
    let settings = EncoderSettings { application: Application::Voice, ..EncoderSettings::default() };
    let mut encoder = Encoder::new(settings).expect("possible");
    let mut buffer = [0; 1_400];
    for samples in [120, 240, 480, 960, 1_920, 2_880] {
        let bytes = encoder.encode(&vec![0.1; samples], &mut buffer).expect("possible");
        assert_eq!(taken_for(OPUS, &buffer[..bytes]), i64::try_from(samples).expect("small"));
    }
    let (two_frames, six_of_20_ms, seven) = (0x81, [0x98 | 3, 6], [0x98 | 3, 7]);
    let table: [(u8, &[u8], i64); 12] = [
        (OPUS, &[two_frames, 1, 2], 240),
        (OPUS, &six_of_20_ms, 5_760),
        (OPUS, &seven, 0), // longer than 120 ms
        (OPUS, &[3], 0),   // its count is missing
        (OPUS, &[], 0),
        (OPUS, &[0xf8; 1_461], 0), // more than a payload can be
        (L16, &[0; 120], 60),
        (L16, &[0; 121], 0),
        (L16, &[], 0),
        (RED, &[0; 100], 0),
        (0, &[0; 160], 0),
        (127, &[0; 160], 0),
    ];
    for (payload_type, payload, samples) in table {
        let shown = &payload[..payload.len().min(4)];
        assert_eq!(taken_for(payload_type, payload), samples, "{payload_type} {shown:?}");
    }
}

#[test]
fn a_packet_that_lies_about_its_frames_is_made_up() {
    let mut line = Line::new(Codec::Opus);
    line.run(&"p".repeat(20));
    let (mut liar, now) = (line.packet(), line.now);
    liar[HEADER_BYTES] |= 2; // two frames of different length, but the first length is sound
    liar[HEADER_BYTES + 1] = 251;
    line.playout.push(&liar, now);
    line.pull();
    line.run(&"p".repeat(20));
    let counters = line.playout.counters();
    assert_eq!((counters.refused, counters.concealed > 0), (1, true), "{counters:?}");
    assert!(line.steepest() < 2.0 * STEEPEST);
}
