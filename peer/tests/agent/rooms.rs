//! Rooms: where we are, and back there after the registry was away.

use vox_peer::agent::io::Input;

use crate::bench::{Bench, CALLER};

/// Registered, and in a room by this request.
fn inside(line: &str, answer: &str) -> Bench {
    let mut alice = Bench::registered();
    alice.ask(CALLER, line);
    alice.line(answer);
    assert!(link(&mut alice).ends_with(" room=hall"));
    alice
}

/// The `registry` line of STATUS.
fn link(alice: &mut Bench) -> String {
    alice.answer("STATUS").swap_remove(1)
}

#[test]
fn a_dropped_link_does_not_put_us_out_of_our_room() {
    let mut alice = inside("JOIN hall", "200 joined hall");
    alice.put(Input::LinkDown("closed"));
    assert!(link(&mut alice).ends_with(" returns-to=hall"));
    let acts = alice.registry_restarts();
    assert_eq!(acts.last().unwrap(), "registry < JOIN hall");
    assert!(alice.line("200 joined hall").is_empty(), "quietly");
    assert!(link(&mut alice).ends_with(" room=hall"));
}

#[test]
fn a_room_that_we_made_is_made_again_after_a_restart_of_the_registry() {
    let mut alice = inside("CREATE hall 12", "200 created hall");
    for _ in 0..2 {
        assert_eq!(alice.registry_restarts().last().unwrap(), "registry < JOIN hall");
        assert_eq!(alice.line("405 no such room"), ["registry < CREATE hall 12"]);
        assert!(alice.line("200 created hall").is_empty());
        assert!(link(&mut alice).ends_with(" room=hall"));
    }
}

#[test]
fn a_room_that_somebody_else_makes_again_is_waited_for() {
    let mut alice = inside("JOIN hall", "200 joined hall");
    alice.registry_restarts();
    assert!(alice.line("405 no such room").is_empty());
    let again = format!("{} registry < JOIN hall", alice.now() + 2_000);
    assert_eq!(alice.until(alice.now() + 2_000), [again]);
    alice.line("200 joined hall");
    assert!(link(&mut alice).ends_with(" room=hall"));
}

#[test]
fn watchers_are_told_of_a_room_that_does_not_take_us_back() {
    let mut alice = inside("JOIN hall", "200 joined hall");
    alice.registry_restarts();
    assert_eq!(alice.line("422 room full"), ["1 < * EXITED hall alice reason=room%20full"]);
    assert!(!link(&mut alice).contains("hall"));
    assert!(!alice.registry_restarts().iter().any(|act| act.contains("JOIN")), "it is forgotten");
}

#[test]
fn whoever_leaves_stays_out() {
    let mut alice = inside("JOIN hall", "200 joined hall");
    alice.ask(CALLER, "LEAVE");
    alice.line("200 left hall");
    assert!(!alice.registry_restarts().iter().any(|act| act.contains("JOIN")));
    let mut alice = inside("JOIN hall", "200 joined hall");
    alice.put(Input::LinkDown("closed"));
    assert_eq!(alice.answer("LEAVE"), ["443 no registry now: hall is not joined again when it is back"]);
    assert!(!alice.registry_restarts().iter().any(|act| act.contains("JOIN")));
}

#[test]
fn a_program_that_is_gone_has_still_changed_our_room() {
    let mut alice = Bench::registered();
    alice.ask(CALLER, "JOIN hall");
    alice.put(Input::ControlGone(CALLER));
    assert!(alice.line("200 joined hall").is_empty());
    assert!(link(&mut alice).ends_with(" room=hall"));
}
