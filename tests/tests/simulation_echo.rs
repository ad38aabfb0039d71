//! Echo in simulated rooms, through the real chain: how much is taken out, how soon, what is left of the near end, and
//! what becomes of it where cards drift, stand still, or say nothing.

use vox_peer::dsp::tasks::Tasks;
use vox_tests::echo::cards::Cards;
use vox_tests::echo::measure::{db, likeness};
use vox_tests::echo::room::Room;
use vox_tests::echo::{ECHO, ECHO_DELAY as DELAY, SECOND, alice_and_bob, erle, mixed};

#[test]
fn echo_is_30_db_less_within_three_seconds_in_every_room() {
    let [far, _] = alice_and_bob(9);
    for (walls, rt60, delay_ms) in [(0, 0.2, 20.0), (1, 0.3, 60.0), (2, 0.5, 100.0), (0, 0.4, 150.0)] {
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
    let [far, _] = alice_and_bob(6);
    let air = Room::OFFICE.echo(&far);
    let sent = Cards { period: 60, ..Cards::default() }.run(ECHO, &far, &air).samples();
    let erle = erle(&air, &sent, 3, 5);
    println!("{erle:.1} dB");
    assert!(erle > 30.0, "{erle:.1} dB");
}

#[test]
fn who_talks_while_the_far_end_talks_is_still_heard() {
    let [far, near] = alice_and_bob(14);
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
    let [far, near] = alice_and_bob(8);
    for (name, far) in [("nothing is played", vec![0.0; far.len()]), ("a headset", far)] {
        let sent = Cards::default().run(ECHO, &far, &near).samples();
        let (wanted, heard) = (&near[2 * SECOND..7 * SECOND], &sent[2 * SECOND + DELAY..7 * SECOND + DELAY]);
        let (kept, alike) = (db(heard) - db(wanted), likeness(wanted, heard));
        println!("{name}: level {kept:.1} dB, likeness {alike:.3}");
        assert!(kept.abs() < 3.0 && alike > 0.9, "{name}: level {kept:.1} dB, likeness {alike:.3}");
    }
}

#[test]
fn what_is_done_is_never_worse_than_nothing() {
    let [far, _] = alice_and_bob(7);
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
fn two_cards_that_drift_apart_are_brought_together() {
    let [far, _] = alice_and_bob(13);
    let air = Room::OFFICE.echo(&far);
    for drift_ppm in [200.0, -200.0] {
        let sent = Cards { drift_ppm, ..Cards::default() }.run(ECHO, &far, &air).samples();
        let (first, later) = (erle(&air, &sent, 3, 5), erle(&air, &sent, 8, 12));
        println!("{drift_ppm} ppm: {first:.1} dB, {later:.1} dB");
        assert!(first > 30.0 && later > 30.0, "{drift_ppm} ppm: {first:.1} dB, then {later:.1} dB");
    }
}

#[test]
fn after_a_gap_in_what_was_captured_echo_is_taken_out_again() {
    let [far, _] = alice_and_bob(13);
    let air = Room::OFFICE.echo(&far);
    for length in [0.03, 0.5] {
        let sent = Cards { capture_gap: Some((5.0, length)), ..Cards::default() }.run(ECHO, &far, &air);
        let placed = sent.placed(far.len() + SECOND);
        let later = erle(&air, &placed, 8, 12);
        println!("gap of {length} s: {later:.1} dB");
        assert!(later > 30.0, "after a gap of {length} s: {later:.1} dB");
    }
}

#[test]
fn cards_that_lose_a_period_every_second_are_brought_together_each_time() {
    let [far, _] = alice_and_bob(13);
    for period in [120, 240] {
        let cards = Cards { period, loses_every: Some(1.05), ..Cards::default() };
        let air = Room::OFFICE.echo(&cards.heard(&far));
        let sent = cards.run(ECHO, &far, &air).placed(far.len() + SECOND);
        let (first, later) = (erle(&air, &sent, 3, 7), erle(&air, &sent, 7, 12));
        println!("periods of {period} lost: {first:.1} dB, then {later:.1} dB");
        assert!(first > 25.0 && later > 25.0, "periods of {period}: {first:.1} dB, then {later:.1} dB");
    }
}

#[test]
fn without_a_reference_the_near_end_is_still_sent() {
    let [far, near] = alice_and_bob(9);
    for reference in [(1e9, 1e9), (0.0, 4.0)] {
        let sent = Cards { reference, ..Cards::default() }.run(ECHO, &far, &near).samples();
        let (wanted, heard) = (&near[5 * SECOND..8 * SECOND], &sent[5 * SECOND + DELAY..8 * SECOND + DELAY]);
        let alike = likeness(wanted, heard);
        println!("reference {reference:?}: {alike:.3}");
        assert!(alike > 0.95, "reference {reference:?}: {alike:.3}");
    }
}

#[test]
fn a_reference_that_comes_late_helps_from_then_on() {
    let [far, _] = alice_and_bob(10);
    let air = Room::OFFICE.echo(&far);
    let sent = Cards { reference: (4.0, 1e9), ..Cards::default() }.run(ECHO, &far, &air).samples();
    let (before, after) = (erle(&air, &sent, 1, 4), erle(&air, &sent, 7, 9));
    println!("{before:.1} dB, then {after:.1} dB");
    assert!(before > -0.5 && after > 30.0, "{before:.1} dB, then {after:.1} dB");
}
