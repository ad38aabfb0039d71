//! Sound without steps, whatever comes and whatever does not.

use super::*;

/// The largest step of a 200 Hz sine at 0.5 is 0.0131.
fn steepest(samples: &[f32]) -> f32 {
    samples.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max)
}

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "small numbers")]
fn l16(from: usize, count: usize) -> Vec<u8> {
    let sine = (from..from + count).map(|n| (n as f32 * 200.0 / 48_000.0 * std::f32::consts::TAU).sin());
    sine.flat_map(|sample| ((sample * 16_384.0) as i16).to_be_bytes()).collect()
}

fn played(voice: &mut Voice) -> Vec<f32> {
    let mut out = vec![0.0; voice.ready()];
    voice.play(&mut out);
    out
}

#[test]
fn uncompressed_sound_fades_in_is_made_up_without_a_step_and_fades_out() {
    let mut voice = Voice::new().unwrap();
    let mut sound = Vec::new();
    for frame in 0..4 {
        voice.decode(Payload::L16, &l16(frame * 480, 480), 0).unwrap();
        sound.extend(played(&mut voice));
    }
    for _ in 0..50 {
        voice.make_up(100);
        sound.extend(played(&mut voice));
    }
    assert_eq!(sound.len(), 4 * 480 + 50 * 100);
    assert!(steepest(&sound) < 0.02, "{}", steepest(&sound));
    assert!(sound[1_920..4_800].iter().any(|s| s.abs() > 0.4));
    assert!(sound[1_920 + FADED..].iter().all(|s| *s == 0.0));
}

/// A call in packets of 1.25 ms: `p` plays one, `x` makes up as much, `s` is silence, `o` plays one that does not
/// follow.
fn heard(steps: &str) -> Vec<f32> {
    let (mut voice, mut sound, mut at) = (Voice::new().unwrap(), Vec::new(), 0);
    for step in steps.chars() {
        match step {
            'x' => voice.make_up(60),
            's' => voice.silence(60),
            _ => {
                if step == 'o' {
                    at += 77;
                    voice.expect_other();
                }
                voice.decode(Payload::L16, &l16(at, 60), 0).unwrap();
            }
        }
        sound.extend(played(&mut voice));
        at += 60;
    }
    sound
}

#[test]
fn packets_shorter_than_a_blend_do_not_click() {
    let steady = "p".repeat(40);
    for trouble in ["", "x", "xx", "xpxppxxxp", "op", "oppo", "ss", "s", "xs", &"x".repeat(60)] {
        for sound in [heard(&format!("{steady}{trouble}{steady}")), heard(&format!("{trouble}{steady}"))] {
            assert!(steepest(&sound) < 0.03, "{trouble}: {}", steepest(&sound));
        }
    }
}

#[test]
fn what_does_not_follow_is_blended() {
    let mut voice = Voice::new().unwrap();
    let mut sound = Vec::new();
    for (at, frame) in [0, 1, 2, 4, 9].into_iter().enumerate() {
        if at == 3 {
            voice.decode(Payload::L16, &l16(3 * 300, 300), 0).unwrap();
            voice.replace_ready(); // frame 3 is dropped
        } else if at == 4 {
            voice.expect_other();
        }
        voice.decode(Payload::L16, &l16(frame * 300, 300), if at == 4 { 60 } else { 0 }).unwrap();
        sound.extend(played(&mut voice));
    }
    assert_eq!(sound.len(), 5 * 300 - 60);
    assert!(steepest(&sound) < 0.03, "{}", steepest(&sound));
}

#[test]
fn known_silence_fades_within_a_blend() {
    let mut voice = Voice::new().unwrap();
    voice.decode(Payload::L16, &l16(0, 480), 0).unwrap();
    let mut sound = played(&mut voice);
    voice.silence(240);
    sound.extend(played(&mut voice));
    assert!(steepest(&sound) < 0.02 && sound[480 + BLEND..].iter().all(|s| *s == 0.0));
}
