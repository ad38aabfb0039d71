//! How much of what is said must be made up on a bad path, through the real sender, its adaptation and the real
//! playout: a quick bound for what `make bench-voice` measures in quality.

use std::time::Duration;

use vox_peer::media::orders::Codec;
use vox_peer::media::profile::{Numbers, Profile};
use vox_tests::voice::trace::{Loss, Path};
use vox_tests::voice::{Outcome, RATE, Setting, carry};

/// The ends find out about the path in so many seconds; it is counted for as many again, and a half.
const FINDING_OUT: usize = 20;

#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn hum() -> Vec<f32> {
    (0..RATE * FINDING_OUT * 5 / 2).map(|n| 0.3 * (n as f32 * 0.02).sin()).collect()
}

fn call(profile: Profile, loss: Loss, jitter_ms: u64) -> Outcome {
    let mut path = Path::new(loss, Duration::from_millis(jitter_ms));
    carry(&hum(), Setting { profile, takes_copies: true }, &mut path, 4, FINDING_OUT * RATE)
}

#[test]
fn copies_leave_few_holes_within_the_budget() {
    for (loss, most) in [
        (Loss::Random(0.10), 0.03),
        (Loss::Random(0.20), 0.04),
        (Loss::Random(0.30), 0.06),
        (Loss::Threes(0.10), 0.03),
        (Loss::Threes(0.30), 0.06),
        (Loss::Bursts(0.10, 4.0), 0.06),
    ] {
        for profile in [Profile::Wifi, Profile::Internet] {
            let outcome = call(profile, loss, 0);
            let Outcome { counters, payload, waited_ms, .. } = &outcome;
            let shown = format!(
                "{profile} {loss}: {:.4} {counters:?} {payload:.0} bit/s {waited_ms:.0} ms",
                outcome.made_up()
            );
            assert!(outcome.made_up() < most && *payload <= 80_000.0, "{shown}");
            assert!(counters.recovered > 50, "{shown}");
        }
    }
}

#[test]
fn a_good_path_sees_no_copies() {
    for profile in Profile::ALL {
        let outcome = call(profile, Loss::Random(0.0), 5);
        assert_eq!(outcome.counters.recovered, 0, "{profile}");
        let Numbers { coding, bitrate, .. } = profile.numbers();
        let wanted = if coding.codec == Codec::L16 { 768_000.0 } else { f64::from(bitrate) };
        assert!((outcome.payload - wanted).abs() < 1_000.0, "{profile}: {}", outcome.payload);
    }
}
