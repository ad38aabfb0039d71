//! Echo in rooms: how much is taken out, how soon, and what is left of the near end.

use vox_peer::dsp::tasks::Tasks;

use crate::cards::Cards;
use crate::measure::{db, delay, likeness};
use crate::room::Room;
use crate::speech::{noise, speech};

pub(crate) const ECHO: Tasks = Tasks { echo_cancel: true, ..Tasks::NONE };
pub(crate) const SECOND: usize = 48_000;

/// Samples by which echo cancellation alone delays the sound.
pub(crate) const DELAY: usize = 430;

/// By how many dB the echo is less in a stretch of seconds (ITU-T G.168: echo return loss enhancement).
pub(crate) fn erle(air: &[f32], sent: &[f32], from: usize, to: usize) -> f64 {
    db(&air[from * SECOND..to * SECOND]) - db(&sent[from * SECOND + DELAY..to * SECOND + DELAY])
}

fn mixed(one: &[f32], other: &[f32]) -> Vec<f32> {
    one.iter().zip(other).map(|(a, b)| a + b).collect()
}

#[test]
fn echo_is_30_db_less_within_three_seconds_in_every_room() {
    let far = speech("alice", 9 * SECOND);
    for (walls, rt60, delay_ms) in [(0, 0.2, 20.0), (1, 0.3, 60.0), (2, 0.5, 100.0), (0, 0.5, 150.0)] {
        let room = Room { walls, rt60, delay_ms, ..Room::OFFICE };
        let air = room.echo(&far);
        let sent = Cards::default().run(ECHO, &far, &air).samples();
        let (first, later) = (erle(&air, &sent, 3, 5), erle(&air, &sent, 5, 8));
        println!("{room:?}: {first:.1} dB, {later:.1} dB");
        assert!(first > 30.0 && later > 28.0, "{room:?}: {first:.1} dB after 3 s, {later:.1} dB after 5 s");
    }
}

#[test]
fn a_microphone_of_60_samples_a_period_is_served_as_well() {
    let far = speech("alice", 6 * SECOND);
    let air = Room::OFFICE.echo(&far);
    let sent = Cards { period: 60, ..Cards::default() }.run(ECHO, &far, &air).samples();
    let erle = erle(&air, &sent, 3, 5);
    println!("{erle:.1} dB");
    assert!(erle > 30.0, "{erle:.1} dB");
}

#[test]
fn who_talks_while_the_far_end_talks_is_still_heard() {
    let (far, near) = (speech("alice", 14 * SECOND), speech("bob", 14 * SECOND));
    let silence = vec![0.0; 6 * SECOND];
    // The near end is silent for six seconds, then talks over the far end.
    let near: Vec<f32> = silence.into_iter().chain(near).take(far.len()).collect();
    let air = mixed(&Room::OFFICE.echo(&far), &near);
    let sent = Cards::default().run(ECHO, &far, &air).samples();
    let (wanted, heard) = (&near[7 * SECOND..13 * SECOND], &sent[7 * SECOND + DELAY..13 * SECOND + DELAY]);
    let (kept, alike) = (db(heard) - db(wanted), likeness(wanted, heard));
    let without = likeness(wanted, &air[7 * SECOND..13 * SECOND]);
    println!("level {kept:.1} dB, likeness {alike:.3}, with the echo {without:.3}");
    assert!(kept.abs() < 4.0, "the near end's level changed by {kept:.1} dB");
    assert!(alike > 0.85, "{alike:.3}");
}

#[test]
fn who_talks_alone_is_sent_as_captured() {
    let (far, near) = (vec![0.0; 8 * SECOND], speech("bob", 8 * SECOND));
    for (name, far) in [("nothing is played", far), ("a headset", speech("alice", 8 * SECOND))] {
        let sent = Cards::default().run(ECHO, &far, &near).samples();
        let (wanted, heard) = (&near[2 * SECOND..7 * SECOND], &sent[2 * SECOND + DELAY..7 * SECOND + DELAY]);
        let (kept, alike) = (db(heard) - db(wanted), likeness(wanted, heard));
        println!("{name}: level {kept:.1} dB, likeness {alike:.3}");
        assert!(kept.abs() < 3.0 && alike > 0.9, "{name}: level {kept:.1} dB, likeness {alike:.3}");
    }
}

#[test]
fn what_is_done_is_never_worse_than_nothing() {
    let far = speech("alice", 7 * SECOND);
    for echo_cancel in [false, true] {
        for noise_suppress in [false, true] {
            for room in [Room::OFFICE, Room { rt60: 0.5, delay_ms: 150.0, coupling: 0.9, ..Room::OFFICE }] {
                let tasks = Tasks { echo_cancel, noise_suppress, gain_control: false };
                if tasks.is_none() {
                    continue;
                }
                let air = room.echo(&far);
                let sent = Cards::default().run(tasks, &far, &air).samples();
                for second in 0..6 {
                    let gained = erle(&air, &sent, second, second + 1);
                    assert!(gained > -0.5, "{tasks} in {room:?}: {gained:.1} dB in second {second}");
                }
            }
        }
    }
}

#[test]
fn it_takes_no_more_time_than_it_says() {
    let near = noise(5, 0.1, 3 * SECOND);
    let far = vec![0.0; near.len()];
    let (echo, noise) = (ECHO, Tasks { noise_suppress: true, ..Tasks::NONE });
    let both = Tasks { noise_suppress: true, ..ECHO };
    let gain = Tasks { gain_control: true, ..Tasks::NONE };
    for (tasks, most_ms) in [(echo, 9.0), (noise, 7.0), (both, 15.0), (gain, 0.0)] {
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
