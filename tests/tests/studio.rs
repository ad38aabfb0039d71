//! Calls under `profile = "studio"`: uncompressed, 800 packets a second, and everything else as with Opus.

use std::path::Path;
use std::time::Duration;

use vox_tests::bed::station::{Preparation, talk};
use vox_tests::bed::wav::Recording;
use vox_tests::bed::{Place, Station, listen, wait};

fn named(place: &Place, name: &str) -> Preparation {
    let heard = place.at(&format!("{name}.wav"));
    Station::named(name).set("audio.output", format!("file:{}", heard.display()))
}

/// What was heard in the middle of a call.
fn heard(path: &Path) -> Recording {
    wait::until("the recording", 5, || {
        let all = Recording::read(path);
        (all.seconds() > 1.2).then(|| all.piece(0.5, 0.7))
    })
}

#[test]
fn a_studio_is_heard_everywhere_and_hears_everybody() {
    for other in ["studio", "lan"] {
        let place = Place::new();
        let alice = named(&place, "alice").set("voice.profile", "studio").start(&place);
        let bob = named(&place, "bob").set("voice.profile", other).answering().start(&place);
        assert_eq!(alice.run(&["call", "--detach", &bob.host()]).code, 0);
        talk(&alice, &bob, Duration::from_secs(2));
        let said = ["codec", "ptime-ms"].map(|key| alice.status("call", key).unwrap_or_default());
        assert_eq!(said, ["l16", "1.25"]);
        let (sent, received) =
            (alice.figure("media", "packets-sent"), bob.figure("media", "packets-received"));
        assert!(sent > 1_200.0 && received > 1_200.0, "{sent} {received}");
        assert_eq!(alice.run(&["hangup"]).code, 0);
        bob.wait_until("idle");
        for name in ["alice.wav", "bob.wav"] {
            let heard = heard(&place.at(name));
            let share = listen::tone_share(&heard, 440.0);
            assert!(share > 0.98 && heard.level() > 0.1, "{other} {name}: {share} {}", heard.level());
        }
    }
}

#[test]
fn a_studio_is_turned_down_and_muted_like_any_other() {
    let place = Place::new();
    let alice = named(&place, "alice").set("voice.profile", "studio").start(&place);
    let bob = named(&place, "bob").set("voice.profile", "studio").answering().start(&place);
    assert_eq!(alice.run(&["call", "--detach", &bob.host()]).code, 0);
    talk(&alice, &bob, Duration::from_millis(700));
    for command in [["volume", "in", "25"].as_slice(), &["mute"]] {
        assert_eq!(alice.run(command).code, 0);
        wait::pause(Duration::from_millis(700));
    }
    assert_eq!(alice.run(&["hangup"]).code, 0);
    bob.wait_until("idle");
    let all = wait::until("the recording", 5, || {
        Some(Recording::read(&place.at("bob.wav"))).filter(|all| all.seconds() > 2.0)
    });
    let level = |before_the_end: f64| all.piece(all.seconds() - before_the_end, 0.2).level();
    let (loud, soft, silent) = (level(1.8), level(1.1), level(0.3));
    assert!(loud > 0.3 && soft < loud / 3.0 && soft > loud / 6.0 && silent < 0.001, "{loud} {soft} {silent}");
}
