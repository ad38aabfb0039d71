//! From mouth to ear: what each station measures of itself, what the far end says of itself, and the network between
//! the two, put together for both directions.

use std::time::{Duration, Instant};

use heapless::HistoryBuf;

/// No part of a delay is believed to be longer: whoever says more is not taken at its word.
pub const LONGEST_PART: Duration = Duration::from_secs(10);

/// Round trips that are remembered, one a second: the least of them is what the network takes, the rest is what its
/// jitter added to a report.
const ROUND_TRIPS: usize = 5;

/// Frames that are complete within this time come together; the playout's measure of packets.
const TOGETHER: Duration = Duration::from_millis(1);

/// An average is that of the first so many measures, and from then on follows slowly.
const MEASURES: u32 = 64;

/// What one station adds to the delay: two parts to what it sends, two to what it plays. `None`: not known (yet).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StationDelay {
    /// From the first sample of a frame at the microphone until the frame is complete: device and framing.
    pub capture: Option<Duration>,
    /// From there until it is sent, and what the codec looks ahead.
    pub encode: Option<Duration>,
    /// From the arrival of the fastest packets until their first sample is given to the card.
    pub jitter_buffer: Option<Duration>,
    /// From there until it is sound: what the card still holds.
    pub playback: Option<Duration>,
}

/// The delay of one direction in its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MouthToEar {
    /// Of the mouth's station.
    pub capture: Option<Duration>,
    /// Of the mouth's station.
    pub encode: Option<Duration>,
    /// Half of the round trip.
    pub network: Option<Duration>,
    /// Of the ear's station.
    pub jitter_buffer: Option<Duration>,
    /// Of the ear's station.
    pub playback: Option<Duration>,
}

impl StationDelay {
    /// Everything together. `None`: something is not known.
    pub fn total(&self) -> Option<Duration> {
        sum(&[self.capture, self.encode, self.jitter_buffer, self.playback])
    }
}

impl MouthToEar {
    /// From a mouth at one station to an ear at another, `network` apart.
    pub fn new(mouth: &StationDelay, network: Option<Duration>, ear: &StationDelay) -> Self {
        let StationDelay { capture, encode, .. } = *mouth;
        let StationDelay { jitter_buffer, playback, .. } = *ear;
        Self { capture, encode, network, jitter_buffer, playback }
    }

    /// The parts in the order in which sound passes them, by the words of the manual.
    pub fn parts(&self) -> [(&'static str, Option<Duration>); 5] {
        [
            ("capture", self.capture),
            ("encode", self.encode),
            ("network", self.network),
            ("jitter-buffer", self.jitter_buffer),
            ("playback", self.playback),
        ]
    }

    /// All parts together. `None`: one is not known.
    pub fn total(&self) -> Option<Duration> {
        sum(&self.parts().map(|(_, part)| part))
    }
}

fn sum(parts: &[Option<Duration>]) -> Option<Duration> {
    parts.iter().copied().sum()
}

/// The last few round trips.
#[derive(Debug, Default)]
pub struct RoundTrips(HistoryBuf<Duration, ROUND_TRIPS>);

impl RoundTrips {
    /// A report came back.
    pub fn note(&mut self, round_trip: Duration) {
        self.0.write(round_trip);
    }

    /// What the network takes one way, as far as one can tell from here: half of the least. `None`: no report has
    /// come back.
    pub fn one_way(&self) -> Option<Duration> {
        self.0.iter().min().map(|least| *least / 2)
    }
}

/// A part that is measured again and again, smoothed so that one late thread does not show.
#[derive(Debug, Clone, Copy, Default)]
pub struct Average {
    seconds: f64,
    /// Up to [`MEASURES`].
    measures: u32,
}

impl Average {
    /// It was so long this time.
    pub fn note(&mut self, measured: Duration) {
        self.measures = (self.measures + 1).min(MEASURES);
        let measured = measured.min(LONGEST_PART).as_secs_f64();
        self.seconds += (measured - self.seconds) / f64::from(self.measures);
    }

