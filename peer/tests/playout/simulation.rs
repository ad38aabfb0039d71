//! How the playout fares in weather of all kinds. Each case runs with several seeds; a failure names its seed.

use vox_peer::media::profile::Profile;

use crate::network::{CALM, Outcome, Weather, run};

const SECOND: u64 = 48_000;
const MS: u64 = 48;

/// What the resampler holds once something had to be corrected, and what it leaves uncorrected.
const HELD: u64 = 8 + 2;

/// Plays each weather with three seeds, or as many as `PLAYOUT_SEEDS` in the environment says.
#[expect(clippy::print_stdout, reason = "shown when a test fails, and only then")]
fn judge(weather: Weather, seconds: u64, verdict: impl Fn(&Outcome)) {
    let seeds = std::env::var("PLAYOUT_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(3);
    for seed in 0..seeds {
        println!("seed {seed} {weather:?}");
        verdict(&run(weather, seed, seconds));
    }
}

/// The network takes 1 ms here, so that a frame is heard to its end a period and 1 ms after it was captured.
fn least(weather: Weather) -> u64 {
    weather.frame.max(weather.period) + MS
}

#[test]
fn on_a_calm_network_nothing_waits_longer_than_it_must() {
    for (frame, period) in [(60, 60), (120, 120), (240, 240), (480, 480), (240, 60), (120, 240), (240, 480)] {
        let weather = Weather { frame, period, ..CALM };
        judge(weather, 5, |outcome| {
            assert_eq!(outcome.percentiles(0, 5 * SECOND), (least(weather), least(weather)));
            assert_eq!(outcome.counters.concealed, 0);
        });
    }
}

#[test]
fn periods_that_are_no_multiple_of_the_frame_find_their_level() {
    for (frame, period) in [(240, 256), (480, 441), (480, 1_024), (120, 500)] {
        judge(Weather { frame, period, ..CALM }, 10, |outcome| {
            let (median, slow) = outcome.percentiles(2 * SECOND, 10 * SECOND);
            assert!(slow <= frame + period + MS + 120 && slow - median <= 120, "{median} {slow}");
            assert!(outcome.made_up() <= 20, "{}", outcome.made_up());
        });
    }
}

#[test]
fn loss_is_concealed_and_costs_no_delay() {
    for loss in [1, 10, 30] {
        let weather = Weather { loss, twice: 20, ..CALM };
        judge(weather, 20, |outcome| {
            assert_eq!(outcome.percentiles(2 * SECOND, 20 * SECOND).0, least(weather));
            assert!(outcome.made_up().abs_diff(loss * 100) < 250, "{}", outcome.made_up());
            assert_eq!(outcome.counters.late, 0);
        });
    }
}

#[test]
fn jitter_costs_as_much_delay_as_there_is_jitter() {
    for (frame, jitter) in [(240, MS), (240, 3 * MS), (240, 20 * MS), (480, 60 * MS), (120, 60 * MS)] {
        let weather = Weather { frame, period: frame, jitter, ..CALM };
        judge(weather, 20, |outcome| {
            let (median, slow) = outcome.percentiles(5 * SECOND, 20 * SECOND);
            let most = least(weather) + (jitter + jitter / 30).next_multiple_of(frame) + HELD;
            assert!(median <= most && slow <= most + frame, "{median} {slow}");
            assert!(outcome.made_up() <= 50, "{}", outcome.made_up());
        });
    }
}

/// The reach: one-way delay of 0 to 60 ms, in any order.
#[test]
fn jitter_of_60_ms_costs_75_and_half_a_percent_and_is_forgotten_within_five_seconds() {
    for (profile, frame, period) in [
        (Profile::Lan, 480, 480),
        (Profile::Lan, 120, 120),
        (Profile::Wifi, 480, 480),
        (Profile::Internet, 480, 240),
    ] {
        let calm_from = 20 * SECOND;
        let weather = Weather { frame, period, jitter: 60 * MS, calm_from, profile, ..CALM };
        judge(weather, 30, |outcome| {
            let (median, slow) = outcome.percentiles(2 * SECOND, calm_from);
            assert!(slow <= least(weather) + 75 * MS, "{median} {slow}");
            let made_up = outcome.made_up() * 30 / 20; // all of it in the first 20 s
            assert!(made_up < 50, "{made_up}");
            let (_, after) = outcome.percentiles(calm_from + 5 * SECOND, 30 * SECOND);
            let usual = u64::try_from(profile.numbers().least_delay.as_millis()).expect("small") * MS;
            assert!(after <= least(weather) + usual + 4 * MS, "{after}");
        });
    }
}

/// What the operator allows (`max-delay-ms`) counts from the packets that are as fast as an eighth of them.
#[test]
fn nothing_is_waited_for_longer_than_is_allowed() {
    let (jitter, most) = (40 * MS, 20 * MS);
    for profile in [Profile::Lan, Profile::Wifi, Profile::Internet] {
        let weather = Weather { jitter, most: Some(most.cast_signed()), profile, ..CALM };
        judge(weather, 10, |outcome| {
            // What stands for a late packet looks like sound from long ago: the median alone tells.
            let (median, _) = outcome.percentiles(2 * SECOND, 10 * SECOND);
            let most = least(weather) + jitter / 8 + most + weather.period + HELD;
            assert!(median <= most, "{median}, at most {most}");
            assert!(outcome.made_up() > 1_000, "it has its price: {}", outcome.made_up());
        });
    }
}

#[test]
fn a_sender_whose_card_works_in_long_periods_is_not_waited_for_twice() {
    for (frame, captured, period) in [(120, 240, 240), (120, 480, 480), (240, 480, 480), (60, 240, 120)] {
        let weather = Weather { frame, period, captured, ..CALM };
        judge(weather, 5, |outcome| {
            let least = captured.max(period) + MS;
            // What a splice leaves over is taken away slowly.
            let from = if frame == 60 { 4 * SECOND } else { 0 };
            let (median, slow) = outcome.percentiles(from, 5 * SECOND);
            assert!(slow <= least + HELD + 2 && (median == least || frame == 60), "{median} {slow}");
            assert!(outcome.counters.concealed <= 240, "{}", outcome.counters.concealed);
        });
    }
}

#[test]
fn a_target_as_long_as_the_jitter_is_loses_nothing() {
    let weather = Weather { frame: 480, period: 480, jitter: 60 * MS, target: 60 * 48, ..CALM };
    judge(weather, 20, |outcome| {
        assert!(outcome.percentiles(5 * SECOND, 20 * SECOND).0 <= least(weather) + 60 * MS + 960);
        assert_eq!(outcome.counters.concealed, 0);
    });
}

#[test]
fn clocks_that_differ_change_neither_the_delay_nor_the_sound() {
    for (drift, frame) in [(-300, 240), (300, 240), (-300, 480), (300, 480)] {
        let weather = Weather { drift, frame, period: frame, jitter: MS / 4, ..CALM };
        judge(weather, 120, |outcome| {
            let medians =
                [1, 2, 3].map(|part| outcome.percentiles(part * 30 * SECOND, (part + 1) * 30 * SECOND));
            let all = medians.map(|(median, _)| median);
            let most = all.into_iter().max().expect("three");
            assert!(most - all.into_iter().min().expect("five") <= MS, "{medians:?}");
            assert!(medians.iter().all(|&(_, slow)| slow <= least(weather) + frame + MS), "{medians:?}");
            assert_eq!((outcome.counters.concealed, outcome.counters.dropped), (0, 0));
            assert!(outcome.counters.stretched < SECOND / 50, "{:?}", outcome.counters);
        });
    }
}

#[test]
fn after_a_stall_the_delay_is_at_once_what_it_was() {
    for stalled in [10, 50, 200, 5_000] {
        let stall = (2 * SECOND, 2 * SECOND + stalled * MS);
        let weather = Weather { stall, ..CALM };
        judge(weather, 10, |outcome| {
            let (median, slow) = outcome.percentiles(stall.1 + 10 * MS, 10 * SECOND);
            assert_eq!((median, slow), (least(weather), least(weather)));
            assert!(outcome.counters.concealed <= (stalled + 5).min(100) * MS);
        });
    }
}

#[test]
fn everything_at_once_is_survived() {
    let stall = (5 * SECOND, 10 * SECOND);
    let weather = Weather { loss: 20, twice: 10, jitter: 40 * MS, drift: 200, stall, ..CALM };
    judge(weather, 20, |outcome| {
        assert!(outcome.percentiles(12 * SECOND, 20 * SECOND).0 <= least(weather) + 60 * MS);
        assert!(outcome.made_up() < 2_500, "{}", outcome.made_up());
    });
}

#[test]
fn a_studio_gives_back_what_a_disturbance_cost() {
    let calm_from = 5 * SECOND;
    for (frame, period) in [(60, 60), (64, 64), (60, 64), (60, 240)] {
        let weather = Weather { frame, period, jitter: 10 * MS, calm_from, profile: Profile::Studio, ..CALM };
        judge(weather, 10, |outcome| {
            let (median, slow) = outcome.percentiles(calm_from + 3 * SECOND, 10 * SECOND);
            assert!(slow <= least(weather) + frame + 2 * MS, "{frame} {period}: {median} {slow}");
        });
    }
}
