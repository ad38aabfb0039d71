//! What is heard when, packet by packet. Each packet holds one constant, shown as a letter: the middle of the last frame
//! that a pull brings.

use std::time::{Duration, Instant};

use vox_common::sys::clock;
use vox_peer::media::playout::{Counters, Patience, Playout};
use vox_peer::media::profile::Profile;
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
        playout.set_patience(patience(target));
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
        let shown = if samples < FRAME { samples - 1 } else { samples - FRAME / 2 };
        self.heard.push(letter(out[shown]));
    }
}

/// A leg on a wire whose fastest packets wait at least so long.
fn patience(least: u32) -> Patience {
    Patience { least: least.into(), ..Patience::of(&Profile::Lan.numbers(), 0) }
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

/// Plays a script; returns what was heard with how many frames were late, made up, dropped, and how many packets
/// came twice or were refused.
fn counted(target: u32, steps: &str) -> (String, [u64; 5]) {
    let mut script = Script::new(target);
    script.run(steps);
    let Counters { late, concealed, dropped, duplicate, refused, .. } = script.playout.counters();
    (script.heard, [late, concealed / FRAME as u64, dropped, duplicate, refused])
}

fn check(table: &[(&str, &str, [u64; 5])]) {
    for &(steps, wanted, numbers) in table {
        let (heard, counted) = counted(0, steps);
        assert_eq!((heard.as_str(), counted), (wanted, numbers), "{steps}");
    }
}

const NOTHING: [u64; 5] = [0; 5];

#[test]
fn packets_in_time_are_played_in_the_pull_after_their_arrival() {
    check(&[
        ("_ a_ b_ c_ d_", ".abcd", NOTHING),
        // A pull that came late once will not do so again.
        ("__ ++a_ b_", "...a", NOTHING),
        ("++a_ b_", "ab", NOTHING),
        // A period of two frames: the first pull ends with what has come, so that nothing waits.
        ("a= bc= de= fg= hi= jk= lm= no=", "acegikmo", NOTHING),
        ("ab= cd= ef= gh= ij= kl=", "bdfhjl", NOTHING),
        // A period of a quarter.
        ("a---- b---- c----", "?aaabbbbcccc", NOTHING),
        // What came before the card was there is skipped.
        ("abcdefgh_ i_ j_", "hij", [0, 0, 7, 0, 0]),
    ]);
}

#[test]
fn a_lost_packet_is_made_up_in_its_place() {
    check(&[
        ("a_ b_ c_ e_ f_ g_", "abccef", [0, 1, 0, 0, 0]),
        ("a_ b_ c_ _ e_ f_ g_", "abccefg", [0, 1, 0, 0, 0]),
        ("a_ b_ c_ __ f_ g_", "abccbfg", [0, 2, 0, 0, 0]),
    ]);
}

#[test]
fn one_late_packet_costs_a_frame_and_the_second_one_makes_the_delay_grow() {
    check(&[
        ("a_ b_ c_ _ de_ f_", "abccef", [1, 1, 0, 0, 0]),
        ("a_ b_ c_ _ de_ f_ _ gh_ i_ j_", "abcceffghi", [1, 2, 0, 0, 0]),
        // After its successor.
        ("a_ b_ d_ c_ e_ f_", "abbdef", [1, 1, 0, 0, 0]),
        ("a_ b_ d_ ce_ f_ h_ i_ gj_ k_ l_", "abbdefffgh", [1, 2, 0, 0, 0]),
        // Late for good.
        ("a_ b_ ____ c_ d_ e_", "abba?.?de", [1, 5, 0, 0, 0]),
    ]);
}

#[test]
fn duplicates_are_dropped_whether_their_twin_waits_or_was_played() {
    check(&[("aa_ b_ abbc_ cd_ ad_", "abcdd", [0, 0, 0, 7, 0]), ("a_ bb_ c_ d_", "abcd", [0, 0, 0, 1, 0])]);
}

#[test]
fn a_target_makes_room_for_reordering() {
    assert_eq!(counted(480, "a_ b_ c_ e_ d_ f_ g_"), ("..abcde".into(), NOTHING));
    assert_eq!(counted(240, "a_ b_ d_ c_ e_ f_ g_"), (".abcdef".into(), NOTHING));
}

#[test]
fn a_target_is_waited_for_by_the_newest_packet_that_is_played() {
    // 1 ms: whatever came earlier is not played any more.
    assert_eq!(counted(48, "abc+_ d+_ e_"), ("cde".into(), [0, 0, 2, 0, 0]));
    assert_eq!(counted(48, "ab++++c_ d_ e_"), ("bcd".into(), [0, 0, 1, 0, 0]));
    assert_eq!(counted(48, "a_ b_ c_"), (".ab".into(), NOTHING));
}

#[test]
fn a_sender_that_starts_over_is_heard_from_its_second_packet_on() {
    check(&[
        ("a_ b_ | a_ b_ c_ d_", "abbbcd", [0, 1, 0, 0, 1]),
        ("a_ b_ | q_ r_ s_", "abbrs", [0, 1, 0, 0, 1]),
    ]);
}

#[test]
fn a_long_pause_is_silence_and_then_the_newest_is_heard() {
    let pause = "________________________";
    let (heard, _) = counted(0, &format!("a_ b_ {pause} cdefghijklmnop_ q_ r_"));
    assert!(heard.starts_with("ab") && heard.ends_with("....pqr"), "{heard}");
    let (heard, counted) = counted(0, "a_ b_ ____ cdefgh_ i_ j_");
    assert!(heard.ends_with("ghi"), "{heard}");
    assert_eq!(counted, [4, 4, 0, 0, 0]);
}

/// A packet of 15 ms.
const LONG: usize = 720;

#[test]
fn what_was_decoded_is_heard_before_a_sender_that_leaps_ahead_is_followed() {
    let mut script = Script::new(0);
    let mut whole = 0;
    for number in 0..200_u16 {
        let time_stamp = u32::from(number) * 20_000;
        let header = Header { marker: false, payload_type: L16, sequence: number, time_stamp, ssrc: 1 };
        let sound = (number + 1).to_be_bytes().repeat(LONG);
        script.playout.push(&[&header.to_bytes()[..], &sound].concat(), script.now);
        let mut out = [9.0; 60];
        script.playout.pull(script.now, &mut out);
        script.now += Duration::from_micros(1_250);
        whole += usize::from(out.iter().all(|sample| sample.to_bits() == out[0].to_bits()));
    }
    assert!(whole > 100, "decoded anew in {} of 200 pulls", 200 - whole);
}
