//! Reports in, plans out; and a link of a given width, so that both ends of the argument are played.

use super::*;
use crate::media::profile::Profile;

const OPUS: Coding = Coding { codec: Codec::Opus, ptime_us: 10_000 };

/// A leg under a profile, and a clock.
struct Rig {
    adapt: Adapt,
    now: Instant,
}

impl Rig {
    fn new(profile: Profile, coding: Coding, takes_copies: bool) -> Self {
        let numbers = profile.numbers();
        let limits = Limits::new(&numbers, coding, numbers.bitrate, takes_copies);
        Self { adapt: Adapt::new(limits), now: vox_common::sys::clock::now() }
    }

    /// A second later a report tells of so much loss and this round trip.
    fn hears(&mut self, loss: f64, round_trip_ms: u64) -> Plan {
        self.now += Duration::from_secs(1);
        let round_trip = Some(Duration::from_millis(round_trip_ms));
        self.adapt.hear(Heard { at: self.now, loss, round_trip });
        self.adapt.plan()
    }

    fn hears_for(&mut self, seconds: usize, loss: f64) -> Plan {
        (0..seconds).map(|_| self.hears(loss, 20)).last().expect("some seconds")
    }
}

/// Bits per second of payload.
fn payload(plan: &Plan) -> f64 {
    overhead(plan.copies, plan.ptime_us) + f64::from(plan.bitrate) * f64::from(plan.copies + 1)
}

#[test]
fn loss_is_answered_at_once_and_forgotten_slowly() {
    // Copies after each report, in the order of the seconds.
    let table: [(&[f64], &[u8]); 5] = [
        (&[0.0, 0.0, 0.0], &[0, 0, 0]),
        (&[0.01, 0.0], &[1, 1]),
        (&[0.10, 0.0, 0.0, 0.0, 0.0], &[2, 2, 2, 2, 1]),
        (&[0.05, 0.3, 0.02], &[1, 2, 2]),
        (&[0.003, 0.004], &[0, 1]),
    ];
    for (losses, wanted) in table {
        let mut rig = Rig::new(Profile::Wifi, OPUS, true);
        let copies: Vec<u8> = losses.iter().map(|&loss| rig.hears(loss, 20).copies).collect();
        assert_eq!(copies, wanted, "{losses:?}");
    }
    let mut rig = Rig::new(Profile::Wifi, OPUS, true);
    rig.hears(0.3, 20);
    assert_eq!(rig.hears_for(15, 0.0).copies, 1);
    assert_eq!(rig.hears_for(20, 0.0).copies, 0);
}

#[test]
fn nothing_is_copied_for_who_does_not_read_copies() {
    let mut rig = Rig::new(Profile::Wifi, OPUS, false);
    assert_eq!(rig.hears_for(3, 0.3).copies, 0);
}

#[test]
fn uncompressed_sound_gets_the_copies_that_a_packet_has_room_for() {
    for (ptime_us, sent_us, copies) in
        [(1_250, 1_250, 2), (2_500, 2_500, 2), (5_000, 5_000, 1), (10_000, 5_000, 1)]
    {
        let mut rig = Rig::new(Profile::Studio, Coding { codec: Codec::L16, ptime_us }, true);
        let plan = rig.hears_for(4, 0.3);
        assert_eq!((plan.ptime_us, plan.copies), (sent_us, copies));
        assert_eq!(rig.hears_for(1, 0.3).copies, 0, "less of what is not compressed is no copy");
        assert_eq!(rig.hears_for(10, 0.3).copies, copies);
        assert_eq!(rig.hears_for(60, 0.0).ptime_us, ptime_us);
    }
}

