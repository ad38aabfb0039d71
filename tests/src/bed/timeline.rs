//! The clock of a card against the machine's: when it played each sample.

/// The width of a window, in seconds: the card's clock does not wander further than its rate says within one.
const WINDOW: f64 = 2.0;

/// The share of beats in a window that is on time; the others were woken late.
const ON_TIME: f64 = 0.1;

/// Of one recording.
#[derive(Debug, Clone)]
pub struct Timeline {
    /// Seconds of the machine for one of the card.
    stretch: f64,
    /// When the recording began, by each window of the card's seconds.
    began: Vec<f64>,
}

impl Timeline {
    /// From a probe's `cycles.csv`, seconds of recording and seconds since boot, of a card that is `ppm` too fast.
    pub fn of(cycles: &[Vec<f64>], ppm: f64) -> Self {
        let stretch = 1.0 / (1.0 + ppm * 1e-6);
        let mut windows: Vec<Vec<f64>> = Vec::new();
        for cycle in cycles {
            let [second, at] = cycle[..] else { continue };
            windows.resize_with(windows.len().max(window(second) + 1), Vec::new);
            windows[window(second)].push(at - second * stretch);
        }
        let began = windows.iter().filter(|beats| !beats.is_empty());
        Self { stretch, began: began.map(|beats| super::listen::quantile(beats, ON_TIME)).collect() }
    }

    /// Since boot, of a second of the recording.
    pub fn time_of(&self, second: f64) -> f64 {
        self.beginning(second) + second * self.stretch
    }

    /// The second of the recording at a time since boot.
    pub fn second_at(&self, time: f64) -> f64 {
        let roughly = (time - self.beginning(0.0)) / self.stretch;
        (time - self.beginning(roughly)) / self.stretch
    }

    fn beginning(&self, second: f64) -> f64 {
        let last = self.began.len().saturating_sub(1);
        self.began.get(window(second).min(last)).copied().unwrap_or(0.0)
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some hundreds of windows")]
fn window(second: f64) -> usize {
    (second / WINDOW).max(0.0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_of_a_fast_card_is_shorter_and_late_beats_change_nothing() {
        let beat = |n: u32| {
            let second = f64::from(n) / 200.0;
            let late = if n.is_multiple_of(3) { 0.0 } else { 0.004 };
            vec![second, 100.0 + second / 1.0003 + late]
        };
        let card = Timeline::of(&(0..20_000).map(beat).collect::<Vec<_>>(), 300.0);
        assert!((card.time_of(90.0) - (100.0 + 90.0 / 1.0003)).abs() < 1e-9);
        assert!((card.second_at(card.time_of(55.5)) - 55.5).abs() < 1e-9);
    }
}
