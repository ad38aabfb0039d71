//! Noise and loudness through the real chain, and the time that all of it takes.

use vox_peer::dsp::tasks::Tasks;
use vox_tests::echo::cards::Cards;
use vox_tests::echo::measure::{db, delay, likeness};
use vox_tests::echo::{ECHO, GAIN, NOISE, NOISE_DELAY as DELAY, SECOND, alice_and_bob, noise};

#[test]
fn stationary_noise_is_lowered_and_speech_stays() {
    let length = 10 * SECOND;
    let (silence, hiss) = (vec![0.0; length], noise(9, 0.01, length));
    let [_, near] = alice_and_bob(10);
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
    let [near, _] = alice_and_bob(8);
    let sent = Cards::default().run(NOISE, &vec![0.0; near.len()], &near).samples();
    let (wanted, heard) = (&near[2 * SECOND..7 * SECOND], &sent[2 * SECOND + DELAY..7 * SECOND + DELAY]);
    let (kept, alike) = (db(heard) - db(wanted), likeness(wanted, heard));
    println!("speech {kept:.1} dB, likeness {alike:.3}");
    assert!(kept.abs() < 4.0 && alike > 0.93, "{kept:.1} dB, likeness {alike:.3}");
}

/// Speech at this level, and what is sent of it after ten seconds.
fn controlled(level_db: f64) -> (Vec<f32>, Vec<f32>) {
    let [_, speech] = alice_and_bob(16);
    #[expect(clippy::cast_possible_truncation, reason = "a gain")]
    let gain = 10_f64.powf((level_db - db(&speech)) / 20.0) as f32;
    let near: Vec<f32> = speech.iter().map(|sample| sample * gain).collect();
    let sent = Cards::default().run(GAIN, &vec![0.0; near.len()], &near).samples();
    (near[10 * SECOND..15 * SECOND].to_vec(), sent[10 * SECOND..15 * SECOND].to_vec())
}

#[test]
fn soft_speech_is_brought_up_and_loud_speech_does_not_clip() {
    for (level, least, most) in [(-40.0, -28.0, -14.0), (-30.0, -28.0, -12.0), (-14.0, -22.0, -10.0)] {
        let (near, sent) = controlled(level);
        let (became, alike) = (db(&sent), likeness(&near, &sent));
        let peak = sent.iter().fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
        println!("{level} dBFS became {became:.1}, likeness {alike:.3}, peak {peak:.2}");
        assert!((least..most).contains(&became), "{level} dBFS became {became:.1}");
        assert!(alike > 0.97 && peak <= 1.0, "{level} dBFS: likeness {alike:.3}, peak {peak:.2}");
    }
}

#[test]
fn silence_stays_silent() {
    let silence = vec![0.0; 4 * SECOND];
    let sent = Cards::default().run(GAIN, &silence, &silence).samples();
    assert!(db(&sent) < -90.0, "{} dBFS out of nothing", db(&sent));
}

#[test]
fn it_takes_no_more_time_than_it_says() {
    let near = noise(5, 0.1, 3 * SECOND);
    let far = vec![0.0; near.len()];
    let both = Tasks { noise_suppress: true, ..ECHO };
    for (tasks, most_ms) in [(ECHO, 9.0), (NOISE, 7.0), (both, 15.0), (GAIN, 0.0)] {
        // Low-pitched noise, loud and soft in turns, so that nothing takes it for the noise of a fan.
        let mut low = 0.0;
        let near: Vec<f32> = near
            .iter()
            .enumerate()
            .map(|(n, sample)| {
                low += 0.2 * (sample - low);
                low * if (n / 9_600) % 2 == 0 { 1.0 } else { 0.03 }
            })
            .collect();
        let sent = Cards { jitter: 0.0, ..Cards::default() }.run(tasks, &far, &near);
        let lag = delay(&near[SECOND..2 * SECOND], &sent.samples()[SECOND..2 * SECOND], 960);
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let (found_ms, told_ms) = (lag as f64 / 48.0, -sent.frames[0].0 * 1e3);
        println!("{tasks}: {found_ms:.2} ms");
        assert!(found_ms <= most_ms, "{tasks} takes {found_ms} ms");
        assert!((sent.frames[100].0 - 1.0 + found_ms / 1e3).abs() < 1e-4, "{tasks}: {told_ms}");
    }
}
