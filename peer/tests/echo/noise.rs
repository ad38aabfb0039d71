//! Noise that is always there.

use vox_peer::dsp::tasks::Tasks;

use crate::cards::Cards;
use crate::measure::{db, likeness};
use crate::rooms::SECOND;
use crate::speech::{noise, speech};

const NOISE: Tasks = Tasks { noise_suppress: true, ..Tasks::NONE };

/// Samples by which noise suppression delays the sound.
const DELAY: usize = 334;

#[test]
fn stationary_noise_is_lowered_and_speech_stays() {
    let length = 10 * SECOND;
    let (silence, hiss) = (vec![0.0; length], noise(9, 0.01, length));
    let near = speech("bob", length);
    let air: Vec<f32> = near.iter().zip(&hiss).map(|(a, b)| a + b).collect();
    let alone = Cards::default().run(NOISE, &silence, &hiss).samples();
    let lowered = db(&hiss[3 * SECOND..9 * SECOND]) - db(&alone[3 * SECOND..9 * SECOND]);
    let sent = Cards::default().run(NOISE, &silence, &air).samples();
    let (wanted, heard) = (&near[3 * SECOND..9 * SECOND], &sent[3 * SECOND + DELAY..9 * SECOND + DELAY]);
    let (kept, alike) = (db(heard) - db(wanted), likeness(wanted, heard));
    let without = likeness(wanted, &air[3 * SECOND..9 * SECOND]);
    println!(
        "noise {lowered:.1} dB lower, speech {kept:.1} dB, likeness {alike:.3}, with the noise {without:.3}"
    );
    assert!(lowered > 10.0, "lowered by {lowered:.1} dB only");
    assert!(kept.abs() < 3.0, "speech is {kept:.1} dB louder");
    assert!(alike > 0.9, "likeness {alike:.3}, with the noise {without:.3}");
}

#[test]
fn speech_without_noise_is_left_alone() {
    let near = speech("alice", 8 * SECOND);
    let sent = Cards::default().run(NOISE, &vec![0.0; near.len()], &near).samples();
    let (wanted, heard) = (&near[2 * SECOND..7 * SECOND], &sent[2 * SECOND + DELAY..7 * SECOND + DELAY]);
    let (kept, alike) = (db(heard) - db(wanted), likeness(wanted, heard));
    println!("speech {kept:.1} dB, likeness {alike:.3}");
    assert!(kept.abs() < 4.0 && alike > 0.93, "{kept:.1} dB, likeness {alike:.3}");
}