    /// How long it is. `None`: it was never measured.
    pub fn get(&self) -> Option<Duration> {
        (self.measures > 0).then(|| Duration::from_secs_f64(self.seconds.max(0.0)))
    }
}

/// How long sound takes from the microphone until its frame is complete.
///
/// A card that works in periods longer than a frame completes several at once, and their first one has waited longest.
/// The playout takes packets that come together for one, as old as the oldest; so must be counted here.
#[derive(Debug, Default)]
pub struct Capture {
    average: Average,
    /// When the first frame of those that come together was complete, and how old the oldest was.
    bunch: Option<(Instant, Duration)>,
}

impl Capture {
    /// A frame whose first sample was `captured` then is complete.
    pub fn note(&mut self, captured: Instant, complete: Instant) {
        let age = complete.saturating_duration_since(captured);
        match &mut self.bunch {
            Some((first, oldest)) if complete.saturating_duration_since(*first) < TOGETHER => {
                *oldest = age.max(*oldest);
            }
            bunch => {
                if let Some((_, oldest)) = bunch.replace((complete, age)) {
                    self.average.note(oldest);
                }
            }
        }
    }

    /// How long it takes. `None`: too little was captured to tell.
    pub fn get(&self) -> Option<Duration> {
        self.average.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Option<Duration> {
        if ms == NOT_KNOWN { None } else { Some(Duration::from_millis(ms)) }
    }

    const NOT_KNOWN: u64 = u64::MAX;

    const HERE: StationDelay = station([1, 2, 30, 40]);
    const THERE: StationDelay = station([500, 600, 7, 8]);

    const fn station([capture, encode, jitter_buffer, playback]: [u64; 4]) -> StationDelay {
        let [capture, encode] = [ms(capture), ms(encode)];
        StationDelay { capture, encode, jitter_buffer: ms(jitter_buffer), playback: ms(playback) }
    }

    #[test]
    fn a_direction_is_the_mouths_two_parts_the_network_and_the_ears_two_parts() {
        let there = MouthToEar::new(&HERE, ms(100), &THERE);
        assert_eq!(there.parts().map(|(_, part)| part), [ms(1), ms(2), ms(100), ms(7), ms(8)]);
        assert_eq!(there.total(), ms(118));
        assert_eq!(MouthToEar::new(&THERE, ms(100), &HERE).total(), ms(1_270));
        assert_eq!(HERE.total(), ms(73));
    }

    #[test]
    fn a_sum_is_known_only_where_every_part_is() {
        for lacking in 0..5 {
            let mut parts = [1; 5];
            parts[lacking] = NOT_KNOWN;
            let [capture, encode, network, jitter_buffer, playback] = parts.map(ms);
            let way = MouthToEar { capture, encode, network, jitter_buffer, playback };
            assert_eq!(way.total(), None, "{:?}", way.parts()[lacking]);
        }
    }

    #[test]
    fn the_network_is_half_of_the_least_of_the_last_five_round_trips() {
        let mut trips = RoundTrips::default();
        assert_eq!(trips.one_way(), None);
        for (round_trip, one_way) in [(90, 45), (40, 20), (70, 20), (50, 20), (60, 20), (80, 20), (80, 25)] {
            trips.note(Duration::from_millis(round_trip));
            assert_eq!(trips.one_way(), ms(one_way), "after {round_trip}");
        }
    }

    #[test]
    fn an_average_is_that_of_the_first_measures_and_follows_slowly_within_its_bounds() {
        let mut average = Average::default();
        assert_eq!(average.get(), None);
        for (measured, wanted) in [(10, 10), (20, 15), (0, 10)] {
            average.note(Duration::from_millis(measured));
            assert_eq!(average.get(), ms(wanted));
        }
        (0..1_000).for_each(|_| average.note(Duration::from_millis(10)));
        average.note(Duration::from_millis(74));
        assert!(
            average.get().expect("measured").abs_diff(Duration::from_millis(11)) < Duration::from_micros(1)
        );
        (0..1_000).for_each(|_| average.note(Duration::MAX));
        assert!(average.get().expect("measured") <= LONGEST_PART);
    }

    #[test]
    fn of_frames_that_come_together_the_oldest_counts() {
        let start = vox_common::sys::clock::now();
        // The card's period, the frame, and how old the first sample of the oldest frame is, all in 100 µs.
        for (period, frame, oldest) in
            [(25, 25, 25), (100, 25, 100), (100, 100, 100), (25, 100, 100), (200, 50, 200)]
        {
            let mut capture = Capture::default();
            for began in (0..20_000).step_by(frame) {
                let complete = (began + frame).div_ceil(period) * period;
                let at = |when: usize| start + Duration::from_micros(100 * when as u64);
                capture.note(at(began), at(complete));
            }
            let wanted = Duration::from_micros(100 * oldest);
            assert_eq!(capture.get(), Some(wanted), "period {period}, frame {frame}");
        }
    }
}
