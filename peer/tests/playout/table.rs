//! What is heard when, packet by packet. Each packet holds one constant, shown as a letter: what a pull ends with.

use std::time::{Duration, Instant};

use vox_common::sys::clock;
use vox_peer::media::playout::{Counters, Playout};
use vox_peer::media::rtp::{Header, L16};

/// Steps of a script, separated by spaces.
///
/// `a` a packet comes (`a` is sequence 0, `b` 1, …); `_` the card pulls one frame, `=` two, `-` a quarter;
/// `+` 1 ms passes; `|` the sender starts over under another SSRC.
struct Script {
    playout: Playout,
    now: Instant,
    ssrc: u32,
    heard: String,
}

/// 5 ms.
const FRAME: usize = 240;

impl Script {
    fn new(target: u32) -> Self {
        let now = clock::now();
        let mut playout = Playout::new(now).expect("memory");
        playout.set_target(target);
        Self { playout, now, ssrc: 1, heard: String::new() }
    }

    fn run(&mut self, steps: &str) {
        for step in steps.chars() {
            match step {
                'a'..='z' => self.come(step),
                '_' => self.pull(FRAME),
                '=' => self.pull(2 * FRAME),
                '-' => self.pull(FRAME / 4),
                '+' => self.now += Duration::from_millis(1),
                '|' => self.ssrc += 1,
                _ => assert_eq!(step, ' '),
            }
        }
    }

    fn come(&mut self, letter: char) {
        let number = u16::from(letter as u8 - b'a');
        let time_stamp = u32::from(number) * 240;
        let header =
            Header { marker: false, payload_type: L16, sequence: number, time_stamp, ssrc: self.ssrc };
        let value = (number.cast_signed() + 1) * 1_000;
        let mut packet = header.to_bytes().to_vec();
        (0..FRAME).for_each(|_| packet.extend_from_slice(&value.to_be_bytes()));
        self.playout.push(&packet, self.now);
    }

    fn pull(&mut self, samples: usize) {
        let mut out = vec![9.0; samples];
        self.playout.pull(self.now, &mut out);
        self.now += Duration::from_nanos(samples as u64 * 1_000_000_000 / 48_000);
        self.heard.push(letter(out[samples - 1]));
    }
}

/// `.` is silence, `?` a mixture.
fn letter(sample: f32) -> char {
    let thousands = sample * 32.768;
    let nearest = thousands.round();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 33")]
    match nearest as u8 {
        _ if (thousands - nearest).abs() > 0.05 => '?',
        0 => '.',
        number => char::from(b'a' - 1 + number),
    }
}

fn play(target: u32, steps: &str) -> (String, Counters) {
    let mut script = Script::new(target);
    script.run(steps);
    (script.heard, script.playout.counters())
}

fn heard(steps: &str) -> String {
    play(0, steps).0
}

#[test]
fn packets_are_played_in_the_pull_after_their_arrival() {
    assert_eq!(heard("_ a_ b_ c_ d_"), ".abcd");
    assert_eq!(heard("__ ++a_ b_"), "..ab");
}
