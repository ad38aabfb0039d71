//! Cards that drift, stand still, or say nothing.

use crate::cards::Cards;
use crate::measure::likeness;
use crate::room::Room;
use crate::rooms::{DELAY, ECHO, SECOND, erle};
use crate::speech::speech;

#[test]
fn two_cards_that_drift_apart_are_brought_together() {
    let far = speech("alice", 13 * SECOND);
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
    let far = speech("alice", 13 * SECOND);
    let air = Room::OFFICE.echo(&far);
    for length in [0.03, 0.5] {
        let sent = Cards { capture_gap: Some((5.0, length)), ..Cards::default() }.run(ECHO, &far, &air);
        // Back to where each frame was captured.
        let mut placed = vec![0.0; far.len() + SECOND];
        for (when, frame) in &sent.frames {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "inside the call")]
            let at = ((when * 48_000.0).round() + 430.0).max(0.0) as usize;
            placed[at..at + 480].copy_from_slice(frame);
        }
        let later = erle(&air, &placed, 8, 12);
        println!("gap of {length} s: {later:.1} dB");
        assert!(later > 30.0, "after a gap of {length} s: {later:.1} dB");
    }
}

#[test]
fn without_a_reference_the_near_end_is_still_sent() {
    let near = speech("bob", 9 * SECOND);
    let far = speech("alice", 9 * SECOND);
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
    let far = speech("alice", 10 * SECOND);
    let air = Room::OFFICE.echo(&far);
    let sent = Cards { reference: (4.0, 1e9), ..Cards::default() }.run(ECHO, &far, &air).samples();
    let (before, after) = (erle(&air, &sent, 1, 4), erle(&air, &sent, 7, 9));
    println!("{before:.1} dB, then {after:.1} dB");
    assert!(before > -0.5 && after > 30.0, "{before:.1} dB, then {after:.1} dB");
}