#[test]
fn copies_are_first_paid_for_with_the_rate_of_the_sound_and_never_break_the_budget() {
    for profile in Profile::ALL {
        let numbers = profile.numbers();
        let ptime_us = numbers.coding.ptime_us.max(2_500);
        let mut rig = Rig::new(profile, Coding { ptime_us, ..OPUS }, true);
        let first = rig.hears(0.3, 20);
        assert_eq!(first.copies, 2);
        let before = f64::from(numbers.bitrate);
        assert!(payload(&first) <= before * 1.09, "{profile}: {} after {before}", payload(&first));
        for second in 0..100 {
            let plan = rig.hears(if second % 2 == 0 { 0.08 } else { 0.0 }, 20);
            assert!(
                payload(&plan) <= f64::from(numbers.budget) && plan.bitrate <= numbers.bitrate,
                "{plan:?}"
            );
        }
        assert!(
            payload(&rig.adapt.plan()) > 0.9 * f64::from(numbers.budget),
            "{profile}: {:?}",
            rig.adapt.plan()
        );
    }
}

#[test]
fn a_queue_that_fills_is_answered_with_less_and_not_with_copies() {
    let mut rig = Rig::new(Profile::Wifi, OPUS, true);
    rig.hears_for(3, 0.0);
    let copies: Vec<u8> = (0..6).map(|_| rig.hears(0.02, 400).copies).collect();
    assert_eq!(copies, [1; 6], "the copy of the first report, before anybody could know");
    assert!(payload(&rig.adapt.plan()) < 30_000.0, "{:?}", rig.adapt.plan());
    assert_eq!(rig.adapt.plan().ptime_us, 20_000);
    rig.hears_for(200, 0.0);
    assert_eq!((rig.adapt.plan().bitrate, rig.adapt.plan().ptime_us), (64_000, 10_000), "all is forgotten");
}

/// A link that carries so many bits per second on the wire, with a queue of so many milliseconds, and loses a share
/// besides: what a report would say after a second of a plan.
#[derive(Debug, Clone, Copy)]
struct Link {
    carries: f64,
    queue_ms: u64,
    loses: f64,
}

/// Bits per second on the wire: IPv4, UDP and RTP headers are 40 bytes.
fn wire(plan: &Plan) -> f64 {
    payload(plan) + 320.0 * 1_000_000.0 / f64::from(plan.ptime_us)
}

impl Link {
    fn pass(self, plan: &Plan) -> (f64, u64) {
        let full = (1.0 - self.carries / wire(plan)).max(0.0);
        let loss = 1.0 - (1.0 - full) * (1.0 - self.loses);
        (loss, if full > 0.0 { 20 + self.queue_ms } else { 20 })
    }
}

#[test]
fn what_a_link_carries_is_found_whatever_its_queue() {
    for (carries, queue_ms, loses) in
        [(64_000.0, 10, 0.0), (64_000.0, 500, 0.0), (40_000.0, 500, 0.05), (48_000.0, 10, 0.0)]
    {
        let link = Link { carries, queue_ms, loses };
        let mut rig = Rig::new(Profile::Wifi, OPUS, true);
        let mut lost = 0.0;
        for second in 0..240 {
            let (loss, round_trip_ms) = link.pass(&rig.adapt.plan());
            let plan = rig.hears(loss, round_trip_ms);
            println!("{second} {loss:.2} {round_trip_ms} {plan:?}");
            lost += if second >= 120 { loss / 120.0 } else { 0.0 };
        }
        assert!(lost < loses + 0.06, "{link:?}: {lost:.3}");
    }
}

#[test]
fn loss_that_less_does_not_help_gets_its_copies_and_its_rate() {
    let mut rig = Rig::new(Profile::Wifi, OPUS, true);
    let plans: Vec<Plan> = (0..240).map(|_| rig.hears(0.3, 20)).collect();
    let whole = plans.iter().filter(|plan| plan.copies == 2 && payload(plan) > 72_000.0).count();
    assert!(whole > 205, "{whole} of 240 s");
    assert!(plans[20..].iter().all(|plan| plan.copies == 2));
}

#[test]
fn a_path_that_is_full_now_and_then_is_not_given_ever_less() {
    let mut rig = Rig::new(Profile::Internet, OPUS, true);
    for round in 0..12 {
        rig.hears_for(5, 0.3);
        rig.hears_for(8, 0.0);
        assert!(rig.adapt.rate >= LEAST_RATE, "{} bit/s in round {round}", rig.adapt.rate);
    }
    let plan = rig.hears_for(90, 0.0);
    assert!(payload(&plan) > 40_000.0, "{plan:?}");
}
